package jobs

import (
	"context"
	"time"

	"skychimp/db"
)

// settled is a letter's result on its way into the tables. durable gets a token when it is
// there.
type settled struct {
	db.Result
	block   *block
	durable chan struct{}
}

// maxGroup is the most results in one commit.
const maxGroup = 500

// record commits the results of all connections in groups: what comes while one commit is
// under way goes into the next. While the database is away it keeps trying, and because no
// result becomes durable, nothing more is sent. It ends when results is closed, or with ctx.
func (e *Engine) record(ctx context.Context) {
	r := recorder{Engine: e, to: e.db.NewRecorder()}
	defer r.to.Close(ctx)
	group := make([]settled, 0, maxGroup)
	for first := range e.results {
		group = e.gather(append(group[:0], first))
		if !r.commit(ctx, group) {
			return
		}
		e.counts.add(group)
		for _, one := range group {
			if one.durable != nil {
				one.durable <- struct{}{}
			}
			e.queue.done(one.block)
		}
	}
}

// gatherTime is how long a group waits for the results that other connections are about to
// have: a commit costs Postgres more than a few more rows in it, and nobody sends meanwhile who
// waits for this one.
const gatherTime = 500 * time.Microsecond

// gather adds to the group what has come, and what comes while busy connections are under way.
func (e *Engine) gather(group []settled) []settled {
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	for len(group) < maxGroup {
		if len(group) >= int(e.busy.Load()) {
			select {
			case next, ok := <-e.results:
				if !ok {
					return group
				}
				group = append(group, next)
				continue
			default:
				return group
			}
		}
		select {
		case next, ok := <-e.results:
			if !ok {
				return group
			}
			group = append(group, next)
		case <-timer.C:
			return group
		}
	}
	return group
}

// recorder keeps trying to make a group durable.
type recorder struct {
	*Engine
	to      *db.Recorder
	results []db.Result
}

// commit tries until the group is durable; false when ctx ended first.
func (r *recorder) commit(ctx context.Context, group []settled) bool {
	r.results = r.results[:0]
	for _, one := range group {
		r.results = append(r.results, one.Result)
	}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := r.to.Record(ctx, r.results)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			r.Log.Error("results are lost, their letters may be sent twice", "results", len(group), "error", err)
			return false
		}
		r.Log.Warn("results could not be recorded, sending waits", "results", len(group), "error", err)
		pause(ctx, wait)
	}
}
