package engine

import (
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// What does not add up is found, whichever table is wrong.
func TestCountMismatches(t *testing.T) {
	w := newFixture(t, smtptest.Script{On: smtptest.First(
		smtptest.For("client1@example.org", domain.StageRcpt, smtptest.Action{Answer: "550 5.1.1 no such user"}),
		smtptest.For("client2@example.org", domain.StageRcpt, smtptest.Action{Answer: "451 4.7.1 greylisted"}),
	)})
	check := func(when string, want int) {
		t.Helper()
		found, err := outbox.New(w.db.Postgres()).Runs().CountMismatches(t.Context(), time.Now().Add(-20*time.Minute))
		if err != nil || len(found) != want {
			t.Errorf("%s: %v, %v, want %d", when, found, err, want)
		}
	}
	w.exec(`INSERT INTO clients (owner_id, email, suppressed_at) VALUES (1000, 'gone@example.org', now())`)
	open := w.plan(250)
	check("planned", 0)
	w.start(3)
	w.when(open.ID, "waits for the retry", func(r db.RunRow) bool { return r.Deferred == 1 && r.Open() == 1 })
	check("waiting for a retry", 0)
	w.exec(`UPDATE deliveries SET outcome = 'failed' WHERE outcome = 'accepted' AND seq = 7`)
	check("an open run's outcome was changed", 1)
	w.exec(`UPDATE deliveries SET outcome = 'accepted' WHERE seq = 7`)
	w.exec(`UPDATE batches SET accepted = accepted - 1 WHERE first_seq = 101`)
	check("an open run's block was changed", 1)
	w.exec(`UPDATE runs SET status = 'stopping', end_outcome = 'cancelled'`)
	w.closed(open.ID)
	check("closed", 0)
	w.exec(`UPDATE runs SET accepted = accepted - 1, failed = failed + 1`)
	check("a closed run's counts were shifted", 1)
	w.exec(`UPDATE runs SET closed_at = now() - interval '1 day'`)
	check("long ago only the sum is asked for", 0)
	w.exec(`UPDATE runs SET failed = failed + 1`)
	check("an old run's sum is wrong", 1)
}
