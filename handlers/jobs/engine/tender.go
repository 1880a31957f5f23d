package engine

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"skychimp/db/outbox"
)

// tend does what may take a while: runs that end or go on, retries that are due, and the work
// of instances that died.
func (e *Engine) tend(ctx context.Context) {
	t := tender{Engine: e, unlocked: map[int64]time.Time{}}
	for ctx.Err() == nil {
		if err := t.round(ctx); err != nil && ctx.Err() == nil {
			t.steady = time.Time{}
			e.Log.Warn("looking after the runs failed", "error", err)
		}
		wait := time.Second
		if len(e.queue.held()) > 0 || len(t.unlocked) > 0 {
			wait = 250 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-e.ended:
		case <-time.After(wait):
		}
	}
	t.closing.Wait()
}

type tender struct {
	*Engine
	last     time.Time           // when the last round began
	steady   time.Time           // since when rounds have come one after the other without a fail
	unlocked map[int64]time.Time // since when other instances have been seen without their lock
	closing  sync.WaitGroup
	busy     sync.Map // ids of runs that are being closed
}

func (t *tender) round(ctx context.Context) error {
	bounded, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	here := time.Now()
	if here.Sub(t.last) > steadyGrace { // the first one, or this process was frozen
		t.steady = time.Time{}
	}
	if t.last = here; t.steady.IsZero() {
		t.steady = here
	}
	t.forget()
	now, err := t.clock.Ask(bounded)
	if err != nil {
		return err
	}
	return errors.Join(
		t.outbox.Batches().ReopenRetries(bounded, now),
		t.outbox.Runs().Resume(bounded, now),
		t.closeRuns(bounded, context.WithoutCancel(ctx), now),
		t.outbox.Runs().FinishMailings(bounded, now),
		t.bury(bounded),
	)
}

// closeRuns closes each run on its own: a million deliveries to cancel take a while.
func (t *tender) closeRuns(ctx, long context.Context, now time.Time) error {
	ended, err := t.outbox.Runs().Endable(ctx, now)
	for _, id := range ended {
		if _, busy := t.busy.LoadOrStore(id, true); busy {
			continue
		}
		t.closing.Go(func() {
			defer t.busy.Delete(id)
			var unbalanced outbox.Unbalanced
			if err := t.outbox.Runs().Close(long, id, now); errors.As(err, &unbalanced) {
				t.counts.Unbalanced.Add(1)
				t.Log.Error("a run's counts do not add up", "run", id, "planned", unbalanced.Planned, "counted", unbalanced.Counted)
			} else if err != nil {
				t.Log.Warn("a run could not be closed", "run", id, "error", err)
			}
		})
	}
	return err
}

// forget drops suppressions that every claim since has seen in the tables.
func (t *tender) forget() {
	if len(t.queue.held()) == 0 {
		t.suppressed.Range(func(id, at any) bool {
			if time.Since(at.(time.Time)) > time.Minute {
				t.suppressed.Delete(id)
			}
			return true
		})
	}
}

// Others are buried when their lock has been free for lockGrace, or when they were silent for
// too long; and only by an instance that has itself been steady, because after a restart of
// Postgres, or when all were frozen, everybody's lock is free and everybody's heartbeat old.
const (
	lockGrace   = time.Second
	steadyGrace = 3 * time.Second
)

func (t *tender) bury(ctx context.Context) error {
	unlocked, silent, err := t.outbox.Instances().Stale(ctx, t.instance.Load().ID)
	if err != nil {
		return err
	}
	maps.DeleteFunc(t.unlocked, func(id int64, _ time.Time) bool { return !slices.Contains(unlocked, id) })
	dead := silent
	for _, id := range unlocked {
		if since, seen := t.unlocked[id]; !seen {
			t.unlocked[id] = time.Now()
		} else if time.Since(since) >= lockGrace {
			dead = append(dead, id)
		}
	}
	if len(dead) == 0 || time.Since(t.steady) <= steadyGrace {
		return nil
	}
	freed, err := t.outbox.Instances().Evict(ctx, dead)
	if err == nil {
		t.counts.TakenOver.Add(freed)
		t.Log.Warn("another process has died: its work is taken over", "instances", dead, "blocks", freed)
		signal(t.wake)
	}
	return err
}
