package engine

import (
	"context"
	"log/slog"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// quotas are what new accounts may still send today. Only the fetcher uses it.
type quotas struct {
	limits domain.OwnerLimits
	outbox outbox.Batches
	log    *slog.Logger
	clock  *Clock
	runs   *runControl
	owners map[int64]*quota
}

// quota is counted anew from time to time, because other processes send as well.
type quota struct {
	left  int
	free  bool // not bounded
	until time.Time
	noted map[int64]bool // runs that show why they wait
}

const recountAfter = 10 * time.Second

// freeFor is how long nobody asks again about an owner who is not bounded.
const freeFor = 10 * time.Minute

// batches is how many of n batches of the run its owner may send today.
func (q *quotas) batches(ctx context.Context, run outbox.OpenRun, n int) int {
	if n == 0 || q.limits.FirstDay == 0 {
		return n
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	own := q.owners[run.OwnerID]
	if own == nil {
		own = &quota{noted: map[int64]bool{}}
		q.owners[run.OwnerID] = own
	}
	if time.Now().After(own.until) {
		if err := q.count(ctx, own, run); err != nil {
			q.log.Warn("counting an owner's emails failed", "owner", run.OwnerID, "error", err)
			return 0
		}
	}
	if own.free {
		q.note(ctx, own, run.ID, false)
		return n
	}
	n = min(n, own.left/domain.BatchSize)
	q.note(ctx, own, run.ID, n <= 0)
	return max(n, 0)
}

func (q *quotas) count(ctx context.Context, own *quota, run outbox.OpenRun) error {
	warmUp, err := q.outbox.WarmUp(ctx, run.OwnerID, run.OwnerSince, q.clock.Now())
	if err != nil {
		return err
	}
	emails, bounded := q.limits.DailyQuota(warmUp)
	own.left, own.free, own.until = emails-warmUp.Today, !bounded, time.Now().Add(recountAfter)
	if own.free {
		own.until = time.Now().Add(freeFor)
	}
	return nil
}

// fetched takes off what was fetched since the last count.
func (q *quotas) fetched(owner int64, batches int) {
	if own := q.owners[owner]; own != nil {
		own.left -= batches * domain.BatchSize
	}
}

// note shows on the run why it waits, and takes it back.
func (q *quotas) note(ctx context.Context, own *quota, run int64, waits bool) {
	if own.noted[run] == waits {
		return
	}
	reason := ""
	if waits {
		reason = domain.ReasonWarmUp
	}
	if q.runs.note(ctx, []int64{run}, reason) {
		own.noted[run] = waits
	}
}
