package engine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"skychimp/db/outbox"
)

// maintainer does what may take a while: runs that end or go on, retries that are due, and the work
// of instances that died.
type maintainer struct {
	outbox outbox.Outbox
	log    *slog.Logger
	clock  *Clock
	counts *Counts
	queue  *queue
	lease  *lease
	runs   *runControl
	ended  chan struct{} // a run may be at its end
	wake   chan struct{} // fetch: something new may be there

	last     time.Time           // when the last round began
	steady   time.Time           // since when rounds have come one after the other without a fail
	unlocked map[int64]time.Time // since when other instances have been seen without their lock
	closing  sync.WaitGroup
	busy     sync.Map // ids of runs that are being closed
}

// How long a round waits for the next: while emails are under way or another instance may have died; while
// there are others, whose death has to be noticed; and alone with nothing to do.
const (
	busyRound  = 250 * time.Millisecond
	watchRound = time.Second
	idleRound  = 4 * time.Second
)

func (m *maintainer) run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := m.round(ctx)
		if err != nil && ctx.Err() == nil {
			m.steady, wait = time.Time{}, watchRound
			m.log.Warn("looking after the runs failed", "error", err)
		}
		if len(m.queue.held()) > 0 || len(m.unlocked) > 0 {
			wait = busyRound
		}
		select {
		case <-ctx.Done():
		case <-m.ended:
		case <-time.After(wait):
		}
	}
	m.closing.Wait()
}

// round does what is due and says when to look again.
func (m *maintainer) round(ctx context.Context) (wait time.Duration, err error) {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	here := time.Now()
	if here.Sub(m.last) > idleRound+steadyGrace { // the first one, or this process was frozen
		m.steady = time.Time{}
	}
	if m.last = here; m.steady.IsZero() {
		m.steady = here
	}
	m.runs.forget()
	instance := m.lease.id()
	agenda, err := m.outbox.Agenda(bounded, instance)
	if err != nil {
		return 0, err
	}
	if agenda.Beaten {
		m.lease.renewed(instance, here)
	}
	m.clock.learn(agenda.Ahead)
	if agenda.Close {
		err = m.closeRuns(bounded, context.WithoutCancel(ctx), agenda.Now)
	}
	if agenda.Retries {
		err = errors.Join(err, m.outbox.Batches().ReopenRetries(bounded, agenda.Now))
	}
	if agenda.Resume {
		err = errors.Join(err, m.outbox.Runs().Resume(bounded, agenda.Now))
	}
	if agenda.Shut {
		err = errors.Join(err, m.outbox.Runs().Shut(bounded, agenda.Now))
	}
	if agenda.Finish {
		err = errors.Join(err, m.outbox.Runs().FinishMailings(bounded, agenda.Now))
	}
	return next(agenda), errors.Join(err, m.evict(bounded, agenda))
}

// next is when to look again, when nothing is under way.
func next(agenda outbox.Agenda) time.Duration {
	wait := idleRound
	if !agenda.Alone {
		wait = watchRound
	}
	if agenda.NextAt != nil {
		wait = max(busyRound, min(wait, agenda.NextAt.Sub(agenda.Now)))
	}
	return wait
}

// closeRuns closes each run on its own: a million deliveries to cancel take a while.
func (m *maintainer) closeRuns(ctx, long context.Context, now time.Time) error {
	ended, err := m.outbox.Runs().Endable(ctx, now)
	for _, id := range ended {
		if _, busy := m.busy.LoadOrStore(id, true); busy {
			continue
		}
		m.closing.Go(func() {
			defer m.busy.Delete(id)
			var mismatch outbox.CountMismatch
			if err := m.outbox.Runs().Close(long, id, now); errors.As(err, &mismatch) {
				m.counts.Mismatches.Add(1)
				m.log.Error("a run's counts do not add up", "run", id, "planned", mismatch.Planned, "counted", mismatch.Counted)
			} else if err != nil {
				m.log.Warn("a run could not be closed", "run", id, "error", err)
			}
		})
	}
	return err
}

// Others are evicted when their lock has been free for lockGrace, or when they were silent for
// too long; and only by an instance that has itself been steady, because after a restart of
// Postgres, or when all were frozen, everybody's lock is free and everybody's heartbeat old.
const (
	lockGrace   = time.Second
	steadyGrace = 3 * time.Second
)

func (m *maintainer) evict(ctx context.Context, agenda outbox.Agenda) error {
	maps.DeleteFunc(m.unlocked, func(id int64, _ time.Time) bool { return !slices.Contains(agenda.Unlocked, id) })
	dead := agenda.Silent
	for _, id := range agenda.Unlocked {
		if since, seen := m.unlocked[id]; !seen {
			m.unlocked[id] = time.Now()
		} else if time.Since(since) >= lockGrace {
			dead = append(dead, id)
		}
	}
	if len(dead) == 0 || time.Since(m.steady) <= steadyGrace {
		return nil
	}
	freed, err := m.outbox.Instances().Evict(ctx, dead)
	if err == nil {
		m.counts.TakenOver.Add(freed)
		m.log.Warn("another process has died: its work is taken over", "instances", dead, "batches", freed)
		signal(m.wake)
	}
	return err
}
