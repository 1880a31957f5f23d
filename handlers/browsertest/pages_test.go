package browsertest

// A sight is one state of one page, as the crawler sees it.
type sight struct {
	route  string // the route of handlers/routes.go that shows it
	who    int    // the user of testdata/pages.sql, 0: a visitor
	path   string
	status int    // 0: 200
	send   string // a form on the page that is emptied and sent: the sight is the answer
	others bool   // not written by us: an email, River UI
}

// The people of testdata/pages.sql.
const (
	visitors = iota
	anOwner
	aManager
	aWriter
	anAdmin
	aNewOwner // has nothing yet
)

const (
	anOwnerOfClients  = 8 // has no email yet
	anOwnerOfAMessage = 9 // has launched nothing yet
)

// sights are what people see. Every GET route has one here or is in noPages.
var sights = []sight{
	{"GET /", visitors, "/", 0, "", false},
	{"GET /", anOwner, "/", 0, "", false},
	{"GET /help", visitors, "/help", 0, "", false},
	{"GET /help", anAdmin, "/help", 0, "", false},
	{"GET /blog", visitors, "/blog", 0, "", false},
	{"GET /blog/:slug", visitors, "/blog/with-a-picture", 0, "", false},
	{"GET /blog/:slug", visitors, "/blog/long", 0, "", false},

	{"GET /register", visitors, "/register", 0, "", false},
	{"POST /register", visitors, "/register", 422, "main form", false},
	{"GET /register/sent", visitors, "/register/sent", 0, "", false},
	{"GET /verify/:token", visitors, "/verify/" + verifyToken, 0, "", false},
	{"POST /verify/:token", visitors, "/verify/" + verifyToken, 422, "main form", false},
	{"GET /verify/:token", visitors, "/verify/dead", 410, "", false},
	{"POST /verify/resend", visitors, "/verify/dead", 422, "form[action='/verify/resend']", false},
	{"GET /login", visitors, "/login", 0, "", false},
	{"POST /login", visitors, "/login", 422, "main form", false},
	{"POST /login", visitors, "/login?blocked", 403, "main form", false},
	{"GET /password/forgot", visitors, "/password/forgot", 0, "", false},
	{"POST /password/forgot", visitors, "/password/forgot", 422, "main form", false},
	{"GET /password/sent", visitors, "/password/sent", 0, "", false},
	{"GET /password/reset/:token", visitors, "/password/reset/" + resetToken, 0, "", false},
	{"POST /password/reset/:token", visitors, "/password/reset/" + resetToken, 422, "main form", false},
	{"GET /password/reset/:token", visitors, "/password/reset/dead", 410, "", false},
	{"GET /account", anOwner, "/account", 0, "", false},
	{"POST /account", anOwner, "/account", 422, "form[action='/account']", false},
	{"POST /account/password", anOwner, "/account", 422, "form[action='/account/password']", false},
	{"GET /account/email", anOwner, "/account/email", 0, "", false},
	{"POST /account/email", anOwner, "/account/email", 422, "main form", false},
	{"GET /account/email/:token", visitors, "/account/email/" + changeToken, 0, "", false},
	{"GET /account/email/:token", visitors, "/account/email/dead", 410, "", false},

	{"GET /start", aNewOwner, "/start", 0, "", false},
	{"POST /start/clients", aNewOwner, "/start", 422, "main form", false},
	{"GET /start", anOwnerOfClients, "/start", 0, "", false},
	{"GET /start", anOwnerOfClients, "/start?start=congratulations", 0, "", false},
	{"POST /start", anOwnerOfClients, "/start", 422, "main form", false},
	{"GET /start", anOwnerOfAMessage, "/start", 0, "", false},
	{"GET /start", anOwner, "/start", 0, "", false},
	{"GET /start/preview", anOwnerOfClients, "/start/preview", 0, "", true},
	{"GET /calendar", aNewOwner, "/calendar", 0, "", false},
	{"GET /calendar", anOwner, "/calendar", 0, "", false},
	{"GET /calendar", anOwner, "/calendar?month=2031-10", 0, "", false}, // with clashes

	{"GET /calendar", anOwner, "/calendar?week=2031-10-06", 0, "", false},
	{"GET /calendar/:day", aNewOwner, "/calendar/2031-10-06", 0, "", false},
	{"GET /calendar/:day", anOwner, "/calendar/2031-10-06", 0, "", false}, // with overlaps
	{"GET /calendar/forecast", aNewOwner, "/calendar/forecast", 0, "", false},
	{"GET /calendar/forecast", anOwner, "/calendar/forecast", 0, "", false},

	{"GET /clients", aNewOwner, "/clients", 0, "", false},
	{"GET /clients", anOwner, "/clients", 0, "", false},
	{"GET /clients", anOwner, "/clients?q=nobody+has+this", 0, "", false},
	{"GET /clients/new", anOwner, "/clients/new", 0, "", false},
	{"POST /clients", anOwner, "/clients/new", 422, "main form", false},
	{"GET /clients/several", anOwner, "/clients/several", 0, "", false},
	{"POST /clients/several", anOwner, "/clients/several", 422, "main form", false},
	{"GET /topics", anOwner, "/topics", 0, "", false},
	{"POST /topics", anOwner, "/topics", 422, "main form", false},
	{"GET /topics/:id/edit", anOwner, "/topics/1/edit", 0, "", false},
	{"GET /topics/:id/delete", anOwner, "/topics/1/delete", 0, "", false},
	{"GET /clients/fields", anOwner, "/clients/fields", 0, "", false},
	{"POST /clients/fields", anOwner, "/clients/fields", 422, "main form", false},
	{"GET /clients/fields/:id/edit", anOwner, "/clients/fields/1/edit", 0, "", false},
	{"GET /clients/fields/:id/delete", anOwner, "/clients/fields/1/delete", 0, "", false},
	{"GET /clients/import", anOwner, "/clients/import", 0, "", false},
	{"POST /clients/import", anOwner, "/clients/import", 422, "main form", false},
	{"GET /clients/import/:id", anOwner, "/clients/import/1", 0, "", false}, // waits for its owner
	{"GET /clients/import/:id", anOwner, "/clients/import/2", 0, "", false}, // done, with bad rows
	{"GET /clients/:id", anOwner, "/clients/1", 0, "", false},
	{"GET /clients/:id", anOwner, "/clients/60", 0, "", false},
	{"GET /clients/:id/edit", anOwner, "/clients/60/edit", 0, "", false},
	{"PUT /clients/:id", anOwner, "/clients/60/edit", 422, "main form", false},
	{"GET /clients/:id/delete", anOwner, "/clients/60/delete", 0, "", false},

	{"GET /brand", aNewOwner, "/brand", 0, "", false},
	{"GET /brand", anOwner, "/brand", 0, "", false},
	{"GET /messages", aNewOwner, "/messages", 0, "", false},
	{"GET /messages", anOwner, "/messages", 0, "", false},
	{"GET /messages/new", anOwner, "/messages/new", 0, "", false},
	{"GET /messages/new", anOwner, "/messages/new?start=promotion", 0, "", false},
	{"POST /messages", anOwner, "/messages/new", 422, "main form", false},
	{"GET /messages/:id", anOwner, "/messages/1", 0, "", false},
	{"GET /messages/:id", aManager, "/messages/2", 0, "", false},
	{"GET /messages/:id/edit", anOwner, "/messages/2/edit", 0, "", false},
	{"PUT /messages/:id", anOwner, "/messages/2/edit", 422, "main form", false},
	{"GET /messages/:id/delete", anOwner, "/messages/1/delete", 0, "", false},
	{"GET /messages/:id/delete", anOwner, "/messages/4/delete", 0, "", false},
	{"GET /messages/html", anOwner, "/messages/html", 0, "", false},
	{"POST /messages/html", anOwner, "/messages/html", 422, "main form", false},
	{"GET /messages/:id/links", anOwner, "/messages/4/links", 0, "", false},
	{"GET /messages/:id/versions", anOwner, "/messages/1/versions?revision=1", 0, "", false},
	{"GET /messages/:id/versions", anOwner, "/messages/2/versions", 0, "", false},
	{"GET /messages/:id/preview", anOwner, "/messages/1/preview?client=60", 0, "", true},

	{"GET /clients/bulk/:id", anOwner, "/clients/bulk/1", 0, "", false},
	{"GET /clients/bulk/:id", anOwner, "/clients/bulk/2", 0, "", false}, // under way
	{"GET /series", aNewOwner, "/series", 0, "", false},
	{"GET /series", anOwner, "/series", 0, "", false},
	{"GET /series/new", anOwner, "/series/new", 0, "", false},
	{"POST /series", anOwner, "/series/new", 422, "main form", false},
	{"GET /series/:id", anOwner, "/series/21", 0, "", false},
	{"GET /series/:id", anOwner, "/series/22", 0, "", false},
	{"GET /series/:id", aManager, "/series/23", 0, "", false},
	{"GET /series/:id/edit", anOwner, "/series/21/edit", 0, "", false},
	{"PUT /series/:id", anOwner, "/series/22/edit", 422, "main form", false},
	{"GET /series/:id/delete", anOwner, "/series/21/delete", 0, "", false},
	{"GET /series/:id/preview", anOwner, "/series/21/preview", 0, "", false},
	{"GET /series/:id/launch", anOwner, "/series/22/launch", 0, "", false},
	{"GET /series/:id/finish", anOwner, "/series/21/finish", 0, "", false},
	{"GET /series/:id/clients", anOwner, "/series/21/clients", 0, "", false},
	{"GET /series/:id/clients", anOwner, "/series/22/clients", 0, "", false},
	{"GET /segments", aNewOwner, "/segments", 0, "", false},
	{"GET /segments", anOwner, "/segments", 0, "", false},
	{"GET /segments/new", anOwner, "/segments/new", 0, "", false},
	{"POST /segments", anOwner, "/segments/new", 422, "main form", false},
	{"GET /segments/:id", anOwner, "/segments/1", 0, "", false},
	{"PUT /segments/:id", anOwner, "/segments/2", 422, "main form", false},
	{"GET /segments/:id/delete", anOwner, "/segments/1/delete", 0, "", false},

	{"GET /clients/:id/consent", anOwner, "/clients/1/consent", 0, "", false},
	{"GET /clients/:id/consent", anOwner, "/clients/60/consent", 0, "", false}, // by a form, and typed
	{"POST /clients/:id/consent", anOwner, "/clients/60/consent", 422, "main form", false},
	{"GET /forms", aNewOwner, "/forms", 0, "", false},
	{"GET /forms", anOwner, "/forms", 0, "", false},
	{"GET /forms/new", anOwner, "/forms/new", 0, "", false},
	{"POST /forms", anOwner, "/forms/new", 422, "main form", false},
	{"GET /forms/:id", anOwner, "/forms/1", 0, "", false},
	{"GET /forms/:id", anOwner, "/forms/2", 0, "", false},
	{"GET /forms/:id/edit", anOwner, "/forms/1/edit", 0, "", false},
	{"PUT /forms/:id", anOwner, "/forms/1/edit", 422, "main form", false},
	{"GET /forms/:id/delete", anOwner, "/forms/1/delete", 0, "", false},
	{"GET /forms/:id/picture", anOwner, "/forms/1/picture", 0, "", false},
	{"GET /f/:token", visitors, "/f/tulips", 0, "", false},
	{"POST /f/:token", visitors, "/f/tulips", 422, "main form", false},
	{"GET /f/:token", visitors, "/f/closed", 410, "", false},
	{"GET /f/:token/sent", visitors, "/f/tulips/sent", 0, "", false},
	{"GET /f/:token/confirm/:code", visitors, "/f/tulips/confirm/" + signupCode(1), 0, "", false},
	{"GET /f/:token/confirm/:code", visitors, "/f/tulips/confirm/" + signupCode(2), 0, "", false}, // was used
	{"GET /f/:token/confirm/:code", visitors, "/f/tulips/confirm/dead", 410, "", false},
	{"GET /senders", aNewOwner, "/senders", 0, "", false},
	{"GET /senders", anOwner, "/senders", 0, "", false},
	{"GET /senders/new", anOwner, "/senders/new", 0, "", false},
	{"POST /senders", anOwner, "/senders/new", 422, "main form", false},
	{"GET /senders/confirm/:token", visitors, "/senders/confirm/" + senderToken, 0, "", false},
	{"GET /senders/confirm/:token", visitors, "/senders/confirm/dead", 410, "", false},
	{"GET /senders/:id", anOwner, "/senders/1", 0, "", false},
	{"GET /senders/:id", anOwner, "/senders/2", 0, "", false},
	{"GET /senders/:id/edit", anOwner, "/senders/1/edit", 0, "", false},
	{"PUT /senders/:id", anOwner, "/senders/1/edit", 422, "main form", false},
	{"GET /senders/:id/delete", anOwner, "/senders/1/delete", 0, "", false},

	{"GET /mailings", aNewOwner, "/mailings", 0, "", false},
	{"GET /mailings", anOwner, "/mailings", 0, "", false},
	{"GET /mailings/new", anOwner, "/mailings/new", 0, "", false},
	{"GET /mailings/new", aNewOwner, "/mailings/new", 0, "", false},
	{"POST /mailings", anOwner, "/mailings/new", 422, "main form", false},
	{"GET /mailings/:id", anOwner, "/mailings/1", 0, "", false},
	{"GET /mailings/:id", anOwner, "/mailings/2", 0, "", false},
	{"GET /mailings/:id", anOwner, "/mailings/4", 0, "", false},
	{"GET /mailings/:id", anOwner, "/mailings/6", 0, "", false},
	{"GET /mailings/:id", anOwner, "/mailings/7", 0, "", false},
	{"GET /mailings/:id", aManager, "/mailings/3", 0, "", false},
	{"GET /mailings/:id/edit", anOwner, "/mailings/2/edit", 0, "", false},
	{"GET /mailings/:id/edit", anOwner, "/mailings/1/edit", 0, "", false},
	{"PUT /mailings/:id", anOwner, "/mailings/2/edit", 422, "main form", false},
	{"GET /mailings/:id/dates/:no", anOwner, "/mailings/1/dates/300", 0, "", false},
	{"GET /mailings/:id/dates/:no", anOwner, "/mailings/1/dates/301", 0, "", false}, // skipped
	{"GET /mailings/:id/dates/:no", anOwner, "/mailings/1/dates/302", 0, "", false}, // moved
	{"GET /mailings/:id/dates/:no", anOwner, "/mailings/1/dates/3", 0, "", false},   // over
	{"POST /mailings/:id/dates/:no", anOwner, "/mailings/1/dates/303", 422, "main form.form", false},
	{"GET /mailings/:id/delete", anOwner, "/mailings/2/delete", 0, "", false},
	{"GET /mailings/:id/review", anOwner, "/mailings/2/review", 0, "", false},
	{"GET /mailings/:id/review", anOwner, "/mailings/1/review?do=run", 0, "", false},
	{"GET /mailings/:id/stop", anOwner, "/mailings/1/stop", 0, "", false},
	{"GET /results", aNewOwner, "/results", 0, "", false},
	{"GET /results", anOwner, "/results", 0, "", false},
	{"GET /results", anOwner, "/results?from=2020-01-01", 422, "", false},
	{"GET /results", aManager, "/results", 0, "", false},
	{"GET /runs/:id", anOwner, "/runs/1", 0, "", false},
	{"GET /runs/:id", anOwner, "/runs/31", 0, "", false},
	{"GET /runs/:id", anOwner, "/runs/32", 0, "", false},
	{"GET /runs/:id", aManager, "/runs/33", 0, "", false},
	{"GET /runs/:id/cancel", anOwner, "/runs/32/cancel", 0, "", false},
	{"GET /runs/:id/email", anOwner, "/runs/1/email", 0, "", true},
	{"GET /runs/:id/bounces", anOwner, "/runs/1/bounces", 0, "", false},
	{"GET /runs/:id/bounces", anOwner, "/runs/32/bounces", 0, "", false},
	{"GET /attempts", anOwner, "/attempts", 0, "", false},
	{"GET /attempts", aNewOwner, "/attempts", 0, "", false},

	{"GET /inbox", visitors, "/inbox", 0, "", false},
	{"GET /inbox", visitors, "/inbox?q=nobody+has+this", 0, "", false},
	{"GET /inbox/:id", visitors, "/inbox/1", 0, "", false},
	{"GET /inbox/:id/html", visitors, "/inbox/1/html", 0, "", true},
	{"GET /view/:token", visitors, "/view/" + unsubscribeToken(2) + ".1", 0, "", true},
	{"GET /unsubscribe/:token", visitors, "/unsubscribe/test", 0, "", false},
	{"GET /unsubscribe/:token", visitors, "/unsubscribe/" + unsubscribeToken(2), 0, "", false},
	{"GET /unsubscribe/:token", visitors, "/unsubscribe/" + unsubscribeToken(20), 0, "", false}, // was used
	{"GET /preferences/:token", visitors, "/preferences/test", 0, "", false},
	{"GET /preferences/:token", visitors, "/preferences/" + unsubscribeToken(2), 0, "", false},
	{"GET /preferences/:token", visitors, "/preferences/" + unsubscribeToken(2) + "?ask=erase", 0, "", false},
	{"GET /preferences/:token", visitors, "/preferences/" + unsubscribeToken(20), 0, "", false}, // was used

	{"GET /manager", aManager, "/manager", 0, "", false},
	{"GET /admin", anAdmin, "/admin", 0, "", false},
	{"GET /manager/mailings", aManager, "/manager/mailings", 0, "", false},
	{"GET /manager/mailings/:id/disable", aManager, "/manager/mailings/1/disable", 0, "", false},
	{"GET /manager/mailings/:id/disable", aManager, "/manager/mailings/4/disable", 0, "", false},
	{"POST /manager/mailings/:id/disable", aManager, "/manager/mailings/1/disable", 422, "main form", false},
	{"GET /manager/recipients", aManager, "/manager/recipients", 0, "", false},
	{"GET /manager/recipients", aManager, "/manager/recipients?email=client1@example.com", 0, "", false},
	{"GET /manager/users", aManager, "/manager/users", 0, "", false},
	{"GET /manager/users/:id/block", aManager, "/manager/users/1/block", 0, "", false},
	{"GET /manager/users/:id/block", aManager, "/manager/users/6/block", 0, "", false},
	{"GET /manager/users/:id/lift", aManager, "/manager/users/8/lift", 0, "", false},
	{"GET /manager/users/:id/approve", aManager, "/manager/users/8/approve", 0, "", false},
	{"POST /manager/users/:id/block", aManager, "/manager/users/1/block", 422, "main form", false},

	{"GET /admin/posts", aWriter, "/admin/posts", 0, "", false},
	{"GET /admin/posts/new", aWriter, "/admin/posts/new", 0, "", false},
	{"POST /admin/posts", aWriter, "/admin/posts/new", 422, "main form", false},
	{"GET /admin/posts/:id", aWriter, "/admin/posts/1", 0, "", false},
	{"GET /admin/posts/:id/preview", aWriter, "/admin/posts/4/preview", 0, "", false},
	{"GET /admin/posts/:id/edit", aWriter, "/admin/posts/2/edit", 0, "", false},
	{"PUT /admin/posts/:id", aWriter, "/admin/posts/2/edit", 422, "main form", false},
	{"GET /admin/posts/:id/delete", aWriter, "/admin/posts/2/delete", 0, "", false},
	{"GET /admin/users", anAdmin, "/admin/users", 0, "", false},
	{"GET /admin/users/new", anAdmin, "/admin/users/new", 0, "", false},
	{"POST /admin/users", anAdmin, "/admin/users/new", 422, "main form", false},
	{"GET /admin/users/:id/delete", anAdmin, "/admin/users/1/delete", 0, "", false},
	{"GET /admin/settings", anAdmin, "/admin/settings", 0, "", false},
	{"GET /admin/audit", anAdmin, "/admin/audit", 0, "", false},
	{"GET /admin/check", anAdmin, "/admin/check", 0, "", false},
	{"GET /admin/jobs", anAdmin, "/admin/jobs", 0, "", true},
	{"GET /mailings", anAdmin, "/mailings", 0, "", false}, // the longest menu

	{"refusal", visitors, "/nothing/here", 404, "", false},
	{"refusal", anOwner, "/clients/999999", 404, "", false},
	{"refusal", anOwner, "/manager/users", 403, "", false},
	{"refusal", visitors, "/login?too-many", 429, "main form", false},
}

// noPages are GET routes that show no page of their own.
var noPages = map[string]string{
	"GET /blog/feed.xml":            "for programs",
	"GET /media/:name":              "a picture",
	"GET /sitemap.xml":              "for programs",
	"GET /robots.txt":               "for programs",
	"GET /healthz":                  "for programs",
	"GET /readyz":                   "for programs",
	"GET /static/:hash/*":           "a file",
	"GET /c/:token/:n":              "leads elsewhere",
	"GET /o/:token":                 "a picture",
	"GET /brand/:name":              "a file",
	"GET /account/export.json":      "a download",
	"GET /results.csv":              "a download",
	"GET /attempts.csv":             "a download",
	"GET /runs/:id.csv":             "a download",
	"GET /clients/find":             "leads to a client",
	"GET /clients/export.csv":       "a download",
	"GET /clients/:id/consent.html": "a download",
	"GET /help/:language/:name":     "a picture",
	"GET /mailings/:id/pace":        "a part of the mailing's page",
	"GET /mailings/:id/progress":    "a part of the mailing's page",
	"GET /mailings/:id/recall":      "a part of the mailing's page",
	"GET /series/:id/now":           "a part of the series' page",
	"GET /admin/jobs/*":             "River UI's parts",
	"GET /pictures/:name":           "a picture",
}
