package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
)

// Start works the queue: what is due is planned now and every `every`, account mail is sent,
// lists are imported, and every ten minutes the runs' counts are checked. instance is this process's number, by which its jobs are known when it
// dies. The returned func takes no new jobs and waits for those under way, until its context
// ends.
func Start(ctx context.Context, db *db.DB, log *slog.Logger, clock *Clock, instance int64, every time.Duration, mail *MailWorker, imports *ImportWorker, balance *BalanceWorker) (stop func(context.Context) error, err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &PlanWorker{DB: db, Log: log, Clock: clock, Every: every})
	river.AddWorker(workers, mail)
	river.AddWorker(workers, imports)
	river.AddWorker(workers, balance)
	client, err := db.NewQueue(&river.Config{
		ID:      domain.QueueClient(instance),
		Queues:  map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 8}},
		Workers: workers,
		Logger:  slog.New(troubles{log.Handler()}),
		// A launch or a letter with a link should not wait for the usual 100 ms.
		FetchCooldown: 20 * time.Millisecond,
		// Longer than any job, so that only those of dead processes are taken up again.
		RescueStuckJobsAfter: 5 * time.Minute,
		// Or a leader whose clock is a day ahead would put every tick off until tomorrow, and take all jobs for stuck.
		Test: river.TestConfig{Time: clock},
		PeriodicJobs: []*river.PeriodicJob{
			river.NewPeriodicJob(river.PeriodicInterval(every),
				func() (river.JobArgs, *river.InsertOpts) { return domain.PlanJob{}, nil },
				&river.PeriodicJobOpts{RunOnStart: true}),
			river.NewPeriodicJob(river.PeriodicInterval(balanceEvery),
				func() (river.JobArgs, *river.InsertOpts) { return domain.BalanceJob{}, nil }, nil),
		},
	})
	if err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	if err := client.Start(ctx); err != nil {
		return nil, fmt.Errorf("start the queue: %w", err)
	}
	// The first tick comes when this process leads the queue, which the terms of one that has died
	// put off. What became due meanwhile must not wait for that.
	if _, err := client.Insert(ctx, domain.PlanJob{}, nil); err != nil {
		log.Warn("what is due waits for the first tick", "error", err)
	}
	return client.Stop, nil
}

// troubles lets only warnings and errors through: River tells every few seconds how many jobs
// it has worked.
type troubles struct{ slog.Handler }

func (troubles) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
