package engine

import (
	"context"
	"log/slog"
	"time"

	"skychimp/db/outbox"
)

// heartbeat does what has to happen within a second: it renews the lease, and drops what must not be sent
// any more.
type heartbeat struct {
	outbox     outbox.Batches
	log        *slog.Logger
	queue      *queue
	lease      *lease
	runs       *runControl
	standstill *standstill
	check      chan struct{} // a run may have to stop
	wake       chan struct{} // fetch: something new may be there

	still bool // the last heartbeat said that emails stand still
}

// The heartbeats of an instance with nothing in hand come less often: its lock shows that it lives, and the
// maintainer's question is one as well. Both are below leaseTime.
const (
	beatEvery     = time.Second
	idleBeatEvery = 5 * time.Second
)

func (h *heartbeat) run(ctx context.Context) {
	for ctx.Err() == nil {
		every := idleBeatEvery
		if h.still || h.standstill.unfetched.Load() || len(h.queue.held()) > 0 {
			every = beatEvery
		}
		if err := h.once(ctx, h.lease.age() >= every); err != nil && ctx.Err() == nil {
			h.log.Warn("the heartbeat failed", "error", err)
		}
		h.queue.pause(!h.lease.valid())
		select {
		case <-ctx.Done():
		case <-h.check:
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (h *heartbeat) once(ctx context.Context, due bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if due {
		still := h.standstill.check()
		if err := h.lease.heartbeat(ctx, still); err != nil {
			return err
		}
		h.still = still
	}
	if err := h.runs.halt(ctx); err != nil {
		return err
	}
	freed := h.queue.takeFreed()
	for i, b := range freed {
		if err := h.outbox.Release(ctx, b.instance, b.run.ID, []int32{int32(b.firstSeq)}); err != nil {
			h.queue.keepFreed(freed[i:])
			return err
		}
		signal(h.wake)
	}
	return nil
}
