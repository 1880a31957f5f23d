package engine

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain/email"
)

// sending is a run with letters in hand.
type sending struct {
	outbox.SendingRun
	letter *email.Template
	halted atomic.Bool               // no dot may go out any more
	end    atomic.Pointer[time.Time] // of this machine's clock, after which none may either; nil: no end is known
	blocks int                       // claimed and not done; guarded by the queue

	refusals refusals
}

// over tells that no dot may go out any more, because the run was halted or has reached its end.
func (s *sending) over() bool {
	end := s.end.Load()
	return s.halted.Load() || end != nil && !time.Now().Before(*end)
}

// block is what one claim took. out counts its letters that a sender has and that have no
// durable result yet; left those that wait in the queue.
type block struct {
	run      *sending
	instance int64 // that claimed it; another one's letters must not be sent
	firstSeq int
	out      int
	left     int
	dropped  bool
}

// item is a letter on its way.
type item struct {
	outbox.Letter
	block  *block
	losses int   // connections that broke under it
	domain *gate // of its receiving domain
	owner  *gate
}

// queue holds the claimed letters, in one lane per owner. The owners take turns letter by
// letter, so that nobody's large run makes another's wait. Letters whose domain or owner is at
// its limit are passed over.
type queue struct {
	mu     sync.Mutex
	lanes  []*lane
	turn   int
	size   int
	blocks map[*block]bool // all that are claimed and not done
	freed  []*block        // dropped, with no letter out: to be released
	doors  []*door
	limits Limits
	gates  map[string]*gate // by domain
	owners map[int64]*gate
	timed  bool          // a timer will wake somebody for letters that a rate holds back
	hungry chan struct{} // has a token when there is room for a claim
	empty  chan struct{} // gets a token when nothing of a run is in hand any more
	low    int           // fewer letters than this make hungry
	shut   bool          // senders get nothing: the lease is in doubt
	holder int64         // the instance that this process is; blocks of another are nobody's here
}

type lane struct {
	owner int64
	gate  *gate
	items []item
}

func newQueue(doors []*door, limits Limits, low int, empty chan struct{}) *queue {
	return &queue{doors: doors, limits: limits, low: low, empty: empty, blocks: map[*block]bool{},
		gates: map[string]*gate{}, owners: map[int64]*gate{}, hungry: make(chan struct{}, 1)}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// add puts a claimed block's letters in at the end of its owner's lane.
func (q *queue) add(b *block, letters []outbox.Letter) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if b.instance != q.holder { // it was claimed before this process had to start anew
		q.freed = append(q.freed, b)
		return
	}
	l := q.lane(b.run.OwnerID)
	for _, one := range letters {
		l.items = append(l.items, item{Letter: one, block: b, domain: q.gateOf(one.Email), owner: l.gate})
	}
	b.left = len(letters)
	b.run.blocks++
	q.blocks[b] = true
	q.size += len(letters)
	q.wake()
}

func (q *queue) gateOf(email string) *gate {
	name, limit := q.limits.Domains.Of(email)
	if name == "" {
		return nil
	}
	g, ok := q.gates[name]
	if !ok {
		g = newGate(limit)
		q.gates[name] = g
	}
	return g
}

// wake calls a free sender of the server that is most behind.
func (q *queue) wake() {
	var next *door
	for _, d := range q.doors {
		if d.waiting > 0 && (next == nil || d.behind(next)) {
			next = d
		}
	}
	if next != nil && q.size > 0 {
		signal(next.more)
	}
}

func (q *queue) lane(owner int64) *lane {
	for _, l := range q.lanes {
		if l.owner == owner {
			return l
		}
	}
	g, ok := q.owners[owner]
	if !ok {
		g = newGate(q.limits.Owners.Limit)
		q.owners[owner] = g
	}
	l := &lane{owner: owner, gate: g}
	q.lanes = append(q.lanes, l)
	return l
}

// take waits at a door for a letter until ctx ends or idle passes.
func (q *queue) take(ctx context.Context, d *door, idle time.Duration) (item, bool) {
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
			q.wake() // the call for this sender may lie in the door
		}
		q.mu.Unlock()
		if !called {
			return item{}, false
		}
	}
}

// tryTake takes the next owner's next letter, if there is one and no other server should have it.
func (q *queue) tryTake(d *door) (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.next(d)
}

func (q *queue) next(d *door) (item, bool) {
	if q.size == 0 || q.shut {
		return item{}, false
	}
	for _, other := range q.doors {
		if other != d && other.waiting > 0 && other.behind(d) {
			signal(other.more)
			return item{}, false
		}
	}
	now := time.Now()
	for range q.lanes {
		q.turn = (q.turn + 1) % len(q.lanes)
		if it, ok := q.lanes[q.turn].pop(now); ok {
			q.taken(it, d)
			return it, true
		}
	}
	if !q.timed { // all are at a limit; leave wakes for those of letters at once, nobody for a rate
		q.timed = true
		time.AfterFunc(10*time.Millisecond, func() {
			q.mu.Lock()
			defer q.mu.Unlock()
			q.timed = false
			q.wake()
		})
	}
	return item{}, false
}

// pop takes the first letter that no limit holds back.
func (l *lane) pop(now time.Time) (item, bool) {
	i := l.first(now)
	if i < 0 {
		return item{}, false
	}
	it := l.items[i]
	if i == 0 {
		l.items = l.items[1:]
	} else {
		l.items = slices.Delete(l.items, i, i+1)
	}
	l.gate.enter(now)
	it.domain.enter(now)
	return it, true
}

// first is the place of the first letter that no limit holds back, -1 for none.
func (l *lane) first(now time.Time) int {
	if !l.gate.open(now) {
		return -1
	}
	return slices.IndexFunc(l.items, func(it item) bool { return it.domain.open(now) })
}

// taken counts a letter that has left the lane at q.turn by a door.
func (q *queue) taken(it item, by *door) {
	it.block.left--
	it.block.out++
	q.size--
	by.taken++
	for _, d := range q.doors { // who was away for long must not be flooded when it comes back
		d.taken = max(d.taken, by.taken/by.weight*d.weight-10*d.weight)
	}
	if q.size > 0 {
		q.wake() // the next sleeper
	}
	left := len(q.lanes[q.turn].items)
	if left == 0 {
		q.lanes = slices.Delete(q.lanes, q.turn, q.turn+1)
	}
	if q.size < q.low || left == 0 {
		signal(q.hungry)
	}
}

// leave makes room at the letter's limits: it is under way no more.
func (q *queue) leave(it item) {
	if it.limited() {
		it.owner.leave()
		it.domain.leave()
		q.wake()
	}
}

func (it item) limited() bool { return it.owner != nil || it.domain != nil }

// answered says that the letter is under way no more, though its result may not be durable yet.
func (q *queue) answered(it item) {
	if it.limited() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.leave(it)
	}
}
