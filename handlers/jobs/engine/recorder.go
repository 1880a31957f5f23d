package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// result is what became of an email, on its way into the tables. durable gets a token when it is
// there: as soon as the attempt is recorded, or, where whole, when its delivery knows too.
type result struct {
	outbox.Result
	batch   *batch
	durable chan struct{}
	whole   bool
}

// maxGroup is the most results in one commit of record, maxComplete of complete.
const (
	maxGroup    = 500
	maxComplete = 2000
)

// recorder takes the results of all connections into the tables.
type recorder struct {
	outbox   outbox.Outbox
	log      *slog.Logger
	counts   *Counts
	queue    *queue
	busy     *atomic.Int32 // connections with an email under way
	moves    *atomic.Int64 // groups recorded or completed
	results  chan result   // to record
	recorded chan result   // to complete
}

// record commits the attempts of all connections in groups: what comes while one commit is
// under way goes into the next. While the database is away it keeps trying, and because no
// attempt becomes durable, nothing more is sent. It ends when results is closed.
func (r *recorder) record(ctx context.Context) {
	defer close(r.recorded)
	to := r.outbox.NewRecorder()
	defer to.Close(ctx)
	var group []result
	var rows []outbox.Result
	groups := gatherer{results: r.results, busy: r.busy}
	for first := range r.results {
		group = groups.gather(append(group[:0], first))
		rows = rowsOf(group, rows[:0])
		if !retry(ctx, r.log, func(ctx context.Context) error { return to.Record(ctx, rows) }) {
			r.log.Error("attempts could not be recorded, their emails may be sent twice", "attempts", len(group))
			continue
		}
		r.counts.add(group)
		r.moves.Add(1)
		for _, one := range group {
			if one.durable != nil && !one.whole {
				one.durable <- struct{}{}
			}
			r.recorded <- one
		}
	}
}

// completeEvery is how often the deliveries are told. Until then they are open in the pages.
const completeEvery = 50 * time.Millisecond

// complete tells the deliveries what was recorded, many at once, because no email waits for it.
// It ends when record has.
func (r *recorder) complete(ctx context.Context) {
	var group []result
	var rows []outbox.Result
	for first := range r.recorded {
		group = r.wait(append(group[:0], first))
		rows = rowsOf(group, rows[:0])
		if !retry(ctx, r.log, func(ctx context.Context) error { return r.outbox.Batches().Complete(ctx, rows) }) {
			continue // whoever evicts this process does it
		}
		r.moves.Add(1)
		for _, one := range group {
			if one.durable != nil && one.whole {
				one.durable <- struct{}{}
			}
			r.queue.done(one.batch)
		}
	}
}

// wait adds what is recorded within completeEvery.
func (r *recorder) wait(group []result) []result {
	due := time.After(completeEvery)
	for len(group) < maxComplete {
		select {
		case next, ok := <-r.recorded:
			if !ok {
				return group
			}
			group = append(group, next)
		case <-due:
			return group
		}
	}
	return group
}

func rowsOf(group []result, into []outbox.Result) []outbox.Result {
	for _, one := range group {
		into = append(into, one.Result)
	}
	return into
}

// A commit costs Postgres more than a few more rows in it, so a group of fewer than enough waits
// for the answers that are out, while they come so fast that it pays: after a wait in vain the
// next groups go at once.
const (
	enough   = 16
	worthIt  = time.Millisecond
	hurryFor = 200 // groups
)

// gatherer makes groups of what has come.
type gatherer struct {
	results <-chan result
	busy    *atomic.Int32
	hurry   int // groups that do not wait
}

func (g *gatherer) gather(group []result) []result {
	var late <-chan time.Time
	for len(group) < maxGroup {
		select {
		case next, ok := <-g.results:
			if !ok {
				return group
			}
			group = append(group, next)
			continue
		default:
		}
		if len(group) >= min(enough, int(g.busy.Load())) || g.hurry > 0 {
			break
		}
		if late == nil {
			late = time.After(worthIt)
		}
		select {
		case next, ok := <-g.results:
			if !ok {
				return group
			}
			group = append(group, next)
		case <-late:
			g.hurry = hurryFor
		}
	}
	g.hurry = max(0, g.hurry-1)
	return group
}

// retry tries until it works; false when ctx ended first. A try that was cut off may have been
// at work, so the next is given longer.
func retry(ctx context.Context, log *slog.Logger, try func(ctx context.Context) error) bool {
	wait, limit := 50*time.Millisecond, timeout
	for ; ; wait, limit = min(2*wait, 400*time.Millisecond), min(2*limit, time.Minute) {
		bounded, cancel := context.WithTimeout(ctx, limit)
		err := try(bounded)
		cancel()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		log.Warn("results could not be recorded, sending waits", "error", err)
		pause(ctx, wait)
	}
}

// Counts are what the engine has done since it started, for the metrics.
type Counts struct {
	Accepted, Deferred, Failed, Unknown atomic.Int64 // recorded attempts by status
	Commits, Mismatches, TakenOver      atomic.Int64 // groups recorded; runs whose counts did not add up; batches of dead processes
}

func (c *Counts) add(group []result) {
	c.Commits.Add(1)
	for _, one := range group {
		switch one.Status {
		case domain.Accepted:
			c.Accepted.Add(1)
		case domain.Deferred:
			c.Deferred.Add(1)
		case domain.Failed:
			c.Failed.Add(1)
		case domain.Unknown:
			c.Unknown.Add(1)
		}
	}
}
