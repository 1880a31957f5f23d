package handlers

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"skychimp/db"
	"skychimp/domain"
)

var onceValue = regexp.MustCompile(`name="once" value="([A-Z0-9]+)"`)

// A form that changes an object says what it was opened with, and one that makes an object has a name.
func TestFormsCarryRevisionsAndNames(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	client, message, mailing := w.client(t, user.ID, "c@example.com"), w.message(t, user.ID, "Hello", "Text"), w.mailing(t, user.ID)
	sender := w.shop(t, b)
	b.post("/clients/fields", "label", "City", "type", "text").leads(t, "/clients/fields")
	field := firstMatch(t, `id="field-(\d+)"`, b.get("/clients/fields").is(t, 200).body)
	for _, path := range []string{fmt.Sprint("/clients/", client.ID, "/edit"), fmt.Sprint("/messages/", message.ID, "/edit"), pathOf(mailing) + "/edit",
		sender + "/edit", "/clients/fields/" + field + "/edit", "/account"} {
		if body := b.get(path).is(t, 200).body; !revisionField.MatchString(body) {
			t.Errorf("%s has no revision", path)
		}
	}
	for _, path := range []string{"/clients/new", "/messages/new", "/mailings/new", "/senders/new", "/clients/fields", "/clients/import"} {
		if body := b.get(path).is(t, 200).body; !onceValue.MatchString(body) {
			t.Errorf("%s has no name for its form", path)
		}
	}
}

// shop makes a sender by the form, and is its page.
func (w *env) shop(t *testing.T, b *browser) string {
	t.Helper()
	return b.post("/senders", "name", "Shop", "email", "news@shop.example").is(t, 303).Header.Get("Location")
}

func firstMatch(t *testing.T, pattern, text string) string {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("no %s", pattern)
	}
	return found[1]
}

// Whoever presses twice makes one thing, also when both come at once; another thing is another.
func TestDoubleSubmit(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	name := firstMatch(t, `name="once" value="([A-Z0-9]+)"`, b.get("/messages/new").body)
	send := func(subject string) answer {
		return b.post("/messages", "once", name, "subject", subject, "body", "Text")
	}
	var wait sync.WaitGroup
	places := make([]string, 6)
	for i := range places {
		wait.Go(func() { places[i] = send("Hello").is(t, 303).Header.Get("Location") })
	}
	wait.Wait()
	for _, place := range places {
		if place != places[0] || !strings.HasPrefix(place, "/messages/") {
			t.Errorf("led to %v", places)
		}
	}
	if refused := send(""); refused.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a refused form: %d", refused.StatusCode)
	}
	if again := send("Another").is(t, 303).Header.Get("Location"); again == places[0] {
		t.Error("another message is the first")
	}
	b.htmx().post("/messages", "once", name, "subject", "Hello", "body", "Text").is(t, 200)
	if list, total, err := w.db.Messages().List(t.Context(), user.ID, "", db.PageOf(1)); err != nil || total != 2 {
		t.Error(err, total, list)
	}
}

// What was typed over the end of a session comes back to its user and to nobody else, and nothing is saved by itself.
func TestTypedOverTheSignIn(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.user(t, "bob", domain.RoleUser)
	client := w.client(t, user.ID, "c@example.com")
	signIn := func(name, next string) answer {
		return b.post("/login", "email", name+"@people.example", "password", password, "next", next)
	}
	signIn("ann", "/start").leads(t, "/start")
	b.post("/logout").leads(t, "/")
	for _, tt := range []struct {
		path, page string
		fields     []string
		shown      []string
	}{
		{"/clients", "/clients/new", []string{"email", "new@example.com", "comment", "<b>one</b>\ntwo", "tags", "a, b", "password", "pass1word"},
			[]string{`value="new@example.com"`, "&lt;b&gt;one&lt;/b&gt;\ntwo", `value="a, b"`}},
		{fmt.Sprint("/clients/", client.ID), fmt.Sprint("/clients/", client.ID, "/edit"), []string{"_method", "PUT", "email", "later@example.com", "comment", "kept"},
			[]string{`value="later@example.com"`, ">kept</textarea>"}},
		{"/messages", "/messages/new", []string{"subject", "Typed", "body", "# First\n\nSecond **bold**", "blocks", "2", "b0.kind", "heading", "b0.level", "1", "b0.text", "First",
			"b0.source", "# First", "b1.kind", "text", "b1.text", "Second **bold**", "b1.source", "Second **bold**"}, []string{`value="Typed"`, `Second **bold**`}},
		{"/mailings", "/mailings/new", mailingFields(0, "name", "Spring news"), []string{`value="Spring news"`}},
		{"/account", "/account", []string{"name", "Anna", "timezone", "Europe/Moscow", "language", "ru"}, []string{`value="Anna"`, `value="Europe/Moscow"`, `<option value="ru" selected=""`}},
	} {
		place := b.post(tt.path, tt.fields...).is(t, 303).Header.Get("Location")
		if want := "/login?next="; !strings.HasPrefix(place, want) {
			t.Fatalf("%s leads to %s", tt.path, place)
		}
		b.get(place).is(t, 200, "Your session ended")
		signIn("bob", tt.page)
		for _, text := range tt.shown {
			if strings.Contains(b.get(tt.page).body, text) {
				t.Errorf("%s shows another user %q", tt.page, text)
			}
		}
		b.post("/logout").leads(t, "/")
		signIn("ann", tt.page).leads(t, tt.page)
		opened := b.get(tt.page).is(t, 200, append(tt.shown, "has not been saved yet")...)
		if strings.Contains(opened.body, "pass1word") {
			t.Error("a password came back")
		}
		b.get(tt.page).is(t, 200, tt.shown...) // also when it is loaded again
		b.post("/logout").leads(t, "/")
	}
	signIn("ann", "/clients").leads(t, "/clients")
	b.post("/account", "name", "Anna").leads(t, "/account")
	if strings.Contains(b.get("/account").body, "has not been saved yet") {
		t.Error("it comes back after it was sent")
	}
	stranger := w.visitor(t)
	stranger.post("/clients", "email", "x@example.com")
	var kept int
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM kept_forms`).Scan(&kept); err != nil || kept > 5 {
		t.Error(err, kept)
	}
}

// What is being typed is kept with the account, comes back when it is asked for, and goes when it is saved or discarded.
func TestDrafts(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	client := w.client(t, user.ID, "c@example.com")
	edit := fmt.Sprint("/clients/", client.ID, "/edit")
	keep := func(page string, fields ...string) answer {
		return b.htmx().with("HX-Current-URL", w.url+page).post("/drafts", fields...)
	}
	for _, tt := range []struct {
		page   string
		fields []string
		shown  string
	}{
		{"/clients/new", []string{"email", "new@example.com", "password", "pass1word"}, `value="new@example.com"`},
		{edit, []string{"email", "c@example.com", "comment", "A long story"}, ">A long story</textarea>"},
		{"/mailings/new", mailingFields(0, "name", "Spring news"), `value="Spring news"`},
		{"/segments/new", []string{"name", "Loyal", "match", "all", "where", "email", "op", "contains", "value", "shop"}, `value="Loyal"`},
		{"/forms/new", []string{"name", "On the site", "text", "Welcome"}, `value="On the site"`},
		{"/series/new", []string{"name", "Welcome", "entry", "tag", "entry_tag", "vip", "step_message_id", "0", "step_message_id", "0", "step_wait", "0", "step_wait", "3"}, `value="vip"`},
		{"/senders/new", []string{"name", "Shop", "email", "news@shop.example"}, `value="news@shop.example"`},
	} {
		if a := b.get(tt.page).is(t, 200, `data-draft="`+tt.page+`"`); strings.Contains(a.body, "save it") {
			t.Errorf("%s has a draft already", tt.page)
		}
		keep(tt.page, tt.fields...).is(t, 200, "What you typed is kept", "<time")
		if a := b.get(tt.page).is(t, 200, "You typed something here", `href="`+tt.page+`?draft=1"`); strings.Contains(a.body, tt.shown) {
			t.Errorf("%s shows the draft unasked", tt.page)
		}
		if a := b.get(tt.page+"?draft=1").is(t, 200, tt.shown, "What you typed is back"); strings.Contains(a.body, "pass1word") {
			t.Error("a password came back")
		}
		if tt.page != edit {
			not(t, other.get(tt.page+"?draft=1").is(t, 200), tt.shown)
		}
	}
	b.post("/clients", "email", "new@example.com").is(t, 303)
	not(t, b.get("/clients/new").is(t, 200), "You typed something here")
	b.post("/clients", "email", "").is(t, 422)
	b.post("/drafts", "do", "discard", "page", "/mailings/new").leads(t, "/mailings/new")
	not(t, b.get("/mailings/new").is(t, 200), "You typed something here")
	for _, page := range []string{"https://evil.example/x", "//evil.example", "/nowhere"} {
		b.post("/drafts", "do", "discard", "page", page).leads(t, "/")
		keep(page, "name", "x").is(t, 200)
	}
	for i := range 40 {
		keep(fmt.Sprint("/segments/", i+1), "name", "x").is(t, 200)
	}
	var kept int
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM form_drafts`).Scan(&kept); err != nil || kept != domain.FormDraftsMost {
		t.Error(err, kept)
	}
	// Over the end of the session the browser's draft is kept for its user.
	b.post("/login", "email", "ann@people.example", "password", password).is(t, 303)
	b.post("/logout").is(t, 303)
	keep("/clients/new", "email", "late@example.com").is(t, 401)
	b.post("/login", "email", "ann@people.example", "password", password).is(t, 303)
	b.get("/clients/new").is(t, 200, `value="late@example.com"`)
}
