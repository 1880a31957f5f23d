package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"skychimp/domain"
)

// The queues, one per kind of work, so that none waits for another. Earlier versions put all jobs
// into river.QueueDefault.
const (
	QueuePlan   = "plan"
	QueueMail   = "mail"
	QueueImport = "import"
	QueueUpkeep = "upkeep"
	QueueMedia  = "media"
	QueueSums   = "sums"
)

// NewQueue is the queue on this database, with workers as the config says.
func (db *DB) NewQueue(config *river.Config) (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(db.Pool), config)
}

// Enqueue puts a job into the queue; it is there when the transaction commits.
func (db *DB) Enqueue(ctx context.Context, tx Tx, job river.JobArgs) error {
	_, err := db.Queue.InsertTx(ctx, tx.Pgx, job, JobOptions(job))
	return err
}

// JobOptions say which queue a job waits in, and whether a second one is dropped while there is one.
// A plan is never dropped: one that is running may have read the mailing before it was launched.
func JobOptions(job river.JobArgs) *river.InsertOpts {
	switch job.(type) {
	case domain.PlanJob:
		return &river.InsertOpts{Queue: QueuePlan}
	case domain.MailJob:
		return &river.InsertOpts{Queue: QueueMail}
	case domain.ImportJob, domain.BulkJob, domain.ClearFieldJob:
		return Single(QueueImport)
	case domain.SweepJob:
		return Single(QueueMedia)
	case domain.SumsJob:
		return Single(QueueSums)
	}
	return Single(QueueUpkeep)
}

// Single puts a job into a queue unless one like it is waiting or running. One that failed
// and waits for its next try does not hold a new one up.
func Single(queue string) *river.InsertOpts {
	return &river.InsertOpts{Queue: queue, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()}}
}

// unfinished are the states in which a job will still be worked, without those that wait for another try.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning, rivertype.JobStateScheduled}
}
