package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
)

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
