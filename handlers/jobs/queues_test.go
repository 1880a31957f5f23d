package jobs

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/postgres"
	"skychimp/domain"
)

// slowImports stand for imports of long lists: each takes a place until the test ends.
type slowImports struct {
	river.WorkerDefaults[domain.ImportJob]
}

func (slowImports) Work(ctx context.Context, _ *river.Job[domain.ImportJob]) error {
	<-ctx.Done()
	return ctx.Err()
}

// startedPlans tells of each plan that starts.
type startedPlans struct {
	river.WorkerDefaults[domain.PlanJob]
	started chan int64
}

func (w startedPlans) Work(_ context.Context, job *river.Job[domain.PlanJob]) error {
	w.started <- job.Args.MailingID
	return nil
}

// Eight imports held every plan up until one of them had ended.
func TestImportsDoNotHoldPlansUp(t *testing.T) {
	d := dbtest.New(t)
	for id := range int64(8) {
		insert(t, d, domain.ImportJob{ImportID: id + 1})
	}
	plans := startedPlans{started: make(chan int64, 3)}
	workers := river.NewWorkers()
	river.AddWorker(workers, slowImports{})
	river.AddWorker(workers, plans)
	client, err := d.Postgres().NewQueue(&river.Config{Queues: queues(false), Workers: workers, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.StopAndCancel(context.WithoutCancel(t.Context())) })
	until(t, d, "imports take all their places", `SELECT count(*) = 2 FROM river_job WHERE kind = 'import' AND state = 'running'`)
	insert(t, d, domain.PlanJob{MailingID: 7})
	wantPlan(t, plans.started, 7)
	// One that an earlier version has put into its only queue.
	if _, err := d.Queue().Insert(t.Context(), domain.PlanJob{MailingID: 8}, nil); err != nil {
		t.Fatal(err)
	}
	wantPlan(t, plans.started, 8)
}

func wantPlan(t *testing.T, started chan int64, want int64) {
	t.Helper()
	select {
	case got := <-started:
		if got != want {
			t.Errorf("mailing %d is planned, want %d", got, want)
		}
	case <-time.After(time.Minute):
		t.Fatalf("mailing %d is not planned", want)
	}
}

func until(t *testing.T, d *db.DB, what, question string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		var yes bool
		if err := d.Postgres().Pool.QueryRow(t.Context(), question).Scan(&yes); err != nil {
			t.Fatal(err)
		}
		if yes {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not in a minute: %s", what)
		}
	}
}

func insert(t *testing.T, d *db.DB, job river.JobArgs) bool {
	t.Helper()
	result, err := d.Queue().Insert(t.Context(), job, postgres.JobOptions(job))
	if err != nil {
		t.Fatal(err)
	}
	return !result.UniqueSkippedAsDuplicate
}

func TestSecondJobs(t *testing.T) {
	d := dbtest.New(t)
	for _, tt := range []struct {
		job    river.JobArgs
		second bool // is kept
	}{
		{domain.ImportJob{ImportID: 1}, false},
		{domain.ImportJob{ImportID: 2}, false},
		{domain.BalanceJob{}, false},
		{domain.SweepJob{}, false},
		{domain.PlanJob{MailingID: 7}, true}, // it may have been launched after the first one has read it
		{domain.MailJob{Email: domain.MailReset, UserID: 1}, true},
	} {
		if !insert(t, d, tt.job) {
			t.Errorf("the first %s %+v is dropped", tt.job.Kind(), tt.job)
		}
		if second := insert(t, d, tt.job); second != tt.second {
			t.Errorf("the second %s %+v is kept: %v, want %v", tt.job.Kind(), tt.job, second, tt.second)
		}
	}
	ticks := 0
	for range 3 {
		result, err := d.Queue().Insert(t.Context(), domain.PlanJob{}, postgres.Single(postgres.QueuePlan))
		if err != nil {
			t.Fatal(err)
		}
		if !result.UniqueSkippedAsDuplicate {
			ticks++
		}
	}
	if ticks != 1 {
		t.Errorf("%d ticks wait", ticks)
	}
}
