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

func (m *maintainer) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.round(ctx); err != nil && ctx.Err() == nil {
			m.steady = time.Time{}
			m.log.Warn("looking after the runs failed", "error", err)
		}
		wait := time.Second
		if len(m.queue.held()) > 0 || len(m.unlocked) > 0 {
			wait = 250 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-m.ended:
		case <-time.After(wait):
		}
	}
	m.closing.Wait()
}

func (m *maintainer) round(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	here := time.Now()
	if here.Sub(m.last) > steadyGrace { // the first one, or this process was frozen
		m.steady = time.Time{}
	}
	if m.last = here; m.steady.IsZero() {
		m.steady = here
	}
	m.runs.forget()
	now, err := m.clock.Ask(bounded)
	if err != nil {
		return err
	}
	return errors.Join(
		m.outbox.Batches().ReopenRetries(bounded, now),
		m.outbox.Runs().Resume(bounded, now),
		m.closeRuns(bounded, context.WithoutCancel(ctx), now),
		m.outbox.Runs().FinishMailings(bounded, now),
		m.evict(bounded),
	)
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

func (m *maintainer) evict(ctx context.Context) error {
	unlocked, silent, err := m.outbox.Instances().Stale(ctx, m.lease.id())
	if err != nil {
		return err
	}
	maps.DeleteFunc(m.unlocked, func(id int64, _ time.Time) bool { return !slices.Contains(unlocked, id) })
	dead := silent
	for _, id := range unlocked {
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
