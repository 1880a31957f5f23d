package engine

import (
	"context"
	"time"

	"skychimp/db/outbox"
)

// settled is a letter's result on its way into the tables. durable gets a token when it is
// there: as soon as the attempt is recorded, or, where whole, when its delivery knows too.
type settled struct {
	outbox.Result
	block   *block
	durable chan struct{}
	whole   bool
}

// maxGroup is the most results in one commit of the recorder, maxBatch of the settler.
const (
	maxGroup = 500
	maxBatch = 2000
)

// record commits the attempts of all connections in groups: what comes while one commit is
// under way goes into the next. While the database is away it keeps trying, and because no
// attempt becomes durable, nothing more is sent. It ends when results is closed.
func (e *Engine) record(ctx context.Context) {
	defer close(e.recorded)
	to := e.outbox.NewRecorder()
	defer to.Close(ctx)
	var group []settled
	var results []outbox.Result
	groups := gatherer{Engine: e}
	for first := range e.results {
		group = groups.gather(append(group[:0], first))
		results = resultsOf(group, results[:0])
		if !e.insist(ctx, func(ctx context.Context) error { return to.Record(ctx, results) }) {
			e.Log.Error("attempts could not be recorded, their letters may be sent twice", "attempts", len(group))
			continue
		}
		e.counts.add(group)
		e.standstill.moves.Add(1)
		for _, one := range group {
			if one.durable != nil && !one.whole {
				one.durable <- struct{}{}
			}
			e.recorded <- one
		}
	}
}

// settleEvery is how often the deliveries are told. Until then they are open in the pages.
const settleEvery = 50 * time.Millisecond

// settle tells the deliveries what was recorded, many at once, because no letter waits for it.
// It ends when the recorder has.
func (e *Engine) settle(ctx context.Context) {
	var batch []settled
	var results []outbox.Result
	for first := range e.recorded {
		batch = append(batch[:0], first)
		for due := time.After(settleEvery); due != nil && len(batch) < maxBatch; {
			select {
			case next, ok := <-e.recorded:
				if ok {
					batch = append(batch, next)
				} else {
					due = nil
				}
			case <-due:
				due = nil
			}
		}
		results = resultsOf(batch, results[:0])
		if !e.insist(ctx, func(ctx context.Context) error { return e.outbox.Batches().Complete(ctx, results) }) {
			continue // whoever buries this process does it
		}
		e.standstill.moves.Add(1)
		for _, one := range batch {
			if one.durable != nil && one.whole {
				one.durable <- struct{}{}
			}
			e.queue.done(one.block)
		}
	}
}

// A commit costs Postgres more than a few more rows in it, so a group of fewer than enough waits
// for the dots that are out, while answers come so fast that it pays: after a wait in vain the
// next groups go at once.
const (
	enough   = 16
	worthIt  = time.Millisecond
	hurryFor = 200 // groups
)

// gatherer makes groups of what has come.
type gatherer struct {
	*Engine
	hurry int // groups that do not wait
}

func (g *gatherer) gather(group []settled) []settled {
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

func resultsOf(group []settled, into []outbox.Result) []outbox.Result {
	for _, one := range group {
		into = append(into, one.Result)
	}
	return into
}

// insist tries until it works; false when ctx ended first. A try that was cut off may have been
// at work, so the next is given longer.
func (e *Engine) insist(ctx context.Context, try func(ctx context.Context) error) bool {
	wait, limit := 50*time.Millisecond, patience
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
		e.Log.Warn("results could not be recorded, sending waits", "error", err)
		pause(ctx, wait)
	}
}
