package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// log is what stands in the audit log beside the users whom the test made, the newest first.
func (w *env) log(t *testing.T) (lines []string) {
	t.Helper()
	entries, _, err := w.db.Audit().List(t.Context(), db.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Act != domain.ActCreate {
			lines = append(lines, fmt.Sprintf("%s %s %s: %s", e.Actor, e.Act, e.Object, e.Reason))
		}
	}
	return lines
}

func (w *env) logged(t *testing.T, want ...string) {
	t.Helper()
	if got := w.log(t); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the log says %q, want %q", got, want)
	}
}

func not(t *testing.T, a answer, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			t.Errorf("%s %s: %q stands in\n%.3000s", a.Request.Method, a.Request.URL, text, a.body)
		}
	}
}

func TestManagerMailings(t *testing.T) {
	w := newEnv(t)
	ann, owner := w.owner(t, "ann")
	w.client(t, ann.ID, "c1@example.com")
	w.client(t, ann.ID, "c2@example.com")
	m := w.mailing(t, ann.ID)
	w.mailing(t, w.user(t, "bob", domain.RoleUser).ID, func(f *domain.MailingForm) { f.Name = "Offers <b>" })
	w.sent(t, m, domain.OutcomeAccepted, domain.OutcomeFailed)
	manager := w.as(t, w.user(t, "mia", domain.RoleManager))

	row := fmt.Sprintf(`<tr id="mailing-%d">`, m.ID)
	manager.get("/manager/mailings").is(t, 200, "<html", row, `href="`+pathOf(m)+`"`, "ann@people.example", "1 of 2", "1 failed",
		`<time datetime="2031-01-07T08:00:00Z"`, "Offers &lt;b&gt;", "2 mailings")
	for query, found := range map[string]bool{"q=news": true, "q=ANN@": true, "q=offers": false, "status=running": true,
		"status=created": false, "status=disabled": false, "q=%25": false, "page=9": true} {
		a := manager.htmx().get("/manager/mailings?"+query).is(t, 200, `id="found"`)
		if strings.Contains(a.body, row) != found || strings.Contains(a.body, "<html") {
			t.Errorf("%s: found is not %v in\n%s", query, found, a.body)
		}
	}
	path := fmt.Sprintf("/manager/mailings/%d/", m.ID)
	for _, reason := range []string{"", " \x00 ", strings.Repeat("x", 501)} {
		manager.htmx().post(path+"disable", "reason", reason).is(t, 422, "<form", `aria-invalid="true"`, `aria-describedby="reason-mailing-`)
		manager.post(path+"disable", "reason", reason).is(t, 422, "<html", `aria-invalid="true"`, strings.TrimSpace(strings.ReplaceAll(reason, "\x00", "")))
	}
	w.logged(t)
	a := manager.htmx().post(path+"disable", "reason", "spam <b>").is(t, 200, row, `aria-pressed="true"`, "spam &lt;b&gt;", path+"enable")
	if strings.Contains(a.body, "<html") || strings.Contains(a.body, "2031-01-07") || a.Header.Get("HX-Trigger") == "" {
		t.Errorf("not the row alone, or it has a next run:\n%s", a.body)
	}
	manager.post(path+"disable", "reason", "again").leads(t, "/manager/mailings")
	manager.get(path+"disable").is(t, 200, "spam &lt;b&gt;", path+"enable")
	owner.get(pathOf(m)).is(t, 200, "spam &lt;b&gt;")
	owner.post(pathOf(m)+"/run").is(t, 409, "spam &lt;b&gt;")
	manager.get("/manager/mailings?status=disabled").is(t, 200, row, "1 mailing")
	manager.htmx().post(path+"enable").is(t, 200, row, `aria-pressed="false"`, "2031-01-07T08:00:00Z")
	w.logged(t, "mia@people.example enable News: ", "mia@people.example disable News: spam <b>")
	owner.post(path+"disable", "reason", "mine").is(t, 403)
}

func TestManagerUsers(t *testing.T) {
	w := newEnv(t)
	ann, there := w.owner(t, "ann")
	here := w.as(t, ann)
	w.client(t, ann.ID, "c@example.com")
	m := w.mailing(t, ann.ID)
	w.act(t, m, launch)
	mia := w.user(t, "mia", domain.RoleManager)
	admin, manager := w.user(t, "ada", domain.RoleAdmin), w.as(t, mia)

	row := fmt.Sprintf(`<tr id="user-%d">`, ann.ID)
	a := manager.get("/manager/users").is(t, 200, "<html", row, "ann@people.example", "3 users", `href="/manager/mailings?q=ann%40people.example">1</a>`)
	for _, other := range []domain.User{mia, admin} {
		not(t, a, fmt.Sprintf("/manager/users/%d/block", other.ID))
		manager.post(fmt.Sprintf("/manager/users/%d/block", other.ID), "reason", "spam").is(t, 403, "You can&#39;t block")
	}
	path := fmt.Sprintf("/manager/users/%d/", ann.ID)
	manager.htmx().post(path+"block").is(t, 422, `aria-invalid="true"`)
	manager.htmx().post(path+"block", "reason", "spam <b>").is(t, 200, row, `aria-pressed="true"`, "spam &lt;b&gt;")
	for _, session := range []*browser{here, there} {
		session.get("/clients").is(t, http.StatusSeeOther)
	}
	visitor := w.visitor(t)
	visitor.post("/login", "email", ann.Email, "password", password).is(t, 403, "spam &lt;b&gt;")
	if run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, m.StartLocal.Add(time.Hour), false); ok || err != nil {
		t.Errorf("a blocked owner's mailing runs: %+v, %v", run, err)
	}
	manager.get("/manager/mailings").is(t, 200, "Owner blocked")
	not(t, manager.get("/manager/mailings"), "2031-01-06")
	manager.get("/manager/users?status=blocked").is(t, 200, row, "1 user")
	not(t, manager.htmx().get("/manager/users?q=mia").is(t, 200), row)
	manager.post(path+"unblock").leads(t, "/manager/users")
	visitor.post("/login", "email", ann.Email, "password", password).is(t, 303)
	w.logged(t, "mia@people.example unblock ann@people.example: ", "mia@people.example block ann@people.example: spam <b>")
}

func TestGiveRole(t *testing.T) {
	w := newEnv(t)
	ada, ann := w.user(t, "ada", domain.RoleAdmin), w.user(t, "ann", domain.RoleUser)
	admin, user := w.as(t, ada), w.as(t, ann)
	path := func(u domain.User) string { return fmt.Sprintf("/admin/users/%d/role", u.ID) }
	row := fmt.Sprintf(`<tr id="user-%d">`, ann.ID)

	a := admin.get("/admin/users").is(t, 200, "<html", row, `action="`+path(ann)+`"`, `<option value="user" selected>`)
	not(t, a, path(ada))
	admin.htmx().post(path(ann), "role", "manager").is(t, 200, row, `<option value="manager" selected>`)
	user.get("/manager/users").is(t, 200)
	user.get("/clients").is(t, 403)
	admin.htmx().post(path(ann), "role", "king").is(t, 422, row, `aria-invalid="true"`, `aria-describedby="role-`)
	admin.post(path(ann), "role", "").is(t, 422, "<html", row, `aria-invalid="true"`)
	admin.htmx().post(path(ada), "role", "user").is(t, 422, "You can&#39;t remove")
	admin.post(path(ada), "role", "admin").leads(t, "/admin/users")
	admin.post(path(ann), "role", "user").leads(t, "/admin/users")
	not(t, admin.htmx().get("/admin/users?role=admin").is(t, 200), row)
	w.logged(t, "ada@people.example role_user ann@people.example: ", "ada@people.example role_manager ann@people.example: ")

	log := admin.get("/admin/audit").is(t, 200, "<html", "4 entries", "Role changed to manager", "ada@people.example", "Command line", `<time datetime="`)
	if strings.Index(log.body, "Role changed to user<") > strings.Index(log.body, "Role changed to manager<") {
		t.Error("the log does not begin with the newest")
	}
	not(t, admin.htmx().get("/admin/audit?act=role_manager").is(t, 200, "Role changed to manager"), "<html", "Role changed to user<")
	admin.htmx().get("/admin/audit?q=nobody@").is(t, 200, "No entries match", `href="/admin/audit"`)
}

func TestQueue(t *testing.T) {
	w := newEnv(t)
	admin := w.as(t, w.user(t, "ada", domain.RoleAdmin))
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO river_queue (name, metadata, updated_at) VALUES ('default', '{}', now())`); err != nil {
		t.Fatal(err)
	}
	screen := admin.get("/admin/jobs/").is(t, 200, `<div id="root"`)
	policy := screen.Header.Get("Content-Security-Policy")
	if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "style-src 'self' 'unsafe-inline';") {
		t.Error(policy)
	}
	not(t, answer{Response: screen.Response, body: admin.get("/admin/audit").Header.Get("Content-Security-Policy")}, "unsafe")
	for part := range strings.SplitSeq(screen.body, `"`) {
		if strings.HasPrefix(part, "/admin/jobs/") && !strings.HasSuffix(part, "api") {
			got := admin.get(part).is(t, 200)
			if strings.Contains(part, "/assets/") && !strings.Contains(got.Header.Get("Cache-Control"), "immutable") {
				t.Errorf("%s: Cache-Control %q", part, got.Header.Get("Cache-Control"))
			}
		}
	}
	admin.get("/admin/jobs/api/jobs?state=available").is(t, 200, `"data"`)
	admin.get("/admin/jobs/jobs/1").is(t, 200, `<div id="root"`)
	admin.with("Sec-Fetch-Site", "cross-site").do("PUT", "/admin/jobs/api/queues/default/pause", nil).is(t, 403)
	admin.with("Sec-Fetch-Site", "same-origin").do("PUT", "/admin/jobs/api/queues/default/pause", nil).is(t, 200)
	admin.get("/admin/jobs/api/queues/default").is(t, 200, `"paused_at":"`)
}
