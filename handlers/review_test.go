package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/templates"
)

// due is a mailing that a launch sends at once.
func due(f *domain.MailingForm) { f.StartAt, f.Periodicity = "2026-01-01T09:00", "once" }

// The review says to whom, what, from whom and when, and what may be wrong.
func TestReviewWarns(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	var ids []string
	for i := range 7 {
		ids = append(ids, fmt.Sprint(w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i)).ID))
	}
	dbtest.Exec(t, w.db, "UPDATE clients SET full_name = 'C', suppressed_at = NULL")
	dbtest.Exec(t, w.db, "UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE email IN ('c0@example.com', 'c1@example.com')")
	dbtest.Exec(t, w.db, "UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced' WHERE email = 'c2@example.com'")
	dbtest.Exec(t, w.db, "UPDATE clients SET full_name = '' WHERE email = 'c3@example.com'")
	large := w.message(t, user.ID, "Hello {{name}}", "Text")
	m := w.mailing(t, user.ID, due, func(f *domain.MailingForm) { f.MessageID = large.ID })
	other := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Name, f.StartAt = "Other <b>", "2026-01-01T23:59" })
	w.act(t, other, launch)
	b.get(pathOf(m)+"/review").is(t, 200, "Goes to 4 clients", "2 skipped: unsubscribed.", "1 skipped: the address doesn", "Send to 4 clients", "Right away.",
		"Hello {{name}}", "/edit#mailing-", fmt.Sprintf(`src="/messages/%d/preview?client=%s"`, large.ID, ids[6]), fmt.Sprintf(`href="/messages/%d/edit"`, large.ID),
		"4 of the recipients get another email that day from", "Other &lt;b&gt;", "1 client has no value for {{name}}.", pathOf(m)+"/launch")

	nobody := w.mailing(t, user.ID, due, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "none" })
	if a := b.get(pathOf(nobody)+"/review").is(t, 200, "Nobody would get this: no client who receives emails has any of these tags."); strings.Contains(a.body, "Send to") {
		t.Error("it can be sent all the same")
	}
	later := w.mailing(t, user.ID, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "none" })
	b.get(pathOf(later)+"/review").is(t, 200, "Right now nobody would get this.", "Launch for 0 clients")

	subject, body := templates.Example("ru", "news", w.url)
	example := w.mailing(t, user.ID, due, func(f *domain.MailingForm) { f.MessageID = w.message(t, user.ID, subject, body).ID })
	b.get(pathOf(example)+"/review").is(t, 200, "still one of the examples")
	for _, act := range []string{"/launch", "/run"} {
		b.post(pathOf(example)+act).is(t, 409, "still one of the examples")
	}
}

// After a launch the page counts down and takes it back; later it says that it is too late.
func TestRecall(t *testing.T) {
	w := envOn(t, dbtest.New(t), func(c *Config) { c.RecallFor = time.Minute })
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID, due)
	b.get(pathOf(m)+"/review").is(t, 200, "You can take it back for 60 seconds afterwards.")
	b.post(pathOf(m)+"/recall").is(t, 409, "too late")
	b.post(pathOf(m)+"/launch").leads(t, pathOf(m))
	b.get(pathOf(m)).is(t, 200, "seconds left to take it back", `action="`+pathOf(m)+`/recall"`, `http-equiv="refresh"`)
	b.htmx().get(pathOf(m)+"/recall").is(t, 200, "seconds left", `hx-trigger="every 1s"`)
	b.get(pathOf(m)+"/recall").leads(t, pathOf(m))
	other.post(pathOf(m)+"/recall").is(t, 404)
	if _, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), m.ID, time.Now(), false); err != nil || !ok {
		t.Fatal(ok, err)
	}
	b.get(pathOf(m)).is(t, 200, "Nothing has been sent yet: this can still be taken back.")
	b.get("/mailings").is(t, 200, `hx-post="`+pathOf(m)+`/recall"`)
	b.post(pathOf(m)+"/recall").leads(t, pathOf(m))
	page := b.get(pathOf(m)).is(t, 200, "Taken back. Nothing was sent.", "Created", pathOf(m)+"/review")
	if strings.Contains(page.body, `id="recall" class`) {
		t.Error("it can be taken back once more")
	}
	b.htmx().get(pathOf(m)+"/recall").is(t, 286)
	b.htmx().post(pathOf(m)+"/launch").is(t, 200, fmt.Sprintf(`<tr id="mailing-%d">`, m.ID), "Take it back")
	b.htmx().post(pathOf(m)+"/recall").is(t, 200, fmt.Sprintf(`<tr id="mailing-%d">`, m.ID), "Created")

	daily := w.mailing(t, user.ID)
	w.act(t, daily, launch)
	b.post(pathOf(daily)+"/run").is(t, 303)
	b.post(pathOf(daily)+"/recall").leads(t, pathOf(daily))
	if now, err := w.db.Mailings().Get(t.Context(), user.ID, daily.ID); err != nil || now.Status != domain.Running || now.NextRunAt.IsZero() {
		t.Error("the calendar stops", err)
	}
}

func TestPauseAndResume(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	m := w.mailing(t, user.ID)
	b.post(pathOf(m)+"/pause").is(t, 409, "isn&#39;t running")
	w.act(t, m, launch)
	b.get(pathOf(m)).is(t, 200, `action="`+pathOf(m)+`/pause"`)
	for _, act := range []string{"/pause", "/resume"} {
		other.post(pathOf(m)+act).is(t, 404)
	}
	b.post(pathOf(m)+"/pause").leads(t, pathOf(m))
	b.get(pathOf(m)).is(t, 200, "Mailing paused.", "Paused since", `data-status="running"`, `action="`+pathOf(m)+`/resume"`)
	b.post(pathOf(m)+"/run").is(t, 409, "Resume it first")
	b.get("/mailings").is(t, 200, "Paused")
	b.htmx().post(pathOf(m)+"/resume").is(t, 200, fmt.Sprintf(`<tr id="mailing-%d">`, m.ID))
	if now, err := w.db.Mailings().Get(t.Context(), user.ID, m.ID); err != nil || now.Paused() {
		t.Error("still paused", err)
	}
}
