package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/riverqueue/river"

	"skychimp/db"
	"skychimp/db/holdout"
	"skychimp/db/outbox"
	"skychimp/db/series"
	"skychimp/db/tracking"
	"skychimp/domain"
)

// balanceEvery is how often the runs are checked. Counting the deliveries of an open run of a
// million takes Postgres about a second.
const balanceEvery = 10 * time.Minute

// BalanceWorker checks that of all runs, closed and open, no delivery is lost or made up. Found
// counts what was wrong, for the metrics; it shows a defect, so it is never put right in silence.
// Besides it merges the counts of clients, and drops what came back too long ago, what is kept of old
// lists and of series that were deleted.
type BalanceWorker struct {
	river.WorkerDefaults[domain.BalanceJob]
	DB     *db.DB
	Outbox outbox.Outbox
	Log    *slog.Logger
	Found  *atomic.Int64
}

// Timeout leaves room for many open runs of a million.
func (BalanceWorker) Timeout(*river.Job[domain.BalanceJob]) time.Duration { return 4 * time.Minute }

// Work implements river.Worker.
func (w *BalanceWorker) Work(ctx context.Context, _ *river.Job[domain.BalanceJob]) error {
	found, err := w.Outbox.Runs().CountMismatches(ctx, time.Now().Add(-2*balanceEvery))
	for _, run := range found {
		w.Found.Add(1)
		w.Log.Error("a run's counts do not add up", "run", run.RunID, "planned", run.Planned, "counted", run.Counted)
	}
	now := time.Now()
	return errors.Join(err,
		w.DB.Clients().MergeTagCounts(ctx),
		series.In(w.DB).MergeWaiting(ctx),
		w.DB.Clients().PruneChanges(ctx),
		w.DB.Bounces().Prune(ctx),
		tracking.New(w.DB).Prune(ctx, now),
		holdout.Prune(ctx, w.DB, now),
		w.DB.Bulk().Sweep(ctx),
		w.DB.Registrations().Prune(ctx, now),
		w.DB.FormInputs().Prune(ctx, now),
		w.DB.Imports().Prune(ctx, now),
		w.DB.Erasure().Continue(ctx),
		w.DB.Messages().PruneVersions(ctx, now),
		series.In(w.DB).Sweep(ctx, now.Add(-24*time.Hour)),
	)
}
