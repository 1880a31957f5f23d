package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// fields are those of a right form, with some changed; an empty value takes a field away.
func mailingFields(message int64, changed ...string) []string {
	values := url.Values{"name": {"News"}, "message_id": {fmt.Sprint(message)}, "audience": {"all"}, "start_at": {"2031-01-06T09:00"},
		"timezone": {"Europe/Berlin"}, "periodicity": {"daily"}}
	for i := 0; i+1 < len(changed); i += 2 {
		values.Set(changed[i], changed[i+1])
	}
	var list []string
	for _, name := range []string{"name", "message_id", "audience", "tags", "client_ids", "start_at", "end_at", "timezone", "periodicity"} {
		if values.Get(name) != "" {
			list = append(list, name, values.Get(name))
		}
	}
	return list
}

// mailing is a new mailing of the owner, to all clients.
func (w *env) mailing(t *testing.T, owner int64, change ...func(*domain.MailingForm)) domain.Mailing {
	t.Helper()
	form := domain.MailingForm{Name: "News", MessageID: w.message(t, owner, "Hello", "Text").ID, Audience: "all",
		StartAt: "2031-01-06T09:00", Timezone: "Europe/Berlin", Periodicity: "daily"}
	for _, one := range change {
		one(&form)
	}
	m := domain.Mailing{OwnerID: owner}
	if err := m.Change(form, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Mailings().Create(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func (w *env) act(t *testing.T, m domain.Mailing, act func(*domain.Mailing) error) {
	t.Helper()
	if _, err := w.db.Mailings().Update(t.Context(), 0, m.ID, act); err != nil {
		t.Fatal(err)
	}
}

func launch(m *domain.Mailing) error { return m.Launch(time.Now()) }
func stop(m *domain.Mailing) error   { return m.Stop(time.Now()) }

func disable(m *domain.Mailing) error {
	return m.Disable(domain.User{Role: domain.RoleManager}, "spam <b>", time.Now())
}

func pathOf(m domain.Mailing) string { return fmt.Sprint("/mailings/", m.ID) }

func TestMailingsPlainForms(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	c := w.client(t, user.ID, "c@example.com")
	message := w.message(t, user.ID, "Hello", "Text")
	b.get("/mailings").is(t, 200, "<html", "Three steps", `href="/mailings/new"`)
	b.get("/mailings/new").is(t, 200, "<html", `name="name"`, `name="message_id"`, `name="audience" value="tags"`, `name="tags"`,
		`name="client_ids" value="`+fmt.Sprint(c.ID), `name="start_at"`, `name="end_at"`, `name="timezone"`, `value="UTC"`, `name="periodicity"`,
		`value="`+time.Now().UTC().Add(time.Hour).Format("2006-01-02T15")+`:00"`, "Goes to 1 client")
	location := b.post("/mailings", mailingFields(message.ID, "name", "News <b>", "end_at", "2031-02-01T00:00")...).is(t, 303).Header.Get("Location")
	rows, _, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil || len(rows) != 1 || location != pathOf(rows[0].Mailing) {
		t.Fatalf("%v %s %+v", err, location, rows)
	}
	m := rows[0].Mailing
	b.get(pathOf(m)).is(t, 200, "<html", "News &lt;b&gt;", "Mailing saved.", pathOf(m)+"/edit", pathOf(m)+"/delete", pathOf(m)+"/review",
		`<time datetime="2031-01-06T08:00:00Z" title="Europe/Berlin">6 Jan 2031, 09:00</time>`,
		`<time datetime="2031-01-10T08:00:00Z" title="Europe/Berlin">10 Jan 2031, 09:00</time>`)
	b.get(pathOf(m)+"/edit").is(t, 200, "<html", `value="News &lt;b&gt;"`, `value="2031-01-06T09:00"`, `value="2031-02-01T00:00"`, `name="_method" value="PUT"`)
	b.post(pathOf(m), append(mailingFields(message.ID, "audience", "picked", "client_ids", fmt.Sprint(c.ID)), "_method", "PUT")...).leads(t, pathOf(m))
	if m, err = w.db.Mailings().Get(t.Context(), user.ID, m.ID); err != nil || m.Name != "News" || len(m.ClientIDs) != 1 || !m.EndAt.IsZero() {
		t.Errorf("%v %+v", err, m)
	}
	b.get("/mailings").is(t, 200, "<html", fmt.Sprintf(`id="mailing-%d"`, m.ID), "Created", "Hello · Daily")
	b.get(pathOf(m)+"/delete").is(t, 200, "<html", "Delete “News”?", `value="DELETE"`)
	b.post(pathOf(m), "_method", "DELETE").leads(t, "/mailings")
	b.get(pathOf(m)).is(t, 404)
}

func TestMailingsHTMX(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b = b.htmx()
	message := w.message(t, user.ID, "Hello", "Text")
	whole := func(a answer) {
		t.Helper()
		if strings.Contains(a.body, "<html") || !strings.Contains(a.Header.Get("Vary"), "HX-Request") {
			t.Errorf("%s is no fragment: %.300s", a.Request.URL, a.body)
		}
	}
	whole(b.get("/mailings/new").is(t, 200, `name="name"`, `hx-post="/mailings"`))
	created := b.post("/mailings", mailingFields(message.ID)...).is(t, 200, "News", `<tr id="mailing-`)
	whole(created)
	rows, _, _ := w.db.Mailings().List(t.Context(), db.MailingFilter{})
	m := rows[0].Mailing
	row := fmt.Sprintf(`<tr id="mailing-%d">`, m.ID)
	whole(b.get(pathOf(m)).is(t, 200, row, "News"))
	whole(b.get(pathOf(m)+"/edit").is(t, 200, row, `value="News"`, `hx-put="`+pathOf(m)+`"`))
	whole(b.do("PUT", pathOf(m), mailingFields(message.ID, "name", "Other")).is(t, 200, row, "Other"))
	whole(b.post(pathOf(m)+"/launch").is(t, 200, row, "Running", pathOf(m)+"/stop"))
	whole(b.post(pathOf(m)+"/stop").is(t, 200, row, "Finished"))
	whole(b.get("/mailings?q=oth&status=finished").is(t, 200, row, "1 mailing"))
	whole(b.get("/mailings?q=oth&status=running").is(t, 200, "No mailings match."))
	gone := b.do("DELETE", pathOf(m), nil).is(t, 200)
	if gone.body != "" {
		t.Errorf("deleted: %q", gone.body)
	}
	b.do("DELETE", pathOf(m), nil).is(t, 404)
}

func TestMailingsInvalid(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	other, _ := w.owner(t, "bob")
	message, theirs := w.message(t, user.ID, "Hello", "Text"), w.message(t, other.ID, "Foreign", "Text")
	mine, foreign := w.client(t, user.ID, "mine@example.com"), w.client(t, other.ID, "foreign@example.com")
	running := w.mailing(t, user.ID)
	w.act(t, running, launch)
	saved := w.mailing(t, user.ID)
	tests := []struct {
		name   string
		fields []string
		texts  []string
	}{
		{"nothing", nil, []string{"Enter a name.", "Choose a message.", "Choose who gets the emails.", "of the first email", "Unknown time zone", "Choose how often"}},
		{"message", mailingFields(theirs.ID), []string{"Choose a message.", `value="News"`, `value="2031-01-06T09:00"`}},
		{"zone", mailingFields(message.ID, "timezone", "Europe/<b>"), []string{"Unknown time zone.", `value="Europe/&lt;b&gt;"`}},
		{"start", mailingFields(message.ID, "start_at", "soon"), []string{"of the first email", `value="soon"`}},
		{"end", mailingFields(message.ID, "end_at", "2031-01-06T09:00"), []string{"The end must be after the first email.", `value="2031-01-06T09:00"`}},
		{"tags", mailingFields(message.ID, "audience", "tags", "tags", " , "), []string{"Enter at least one tag.", `value="tags" checked`}},
		{"nobody picked", mailingFields(message.ID, "audience", "picked"), []string{"Select at least one client.", `value="picked" checked`}},
		{"foreign client", mailingFields(message.ID, "audience", "picked", "client_ids", fmt.Sprint(foreign.ID)), []string{"no longer exists"}},
		{"kept pick", mailingFields(message.ID, "name", " ", "audience", "picked", "client_ids", fmt.Sprint(mine.ID)),
			[]string{"Enter a name.", fmt.Sprintf(`name="client_ids" value="%d" checked`, mine.ID), "Goes to 1 client"}},
		{"what the database can't take", mailingFields(message.ID, "name", "a\x00b\xff"), []string{"hidden characters"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, one := range []*browser{b, b.htmx()} {
				for _, a := range []answer{one.post("/mailings", tt.fields...), one.do("PUT", pathOf(saved), tt.fields)} {
					a.is(t, 422, append(tt.texts, `aria-invalid="true"`, `aria-describedby="mailing-`, `-problem"`)...)
					if whole := strings.Contains(a.body, "<html"); whole != (one == b) {
						t.Errorf("a whole page: %v", whole)
					}
				}
			}
		})
	}
	for name, value := range map[string]string{"start_at": "2031-01-06T09:01", "timezone": "UTC", "periodicity": "weekly"} {
		b.do("PUT", pathOf(running), mailingFields(running.MessageID, name, value)).is(t, 422, "while the mailing is running")
	}
	if rows, total, _ := w.db.Mailings().List(t.Context(), db.MailingFilter{}); total != 2 || rows[0].Name != "News" {
		t.Errorf("%d mailings", total)
	}
}

// Somebody else's mailing and none at all answer the same.
func TestMailingsForeign(t *testing.T) {
	w := newEnv(t)
	ann, _ := w.owner(t, "ann")
	_, b := w.owner(t, "bob")
	m := w.mailing(t, ann.ID)
	for _, one := range []*browser{b, b.htmx()} {
		for method, paths := range map[string][]string{
			"GET": {"", "/edit", "/delete", "/progress", "/review", "/stop"}, "PUT": {""}, "DELETE": {""}, "POST": {"/launch", "/stop", "/run"},
		} {
			for _, path := range paths {
				foreign := one.do(method, pathOf(m)+path, nil).is(t, 404)
				none := one.do(method, fmt.Sprintf("/mailings/%d%s", m.ID+1000, path), nil).is(t, 404)
				strip := func(a answer) string { return strings.ReplaceAll(a.body, a.Request.URL.RequestURI(), "") }
				if strip(foreign) != strip(none) {
					t.Errorf("%s %s: the answers tell what exists", method, path)
				}
			}
		}
	}
	if rows, _, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: ann.ID}); err != nil || rows[0].Status != domain.Created {
		t.Errorf("%v %+v", err, rows)
	}
}

func TestManagerReadsMailings(t *testing.T) {
	w := newEnv(t)
	ann, _ := w.owner(t, "ann")
	w.client(t, ann.ID, "c@example.com")
	m := w.mailing(t, ann.ID)
	w.act(t, m, launch)
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, m.StartLocal.AddDate(0, 0, 1), false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	manager := w.as(t, w.user(t, "max", domain.RoleManager))
	page := manager.get(pathOf(m)).is(t, 200, "News", "ann &lt;ann@people.example&gt;", fmt.Sprint("/messages/", m.MessageID), `class="count-open">1<`)
	for _, act := range []string{"/edit", "/delete", "/launch", "/stop", "/run"} {
		if strings.Contains(page.body, pathOf(m)+act+`"`) {
			t.Errorf("a manager is offered %s", act)
		}
	}
	manager.htmx().get(pathOf(m)+"/progress").is(t, 200, "count-open")
	manager.get(fmt.Sprint("/runs/", run.ID)).is(t, 200, "c@example.com", "count-open")
	manager.get(fmt.Sprint("/messages/", m.MessageID)).is(t, 200, "Hello")
	manager.get("/attempts").is(t, 200)
	for method, paths := range map[string][]string{
		"GET": {"/edit", "/delete", "/review", "/stop"}, "PUT": {""}, "DELETE": {""}, "POST": {"/launch", "/stop", "/run"},
	} {
		for _, path := range paths {
			manager.do(method, pathOf(m)+path, mailingFields(m.MessageID, "name", "Changed")).is(t, 403)
		}
	}
	if after, err := w.db.Mailings().Get(t.Context(), ann.ID, m.ID); err != nil || after.Name != "News" || after.Status != domain.Running {
		t.Errorf("%v %+v", err, after)
	}
	// An admin has mailings too and may read all, but changes nobody else's.
	admin := w.as(t, w.user(t, "ada", domain.RoleAdmin))
	if page := admin.get(pathOf(m)).is(t, 200, "News"); strings.Contains(page.body, pathOf(m)+"/stop") {
		t.Error("an admin is offered to stop somebody's mailing")
	}
	admin.post(pathOf(m)+"/stop").is(t, 404)
}

// Each act in each state: what is allowed is offered, and what is not is refused with the reason.
func TestMailingActs(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	states := map[string]func(m domain.Mailing){
		"created":  func(domain.Mailing) {},
		"running":  func(m domain.Mailing) { w.act(t, m, launch) },
		"finished": func(m domain.Mailing) { w.act(t, m, launch); w.act(t, m, stop) },
		"disabled": func(m domain.Mailing) { w.act(t, m, disable) },
	}
	tests := []struct{ state, act, refusal string }{
		{"created", "launch", ""}, {"created", "stop", "isn&#39;t running"}, {"created", "run", ""},
		{"running", "launch", "already been launched"}, {"running", "stop", ""}, {"running", "run", ""},
		{"finished", "launch", "already been launched"}, {"finished", "stop", "isn&#39;t running"}, {"finished", "run", "is finished"}, {"finished", "edit", "can&#39;t be changed"},
		{"disabled", "launch", "spam &lt;b&gt;"}, {"disabled", "stop", "isn&#39;t running"}, {"disabled", "run", "spam &lt;b&gt;"},
	}
	for _, tt := range tests {
		t.Run(tt.act+" "+tt.state, func(t *testing.T) {
			m := w.mailing(t, user.ID)
			states[tt.state](m)
			page := b.get(pathOf(m)).is(t, 200)
			link := map[string]string{"launch": "review", "run": "review?do=run"}[tt.act]
			if offered := strings.Contains(page.body, pathOf(m)+"/"+cmp.Or(link, tt.act)+`"`); offered != (tt.refusal == "") {
				t.Errorf("offered: %v", offered)
			}
			switch {
			case tt.act == "edit":
				b.get(pathOf(m)+"/edit").is(t, 409, tt.refusal)
				b.do("PUT", pathOf(m), mailingFields(m.MessageID)).is(t, 409, tt.refusal)
			case tt.refusal == "":
				if a := b.post(pathOf(m)+"/"+tt.act).is(t, 303); !strings.HasPrefix(a.Header.Get("Location"), pathOf(m)) {
					t.Errorf("leads to %s", a.Header.Get("Location"))
				}
			default:
				b.post(pathOf(m)+"/"+tt.act).is(t, 409, tt.refusal)
				if a := b.htmx().post(pathOf(m)+"/"+tt.act).is(t, 409); !strings.Contains(a.Header.Get("HX-Trigger"), "toast") {
					t.Errorf("no toast: %q", a.Header.Get("HX-Trigger"))
				}
			}
		})
	}
	m := w.mailing(t, user.ID)
	w.act(t, m, disable)
	b.get(pathOf(m)).is(t, 200, "spam &lt;b&gt;", "Disabled by a manager")
	b.get("/mailings").is(t, 200, "Disabled by a manager")
}

// Without JavaScript a press in the list asks before it launches or ends a mailing; a program's POST
// needs no question.
func TestMailingQuestions(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID)
	status := func() domain.MailingStatus {
		now, err := w.db.Mailings().Get(t.Context(), user.ID, m.ID)
		if err != nil {
			t.Fatal(err)
		}
		return now.Status
	}
	// pressed is what the list's button shows.
	pressed := func(act string) answer {
		list := b.get("/mailings").is(t, 200, `href="`+pathOf(m)+act+`"`)
		if strings.Contains(strings.ReplaceAll(list.body, pathOf(m)+"/copy", ""), `<form method="post" action="`+pathOf(m)) {
			t.Errorf("a button of the list acts at once:\n%s", list.body)
		}
		return b.get(pathOf(m) + act)
	}
	pressed("/review").is(t, 200, "Launch “News”?", "Daily from 6 Jan 2031, 09:00 (Europe/Berlin)", "Goes to 1 client", "Hello", "Launch for 1 client",
		"replies go to ann@people.example", `<time datetime="2031-01-10T08:00:00Z"`, `<form class="actions" method="post" action="`+pathOf(m)+`/launch"`)
	b.get(pathOf(m)+"/review?do=run").is(t, 200, "Send “News” now?", "Right away.", "Send to 1 client", `action="`+pathOf(m)+`/run"`)
	b.get(pathOf(m)+"/stop").is(t, 409, "isn&#39;t running")
	if status() != domain.Created {
		t.Error("the question launched it")
	}
	b.post(pathOf(m)+"/launch").leads(t, pathOf(m))
	b.get(pathOf(m)+"/review").is(t, 200, "Send “News” now?", "Right away, besides the scheduled runs.", "Send to 1 client", `action="`+pathOf(m)+`/run"`)
	if _, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, m.StartLocal.AddDate(0, 0, 1), false); err != nil || !ok {
		t.Fatal(ok, err)
	}
	pressed("/stop").is(t, 200, "Stop “News” for good?", "1 email hasn&#39;t been sent yet.", `method="post" action="`+pathOf(m)+`/stop"`)
	if status() != domain.Running {
		t.Error("the question stopped it")
	}
	b.post(pathOf(m)+"/stop").leads(t, pathOf(m))
	if status() != domain.Finished {
		t.Error("it was not stopped")
	}
	b.get(pathOf(m)+"/review").is(t, 409, "already been launched")
}

// From the launch on, the page follows the run until it has ended.
func TestMailingProgress(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	for i := range 3 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i))
	}
	m := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.StartAt, f.Periodicity = "2026-01-01T09:00", "once" })
	progress := func(after string) answer { return b.htmx().get(pathOf(m) + "/progress" + after) }
	if a := progress("").is(t, 286); strings.Contains(a.body, "count-") {
		t.Errorf("before the launch: %s", a.body)
	}
	b.post(pathOf(m)+"/launch").leads(t, pathOf(m))
	b.get(pathOf(m)).is(t, 200, `hx-get="`+pathOf(m)+`/progress?after=0"`, `hx-trigger="every 1s"`)
	progress("?after=0").is(t, 200, `/progress?after=0"`, `hx-trigger="every 1s"`)
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, time.Now(), false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	progress("?after=0").is(t, 200, `class="count-planned">3<`, `class="count-accepted">0<`, `class="count-open">3<`, `hx-get="`+pathOf(m)+`/progress"`)
	if err := outbox.New(w.db.Postgres()).Runs().Pause(t.Context(), run.ID, "550 5.7.1 <spam> refused", time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	progress("").is(t, 200, "Paused", "550 5.7.1 &lt;spam&gt; refused", "Sending will resume:")
	w.act(t, m, stop)
	progress("").is(t, 200, "Stopping", "The mailing was stopped.", "every 1s")
	if err := outbox.New(w.db.Postgres()).Runs().Close(t.Context(), run.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	ended := progress("").is(t, 286, `class="count-accepted">0<`, `class="count-failed">0<`, `class="count-suppressed">0<`, `class="count-expired">0<`,
		`class="count-cancelled">3<`, `class="count-open">0<`, `id="all-runs" hx-swap-oob`, "Finished")
	if strings.Contains(ended.body, "every 1s") {
		t.Error("the asking goes on")
	}
	page := b.get(pathOf(m)).is(t, 200, "Last run", `class="count-cancelled">3<`, fmt.Sprint("/runs/", run.ID))
	if strings.Contains(page.body, "every 1s") {
		t.Error("the page asks for a run that has ended")
	}
}

func TestMailingAudienceFragments(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	other, _ := w.owner(t, "bob")
	foreign := w.client(t, other.ID, "foreign@example.com")
	var ids []string
	for i := range 40 {
		ids = append(ids, fmt.Sprint(w.client(t, user.ID, fmt.Sprintf("c%02d@example.com", i)).ID))
	}
	h := b.htmx()
	h.post("/mailings/reach", "audience", "all").is(t, 200, "Goes to 40 clients")
	h.post("/mailings/reach", "audience", "tags", "tags", "none").is(t, 200, "Goes to 0 clients")
	h.post("/mailings/reach", "audience", "picked", "client_ids", ids[0], "client_ids", ids[1], "client_ids", fmt.Sprint(foreign.ID)).is(t, 200, "Goes to 2 clients")
	h.post("/mailings/reach").is(t, 200, "Goes to")
	found := h.post("/mailings/clients", "client_q", "c3", "client_ids", ids[0], "client_ids", fmt.Sprint(foreign.ID), "client_ids", "x").
		is(t, 200, `value="`+ids[0]+`" checked`, "c00@example.com", "c31@example.com")
	if strings.Contains(found.body, "c22@") || strings.Contains(found.body, "foreign@") || strings.Contains(found.body, "<html") {
		t.Errorf("found %s", found.body)
	}
	h.post("/mailings/clients").is(t, 200, "There are more.")
	// Without JavaScript the same search is a button of the form, which saves nothing.
	b.post("/mailings", append(mailingFields(1, "name", "Typed", "audience", "picked", "client_ids", ids[0]), "find", "yes", "client_q", "c3")...).
		is(t, 200, "<html", `value="Typed"`, `value="`+ids[0]+`" checked`, "c31@example.com", `value="c3"`)
	if _, total, _ := w.db.Mailings().List(t.Context(), db.MailingFilter{}); total != 0 {
		t.Error("a search saved the mailing")
	}
}

func TestMailingsPages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	for i := range db.PageSize + 1 {
		w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Name = fmt.Sprintf("Mailing %02d", i) })
	}
	b.get("/mailings").is(t, 200, "Mailing 25", `href="/mailings?page=2"`)
	b.get("/mailings?page=2").is(t, 200, "Mailing 00", `href="/mailings?page=1"`)
	b.get("/mailings?q=mailing+0&status=created").is(t, 200, "Mailing 07", "10 mailings")
	for _, query := range []string{"page=99999999999999999999", "page=-1", "page=x", "status=%00", "q=%00%ff", "page=9000000000000000000"} {
		b.get("/mailings?"+query).is(t, 200)
	}
}

// The list of runs that comes with the end of one leads to pages, not to fragments.
func TestMailingProgressPages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.StartAt = "2026-01-01T09:00" })
	w.act(t, m, launch)
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, m.StartLocal.AddDate(0, 0, 60), false)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	b.get(pathOf(m)).is(t, 200, `class="count-open">1<`, `href="`+pathOf(m)+`?page=2"`)
	b.get(pathOf(m)+"?page=3").is(t, 200, `class="count-open">1<`, "Missed")
	w.act(t, m, stop)
	if err := outbox.New(w.db.Postgres()).Runs().Close(t.Context(), run.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.htmx().get(pathOf(m)+"/progress").is(t, 286, `href="`+pathOf(m)+`?page=2"`)
}

// A mailing that passes days over says so wherever it says when.
func TestMailingOnSomeDays(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	message := w.message(t, user.ID, "Hello", "Text")
	fields := mailingFields(message.ID, "start_at", "2031-05-08T09:00")
	days := []string{"weekdays", "mon", "weekdays", "thu", "weekdays", "fri", "skip_holidays", "ru"}
	b.post("/mailings", append(append(fields, days...), "weekdays", "someday")...).is(t, 422, `class="days" open`, "Unknown day of the week.", `value="thu" checked`,
		`<option value="ru" selected>Russia</option>`)
	weekly := append(mailingFields(message.ID, "start_at", "2031-05-07T09:00", "periodicity", "weekly"), days...)
	b.post("/mailings", weekly...).is(t, 422, "Choose that day too.", `aria-invalid="true" aria-describedby="mailing-0-weekdays-problem"`)

	path := b.post("/mailings", append(fields, days...)...).is(t, 303).Header.Get("Location")
	next := []string{"8 May 2031, 09:00", "12 May 2031, 09:00", "15 May 2031, 09:00", "16 May 2031, 09:00", "19 May 2031, 09:00"} // 9 May is a holiday
	b.get(path).is(t, 200, append(next, "Only on these days: Monday, Thursday, Friday. Not on public holidays (Russia).")...)
	b.get(path+"/review").is(t, 200, "Not on public holidays (Russia).", "12 May 2031, 09:00")
	b.get(path+"/edit").is(t, 200, `class="days" open`, `value="mon" checked`, `<option value="ru" selected>`)
	b.post(path+"/copy").is(t, 303)
	if a := b.get("/calendar?month=2031-05").is(t, 200); strings.Contains(a.body, "2031-05-09T07:00:00Z") {
		t.Error("the calendar has the holiday")
	}

	b.post(path, append(fields, "_method", "PUT")...).leads(t, path)
	if a := b.get(path).is(t, 200, "9 May 2031, 09:00"); strings.Contains(a.body, "Only on these days") {
		t.Error("days are kept")
	}
}

// What goes out up to a day, to how many, without what is paused or disabled.
func TestForecast(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	w.client(t, user.ID, "d@example.com")
	b.get("/calendar/forecast").is(t, 200, "Nothing goes out in this time.")
	day := time.Now().UTC().AddDate(0, 0, 1)
	for _, name := range []string{"News", "Paused", "Never launched", "Disabled"} {
		m := w.mailing(t, user.ID, func(f *domain.MailingForm) {
			f.Name, f.StartAt, f.Timezone = name, day.Format("2006-01-02")+"T09:00", "UTC"
		})
		if name == "Never launched" {
			continue
		}
		w.act(t, m, launch)
		if name == "Paused" {
			w.act(t, m, func(m *domain.Mailing) error { return m.Pause(time.Now()) })
		}
		if name == "Disabled" {
			w.act(t, m, disable)
		}
	}
	a := b.get("/calendar/forecast?until="+day.AddDate(0, 0, 2).Format(time.DateOnly)).is(t, 200, "3 runs, 6 emails", `datetime="`+day.Format("2006-01-02")+`T09:00:00Z"`)
	for _, name := range []string{"Paused", "Never launched", "Disabled"} {
		if strings.Contains(a.body, name) {
			t.Errorf("%s goes out", name)
		}
	}
	b.get("/calendar/forecast").is(t, 200, "90 runs, 180 emails")
	for _, wrong := range []string{"yesterday", "2001-01-01", "9999-01-01"} {
		b.get("/calendar/forecast?until="+wrong).is(t, 422, `aria-invalid="true" aria-describedby="until-problem"`, "Choose a day between", `value="`+wrong+`"`)
	}
}

// The messages of a quarter are found and taken in one go, in the order in which they were written.
func TestRotationPickedInOneGo(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "eve@example.com")
	var ids []string
	for _, subject := range []string{"Spring 1", "Other", "Spring 2", "Spring 3"} {
		ids = append(ids, fmt.Sprint(w.message(t, user.ID, subject, "Text").ID))
	}
	form := func(more ...string) []string {
		return append([]string{"name", "Quarter", "audience", "all", "start_at", "2031-01-06T09:00", "timezone", "UTC", "several", "yes"}, more...)
	}
	b.post("/mailings", form("periodicity", "once", "find", "yes", "turn_q", "spring")...).is(t, 200, "Add all 3", "Spring 2")
	page := b.with("HX-Request", "true").with("HX-Target", "mailing-0-turns").post("/mailings", form("periodicity", "once", "rotate", "all", "turn_q", "spring", "message_id", ids[2])...).
		is(t, 200, `value="weekly" selected`).body
	first, second, third := strings.Index(page, `name="message_id" value="`+ids[2]), strings.Index(page, `name="message_id" value="`+ids[0]), strings.Index(page, `name="message_id" value="`+ids[3])
	if first < 0 || second < first || third < second || strings.Count(page, `name="message_id" value="`+ids[2]) != 1 {
		t.Errorf("in turn: %d, %d, %d", first, second, third)
	}
	b.post("/mailings", form("periodicity", "weekly", "rotate", "add", "add_message", ids[3], "add_message", ids[1])...).is(t, 200, "Other</span>", "Spring 3</span>")
	b.post("/mailings", form("periodicity", "weekly", "message_id", ids[0], "message_id", ids[2], "message_id", ids[3], "rotation_then", "stop")...).is(t, 303)
}
