package engine

import (
	"context"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// allowances are what new accounts may still send. Only the claimer uses it.
type allowances struct {
	*Engine
	owners map[int64]*allowance
}

// allowance is counted anew from time to time, because other processes send as well.
type allowance struct {
	left    int
	until   time.Time
	noticed map[int64]bool // runs that show why they wait
}

const recountAfter = 10 * time.Second

// blocks is how many of n blocks of the run its owner may send today.
func (a *allowances) blocks(ctx context.Context, run outbox.OpenRun, n int) int {
	letters, bounded := a.Limits.Owners.Allowance(run.OwnerSince, a.clock.Now())
	if n == 0 || !bounded {
		return n
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	own := a.owners[run.OwnerID]
	if own == nil {
		own = &allowance{noticed: map[int64]bool{}}
		a.owners[run.OwnerID] = own
	}
	if time.Now().After(own.until) {
		sent, err := a.outbox.Batches().SentToday(ctx, run.OwnerID)
		if err != nil {
			a.Log.Warn("counting an owner's letters failed", "owner", run.OwnerID, "error", err)
			return 0
		}
		own.left, own.until = letters-sent, time.Now().Add(recountAfter)
	}
	n = min(n, own.left/domain.BlockSize)
	a.notice(ctx, own, run.ID, n <= 0)
	return max(n, 0)
}

// claimed takes off what was claimed since the last count.
func (a *allowances) claimed(owner int64, blocks int) {
	if own := a.owners[owner]; own != nil {
		own.left -= blocks * domain.BlockSize
	}
}

// notice shows on the run why it waits, and takes it back.
func (a *allowances) notice(ctx context.Context, own *allowance, run int64, waits bool) {
	if own.noticed[run] == waits {
		return
	}
	reason := ""
	if waits {
		reason = domain.ReasonWarming
	}
	if err := a.outbox.Runs().SetStatusNote(ctx, []int64{run}, reason); err != nil {
		a.Log.Warn("trouble could not be noted", "run", run, "error", err)
		return
	}
	own.noticed[run] = waits
}
