// Package jobs has the workers of the queue.
package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/db/outbox"
	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/handlers/feeds"
	"skychimp/handlers/jobs/engine"
	"skychimp/handlers/resolver"
)

// Config is what working the queue needs.
type Config struct {
	DB       *db.DB
	Outbox   outbox.Outbox
	Log      *slog.Logger
	Clock    *engine.Clock
	Instance int64         // this process's number, by which its jobs are known when it dies
	Every    time.Duration // how often due mailings are looked for
	Mail     *MailWorker
	Found    *atomic.Int64 // runs whose counts did not add up, for the metrics
	Media    *db.Media     // nil in a process without pages
	DNS      *resolver.Resolver
	Series   <-chan struct{} // tells that a step of a series may be due
	Feeds    *feeds.Feeds
}

// Start works the queue: what is due is planned now and every Config.Every, account mail is sent,
// lists are imported, every ten minutes the runs' counts are checked, and every day pictures are swept.
// The returned func takes no new jobs and waits for those under way, until its context ends.
func Start(ctx context.Context, c Config) (stop func(context.Context) error, err error) {
	workers := river.NewWorkers()
	plans := &PlanWorker{DB: c.DB, Outbox: c.Outbox, Log: c.Log, Clock: c.Clock, Feeds: c.Feeds}
	river.AddWorker(workers, plans)
	river.AddWorker(workers, c.Mail)
	river.AddWorker(workers, &ImportWorker{DB: c.DB})
	river.AddWorker(workers, &ResultsWorker{DB: c.DB})
	river.AddWorker(workers, &SumsWorker{DB: c.DB})
	river.AddWorker(workers, &BulkWorker{DB: c.DB})
	river.AddWorker(workers, &ClearFieldWorker{DB: c.DB})
	river.AddWorker(workers, &BalanceWorker{DB: c.DB, Outbox: c.Outbox, Log: c.Log, Found: c.Found})
	river.AddWorker(workers, &SweepWorker{DB: c.DB, Media: c.Media})
	river.AddWorker(workers, &SenderDomainsWorker{DB: c.DB, DNS: c.DNS, Log: c.Log})
	client, err := c.DB.Postgres().NewQueue(&river.Config{
		ID:      domain.QueueClient(c.Instance),
		Queues:  queues(c.Media != nil),
		Workers: workers,
		Logger:  slog.New(troubles{c.Log.Handler()}),
		// A launch or an email with a link should not wait for the usual 100 ms.
		FetchCooldown:     20 * time.Millisecond,
		FetchPollInterval: time.Minute,
		// Longer than any job, so that only those of dead processes are taken up again.
		RescueStuckJobsAfter: 5 * time.Minute,
		// Or a leader whose clock is a day ahead would put every tick off until tomorrow, and take all jobs for stuck.
		Test: river.TestConfig{Time: c.Clock},
		PeriodicJobs: []*river.PeriodicJob{
			periodic(c.Every, domain.PlanJob{}, postgres.QueuePlan, true),
			periodic(balanceEvery, domain.BalanceJob{}, postgres.QueueUpkeep, false),
			periodic(sumsEvery, domain.SumsJob{}, postgres.QueueSums, true),
			periodic(sweepMediaEvery, domain.SweepJob{}, postgres.QueueMedia, true),
			periodic(senderDomainsEvery, domain.SenderDomainsJob{}, postgres.QueueUpkeep, true),
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
	if _, err := client.Insert(ctx, domain.PlanJob{}, postgres.JobOptions(domain.PlanJob{})); err != nil {
		c.Log.Warn("what is due waits for the first tick", "error", err)
	}
	listening, deaf := context.WithCancel(ctx)
	var series sync.WaitGroup
	series.Go(func() { plans.planTold(listening, c.Series) })
	return func(ctx context.Context) error {
		deaf()
		series.Wait()
		return client.Stop(ctx)
	}, nil
}

// queues are those that a process works, and how many jobs of each at once. Imports keep Postgres
// busy for minutes, so few run. Jobs that an earlier version has put, or still puts, into its one queue
// are worked as well. A job that is put in is told; asking is for those that wait for another try, which
// for a plan or an email should not be put off.
func queues(media bool) map[string]river.QueueConfig {
	all := map[string]river.QueueConfig{
		postgres.QueuePlan:   {MaxWorkers: 4, FetchPollInterval: 5 * time.Second},
		postgres.QueueMail:   {MaxWorkers: 4, FetchPollInterval: 10 * time.Second},
		postgres.QueueImport: {MaxWorkers: 2}, postgres.QueueUpkeep: {MaxWorkers: 1}, postgres.QueueSums: {MaxWorkers: 1}, river.QueueDefault: {MaxWorkers: 2},
	}
	if media {
		all[postgres.QueueMedia] = river.QueueConfig{MaxWorkers: 1}
	}
	return all
}

// periodic has a job made at each interval, unless the last one still waits or runs.
func periodic(every time.Duration, job river.JobArgs, queue string, atStart bool) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every),
		func() (river.JobArgs, *river.InsertOpts) { return job, postgres.Single(queue) },
		&river.PeriodicJobOpts{RunOnStart: atStart})
}

// troubles lets only warnings and errors through: River tells every few seconds how many jobs
// it has worked.
type troubles struct{ slog.Handler }

func (troubles) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
