package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
)

// lease is this process's right to send, as one of the instances. It ends by itself unless heartbeats
// renew it.
type lease struct {
	instances outbox.Instances
	log       *slog.Logger
	queue     *queue

	instance atomic.Pointer[outbox.Instance]
	changing sync.Mutex   // held while instance changes, after the first
	beaten   atomic.Int64 // when the last heartbeat succeeded, in nanoseconds since started
	started  time.Time
}

// leaseTime is how long after a heartbeat emails may be sent. Others take an instance for
// dead after 10 s of silence, so a process that was frozen stops by itself before that.
const leaseTime = 8 * time.Second

func (l *lease) renew() { l.beaten.Store(int64(time.Since(l.started))) }

// renewed takes over a heartbeat that was sent at a time for an instance, which this process may not be any more.
func (l *lease) renewed(instance int64, at time.Time) {
	l.changing.Lock()
	defer l.changing.Unlock()
	if l.id() == instance {
		l.beaten.Store(max(l.beaten.Load(), int64(at.Sub(l.started))))
	}
}

// age is how long ago the last heartbeat succeeded.
func (l *lease) age() time.Duration { return time.Since(l.started) - time.Duration(l.beaten.Load()) }

func (l *lease) valid() bool {
	return l.age() < leaseTime
}

// id is the number of the instance that this process is.
func (l *lease) id() int64 { return l.instance.Load().ID }

// covers is the last question before the end of data: is the email still this instance's to send?
func (l *lease) covers(it *item) bool {
	return !it.batch.run.over() && it.batch.instance == l.id() && l.valid()
}

// register makes this process an instance and gives up what was fetched under another number.
func (l *lease) register(ctx context.Context, id int64) error {
	instance, err := l.instances.Register(ctx, id)
	if err != nil {
		return err
	}
	l.instance.Store(instance)
	l.queue.renew(instance.ID)
	l.renew()
	return nil
}

func (l *lease) deregister(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	instance := l.instance.Load()
	defer instance.Close(ctx)
	if err := l.instances.Deregister(ctx, instance); err != nil && !errors.Is(err, outbox.ErrFenced) {
		return err // the advisory lock goes with the connection, so others take over anyway
	}
	return nil
}

// heartbeat renews the lease; standsStill tells the others whether emails of this process do.
func (l *lease) heartbeat(ctx context.Context, standsStill bool) error {
	instance := l.instance.Load()
	err := l.instances.Heartbeat(ctx, instance, standsStill)
	if errors.Is(err, outbox.ErrFenced) {
		err = l.replace(ctx, instance, 0)
	}
	if err == nil {
		l.renew()
	}
	return err
}

// replace makes a new instance of the lost one, under its number id or, after others took it for dead and
// have its work, a new one (0). The heartbeat and the listener may both want it; the later one finds it
// done. The listener closes the old connection, which it may be reading.
func (l *lease) replace(ctx context.Context, lost *outbox.Instance, id int64) error {
	l.changing.Lock()
	defer l.changing.Unlock()
	if l.instance.Load() != lost {
		return nil
	}
	if id == 0 {
		l.log.Warn("this process was silent too long and others took its work over: starting anew")
		l.beaten.Store(int64(-leaseTime)) // until then nothing goes out
	}
	return l.register(ctx, id)
}

// listen hands on what other processes and pages notify, and keeps the connection whose
// lock shows that this instance lives.
func (l *lease) listen(ctx context.Context, notified func(any)) {
	for ctx.Err() == nil {
		instance := l.instance.Load()
		told, err := instance.WaitForNotification(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case l.instance.Load() != instance:
			instance.Close(ctx) // this process is another instance by now
		case err != nil:
			l.log.Warn("the connection that listens was lost", "error", err)
			l.relock(ctx, instance)
			notified(outbox.RunsChanged{}) // which may have been missed
			notified(outbox.SeriesDue{})
		default:
			notified(told)
		}
	}
}

// relock takes the lock again as fast as it can, before others notice.
func (l *lease) relock(ctx context.Context, lost *outbox.Instance) {
	lost.Close(ctx)
	for ctx.Err() == nil && l.instance.Load() == lost {
		if l.restore(ctx, lost) == nil {
			return
		}
		pause(ctx, 100*time.Millisecond) // the heartbeat logs that the database is away
	}
}

func (l *lease) restore(ctx context.Context, lost *outbox.Instance) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := l.replace(ctx, lost, lost.ID)
	if errors.Is(err, outbox.ErrFenced) {
		return l.replace(ctx, lost, 0)
	}
	return err
}
