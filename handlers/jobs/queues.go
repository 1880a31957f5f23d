// Package jobs has the workers of the queue.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/jobs/engine"
)

// Start works the queue: what is due is planned now and every `every`, account mail is sent,
// lists are imported, every ten minutes the runs' counts are checked, and every day pictures are swept.
// instance is this process's number, by which its jobs are known when it dies. The returned func takes no new jobs and waits for those under way, until its context
// ends.
func Start(ctx context.Context, database *db.DB, log *slog.Logger, clock *engine.Clock, instance int64, every time.Duration, mail *MailWorker, imports *ImportWorker, balance *BalanceWorker, sweep *SweepWorker) (stop func(context.Context) error, err error) {
	workers := river.NewWorkers()
	river.AddWorker(workers, &PlanWorker{DB: database, Log: log, Clock: clock})
	river.AddWorker(workers, mail)
	river.AddWorker(workers, imports)
	river.AddWorker(workers, balance)
	river.AddWorker(workers, sweep)
	client, err := database.NewQueue(&river.Config{
		ID:      domain.QueueClient(instance),
		Queues:  queues(sweep.Media != nil),
		Workers: workers,
		Logger:  slog.New(troubles{log.Handler()}),
		// A launch or a letter with a link should not wait for the usual 100 ms.
		FetchCooldown: 20 * time.Millisecond,
		// Longer than any job, so that only those of dead processes are taken up again.
		RescueStuckJobsAfter: 5 * time.Minute,
		// Or a leader whose clock is a day ahead would put every tick off until tomorrow, and take all jobs for stuck.
		Test: river.TestConfig{Time: clock},
		PeriodicJobs: []*river.PeriodicJob{
			periodic(every, domain.PlanJob{}, db.QueuePlan, true),
			periodic(balanceEvery, domain.BalanceJob{}, db.QueueUpkeep, false),
			periodic(sweepMediaEvery, domain.SweepJob{}, db.QueueMedia, true),
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
	if _, err := client.Insert(ctx, domain.PlanJob{}, db.JobOptions(domain.PlanJob{})); err != nil {
		log.Warn("what is due waits for the first tick", "error", err)
	}
	return client.Stop, nil
}

// queues are those that a process works, and how many jobs of each at once. Imports keep Postgres
// busy for minutes, so few run. Jobs that an earlier version has put, or still puts, into its one queue
// are worked as well.
func queues(media bool) map[string]river.QueueConfig {
	all := map[string]river.QueueConfig{
		db.QueuePlan: {MaxWorkers: 4}, db.QueueMail: {MaxWorkers: 4}, db.QueueImport: {MaxWorkers: 2},
		db.QueueUpkeep: {MaxWorkers: 1}, river.QueueDefault: {MaxWorkers: 2},
	}
	if media {
		all[db.QueueMedia] = river.QueueConfig{MaxWorkers: 1}
	}
	return all
}

// periodic has a job made at each interval, unless the last one still waits or runs.
func periodic(every time.Duration, job river.JobArgs, queue string, atStart bool) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return job, db.Single(queue) },
		&river.PeriodicJobOpts{RunOnStart: atStart})
}

// troubles lets only warnings and errors through: River tells every few seconds how many jobs
// it has worked.
type troubles struct{ slog.Handler }

func (troubles) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
