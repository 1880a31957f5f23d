package handlers

import (
	"fmt"
	"html"
	"strings"
	"sync"
	"testing"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// startFields are the form of the email and its time; more values follow.
func startFields(more ...string) []string {
	return append([]string{"subject", "Hello {{name}}", "body", "Good news", "timezone", "UTC", "periodicity", "once"}, more...)
}

func TestStartStepByStep(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/start").is(t, 200, "<html", `name="addresses"`, `aria-current="step"`)
	b.post("/start/clients", "addresses", "Eve Adams <eve@example.com>\nnobody").
		is(t, 422, "\nnobody</textarea>", "Added: 1.", `href="/start"`, `aria-invalid="true"`)
	b.post("/start/clients", "addresses", "max@example.com; Max").leads(t, "/start")

	b.get("/start").is(t, 200, "{{name}}, 20% off everything", "Goes to 2 clients", `value="review"`, "Eve Adams · eve@example.com")
	eve, _, err := w.db.Clients().List(t.Context(), user.ID, db.ClientFilter{Query: "eve"})
	if err != nil || len(eve) != 1 {
		t.Fatal(eve, err)
	}
	client := fmt.Sprint(eve[0].ID)
	b.get("/start/preview?client="+client).is(t, 200, "Hello, Eve Adams!")
	_, congratulations := templates.Example("en", "congratulations", w.url)
	b.get("/start?start=congratulations").is(t, 200, html.EscapeString(strings.SplitN(congratulations, "\n", 2)[0]), "start=congratulations")
	b.post("/start/preview", startFields("body", "Only for {{name}}", "client", client)...).is(t, 200, "Good news", ">Hello Eve Adams</h1>", "@media(prefers-color-scheme:dark)")
	b.post("/start/preview", "subject", "Hi", "body", "Only for {{name}}", "client", client).is(t, 200, "Only for Eve Adams")
	b.post("/start/preview", "subject", "Hi {{nick}}", "body", "x").is(t, 422, "nick")
	b.post("/start/preview", startFields("client", "999999")...).is(t, 404)

	later := startFields("when", "later", "start_at", "2031-12-05T10:00")
	b.htmx().post("/start/plan", later...).is(t, 200, "Goes to 2 clients")
	weekly := append([]string{"when", "now", "periodicity", "weekly"}, startFields()...)
	b.htmx().post("/start/plan", weekly...).is(t, 200, "Goes to 2 clients", "<li><time")
	b.htmx().post("/start/plan", startFields("when", "later", "start_at", "2001-01-01T10:00")...).is(t, 200, "has passed")

	subject, body := templates.Example("en", "congratulations", w.url)
	b.post("/start", "subject", subject, "body", body, "timezone", "UTC", "periodicity", "once", "when", "now", "do", "review").is(t, 422, `aria-invalid="true"`)
	review := b.post("/start", startFields("when", "now", "do", "review")...).is(t, 303).Header.Get("Location")
	b.get(review).is(t, 200, "First mailing", "Send to 2 clients", `aria-current="step"`, `href="/start"`, "Hello {{name}}")
	b.get("/start").is(t, 200, "Good news", `value="Hello {{name}}"`)
	b.post(strings.TrimSuffix(review, "/review?first=yes")+"/launch").is(t, 303)
	mailings, total, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil || total != 1 || mailings[0].Status != domain.Running || mailings[0].Name != "First mailing" {
		t.Fatal(mailings, total, err)
	}
	b.get("/start").is(t, 200, "Hello, ann", `href="`+pathOf(mailings[0].Mailing)+`"`, "Scheduled")
	b.htmx().get("/start").is(t, 200, `<div id="now"`)
}

func TestStartKeepsAndRefuses(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "eve@example.com")
	b.post("/start", "subject", "Hi {{nick}}", "body", "", "when", "later", "start_at", "soon", "timezone", "UTC", "periodicity", "once",
		"do", "review").is(t, 422, `value="Hi {{nick}}"`, "nick", "Write the text", "of the first email", `data-stale`)
	b.post("/start", startFields("when", "later", "start_at", "2031-12-05T10:00", "do", "keep")...).leads(t, "/start")
	b.get("/start").is(t, 200, "Saved. Nothing is sent", `value="Hello {{name}}"`, `value="2031-12-05T10:00"`)
	b.post("/start", startFields("when", "now", "body", "Better", "do", "test")...).leads(t, "/start")
	b.get("/start").is(t, 200, "Test sent to", "Good news")
	if _, total, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID}); err != nil || total != 1 {
		t.Errorf("%d mailings, %v", total, err)
	}
	if _, total, err := w.db.Messages().List(t.Context(), user.ID, "", db.PageOf(1)); err != nil || total != 1 {
		t.Errorf("%d messages, %v", total, err)
	}
}

// However often the button is pressed, there is one mailing, and every answer leads to its review; behind its launch to itself.
func TestStartOnce(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "eve@example.com")
	places, all := make([]string, 6), sync.WaitGroup{}
	for i := range places {
		all.Go(func() {
			places[i] = b.post("/start", startFields("when", "now", "do", "review")...).Header.Get("Location")
		})
	}
	all.Wait()
	rows, total, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil || total != 1 {
		t.Fatalf("%d mailings, %v", total, err)
	}
	for _, place := range places {
		if place != pathOf(rows[0].Mailing)+"/review?first=yes" {
			t.Errorf("a click leads to %q", place)
		}
	}
	b.post(pathOf(rows[0].Mailing)+"/launch").is(t, 303)
	b.post("/start", startFields("when", "now", "do", "review")...).leads(t, pathOf(rows[0].Mailing))
}

// What is typed on the first page of an owner is kept as in the composer, offered again, and forgotten when it is sent.
func TestStartKeepsWhatIsTyped(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "c@example.com")
	b.get("/start").is(t, 200, `hx-post="/messages/draft?from=start&amp;id=0"`, `hx-post="/messages/advice"`)
	b.htmx().post("/messages/draft?from=start&id=0", "subject", "Half a thought", "body", "Half a [text](https://example.com)").is(t, 200)
	b.get("/start").is(t, 200, `href="/start?draft=yes"`)
	b.get("/start?draft=yes").is(t, 200, `value="Half a thought"`, "example.com")
	b.post("/messages/draft?from=start&id=0", "do", "discard").leads(t, "/start")
	if body := b.get("/start").is(t, 200).body; strings.Contains(body, "draft=yes") {
		t.Error("a draft that was thrown away is offered")
	}
	b.htmx().post("/messages/draft?from=start&id=0", "subject", "Half a thought", "body", "Text").is(t, 200)
	b.post("/start", "do", "keep", "subject", "A whole one", "body", "Text", "when", "now", "periodicity", "once", "timezone", "UTC", "start_at", "2031-01-06T09:00").leads(t, "/start")
	if body := b.get("/start").is(t, 200, "A whole one").body; strings.Contains(body, "draft=yes") {
		t.Error("a draft that was saved is offered")
	}
}
