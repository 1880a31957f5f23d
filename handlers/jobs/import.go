package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
)

// importTries is how often an import is taken up again before it counts as failed.
const importTries = 5

// ImportWorker brings the rows of an uploaded list into its owner's clients.
type ImportWorker struct {
	river.WorkerDefaults[domain.ImportJob]
	DB *db.DB
}

// Timeout is less than the longest list may take on a slow machine: the next try goes on from
// the last batch.
func (*ImportWorker) Timeout(*river.Job[domain.ImportJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *ImportWorker) Work(ctx context.Context, job *river.Job[domain.ImportJob]) error {
	err := w.DB.Imports().Run(ctx, job.Args.ImportID)
	if err == nil || domain.KindOf(err) == domain.Unavailable || ctx.Err() != nil || job.Attempt < importTries {
		return err
	}
	return river.JobCancel(errors.Join(err, w.DB.Imports().Fail(ctx, job.Args.ImportID)))
}
