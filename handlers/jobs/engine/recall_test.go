package engine

import (
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// launched is a run to that many clients that can be taken back for wait.
func (w *fixture) launched(clients int, wait time.Duration) (domain.Mailing, domain.Run) {
	w.Helper()
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'client' || n || '@example.org' FROM generate_series(1, $1::int) n`, clients)
	m, err := w.db.Mailings().Launch(w.Context(), 1000, w.mailing(domain.MailingForm{Audience: "all"}), wait)
	if err != nil {
		w.Fatal(err)
	}
	box := outbox.New(w.db.Postgres())
	at, _, err := box.Clock(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	run, ok, err := box.Plans().Make(w.Context(), m.ID, at, false)
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	return m, run
}

// No email leaves before the time to take a launch back is over, whichever process is there then; after it all do.
func TestRecallWaits(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.start(3)
	m, run := w.launched(120, 2*time.Second)
	w.stop() // the process that saw it planned is gone
	w.start(3)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 120, Accepted: 120})
	w.wantOnce(120)
	for _, email := range w.server.Emails() {
		if email.EndOfData.Before(m.Recall.Until) {
			t.Fatalf("%s got an email %v too early", email.To, m.Recall.Until.Sub(email.EndOfData))
		}
	}
}

// What was taken back sends nothing.
func TestRecallSendsNothing(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.start(3)
	m, run := w.launched(120, time.Minute)
	if _, err := w.db.Mailings().TakeBack(t.Context(), 1000, m.ID); err != nil {
		t.Fatal(err)
	}
	row := w.closed(run.ID)
	w.wantCounts(row, domain.Counts{Planned: 120, Cancelled: 120})
	if row.Reason != domain.ReasonRecalled || len(w.server.Emails()) > 0 {
		t.Errorf("%s, %d emails", row.Reason, len(w.server.Emails()))
	}
}

// A pause holds the rest of a run within a second, and a resume sends it, all of it once.
func TestPausedInMidRun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 10 * time.Millisecond})})
	w.start(3)
	m, run := w.launched(1500, 0)
	if err := w.server.WaitEmails(t.Context(), 50); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Mailings().Pause(t.Context(), 1000, m.ID); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	w.until("all batches are given back", func() bool {
		return w.count(`SELECT count(*) FROM batches WHERE instance_id IS NOT NULL`) == 0
	})
	held := len(w.server.Emails())
	time.Sleep(time.Second) // nothing tells that nothing happens
	if now := len(w.server.Emails()); now != held || held == 1500 {
		t.Errorf("%d emails, and %d a second later", held, now)
	}
	for _, email := range w.server.Emails() {
		if email.EndOfData.After(at.Add(time.Second)) {
			t.Fatalf("an email was sent %v after the pause", email.EndOfData.Sub(at))
		}
	}
	if _, err := w.db.Mailings().Resume(t.Context(), 1000, m.ID); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 1500, Accepted: 1500})
	w.wantOnce(1500)
}
