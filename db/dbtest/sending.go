package dbtest

import (
	"context"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// Sender is an instance that records.
type Sender struct {
	t        testing.TB
	d        *db.DB
	Self     *outbox.Instance
	Attempts *outbox.Recorder
	at       time.Time
}

// NewSender registers one.
func NewSender(t testing.TB, d *db.DB) *Sender {
	t.Helper()
	self, err := outbox.New(d.Postgres()).Instances().Register(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	to := outbox.New(d.Postgres()).NewRecorder()
	t.Cleanup(func() { self.Close(context.Background()); to.Close(context.Background()) })
	return &Sender{t, d, self, to, Monday}
}

// Fetch takes one batch.
func (s *Sender) Fetch(run int64) []outbox.Delivery {
	s.t.Helper()
	emails, err := outbox.New(s.d.Postgres()).Batches().Fetch(s.t.Context(), s.Self.ID, run, 1)
	if err != nil {
		s.t.Fatal(err)
	}
	return emails
}

// Result is what the outcome means: an accepted email was accepted, a suppressed one not tried.
func (s *Sender) Result(run int64, email outbox.Delivery, outcome domain.Outcome) outbox.Result {
	s.at = s.at.Add(time.Microsecond)
	r := outbox.Result{Instance: s.Self.ID, RunID: run, Seq: email.Seq, ClientID: email.ClientID, Email: email.Email,
		N: email.Tries + 1, At: s.at, Outcome: outcome}
	switch outcome {
	case domain.OutcomeAccepted:
		r.Status, r.Code, r.Answer = domain.Accepted, 250, "2.0.0 Ok"
	case domain.OutcomeFailed, domain.OutcomeQueued:
		r.Status, r.Code, r.Answer = domain.Failed, 550, "5.7.1 Sender blocked"
	case domain.OutcomeDeferred:
		r.Status, r.Code, r.Answer, r.RetryAt = domain.Deferred, 451, "4.7.1 Later", Monday.Add(time.Minute)
	case domain.OutcomeSuppressed:
		r.N--
	}
	return r
}

// Record keeps the attempts and tells the deliveries.
func (s *Sender) Record(results ...outbox.Result) {
	s.t.Helper()
	err := s.Attempts.Record(s.t.Context(), results)
	if err != nil { // what the engine does after a commit whose answer was lost
		err = s.Attempts.Record(s.t.Context(), results)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	if err := outbox.New(s.d.Postgres()).Batches().Complete(s.t.Context(), results); err != nil {
		s.t.Fatal(err)
	}
}

// All records the same outcome for the emails.
func (s *Sender) All(run int64, emails []outbox.Delivery, outcome domain.Outcome) {
	s.t.Helper()
	results := []outbox.Result{}
	for _, email := range emails {
		results = append(results, s.Result(run, email, outcome))
	}
	s.Record(results...)
}

// Plan makes the run that is due.
func Plan(t testing.TB, d *db.DB, mailing int64, now time.Time) domain.Run {
	t.Helper()
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), mailing, now, false)
	if err != nil || !ok {
		t.Fatalf("no run: %v", err)
	}
	return run
}

// NewRun plans a run for n clients of a new owner.
func NewRun(t testing.TB, d *db.DB, name string, n int) (domain.Run, []int64) {
	t.Helper()
	owner := NewOwner(t, d, name)
	ids := NewClients(t, d, owner, n)
	return Plan(t, d, NewLaunched(t, d, owner, nil).ID, Monday), ids
}

// Counted makes sure that the run's counts are the wanted ones, add up, and are what the
// deliveries say.
func Counted(t testing.TB, d *db.DB, run int64, want domain.Counts) {
	t.Helper()
	row, err := d.Runs().Get(t.Context(), 0, run)
	if err != nil {
		t.Fatal(err)
	}
	if row.Counts != want {
		t.Errorf("run %d: %+v, want %+v", run, row.Counts, want)
	}
	var by domain.Counts
	err = d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE outcome = 'accepted'), count(*) FILTER (WHERE outcome = 'failed'),
		count(*) FILTER (WHERE outcome = 'suppressed'), count(*) FILTER (WHERE outcome = 'expired'), count(*) FILTER (WHERE outcome = 'cancelled')
		FROM deliveries WHERE run_id = $1`, run).
		Scan(&by.Planned, &by.Accepted, &by.Failed, &by.Suppressed, &by.Expired, &by.Cancelled)
	if err != nil || by != row.Counts {
		t.Errorf("run %d: deliveries say %+v, the run %+v (%v)", run, by, row.Counts, err)
	}
	if row.Open() < 0 {
		t.Errorf("run %d: %d open", run, row.Open())
	}
}

// WaitingCounted makes sure that those who wait for steps of series are counted as they are.
func WaitingCounted(t testing.TB, d *db.DB) {
	t.Helper()
	Same(t, "steps and quarters of an hour with another count than clients", len(Numbers(t, d, `SELECT series_id FROM (
			SELECT series_id, next_step_id AS step_id, date_bin('15 minutes', due_at, 'epoch') AS due_at, 1 AS n FROM series_clients WHERE due_at IS NOT NULL
			UNION ALL SELECT series_id, step_id, due_at, -clients FROM series_waiting
		) AS counted GROUP BY series_id, step_id, due_at HAVING sum(n) <> 0`)), 0)
}
