package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// ended is a run that is over, with one client accepted, one dead and one that waited.
func (w *env) ended(t *testing.T, owner int64) domain.Run {
	t.Helper()
	for i := range 3 {
		w.client(t, owner, fmt.Sprintf("c%d@example.com", i))
	}
	m := w.mailing(t, owner, func(f *domain.MailingForm) { f.StartAt = "2026-01-05T09:00" })
	run := w.sent(t, m, domain.OutcomeAccepted, domain.OutcomeFailed, domain.OutcomeDeferred)
	if _, err := w.db.Runs().Cancel(t.Context(), owner, run.ID); err != nil {
		t.Fatal(err)
	}
	if err := outbox.New(w.db.Postgres()).Runs().Close(t.Context(), run.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	return run
}

// What was sent can be read as it went out, by its owner and who oversees, in a frame that runs nothing.
func TestRunShowsItsEmail(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	manager := w.as(t, w.user(t, "max", domain.RoleManager))
	run := w.ended(t, user.ID)
	path := fmt.Sprint("/runs/", run.ID)
	dbtest.Exec(t, w.db, "UPDATE messages SET subject = 'Changed', body = 'Changed'")
	for _, one := range []*browser{b, manager} {
		page := one.get(path).is(t, 200, "1 of 3 delivered, 1 was refused, 1 was cancelled.", `src="`+path+`/email"`, `class="chart-failed"`, "No such address")
		if again := strings.Contains(page.body, path+"/again"); again != (one == b) {
			t.Errorf("can be sent again: %v", again)
		}
		email := one.get(path+"/email").is(t, 200, "Text")
		if strings.Contains(email.body, "Changed") || !strings.Contains(email.Header.Get("Content-Security-Policy"), "sandbox") {
			t.Error("not what was sent, or no sandbox")
		}
	}
	other.get(path+"/email").is(t, 404)
}

// The link to an email as a page shows it to who got it, and nothing of who is erased.
func TestView(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	run := w.ended(t, user.ID)
	got := dbtest.Number(t, w.db, "SELECT client_id FROM deliveries WHERE outcome = 'accepted'")
	token := domain.NewUnsubscribeTokens([]byte(password)).Token(got)
	b := w.visitor(t)
	view := b.get("/view/"+domain.ViewToken(token, run.ID)).is(t, 200, "Text", "/unsubscribe/"+token)
	if !strings.Contains(view.Header.Get("Content-Security-Policy"), "default-src 'none'") || view.Header.Get("X-Robots-Tag") == "" {
		t.Error(view.Header)
	}
	outsider := w.client(t, user.ID, "outsider@example.com")
	for _, wrong := range []string{token, token + ".", token + ".zz", "x" + domain.ViewToken(token, run.ID), domain.ViewToken(token, run.ID+1),
		domain.ViewToken(domain.NewUnsubscribeTokens([]byte(password)).Token(outsider.ID), run.ID), domain.ViewToken(domain.NewUnsubscribeTokens([]byte("other")).Token(got), run.ID)} {
		b.get("/view/"+wrong).is(t, 404)
	}
	if err := w.db.Clients().Delete(t.Context(), user.ID, got); err != nil {
		t.Fatal(err)
	}
	b.get("/view/"+domain.ViewToken(token, run.ID)).is(t, 404)
}

func TestCancelRun(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	for i := range 3 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", i))
	}
	m := w.mailing(t, user.ID)
	run := w.sent(t, m, domain.OutcomeAccepted, domain.OutcomeDeferred, domain.OutcomeDeferred)
	path := fmt.Sprint("/runs/", run.ID)
	for _, p := range []string{path + "/cancel", path + "/again"} {
		other.post(p, "who", "not_accepted").is(t, 404)
	}
	b.post(path+"/again", "who", "not_accepted").is(t, 409, "over yet")
	b.get(path).is(t, 200, path+"/cancel", "1 of 3 delivered, 2 are tried again at ")
	b.get(path+"/cancel").is(t, 200, "Cancel this run?", "2 emails haven&#39;t been sent yet.", `action="`+path+`/cancel"`)
	for range 2 {
		b.post(path+"/cancel").leads(t, path)
	}
	now, err := w.db.Mailings().Get(t.Context(), user.ID, m.ID)
	if err != nil || now.Status != domain.Running || now.NextRunAt.IsZero() {
		t.Errorf("%v: the calendar ended: %+v", err, now)
	}
	if err := outbox.New(w.db.Postgres()).Runs().Close(t.Context(), run.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	b.get(path).is(t, 200, "This run was cancelled.", `class="count-cancelled">2<`)
	b.post(path+"/cancel").is(t, 409, "is over")
	b.get(path+"/cancel").is(t, 409, "is over")
}

// A message goes again to those who did not get it, or joined since, and to nobody twice.
func TestSendAgain(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	run := w.ended(t, user.ID)
	path := fmt.Sprint("/runs/", run.ID, "/again")
	for who, words := range map[string]string{"not_clicked": "has no tracking", "not_opened": "has no tracking", "": "Choose who", "all": "Choose who"} {
		b.post(path, "who", who).is(t, 422, words)
	}
	b.post(path, "who", "joined_since").is(t, 409, "nobody to send it to")
	dbtest.Exec(t, w.db, "UPDATE clients SET suppressed_at = NULL, suppressed_reason = ''")
	b.get(strings.TrimSuffix(path, "/again")).is(t, 200, "To 2 clients who didn&#39;t get it")
	again := b.post(path, "who", "not_accepted").is(t, 303).Header.Get("Location")
	b.get(again).is(t, 200, "Send to 2 clients", "News: didn&#39;t get it", "Mailing created.")
	b.post(path, "who", "not_accepted").leads(t, again) // a double click
	rows, total, err := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil || total != 2 || rows[0].Status != domain.Created || rows[0].Audience != domain.AudiencePicked || rows[0].MessageID != rows[1].MessageID {
		t.Fatalf("%v %d %+v", err, total, rows)
	}
	// Who has got it meanwhile is left out.
	w.sent(t, rows[0].Mailing, domain.OutcomeAccepted, domain.OutcomeFailed)
	dbtest.Exec(t, w.db, "UPDATE mailings SET created_at = created_at - interval '1 minute'")
	second := b.post(path, "who", "not_accepted").is(t, 303).Header.Get("Location")
	b.get(second).is(t, 200, "Send to 1 client<")
	w.client(t, user.ID, "new@example.com")
	joined := b.post(path, "who", "joined_since").is(t, 303).Header.Get("Location")
	b.get(joined).is(t, 200, "Send to 1 client<", "News: joined since")
	b.get(strings.TrimSuffix(path, "/again")).is(t, 200, "To 1 client who didn&#39;t get it", "To 1 client who joined since")
	// Of two mailings that were made, the later one passes over whom the earlier one writes to.
	dbtest.Exec(t, w.db, "UPDATE mailings SET created_at = created_at - interval '1 minute'")
	b.post(path, "who", "joined_since").is(t, 303)
	rows, _, err = w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if err != nil {
		t.Fatal(err)
	}
	var planned []int64
	for _, m := range rows[:2] {
		w.act(t, m.Mailing, launchLate)
		planned = append(planned, dbtest.Plan(t, w.db, m.ID, time.Now().Add(time.Minute)).Planned)
	}
	if planned[0] != 1 || planned[1] != 0 {
		t.Errorf("planned %v to the same client", planned)
	}
}

func TestCopies(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	c := w.client(t, user.ID, "c@example.com")
	m := w.mailing(t, user.ID, due, func(f *domain.MailingForm) {
		f.Audience, f.ClientIDs, f.EndAt = "picked", []int64{c.ID}, "2026-02-01T00:00"
	})
	w.act(t, m, launchLate)
	other.post(pathOf(m)+"/copy").is(t, 404)
	edit := b.post(pathOf(m)+"/copy").is(t, 303).Header.Get("Location")
	b.get(edit).is(t, 200, `value="News (copy)"`, fmt.Sprintf(`name="client_ids" value="%d" checked`, c.ID), "Nothing is sent until you launch it.", `name="end_at" type="datetime-local" value=""`)
	rows, _, _ := w.db.Mailings().List(t.Context(), db.MailingFilter{OwnerID: user.ID})
	if got := rows[0]; got.Status != domain.Created || !got.StartLocal.After(time.Now().UTC().Add(-2*time.Hour)) || got.StartLocal.Format("15:04") != "09:00" {
		t.Errorf("%+v", got)
	}
	message := fmt.Sprint("/messages/", m.MessageID)
	other.post(message+"/copy").is(t, 404)
	edit = b.post(message+"/copy").is(t, 303).Header.Get("Location")
	if edit == message+"/edit" {
		t.Error("no copy")
	}
	b.get(edit).is(t, 200, `value="Hello"`)
}

func launchLate(m *domain.Mailing) error { return m.Launch(m.StartLocal) }

// One search shows what happened to an address, in order.
func TestTimeline(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	run := w.ended(t, user.ID)
	b.get("/attempts").is(t, 200, `action="/clients/find"`)
	at := b.get("/clients/find?email=C1@Example.com").is(t, 303).Header.Get("Location")
	page := b.get(strings.TrimSuffix(at, "#latest-title")).is(t, 200, "What happened", "Failed", "No such address", "550 5.1.1 &lt;nobody&gt;", "Added", fmt.Sprintf(`href="/runs/%d"`, run.ID))
	if failed, added := strings.Index(page.body, `bad">Failed`), strings.LastIndex(page.body, ">Added<"); failed < 0 || added < failed {
		t.Error("not in order")
	}
	b.get("/clients/find?email=nobody@example.com").leads(t, "/clients?q=nobody%40example.com")
	other.get("/clients/find?email=c1@example.com").leads(t, "/clients?q=c1%40example.com")
	manager := w.as(t, w.user(t, "mo", domain.RoleManager))
	manager.get("/attempts").is(t, 200, `action="/manager/recipients"`)
	manager.get("/manager/recipients?email=+C1@Example.com").is(t, 200, "No such address", fmt.Sprintf(`href="/runs/%d"`, run.ID), "?q=ann%40people.example")
	manager.get("/manager/recipients?email=nobody@example.com").is(t, 200, "No owner has nobody@example.com")
}
