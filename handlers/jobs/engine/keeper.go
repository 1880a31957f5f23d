package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"skychimp/db/outbox"
)

// keep does what has to happen within a second: the heartbeat, and the end of runs that were
// stopped, disabled or have reached their end.
func (e *Engine) keep(ctx context.Context) {
	var beaten time.Time
	for ctx.Err() == nil {
		beat := time.Since(beaten) >= time.Second
		err := e.keepOnce(ctx, beat)
		if err == nil && beat {
			beaten = time.Now()
		} else if err != nil && ctx.Err() == nil {
			e.Log.Warn("the heartbeat failed", "error", err)
		}
		e.queue.pause(!e.leased())
		select {
		case <-ctx.Done():
		case <-e.check:
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (e *Engine) keepOnce(ctx context.Context, beat bool) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if beat {
		instance := e.instance.Load()
		err := e.outbox.Instances().Heartbeat(ctx, instance, e.standsStill())
		if errors.Is(err, outbox.ErrFenced) {
			err = e.rejoin(ctx, instance)
		}
		if err != nil {
			return err
		}
		e.beat()
	}
	return e.halt(ctx)
}

// rejoin starts over under a new number after others took the lost instance for dead: what was
// claimed is theirs.
func (e *Engine) rejoin(ctx context.Context, lost *outbox.Instance) error {
	return e.replace(ctx, lost, 0) // hear closes the old connection, which it may be reading
}

// replace makes a new instance of the lost one, under the number id or (0) a new one. The heartbeat
// and the listener may both want it; the later one finds it done.
func (e *Engine) replace(ctx context.Context, lost *outbox.Instance, id int64) error {
	e.joining.Lock()
	defer e.joining.Unlock()
	if e.instance.Load() != lost {
		return nil
	}
	if id == 0 {
		e.Log.Warn("this process was silent too long and others took its work over: starting anew")
		e.beaten.Store(int64(-leaseTime)) // until then nothing goes out
	}
	return e.enlist(ctx, id)
}

// halt drops the letters of runs that were stopped, disabled or have reached their end.
func (e *Engine) halt(ctx context.Context) error {
	held := e.queue.held()
	if len(held) > 0 {
		now, err := e.outbox.Runs().Held(ctx, slices.Collect(maps.Keys(held)))
		if err != nil {
			return err
		}
		var halted []int64
		for _, run := range now {
			held[run.ID].end.Store(e.clock.here(run.WindowEnd))
			if run.Halted {
				held[run.ID].halted.Store(true)
				halted = append(halted, run.ID)
			}
		}
		if len(halted) > 0 {
			e.queue.drop(func(b *block) bool { return slices.Contains(halted, b.run.ID) })
		}
	}
	for _, b := range e.queue.takeFreed() {
		if err := e.outbox.Batches().Release(ctx, b.instance, b.run.ID, []int32{int32(b.firstSeq)}); err != nil {
			return err
		}
		signal(e.wake)
	}
	return nil
}

// hear acts at once on what other processes and pages notify, and keeps the connection whose
// lock shows that this instance lives.
func (e *Engine) hear(ctx context.Context) {
	for ctx.Err() == nil {
		instance := e.instance.Load()
		told, err := instance.WaitForNotification(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case e.instance.Load() != instance:
			instance.Close(ctx) // this process has rejoined
		case err != nil:
			e.Log.Warn("the connection that listens was lost", "error", err)
			e.relock(ctx, instance)
		default:
			e.notified(told)
		}
	}
}

func (e *Engine) notified(told any) {
	switch told := told.(type) {
	case outbox.ClientSuppressed:
		e.suppressed.Store(told.ClientID, time.Now())
	case outbox.RunsChanged:
		e.stop(told)
		signal(e.check)
		signal(e.wake)
	}
}

// stop ends the runs of a mailing or an owner until halt has asked about them: between the commit and
// the answer a connection would send several letters.
func (e *Engine) stop(whose outbox.RunsChanged) {
	now := time.Now()
	for _, run := range e.queue.held() {
		if run.MailingID == whose.MailingID || run.OwnerID == whose.OwnerID {
			run.end.Store(&now)
		}
	}
}

// relock takes the lock again as fast as it can, before others notice.
func (e *Engine) relock(ctx context.Context, lost *outbox.Instance) {
	lost.Close(ctx)
	for ctx.Err() == nil && e.instance.Load() == lost {
		if e.resume(ctx, lost) == nil {
			return
		}
		pause(ctx, 100*time.Millisecond) // the heartbeat logs that the database is away
	}
}

func (e *Engine) resume(ctx context.Context, lost *outbox.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := e.replace(ctx, lost, lost.ID)
	if errors.Is(err, outbox.ErrFenced) {
		return e.rejoin(ctx, lost)
	}
	return err
}
