package engine

import (
	"context"
	"slices"
	"sync"
	"time"

	"skychimp/db/outbox"
)

// batch is what one fetch took. out counts its emails that a sender has and that have no
// durable result yet; left those that wait in the queue.
type batch struct {
	run      *sendingRun
	instance int64 // that fetched it; another one's emails must not be sent
	firstSeq int
	out      int
	left     int
	dropped  bool
}

// item is an email on its way.
type item struct {
	outbox.Delivery
	batch  *batch
	losses int      // connections that broke under it
	domain *limiter // of its receiving domain
	owner  *limiter

	began     time.Time    // when a sender took it
	throttles [2]*throttle // of its receiving domain and of the mail server, as it was taken
	until     time.Time    // its receiver's turn for it; zero: now
	passed    int          // times that its receiver asked for it later, and accepted others
	asked     time.Time    // when it did so last
}

// queue holds the fetched emails, in one queue per owner. The owners take turns email by
// email, so that nobody's large run makes another's wait. Emails whose domain or owner is at
// its limit are passed over.
type queue struct {
	mu          sync.Mutex
	owners      []*ownerQueue
	turn        int
	size        int
	batches     map[*batch]bool // all that are fetched and not done
	freed       []*batch        // dropped, with no email out: to be released
	slots       []*slot
	receivers   *mxGroups
	limits      Limits
	domains     map[string]*limiter // by domain
	ownerLimits map[int64]*limiter
	timed       bool          // a timer will wake somebody for emails that a rate holds back
	hungry      chan struct{} // has a token when there is room for a fetch
	empty       chan struct{} // gets a token when nothing of a run is in hand any more
	low         int           // fewer emails than this make hungry
	shut        bool          // senders get nothing: the lease is in doubt
	round       int           // of those that look for an email past throttles
	instance    int64         // the instance that this process is; batches of another are nobody's here
}

type ownerQueue struct {
	owner   int64
	limiter *limiter
	items   []*item
}

func newQueue(slots []*slot, receivers *mxGroups, limits Limits, low int, empty chan struct{}) *queue {
	return &queue{slots: slots, receivers: receivers, limits: limits, low: low, empty: empty, batches: map[*batch]bool{},
		domains: map[string]*limiter{}, ownerLimits: map[int64]*limiter{}, hungry: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add puts a fetched batch's emails in at the end of its owner's queue.
func (q *queue) add(b *batch, emails []outbox.Delivery) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.instance != q.instance { // it was fetched before this process had to start anew
		q.freed = append(q.freed, b)
		return
	}
	l := q.ownerQueue(b.run.OwnerID)
	items := make([]item, len(emails))
	for i, one := range emails {
		items[i] = item{Delivery: one, batch: b, domain: q.limiterOf(one.Email), owner: l.limiter}
		l.items = append(l.items, &items[i])
	}
	b.left = len(emails)
	b.run.batches++
	q.batches[b] = true
	q.size += len(emails)
	q.wake()
}

func (q *queue) limiterOf(email string) *limiter {
	name, limit := q.limits.Domains.Of(email)
	if name == "" {
		return nil
	}
	g, ok := q.domains[name]
	if !ok {
		g = newLimiter(limit)
		q.domains[name] = g
	}
	return g
}

// wake calls a free sender of the server that is most behind.
func (q *queue) wake() {
	var next *slot
	for _, d := range q.slots {
		if d.waiting > 0 && (next == nil || d.behind(next)) {
			next = d
		}
	}
	if next != nil && q.size > 0 {
		signal(next.more)
	}
}

func (q *queue) ownerQueue(owner int64) *ownerQueue {
	for _, l := range q.owners {
		if l.owner == owner {
			return l
		}
	}
	g, ok := q.ownerLimits[owner]
	if !ok {
		g = newLimiter(q.limits.Owners.Limit)
		q.ownerLimits[owner] = g
	}
	l := &ownerQueue{owner: owner, limiter: g}
	q.owners = append(q.owners, l)
	return l
}

// take waits at a slot for an email until ctx ends or idle passes.
func (q *queue) take(ctx context.Context, d *slot, idle time.Duration) (*item, bool) {
	timer := time.NewTimer(idle)
	defer timer.Stop()
	for {
		q.mu.Lock()
		it, ok := q.next(d)
		if !ok {
			d.waiting++
		}
		q.mu.Unlock()
		if ok {
			return it, true
		}
		called := false
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-d.more:
			called = true
		}
		q.mu.Lock()
		d.waiting--
		if !called {
			q.wake() // the call for this sender may lie in the slot
		}
		q.mu.Unlock()
		if !called {
			return nil, false
		}
	}
}

// tryTake takes the next owner's next email, if there is one and no other server should have it.
func (q *queue) tryTake(d *slot) (*item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next(d)
}

func (q *queue) next(d *slot) (*item, bool) {
	if q.size == 0 || q.shut {
		return nil, false
	}
	for _, other := range q.slots {
		if other != d && other.waiting > 0 && other.behind(d) {
			signal(other.more)
			return nil, false
		}
	}
	now := time.Now()
	if len(d.throttles.all) == 0 || d.throttles.open("", now) {
		for range q.owners {
			q.turn = (q.turn + 1) % len(q.owners)
			if it, ok := q.pop(q.owners[q.turn], d, now); ok {
				q.taken(it, d)
				return it, true
			}
		}
	}
	if !q.timed { // all are at a limit; leave wakes for those of emails at once, nobody for a rate
		q.timed = true
		time.AfterFunc(10*time.Millisecond, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.timed = false
			q.wake()
		})
	}
	return nil, false
}

// pop takes the first email that nothing holds back, or one that has to leave the queue for a while.
func (q *queue) pop(l *ownerQueue, d *slot, now time.Time) (*item, bool) {
	if !l.limiter.open(now) {
		return nil, false
	}
	var i int
	var until time.Time
	if len(d.throttles.all) == 0 {
		i = l.first(now)
	} else {
		i, until = q.choose(l, d, now)
	}
	if i < 0 {
		return nil, false
	}
	it := l.items[i]
	if i == 0 {
		l.items = l.items[1:]
	} else {
		l.items = slices.Delete(l.items, i, i+1)
	}
	it.began, it.until = now, until
	it.throttles = [2]*throttle{}
	if !until.IsZero() {
		it.domain, it.owner = nil, nil
		return it, true
	}
	l.limiter.enter(now)
	it.domain.enter(now)
	q.throttle(it, d, now)
	return it, true
}

// throttle counts the email with those whose receiver has asked for fewer.
func (q *queue) throttle(it *item, d *slot, now time.Time) {
	d.throttles.rate.add(now)
	if len(d.throttles.all) == 0 {
		return
	}
	for i, name := range [2]string{q.receivers.of(it.Email), ""} {
		if one := d.throttles.of(name, now); one != nil {
			one.Begin(now)
			one.busy++
			it.throttles[i] = one
		}
	}
}

// first is the place of the first email that no limit of its domain holds back, -1 for none.
func (l *ownerQueue) first(now time.Time) int {
	return slices.IndexFunc(l.items, func(it *item) bool { return it.domain.open(now) })
}

// taken counts an email that has left the owner queue at q.turn by a slot.
func (q *queue) taken(it *item, by *slot) {
	it.batch.left--
	it.batch.out++
	q.size--
	by.taken++
	for _, d := range q.slots { // who was away for long must not be flooded when it comes back
		d.taken = max(d.taken, by.taken/by.weight*d.weight-10*d.weight)
	}
	if q.size > 0 {
		q.wake() // the next sleeper
	}
	left := len(q.owners[q.turn].items)
	if left == 0 {
		q.owners = slices.Delete(q.owners, q.turn, q.turn+1)
	}
	if q.size < q.low || left == 0 {
		signal(q.hungry)
	}
}

// leave makes room at the email's limits: it is under way no more.
func (q *queue) leave(it *item) {
	if it.limited() {
		it.owner.leave()
		it.domain.leave()
		for _, one := range it.throttles {
			if one != nil {
				one.busy--
			}
		}
		q.wake()
	}
}

func (it *item) limited() bool {
	return it.owner != nil || it.domain != nil || it.throttles != [2]*throttle{}
}

// answered says that the email is under way no more, though its result may not be durable yet.
func (q *queue) answered(it *item) {
	if it.limited() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.leave(it)
	}
}
