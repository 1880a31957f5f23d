package handlers

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// group is who may use a route: the roles that may with what is their own or nobody's, and
// those of them that may with everybody's. Who is blocked is a visitor.
type group struct{ roles, all string }

var (
	anybody   = group{"visitor user manager content admin", "visitor user manager content admin"}
	strangers = group{"visitor", "visitor"} // others are led to their work
	members   = group{"user manager content admin", ""}
	owners    = group{"user admin", ""}
	viewers   = group{"user manager admin", "manager admin"}
	managers  = group{"manager admin", "manager admin"}
	authors   = group{"content admin", "content admin"}
	admins    = group{"admin", "admin"}
)

// decision is what a route answers to whom it lets in, to a plain request and to htmx. Thing is
// what :id names. The form is right, so that nothing but the person decides.
type decision struct {
	route       string
	who         group
	plain, htmx int
	thing, form string
}

// decisions are made here for every route, apart from the guards: a new route needs its own.
var decisions = []decision{
	{"GET /", anybody, 200, 200, "", ""},
	{"GET /blog", anybody, 200, 200, "", ""},
	{"GET /blog/feed.xml", anybody, 200, 200, "", ""},
	{"GET /blog/:slug", anybody, 200, 200, "", ""},
	{"GET /media/:name", anybody, 404, 404, "", ""},
	{"GET /sitemap.xml", anybody, 200, 200, "", ""},
	{"GET /robots.txt", anybody, 200, 200, "", ""},
	{"GET /healthz", anybody, 200, 200, "", ""},
	{"GET /readyz", anybody, 200, 200, "", ""},
	{"GET /static/:hash/*", anybody, 200, 200, "", ""},
	{"POST /language", anybody, 303, 200, "", "language=ru"},
	{"GET /help", anybody, 200, 200, "", ""},
	{"GET /help/:language/:name", anybody, 404, 404, "", ""},

	{"GET /register", strangers, 200, 200, "", ""},
	{"POST /register", anybody, 303, 200, "", "name=New&email=new{me}@people.example"},
	{"GET /register/sent", anybody, 200, 200, "", ""},
	{"GET /verify/:token", anybody, 410, 410, "", ""},
	{"POST /verify/resend", anybody, 303, 200, "", "email={me}@people.example"},
	{"POST /verify/:token", anybody, 410, 410, "", ""},
	{"GET /login", strangers, 200, 200, "", ""},
	{"POST /login", anybody, 303, 200, "", "email={me}@people.example&password=" + secret},
	{"POST /logout", anybody, 303, 200, "", ""},
	{"GET /password/forgot", anybody, 200, 200, "", ""},
	{"POST /password/forgot", anybody, 303, 200, "", "email={me}@people.example"},
	{"GET /password/sent", anybody, 200, 200, "", ""},
	{"GET /password/reset/:token", anybody, 410, 410, "", ""},
	{"POST /password/reset/:token", anybody, 410, 410, "", ""},

	{"GET /account", members, 200, 200, "", ""},
	{"POST /account", members, 303, 200, "", "name=Name&language=en&timezone=UTC"},
	{"DELETE /account", members, 303, 200, "", "sure=yes&current=" + secret},
	{"GET /account/email", members, 200, 200, "", ""},
	{"POST /account/email", members, 303, 200, "", "email=moved@people.example&current=" + secret},
	{"GET /account/email/:token", anybody, 410, 410, "", ""},
	{"POST /account/email/:token", anybody, 410, 410, "", ""},
	{"POST /account/password", members, 303, 200, "", "password=another+horse&current=" + secret},
	{"POST /account/sessions/end", members, 303, 200, "", ""},
	{"POST /drafts", members, 200, 200, "", "name=News"},
	{"GET /account/export.json", members, 200, 200, "", ""},

	{"GET /start", owners, 200, 200, "", ""},
	{"POST /start", owners, 303, 200, "", "do=now+once&when=now&periodicity=once&timezone=UTC&subject=Hello&body=Hello"},
	{"POST /start/clients", owners, 303, 200, "", "addresses=b@x.example"},
	{"POST /start/plan", owners, 200, 200, "", "when=now&periodicity=once&timezone=UTC"},
	{"POST /start/compose", owners, 200, 200, "", "blocks=0&do=add:0:text"},
	{"GET /start/preview", owners, 200, 200, "", ""},
	{"POST /start/preview", owners, 200, 200, "", "subject=Hello&body=Hello"},

	{"GET /calendar", owners, 200, 200, "", ""},
	{"GET /calendar/forecast", owners, 200, 200, "", ""},
	{"GET /calendar/:day", owners, 200, 200, "", ""},

	{"GET /clients", owners, 200, 200, "", ""},
	{"POST /clients", owners, 303, 200, "", "email=client@x.example"},
	{"GET /clients/new", owners, 200, 200, "", ""},
	{"GET /clients/several", owners, 200, 200, "", ""},
	{"POST /clients/several", owners, 303, 200, "", "addresses=a@x.example"},
	{"GET /clients/export.csv", owners, 200, 200, "", ""},
	{"GET /clients/find", owners, 303, 200, "", ""},
	{"GET /clients/import", owners, 200, 200, "", ""},
	{"POST /clients/import", owners, 422, 422, "", ""}, // without a file
	{"GET /clients/import/:id", owners, 200, 286, "import", ""},
	{"POST /clients/import/:id", owners, 303, 200, "import", ""},
	{"POST /clients/import/:id/undo", owners, 303, 200, "import", ""},
	{"GET /clients/:id", owners, 200, 200, "client", ""},
	{"PUT /clients/:id", owners, 303, 200, "client", "email=other@x.example"},
	{"DELETE /clients/:id", owners, 303, 200, "client", ""},
	{"GET /clients/:id/edit", owners, 200, 200, "client", ""},
	{"GET /clients/:id/delete", owners, 200, 200, "client", ""},
	{"POST /clients/:id/retry", owners, 303, 200, "client", ""},

	{"GET /series", owners, 200, 200, "", ""},
	{"POST /series", owners, 422, 422, "", "name=Welcome&entry=manual"}, // without a step
	{"GET /series/new", owners, 200, 200, "", ""},
	{"POST /series/form", owners, 200, 200, "", "do=add"},
	{"PUT /series/form", owners, 200, 200, "", "do=add"},
	{"GET /series/:id", viewers, 200, 200, "series", ""},
	{"PUT /series/:id", owners, 303, 200, "series", "name=Hello&entry=manual&step_id={id}&step_message_id={id}&step_wait=0"},
	{"DELETE /series/:id", owners, 303, 200, "series", ""},
	{"GET /series/:id/edit", owners, 200, 200, "series", ""},
	{"GET /series/:id/delete", owners, 200, 200, "series", ""},
	{"GET /series/:id/launch", owners, 200, 200, "series", ""},
	{"POST /series/:id/launch", owners, 303, 200, "series", "audience_now=no"},
	{"GET /series/:id/now", viewers, 303, 286, "series", ""},
	{"POST /series/:id/recall", owners, 409, 409, "launched series", ""},
	{"POST /series/:id/pause", owners, 303, 200, "launched series", ""},
	{"POST /series/:id/resume", owners, 303, 200, "paused series", ""},
	{"GET /series/:id/finish", owners, 200, 200, "launched series", ""},
	{"POST /series/:id/finish", owners, 303, 200, "launched series", ""},
	{"POST /series/:id/passed", owners, 303, 200, "series", "step={id}&send=no"},
	{"GET /series/:id/preview", owners, 200, 200, "series", ""},
	{"POST /series/:id/test", owners, 303, 200, "series", ""},
	{"POST /series/:id/copy", owners, 303, 200, "series", ""},
	{"GET /series/:id/clients", owners, 200, 200, "series", ""},
	{"POST /series/:id/clients", owners, 303, 200, "series", "client_ids={id}"},
	{"POST /series/:id/clients/remove", owners, 303, 200, "series", "client_id={id}"},

	{"GET /messages", owners, 200, 200, "", ""},
	{"POST /messages", owners, 303, 200, "", "subject=Hello&body=Hello"},
	{"GET /messages/new", owners, 200, 200, "", ""},
	{"POST /messages/compose", owners, 200, 200, "", "blocks=0&do=add:0:text"},
	{"PUT /messages/compose", owners, 200, 200, "", "body=Hello"},
	{"POST /messages/draft", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"PUT /messages/draft", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"POST /messages/advice", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"PUT /messages/advice", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"GET /messages/html", owners, 200, 200, "", ""},
	{"POST /messages/html", owners, 200, 200, "", "html=<p>Hello</p>"},
	{"POST /messages/links", owners, 200, 200, "", "body=Hello"},
	{"PUT /messages/links", owners, 200, 200, "", "body=Hello"},
	{"GET /messages/:id/links", owners, 200, 200, "message", ""},
	{"POST /messages/pictures", owners, 422, 422, "", ""}, // without a file
	{"POST /messages/preview", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"PUT /messages/preview", owners, 200, 200, "", "subject=Hello&body=Hello"},
	{"GET /messages/:id", viewers, 200, 200, "message", ""},
	{"PUT /messages/:id", owners, 303, 200, "message", "subject=Other&body=Other"},
	{"DELETE /messages/:id", owners, 303, 200, "message", ""},
	{"GET /messages/:id/edit", owners, 200, 200, "message", ""},
	{"GET /messages/:id/delete", owners, 200, 200, "message", ""},
	{"GET /messages/:id/preview", viewers, 200, 200, "message", ""},
	{"GET /messages/:id/versions", owners, 200, 200, "message version", ""},
	{"POST /messages/:id/versions", owners, 303, 200, "message version", "version=1"},
	{"POST /messages/:id/copy", owners, 303, 200, "message", ""},
	{"POST /messages/:id/test", owners, 303, 200, "message", ""},

	{"GET /topics", owners, 200, 200, "", ""},
	{"POST /topics", owners, 303, 200, "", "name=News{me}"},
	{"GET /topics/:id/edit", owners, 200, 200, "topic", ""},
	{"PUT /topics/:id", owners, 303, 200, "topic", "name=News{me}"},
	{"DELETE /topics/:id", owners, 303, 200, "topic", ""},
	{"GET /topics/:id/delete", owners, 200, 200, "topic", ""},
	{"GET /clients/fields", owners, 200, 200, "", ""},
	{"POST /clients/fields", owners, 303, 200, "", "label=City{me}&type=text"},
	{"GET /clients/fields/:id/edit", owners, 200, 200, "field", ""},
	{"PUT /clients/fields/:id", owners, 303, 200, "field", "label=Town&key=town{me}&type=text"},
	{"DELETE /clients/fields/:id", owners, 303, 200, "field", ""},
	{"GET /clients/fields/:id/delete", owners, 200, 200, "field", ""},
	{"POST /clients/columns", owners, 303, 200, "", "columns=tags"},
	{"POST /clients/bulk", owners, 422, 422, "", "do=tag&tags=vip"}, // nobody is selected
	{"GET /clients/bulk/:id", owners, 200, 286, "bulk", ""},
	{"POST /clients/bulk/:id/undo", owners, 303, 200, "bulk", ""},
	{"GET /segments", owners, 200, 200, "", ""},
	{"POST /segments", owners, 303, 200, "", "name=S{me}&where=tag&op=is&value=vip"},
	{"GET /segments/new", owners, 200, 200, "", ""},
	{"POST /segments/count", owners, 200, 200, "", "where=tag&op=is&value=vip"},
	{"PUT /segments/count", owners, 200, 200, "", "where=tag&op=is&value=vip"},
	{"GET /segments/:id", owners, 200, 200, "segment", ""},
	{"PUT /segments/:id", owners, 303, 200, "segment", "name=T{me}&where=tag&op=is&value=vip"},
	{"DELETE /segments/:id", owners, 303, 200, "segment", ""},
	{"GET /segments/:id/delete", owners, 200, 200, "segment", ""},
	{"GET /forms", owners, 200, 200, "", ""},
	{"POST /forms", owners, 303, 200, "", "name=News"},
	{"GET /forms/new", owners, 200, 200, "", ""},
	{"GET /forms/:id", owners, 200, 200, "form", ""},
	{"PUT /forms/:id", owners, 303, 200, "form", "name=Other&agreement=Other"},
	{"DELETE /forms/:id", owners, 303, 200, "form", ""},
	{"GET /forms/:id/edit", owners, 200, 200, "form", ""},
	{"GET /forms/:id/delete", owners, 200, 200, "form", ""},
	{"GET /forms/:id/picture", owners, 200, 200, "form", ""},
	{"GET /f/:token", anybody, 404, 404, "", ""},
	{"POST /f/:token", anybody, 404, 404, "", ""},
	{"GET /f/:token/sent", anybody, 404, 404, "", ""},
	{"GET /f/:token/confirm/:code", anybody, 404, 404, "", ""},
	{"POST /f/:token/confirm/:code", anybody, 404, 404, "", ""},
	{"GET /clients/:id/consent", owners, 200, 200, "client", ""},
	{"POST /clients/:id/consent", owners, 303, 200, "client", "consent_source=card&consent_on=2020-02-29"},
	{"GET /clients/:id/consent.html", owners, 200, 200, "client", ""},
	{"GET /senders", owners, 200, 200, "", ""},
	{"POST /senders", owners, 303, 200, "", "name=Shop&email=news@shop{me}.example"},
	{"GET /senders/new", owners, 200, 200, "", ""},
	{"GET /senders/confirm/:token", anybody, 410, 410, "", ""},
	{"POST /senders/confirm/:token", anybody, 410, 410, "", ""},
	{"GET /senders/:id", owners, 200, 200, "sender", ""},
	{"PUT /senders/:id", owners, 303, 200, "sender", "name=Other&email=other{me}@shop.example"},
	{"DELETE /senders/:id", owners, 303, 200, "sender", ""},
	{"GET /senders/:id/edit", owners, 200, 200, "sender", ""},
	{"GET /senders/:id/delete", owners, 200, 200, "sender", ""},
	{"POST /senders/:id/check", owners, 303, 200, "sender", ""},
	{"POST /senders/:id/confirm", owners, 303, 200, "sender", ""},

	{"GET /mailings", owners, 200, 200, "", ""},
	{"POST /mailings", owners, 422, 422, "", "name=News"}, // without a message
	{"GET /mailings/new", owners, 200, 200, "", ""},
	{"POST /mailings/clients", owners, 200, 200, "", ""},
	{"POST /mailings/messages", owners, 200, 200, "", "message_q=News"},
	{"POST /mailings/reach", owners, 200, 200, "", "audience=all"},
	{"GET /mailings/:id", viewers, 200, 200, "mailing", ""},
	{"PUT /mailings/:id", owners, 303, 200, "mailing", "name=Other&message_id={id}&audience=all&start_at=2031-01-06T10:00&timezone=UTC&periodicity=daily"},
	{"DELETE /mailings/:id", owners, 303, 200, "mailing", ""},
	{"GET /mailings/:id/edit", owners, 200, 200, "mailing", ""},
	{"GET /mailings/:id/delete", owners, 200, 200, "mailing", ""},
	{"GET /mailings/:id/progress", viewers, 303, 286, "launched mailing", ""},
	{"GET /mailings/:id/pace", viewers, 303, 286, "launched mailing", ""},
	{"GET /mailings/:id/review", owners, 200, 200, "mailing", ""},
	{"POST /mailings/:id/launch", owners, 303, 200, "mailing", ""},
	{"GET /mailings/:id/recall", owners, 303, 286, "mailing", ""},
	{"POST /mailings/:id/recall", owners, 409, 409, "mailing", ""}, // nothing to take back
	{"POST /mailings/:id/pause", owners, 303, 200, "launched mailing", ""},
	{"POST /mailings/:id/resume", owners, 303, 200, "launched mailing", ""},
	{"GET /mailings/:id/dates/:no", owners, 200, 200, "mailing", ""},
	{"POST /mailings/:id/dates/:no", owners, 303, 200, "mailing", "do=move&at=2031-01-06T12:00"},
	{"GET /mailings/:id/stop", owners, 200, 200, "launched mailing", ""},
	{"POST /mailings/:id/stop", owners, 303, 200, "launched mailing", ""},
	{"POST /mailings/:id/run", owners, 409, 409, "mailing", ""}, // to nobody
	{"POST /mailings/:id/copy", owners, 303, 200, "mailing", ""},
	{"GET /runs/:id/email", viewers, 200, 200, "run", ""},
	{"GET /runs/:id/cancel", owners, 200, 200, "run", ""},
	{"POST /runs/:id/cancel", owners, 303, 200, "run", ""},
	{"POST /runs/:id/again", owners, 409, 409, "run", "who=not_accepted"}, // it isn't over
	{"POST /runs/:id/choose", owners, 422, 422, "run", "variant=1"},       // it has no test
	{"GET /results", viewers, 200, 200, "", ""},
	{"GET /results.csv", viewers, 200, 200, "", ""},
	{"GET /attempts.csv", viewers, 200, 200, "", ""},
	{"GET /runs/:id.csv", viewers, 200, 200, "run", ""},
	{"GET /runs/:id", viewers, 200, 200, "run", ""},
	{"GET /runs/:id/bounces", viewers, 200, 200, "run", ""},
	{"POST /runs/:id/unsuppress", owners, 303, 200, "run", ""},
	{"GET /attempts", viewers, 200, 200, "", ""},

	{"GET /inbox", anybody, 200, 200, "", ""}, // here the visitor's program is on this machine
	{"GET /inbox/:id", anybody, 200, 200, "email", ""},
	{"GET /inbox/:id/html", anybody, 200, 200, "email", ""},
	{"GET /pictures/:name", anybody, 404, 404, "", ""},
	{"GET /brand", owners, 200, 200, "", ""},
	{"POST /brand", owners, 303, 200, "", "name=Shop&color=%23c81e5a"},
	{"POST /brand/preview", owners, 200, 200, "", "name=Shop"},
	{"GET /brand/:name", anybody, 404, 404, "", ""},
	{"GET /view/:token", anybody, 404, 404, "", ""},
	{"GET /c/:token/:n", anybody, 404, 404, "", ""},
	{"GET /o/:token", anybody, 404, 404, "", ""},
	{"GET /unsubscribe/:token", anybody, 200, 200, "", ""},
	{"POST /unsubscribe/:token", anybody, 200, 200, "", ""},
	{"GET /preferences/:token", anybody, 200, 200, "", ""},
	{"POST /preferences/:token", anybody, 200, 200, "", ""},

	{"GET /manager", managers, 200, 200, "", ""},
	{"GET /admin", admins, 200, 200, "", ""},
	{"GET /manager/mailings", managers, 200, 200, "", ""},
	{"GET /manager/mailings/:id/disable", managers, 200, 200, "mailing", ""},
	{"POST /manager/mailings/:id/disable", managers, 303, 200, "mailing", "reason=spam"},
	{"POST /manager/mailings/:id/enable", managers, 303, 200, "mailing", ""},
	{"GET /manager/recipients", managers, 200, 200, "", ""},
	{"GET /manager/users", managers, 200, 200, "", ""},
	{"GET /manager/users/:id/block", managers, 200, 200, "user", ""},
	{"POST /manager/users/:id/block", managers, 303, 200, "user", "reason=spam"},
	{"POST /manager/users/:id/unblock", managers, 303, 200, "user", ""},
	{"POST /manager/users/:id/release", managers, 303, 200, "user", ""},
	{"GET /manager/users/:id/lift", managers, 200, 200, "user", ""},
	{"POST /manager/users/:id/lift", managers, 303, 200, "user", "reason=known"},
	{"POST /manager/users/:id/limit", managers, 303, 200, "user", ""},
	{"GET /manager/users/:id/approve", managers, 200, 200, "user", ""},
	{"POST /manager/users/:id/approve", managers, 303, 200, "user", "reason=known"},
	{"POST /manager/users/:id/hold", managers, 303, 200, "user", ""},

	{"GET /admin/posts", authors, 200, 200, "", ""},
	{"POST /admin/posts", authors, 303, 200, "", "title=News&body=News"},
	{"GET /admin/posts/new", authors, 200, 200, "", ""},
	{"POST /admin/posts/preview", authors, 200, 200, "", "title=News&body=News"},
	{"PUT /admin/posts/preview", authors, 200, 200, "", "title=News&body=News"},
	{"GET /admin/posts/:id", authors, 200, 200, "post", ""},
	{"PUT /admin/posts/:id", authors, 303, 200, "post", "title=Other&body=Other"},
	{"DELETE /admin/posts/:id", authors, 303, 200, "post", ""},
	{"GET /admin/posts/:id/preview", authors, 200, 200, "post", ""},
	{"GET /admin/posts/:id/edit", authors, 200, 200, "post", ""},
	{"GET /admin/posts/:id/delete", authors, 200, 200, "post", ""},

	{"GET /admin/users", admins, 200, 200, "", ""},
	{"POST /admin/users", admins, 303, 200, "", "email=new{me}@people.example&role=user"},
	{"GET /admin/users/new", admins, 200, 200, "", ""},
	{"GET /admin/users/:id/delete", admins, 200, 200, "user", ""},
	{"DELETE /admin/users/:id", admins, 303, 200, "user", ""},
	{"POST /admin/users/:id/verify", admins, 303, 200, "user", ""},
	{"GET /admin/settings", admins, 200, 200, "", ""},
	{"POST /admin/users/:id/role", admins, 303, 200, "user", "role=content"},
	{"GET /admin/audit", admins, 200, 200, "", ""},
	{"GET /admin/check", admins, 200, 200, "", ""},
	{"GET /admin/jobs", admins, 200, 200, "", ""},
	{"GET /admin/jobs/*", admins, 200, 200, "", ""},
	{"POST /admin/jobs/*", admins, 200, 200, "", `{"ids":["7000000"]}`},
	{"PUT /admin/jobs/*", admins, 200, 200, "", "{}"},
	{"PATCH /admin/jobs/*", admins, 200, 200, "", `{"concurrency":null}`},
}

// exceptions depend on more than the role: by route, role and whose the thing is.
var exceptions = map[string]int{
	"POST /login blocked":                         403, // with the reason
	"DELETE /account admin":                       409, // one has to remain
	"GET /manager/users/:id/block manager own":    403, // nobody blocks their own account
	"GET /manager/users/:id/block admin own":      403,
	"POST /manager/users/:id/block manager own":   403,
	"POST /manager/users/:id/block admin own":     403,
	"POST /manager/users/:id/unblock manager own": 403,
	"POST /manager/users/:id/unblock admin own":   403,
	"POST /manager/users/:id/lift manager own":    403,
	"POST /manager/users/:id/lift admin own":      403,
	"POST /manager/users/:id/approve manager own": 403,
	"POST /manager/users/:id/approve admin own":   403,
	"GET /admin/users/:id/delete admin own":       403, // nor deletes it
	"DELETE /admin/users/:id admin own":           403,
	"POST /admin/users/:id/role admin own":        422, // nor changes their own role
}

// addresses are those of routes that have other parameters than :id.
var addresses = map[string]string{
	"GET /blog/:slug":              "/blog/hello",
	"GET /media/:name":             "/media/none.jpg",
	"GET /verify/:token":           "/verify/dead",
	"POST /verify/:token":          "/verify/dead",
	"GET /password/reset/:token":   "/password/reset/dead",
	"POST /password/reset/:token":  "/password/reset/dead",
	"GET /account/email/:token":    "/account/email/dead",
	"POST /account/email/:token":   "/account/email/dead",
	"GET /senders/confirm/:token":  "/senders/confirm/dead",
	"POST /senders/confirm/:token": "/senders/confirm/dead",
	"GET /unsubscribe/:token":      "/unsubscribe/test",
	"POST /unsubscribe/:token":     "/unsubscribe/test",
	"GET /preferences/:token":      "/preferences/test",
	"POST /preferences/:token":     "/preferences/test",
	"GET /calendar/:day":           "/calendar/2031-01-06",
	"GET /mailings/:id/dates/:no":  "/mailings/:id/dates/0",
	"POST /mailings/:id/dates/:no": "/mailings/:id/dates/0",
	"GET /admin/jobs/*":            "/admin/jobs/api/states",
	"POST /admin/jobs/*":           "/admin/jobs/api/jobs/cancel",
	"PUT /admin/jobs/*":            "/admin/jobs/api/queues/default/pause",
	"PATCH /admin/jobs/*":          "/admin/jobs/api/queues/default",
}

// cell is one question: may this person do this with that thing?
type cell struct {
	decision
	role, object string // object: own, foreign, missing, or "" when the route has none
	fragment     bool   // asked by htmx
}

// status is the answer that has been decided on.
func (c cell) status() int {
	role := c.role
	if role == "blocked" {
		role = "visitor"
	}
	ok := c.plain
	if c.fragment {
		ok = c.htmx
	}
	exception, excepted := exceptions[strings.TrimSpace(c.route+" "+c.role+" "+c.object)]
	switch {
	case excepted:
		return exception
	case c.admitted() && (c.object == "missing" || c.object == "foreign" && !strings.Contains(c.who.all, role)):
		return http.StatusNotFound
	case c.admitted():
		return ok
	case role != "visitor" && c.who != strangers:
		return http.StatusForbidden
	case !c.fragment:
		return http.StatusSeeOther
	case c.who == strangers:
		return http.StatusOK
	}
	return http.StatusUnauthorized
}

func (c cell) admitted() bool {
	role := strings.ReplaceAll(c.role, "blocked", "visitor")
	return slices.Contains(strings.Fields(c.who.roles), role)
}

// cells are all questions about a route.
func (d decision) cells() (list []cell) {
	for _, role := range []string{"visitor", "user", "manager", "content", "admin", "blocked"} {
		objects := []string{""}
		switch {
		case d.thing == "email" || d.thing != "" && role == "visitor": // has no owner; owns nothing
			objects = []string{"foreign", "missing"}
		case d.thing != "":
			objects = []string{"own", "foreign", "missing"}
		}
		for _, object := range objects {
			list = append(list, cell{d, role, object, false}, cell{d, role, object, true})
		}
	}
	return list
}

func TestEveryRouteIsDecided(t *testing.T) {
	decided := map[string]bool{}
	for _, d := range decisions {
		decided[d.route] = true
	}
	for _, r := range routes(nouns{}) {
		route := r.Method + " " + r.Path
		if !decided[route] {
			t.Errorf("%s: nobody decided who may", route)
		}
		delete(decided, route)
	}
	for route := range decided {
		t.Errorf("%s is decided, but is no route", route)
	}
}

func TestPermissions(t *testing.T) {
	s, asked, refused := newFixture(t), 0, 0
	for _, d := range decisions {
		gone := map[string]string{} // the bodies of 404, by role and kind of request
		for _, c := range d.cells() {
			asked++
			got := s.ask(t, c)
			if want := c.status(); got.StatusCode != want {
				t.Errorf("%v: status %d, want %d (%s)", c.name(), got.StatusCode, want, got.Header.Get("Location"))
				continue
			}
			if !c.admitted() && c.who != strangers || got.StatusCode == http.StatusNotFound {
				refused++
				if got.wrote && c.thing != "user" { // whom an action on users locks, the actor too
					t.Errorf("%v: refused, and something was written", c.name())
				}
			}
			s.check(t, c, got)
			if got.StatusCode == http.StatusNotFound {
				kind := c.role + map[bool]string{true: " htmx"}[c.fragment]
				if before, there := gone[kind]; there && before != got.body {
					t.Errorf("%v: the body of 404 tells a foreign thing from none", c.name())
				}
				gone[kind] = got.body
			}
		}
	}
	if !s.seen {
		t.Error("not even managers see the address of a client")
	}
	t.Logf("%d routes, %d cells, %d of them refused", len(decisions), asked, refused)
}

// Whoever may everything finds no other method at any address.
func TestOtherMethods(t *testing.T) {
	s, known := newFixture(t), map[string]bool{}
	for _, d := range decisions {
		known[d.route] = true
	}
	for _, d := range decisions {
		_, path, _ := strings.Cut(d.route, " ")
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			route := method + " " + path
			if known[route] {
				continue
			}
			known[route] = true
			if address, ok := addresses[d.route]; ok {
				route = method + " " + address
			}
			got := s.ask(t, cell{decision{route, admins, 0, 0, d.thing, ""}, "admin", "own", true})
			refused := got.StatusCode == http.StatusMethodNotAllowed && got.Header.Get("Allow") != "" ||
				got.StatusCode == http.StatusNotFound || got.StatusCode == http.StatusGone // taken for a token
			if locks := strings.HasPrefix(path, "/admin/users/"); !refused || got.wrote && !locks { // the actor, before it knows that there is nobody
				t.Errorf("%s: status %d, Allow %q, wrote %v", route, got.StatusCode, got.Header.Get("Allow"), got.wrote)
			}
		}
	}
}
