package sums_test

import (
	"testing"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// Of an email that was put off for one reason and refused for another both are told, each once.
func TestRefusalsAndVisitsAreSummed(t *testing.T) {
	e := newEnv(t)
	s := dbtest.NewSender(t, e.DB)
	emails := s.Fetch(e.run.ID)
	attempt := func(n int, outcome domain.Outcome, class domain.Class) outbox.Result {
		r := s.Result(e.run.ID, emails[n], outcome)
		r.Class = class
		return r
	}
	if err := s.Attempts.Record(t.Context(), []outbox.Result{attempt(0, domain.OutcomeDeferred, domain.ClassGreylist), attempt(0, domain.OutcomeDeferred, domain.ClassRate)}); err != nil {
		t.Fatal(err)
	}
	s.Record(attempt(0, domain.OutcomeFailed, domain.ClassPolicy), attempt(1, domain.OutcomeFailed, domain.ClassPolicy), attempt(4, domain.OutcomeDeferred, domain.ClassFull))
	s.All(e.run.ID, emails[2:4], domain.OutcomeAccepted)
	dbtest.Exec(t, e.DB, `INSERT INTO visits (run_id, seq, n, count, programs) VALUES ($1, 3, 0, 2, 0), ($1, 3, 1, 1, 0), ($1, 3, 2, 5, 1), ($1, 4, 0, 0, 3)`, e.run.ID)
	e.update(t)
	dbtest.Same(t, "refusals", e.rows(t, "run_refusals", "domain, class", "deferred, failed"),
		[]string{"one.example policy : 0 2", "one.example rate : 1 0", "three.example full : 1 0"})
	dbtest.Same(t, "readers", e.rows(t, "run_event_sums", "domain", "opened, clicked"), []string{"two.example : 1 1"})
}
