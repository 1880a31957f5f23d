package engine

import (
	"math"
	"time"

	"skychimp/domain"
)

// throttles are the receivers of a mail server that have asked for fewer emails: receiving domains by their name, and
// under "" the mail server itself. As long as there are none, nothing is looked up for an email. They are guarded by the queue.
type throttles struct {
	second time.Duration // 1 s, but in tests
	all    map[string]*throttle
	rate   takenRate
}

// maxThrottles of a mail server are kept; beyond, the one is forgotten that was not slowed down for longest.
const maxThrottles = 1000

// throttle is one of them.
type throttle struct {
	domain.Throttle
	busy    int // emails under way
	changed time.Time
	took    time.Time // when it accepted one last
	waiting int       // emails of it that were seen on the way through the queue
	round   int       // of which the above is
}

// Emails whose turn is so far away leave the queue, so that it has room for others, and come back somewhat earlier.
const (
	farAway   = 20 // seconds of the throttle
	backEarly = 10
	atMostFor = 3600
)

// takenRate is how many emails a server's senders take a second.
type takenRate struct {
	since     time.Time
	n         int
	perSecond float64
}

func (r *takenRate) add(now time.Time) {
	r.n++
	if took := now.Sub(r.since); took > time.Second/4 {
		r.perSecond = float64(r.n) / max(took.Seconds(), 0.001)
		if took > time.Minute {
			r.perSecond = 0 // they stood still
		}
		r.since, r.n = now, 0
	}
}

// of is the throttle of a receiver, nil: it has asked for nothing.
func (t *throttles) of(name string, now time.Time) *throttle {
	one := t.all[name]
	if one != nil && one.Climb(now) {
		delete(t.all, name)
		return nil
	}
	return one
}

func (t *throttles) open(name string, now time.Time) bool {
	one := t.of(name, now)
	return one == nil || one.Open(now, one.busy)
}

// refused slows a receiver down; held: it gets nothing more for now.
func (t *throttles) refused(name string, busy int, now, began time.Time, hungUp bool) (one *throttle, held bool) {
	one = t.of(name, now)
	if one == nil {
		if len(t.all) >= maxThrottles {
			t.forget(now)
		}
		one = &throttle{Throttle: domain.NewThrottle(now, t.rate.perSecond, busy, t.second)}
		t.all[name] = one
	} else {
		held = one.Refused(now, began, hungUp)
	}
	one.changed = now
	return one, held
}

func (t *throttles) forget(now time.Time) {
	oldest := ""
	for name := range t.all {
		if one := t.of(name, now); one != nil && (oldest == "" || one.changed.Before(t.all[oldest].changed)) {
			oldest = name
		}
	}
	if len(t.all) >= maxThrottles {
		delete(t.all, oldest)
	}
}

// choose is the place of the first email that may go out now, -1 for none. A time: its turn is so far away that it has to
// leave the queue until then.
func (q *queue) choose(l *ownerQueue, d *slot, now time.Time) (at int, until time.Time) {
	t := &d.throttles
	q.round++
	crowded := len(l.items) > q.low/max(1, len(q.owners))/2
	for i := range l.items {
		it := l.items[i]
		if !it.domain.open(now) {
			continue
		}
		name := q.receivers.of(it.Email)
		one := t.of(name, now)
		if one == nil || one.Open(now, one.busy) {
			return i, time.Time{}
		}
		if one.round != q.round {
			one.round, one.waiting = q.round, 0
		}
		one.waiting++
		if wait := q.wait(name, now, one.waiting); crowded && wait > farAway*t.second {
			return i, now.Add(min(wait-backEarly*t.second, atMostFor*t.second))
		}
	}
	return -1, time.Time{}
}

// wait is how long the nth email to a receiver has to wait for the server that takes it first.
func (q *queue) wait(name string, now time.Time, n int) time.Duration {
	least := time.Duration(math.MaxInt64)
	for _, d := range q.slots {
		one := d.throttles.of(name, now)
		if one == nil {
			return 0
		}
		least = min(least, one.Wait(now, n))
	}
	return least
}

// throttled slows down what goes where an email was wanted later. held: the receiver gets nothing until then.
func (q *queue) throttled(it *item, d *slot, scope domain.ThrottleScope, hungUp bool) (name string, held bool, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	if scope == domain.ThrottleDomain {
		name = q.receivers.of(it.Email)
	}
	one, held := d.throttles.refused(name, d.conns, now, it.began, hungUp)
	if one.took.After(it.asked) && !it.asked.IsZero() {
		it.passed++
	}
	it.asked = now
	return name, held, one.Until
}

// accepted tells the throttles of an email.
func (q *queue) accepted(it *item) {
	if it.throttles == [2]*throttle{} {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	for _, one := range it.throttles {
		if one != nil {
			one.Accepted(now, it.began)
			one.took = now
		}
	}
}
