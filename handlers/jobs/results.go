package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/db/sums"
	"skychimp/domain"
)

// sumsEvery is how late the sums of results are at most, besides the time that summing takes.
const sumsEvery = time.Minute

// SumsWorker sums up what came of emails, and has owners told of the month that is over.
type SumsWorker struct {
	river.WorkerDefaults[domain.SumsJob]
	DB *db.DB
}

// Timeout leaves room for many runs; the next job goes on behind the last one summed.
func (*SumsWorker) Timeout(*river.Job[domain.SumsJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *SumsWorker) Work(ctx context.Context, _ *river.Job[domain.SumsJob]) error {
	return errors.Join(sums.New(w.DB).Update(ctx), sums.New(w.DB).Tell(ctx, time.Now()))
}

// ResultsWorker counts what came of emails by client, for segments that ask.
type ResultsWorker struct {
	river.WorkerDefaults[domain.ResultsJob]
	DB *db.DB
}

// Timeout leaves room for some runs of a million; the next try goes on behind the last one counted.
func (*ResultsWorker) Timeout(*river.Job[domain.ResultsJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *ResultsWorker) Work(ctx context.Context, _ *river.Job[domain.ResultsJob]) error {
	return w.DB.Segments().CountAllResults(ctx)
}

// BulkWorker does or undoes what an owner asked for with many clients.
type BulkWorker struct {
	river.WorkerDefaults[domain.BulkJob]
	DB *db.DB
}

// Timeout is less than a million clients may take on a slow machine: the next try goes on behind the last part.
func (*BulkWorker) Timeout(*river.Job[domain.BulkJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *BulkWorker) Work(ctx context.Context, job *river.Job[domain.BulkJob]) error {
	return w.DB.Bulk().Work(ctx, job.Args.ActID)
}

// ClearFieldWorker empties a deleted field.
type ClearFieldWorker struct {
	river.WorkerDefaults[domain.ClearFieldJob]
	DB *db.DB
}

// Timeout leaves room for a million clients.
func (*ClearFieldWorker) Timeout(*river.Job[domain.ClearFieldJob]) time.Duration {
	return 4 * time.Minute
}

// Work implements river.Worker.
func (w *ClearFieldWorker) Work(ctx context.Context, job *river.Job[domain.ClearFieldJob]) error {
	return w.DB.Fields().Clear(ctx, job.Args.OwnerID, job.Args.FieldID)
}
