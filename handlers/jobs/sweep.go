package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/domain"
)

// sweepMediaEvery is how often pictures are swept, and how old one is at least that goes.
const sweepMediaEvery = 24 * time.Hour

// SweepWorker deletes the pictures that no post shows. Media is nil in a process without pages, which
// leaves the sweep to one that serves them, because they may lie in a folder of that machine.
type SweepWorker struct {
	river.WorkerDefaults[domain.SweepJob]
	DB    *db.DB
	Media *db.Media
}

// Timeout leaves room for a bucket that is far away.
func (SweepWorker) Timeout(*river.Job[domain.SweepJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *SweepWorker) Work(ctx context.Context, _ *river.Job[domain.SweepJob]) error {
	return w.DB.Posts().SweepMedia(ctx, w.Media, time.Now().Add(-sweepMediaEvery))
}
