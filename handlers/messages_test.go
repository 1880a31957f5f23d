package handlers

import (
	"fmt"
	"html"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/templates"
)

func (w *env) message(t *testing.T, owner int64, subject, body string) domain.Message {
	t.Helper()
	m := domain.Message{OwnerID: owner}
	m.Change(domain.MessageForm{Subject: subject, Body: body}, time.Now())
	if err := w.db.Messages().Create(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMessagesPlainForms(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/messages").is(t, 200, "<html", "No messages yet", `href="/messages/new"`)
	b.get("/messages/new").is(t, 200, "<html", `name="subject"`, `<textarea`, `name="body"`, "{{name|", "{{email}}", "{{comment}}")
	a := b.post("/messages", "subject", "Hello, {{name}}", "body", "# News\r\n\r\nfor **{{name}}**").is(t, 303)
	messages, _, err := w.db.Messages().List(t.Context(), user.ID, "", db.PageOf(1))
	if err != nil || len(messages) != 1 || messages[0].Body != "# News\n\nfor **{{name}}**" {
		t.Fatalf("%+v, %v", messages, err)
	}
	path := fmt.Sprint("/messages/", messages[0].ID)
	a.leads(t, path)
	b.get(path).is(t, 200, "<html", "Hello, {{name}}", `sandbox=""`, `src="`+path+`/preview"`, path+"/test", "ann@people.example")
	b.get(fmt.Sprint("/mailings/new?message_id=", messages[0].ID)).is(t, 200, fmt.Sprintf(`name="message_id" value="%d" checked>`, messages[0].ID))
	b.get(path+"/edit").is(t, 200, "# News", `name="_method" value="PUT"`)
	b.post(path, "_method", "PUT", "subject", "Bye", "body", "text").leads(t, path)
	b.get("/messages").is(t, 200, `id="message-`, "Bye", "0 mailings", "1 message")
	b.get("/messages?q=hello").is(t, 200, "No messages found")
	b.get(path+"/delete").is(t, 200, "Delete “Bye”?")
	b.post(path, "_method", "DELETE").leads(t, "/messages")
	b.get(path).is(t, 404)
}

func TestMessageStarts(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	subjects := map[string]bool{}
	for _, lang := range domain.Languages() {
		if _, err := w.db.Users().Update(t.Context(), user.ID, func(u *domain.User) error { u.Language = lang; return nil }); err != nil {
			t.Fatal(err)
		}
		for _, name := range templates.ExampleNames() {
			subject, body := templates.Example(lang, name, w.url)
			if _, err := email.Check(subject, body); err != nil || subjects[subject] {
				t.Errorf("%s in %s: %q, %v", name, lang, subject, err)
			}
			subjects[subject] = true
			path := "/messages/new?start=" + name
			b.get(path).is(t, 200, `value="`+html.EscapeString(subject), `<a href="`+path+`"`, `aria-current="true"`, "{{name}}")
			b.htmx().get(path).is(t, 200, `hx-get="`+path+`"`, `value="`+html.EscapeString(subject))
		}
	}
	if empty := b.get("/messages/new?start=../../demo/1").is(t, 200).body; strings.Contains(empty, `aria-current="true"`) {
		t.Error("an example that does not exist was chosen")
	}
}

func TestMessagesInvalid(t *testing.T) {
	w := newEnv(t)
	user, plain := w.owner(t, "ann")
	m := w.message(t, user.ID, "Hello", "text")
	for _, b := range []*browser{plain, plain.htmx()} {
		for method, path := range map[string]string{"POST": "/messages", "PUT": fmt.Sprint("/messages/", m.ID)} {
			a := b.do(method, path, []string{"subject", "Hi {{nmae}} <b>", "body", ""}).is(t, 422,
				`value="Hi {{nmae}} &lt;b&gt;"`, "There is no field “nmae”.", "Write the text of the email.")
			if strings.Count(a.body, `aria-invalid="true"`) != 2 || strings.Contains(a.body, "<html") != (b == plain) {
				t.Errorf("%s %s: %s", method, path, a.body)
			}
			b.do(method, path, []string{"subject", "a\nb", "body", "kept <text>\x00"}).is(t, 422, "The subject must be one line.", "kept &lt;text&gt;", "can&#39;t be sent in an email")
		}
	}
	if got, err := w.db.Messages().Get(t.Context(), user.ID, m.ID); err != nil || got.Subject != "Hello" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestMessagesInPlace(t *testing.T) {
	w := newEnv(t)
	user, plain := w.owner(t, "ann")
	b := plain.htmx()
	b.get("/messages/new").is(t, 200, `hx-post="/messages"`)
	a := b.post("/messages", "subject", "Hello", "body", "text").is(t, 200, "Hello", `hx-swap-oob="innerHTML"`)
	if !strings.HasPrefix(a.body, `<tr id="message-`) || a.Header.Get("HX-Trigger-After-Swap") != "messages-changed" {
		t.Errorf("%v %s", a.Header, a.body)
	}
	messages, _, err := w.db.Messages().List(t.Context(), user.ID, "", db.PageOf(1))
	if err != nil || len(messages) != 1 {
		t.Fatal(messages, err)
	}
	path, row := fmt.Sprint("/messages/", messages[0].ID), fmt.Sprintf(`<tr id="message-%d">`, messages[0].ID)
	b.get(path).is(t, 200, row)
	b.get(path+"/edit").is(t, 200, row, `hx-put="`+path+`"`)
	b.do("PUT", path, []string{"subject", "Bye", "body", "text"}).is(t, 200, row, "Bye")
	b.get("/messages?q=bye").is(t, 200, row, `id="found"`)
	if a := b.do("DELETE", path, nil).is(t, 200); a.body != "" {
		t.Errorf("deleted: %q", a.body)
	}
}

// The language of a message is that of its emails' own words, not of its owner's pages.
func TestMessageLanguage(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/messages/new").is(t, 200, `name="language"`, "As the text reads", `<option value="de">German`)
	for _, row := range []struct{ language, body, lang, dir, words string }{
		{"", "Здравствуйте! Новости ноября", "ru", "ltr", "Отписаться"},
		{"", "Hello, the news of November", "en", "ltr", "Unsubscribe"},
		{"de", "Hallo", "de", "ltr", "Abmelden"},
		{"", "שלום, יש לנו חדשות", "he", "rtl", "הסרה מרשימת התפוצה"},
	} {
		a := b.post("/messages", "subject", "x", "body", row.body, "language", row.language).is(t, 303)
		b.get(a.Header.Get("Location")+"/preview").is(t, 200, fmt.Sprintf(`<html lang="%s" dir="%s"`, row.lang, row.dir), row.words)
		b.get(a.Header.Get("Location")+"/edit").is(t, 200, fmt.Sprintf(`<option value="%s" selected>`, row.language))
	}
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/messages", "subject", "x", "body", "kept", "language", "tlh").is(t, 422, "Choose one of the languages.", "kept")
	}
	m := domain.Message{OwnerID: user.ID}
	m.Change(domain.MessageForm{Subject: "x", Body: "Hallo", Language: "de"}, time.Now())
	if m.Language != "de" {
		t.Errorf("%+v", m)
	}
}

// Gmail clips an email at 102 kB.
func TestLongMessageIsWarnedAbout(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	short := b.post("/messages", "subject", "x", "body", strings.Repeat("word ", 15_000)).is(t, 303).Header.Get("Location")
	if page := b.get(short).is(t, 200).body; strings.Contains(page, "102 kB") {
		t.Error("75 kB are warned about")
	}
	long := b.post("/messages", "subject", "x", "body", strings.Repeat("word ", 18_000)).is(t, 303).Header.Get("Location")
	b.get(long).is(t, 200, "This email takes 9", "Gmail hides what comes after 102 kB", "hides the rest")
	id := long[strings.LastIndex(long, "/")+1:]
	a := b.post("/mailings", "name", "Spring", "message_id", id, "audience", "all", "start_at", "2040-01-01T10:00", "timezone", "UTC", "periodicity", "once").is(t, 303)
	b.get(a.Header.Get("Location")).is(t, 200, "This email takes 9")
	b.get(a.Header.Get("Location")+"/review").is(t, 200, "This email takes 9")
	b.htmx().do("PUT", long, []string{"subject", "x", "body", strings.Repeat("word ", 18_500)}).is(t, 200)
}

func TestMessageInUse(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	m := w.message(t, user.ID, "Hello", "text")
	mailing := domain.Mailing{OwnerID: user.ID, MessageID: m.ID, Name: "Spring", Audience: domain.AudienceAll, Tags: []string{},
		StartLocal: time.Now(), Timezone: "UTC", Periodicity: domain.Once}
	if err := w.db.Mailings().Create(t.Context(), &mailing); err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprint("/messages/", m.ID)
	b.post(path, "_method", "DELETE").is(t, 409, "<html", "The mailing “Spring” uses this message.", `value="DELETE"`)
	b.htmx().do("DELETE", path, nil).is(t, 409, "Spring")
	b.get("/messages").is(t, 200, "1 mailing")
}

func TestMessagePreview(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	m := w.message(t, user.ID, "Hello", "Dear {{name}} of {{email}}: {{comment}} <script>alert(1)</script>")
	client, foreign := w.client(t, user.ID, "c@example.com"), w.client(t, bob.ID, "f@example.com")
	path := fmt.Sprint("/messages/", m.ID, "/preview")
	a := b.get(path).is(t, 200, "Dear ann of ann@people.example", "unsubscribe/test")
	policy := a.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'unsafe-inline'") || !strings.Contains(policy, "sandbox") ||
		strings.Contains(policy, "script-src") || a.Header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Errorf("headers %v", a.Header)
	}
	if strings.Contains(a.body, "<script") {
		t.Error("a script in the email")
	}
	b.get(fmt.Sprint(path, "?client=", client.ID)).is(t, 200, "Dear Name of c@example.com of c@example.com: note")
	b.get(path+"?scheme=dark").is(t, 200, "@media all{")
	b.get(path+"?scheme=x").is(t, 200, "@media not all{")
	b.get(fmt.Sprint(path, "?client=", foreign.ID)).is(t, 404)
	b.get(path+"?client=999999").is(t, 404)
	manager := w.as(t, w.user(t, "mary", domain.RoleManager))
	manager.get(path).is(t, 200, "Dear ann of")
	manager.get(fmt.Sprint(path, "?client=", client.ID)).is(t, 404)
	shown := manager.get(fmt.Sprint("/messages/", m.ID)).is(t, 200, "By ann", `sandbox=""`)
	if strings.Contains(shown.body, "/edit") || strings.Contains(shown.body, "/test") {
		t.Error("a manager can change the message")
	}
	for _, request := range []struct{ method, path string }{
		{"GET", "/edit"}, {"GET", "/delete"}, {"PUT", ""}, {"DELETE", ""}, {"POST", "/test"},
	} {
		manager.do(request.method, fmt.Sprint("/messages/", m.ID, request.path), []string{"subject", "x", "body", "y"}).is(t, 403)
	}
}

func TestMessageTest(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	m, client := w.message(t, user.ID, "Hello", "text"), w.client(t, user.ID, "c@example.com")
	path := fmt.Sprint("/messages/", m.ID)
	b.post(path+"/test", "client", "").leads(t, path)
	b.get(path).is(t, 200, "Test sent to ann@people.example. Find it in the test inbox")
	a := b.htmx().post(path+"/test", "client", fmt.Sprint(client.ID)).is(t, 200)
	if a.body != "" || a.Header.Get("HX-Trigger") == "" {
		t.Errorf("%v %q", a.Header, a.body)
	}
	b.post(path+"/test", "client", "abc").is(t, 404)
	b.post(path+"/test", "client", "999999").is(t, 404)
	var jobs string
	err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT string_agg(args::text, ' ' ORDER BY id) FROM river_job`).Scan(&jobs)
	want := fmt.Sprintf(`{"email": "test", "user_id": %d, "message_id": %d} {"email": "test", "user_id": %d, "client_id": %d, "message_id": %d}`,
		user.ID, m.ID, user.ID, client.ID, m.ID)
	if err != nil || jobs != want {
		t.Errorf("jobs %s, want %s, %v", jobs, want, err)
	}
}

func TestMessagesForeign(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	foreign := w.message(t, bob.ID, "Secret", "text")
	for _, one := range []*browser{b, b.htmx()} {
		for _, request := range []struct{ method, path string }{
			{"GET", ""}, {"GET", "/edit"}, {"GET", "/delete"}, {"GET", "/preview"}, {"PUT", ""}, {"DELETE", ""}, {"POST", "/test"},
		} {
			var bodies []string
			for _, id := range []string{fmt.Sprint(foreign.ID), "999999", "abc"} {
				a := one.do(request.method, "/messages/"+id+request.path, []string{"subject", "stolen", "body", "stolen"}).is(t, 404)
				bodies = append(bodies, strings.ReplaceAll(a.body, "/messages/"+id, "/messages/?"))
			}
			if bodies[0] != bodies[1] || bodies[0] != bodies[2] {
				t.Errorf("%s %s: different bodies", request.method, request.path)
			}
		}
	}
}
