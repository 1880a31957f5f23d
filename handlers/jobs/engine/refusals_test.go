package engine

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// Every tenth email to a domain is refused for its sender's sake, the others are accepted in between, and so are those to
// another domain: the one domain waits, the other has its emails, and nobody has failed.
func TestDomainThatRefusesSomeIsHeld(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && strings.HasSuffix(e.To, "0@refusing.example") && !mended.Load() {
			return smtptest.Action{Answer: "550 5.7.26 your domain is unauthenticated"}
		}
		return smtptest.Action{}
	}})
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'c' || n || '@refusing.example' FROM generate_series(1, 400) n`)
	run := w.plan(100)
	w.start(4)
	w.when(run.ID, "one domain held", func(r db.RunRow) bool { return r.Failed == 0 && r.Deferred+r.Accepted == 500 })
	var held string
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT string_agg(domain || ' ' || class || ' ' || code, ',') FROM run_holds WHERE until > now()`).Scan(&held); err != nil ||
		held != "refusing.example authentication 550" {
		t.Errorf("held are %q: %v", held, err)
	}
	if n := w.count(`SELECT count(*) FROM attempts WHERE class = 'authentication'`); n < 20 || n > 24 {
		t.Errorf("%d refusals before the domain was held", n)
	}
	if n := w.count(`SELECT count(*) FROM deliveries WHERE email LIKE '%@example.org' AND outcome = 'accepted'`); n != 100 {
		t.Errorf("%d emails to the other domain were accepted", n)
	}
	if n := w.count(`SELECT count(*) FROM clients WHERE suppressed_at IS NOT NULL`); n != 0 {
		t.Errorf("%d clients are suppressed", n)
	}
	mended.Store(true)
	w.stop() // and with the process its memory of the hold
	w.exec(`UPDATE retries SET due_at = now()`)
	w.start(4)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 500, Accepted: 500})
	if n := w.count(`SELECT count(*) FROM run_holds`); n != 0 {
		t.Errorf("%d holds outlive their run", n)
	}
}

// More kinds and domains than are counted change nothing for the others.
func TestRefusalsAreBounded(t *testing.T) {
	t.Parallel()
	var r refusals
	for i := range 3 * maxRefusing {
		to := r.of(fmt.Sprint(i))
		r.all.of(fmt.Sprint(i)).add()
		for k := range 2 * maxKinds {
			if to != nil {
				to.kinds.of(fmt.Sprint(k)).add()
			}
		}
	}
	if len(r.domains) != maxRefusing || len(r.all) != maxKinds || len(r.domains["0"].kinds) != maxKinds {
		t.Errorf("%d domains, %d kinds", len(r.domains), len(r.all))
	}
	if r.accepted("0", time.Now) || len(r.all) != 0 || r.held() {
		t.Error("an acceptance disproves nothing")
	}
}

// A message that is too large for the mail server pauses its own run with the server's reason; others go on.
func TestTooLargeMessagePausesItsRun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{Size: 20_000})
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'client' || n || '@example.org' FROM generate_series(1, 30) n`)
	large := w.mailing(domain.MailingForm{Audience: "all"})
	w.exec(`UPDATE messages SET body = repeat('there is news. ', 4000)`)
	small := w.mailing(domain.MailingForm{Audience: "all"})
	first, second := w.run(large), w.run(small)
	w.start(3)
	row := w.when(first.ID, "paused", func(r db.RunRow) bool { return r.Status == domain.RunPaused })
	if row.Failed != 0 || !strings.Contains(row.Reason, "552 5.3.4 the email has") || domain.ClassOfReason(row.Reason) != domain.ClassSize {
		t.Errorf("%+v", row)
	}
	w.wantCounts(w.closed(second.ID), domain.Counts{Planned: 30, Accepted: 30})
	if n := w.count(`SELECT count(*) FROM attempts WHERE run_id = $1 AND class = 'size'`, first.ID); n == 0 || n > 3 {
		t.Errorf("%d attempts were too large", n)
	}
	for _, email := range w.server.Emails() {
		if email.Code != 250 {
			t.Errorf("the server was bothered with %s: %d", email.To, email.Code)
		}
	}
}
