package engine

import (
	"slices"
	"time"

	"skychimp/domain"
)

// giveBack puts an email that was not sent at the head of its owner queue again.
func (q *queue) giveBack(it *item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave(it)
	b := it.batch
	b.out--
	if b.dropped {
		q.ended(b)
		return
	}
	b.left++
	it.throttles = [2]*throttle{}
	l := q.ownerQueue(b.run.OwnerID)
	l.items = slices.Insert(l.items, 0, it)
	q.size++
	q.wake()
}

// done says that the email's result is durable.
func (q *queue) done(b *batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.out--
	q.ended(b)
}

func (q *queue) ended(b *batch) {
	if b.out > 0 || b.left > 0 {
		return
	}
	b.run.batches--
	delete(q.batches, b)
	if b.dropped {
		q.freed = append(q.freed, b)
	}
	if b.run.batches == 0 {
		signal(q.empty)
	}
}

// drop gives up the batches that match: their waiting emails go at once, those that a sender
// has come to their end first.
func (q *queue) drop(match func(*batch) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := range q.batches {
		b.dropped = b.dropped || match(b)
	}
	for _, l := range q.owners {
		l.items = slices.DeleteFunc(l.items, func(it *item) bool { return it.batch.dropped })
	}
	q.owners = slices.DeleteFunc(q.owners, func(l *ownerQueue) bool { return len(l.items) == 0 })
	q.size = 0
	for _, l := range q.owners {
		q.size += len(l.items)
	}
	for b := range q.batches {
		if b.dropped {
			b.left = 0
			q.ended(b)
		}
	}
	signal(q.hungry)
}

// renew drops the batches of all instances but this one, which the process has become.
func (q *queue) renew(instance int64) {
	q.mu.Lock()
	q.instance = instance
	q.mu.Unlock()
	q.drop(func(b *batch) bool { return b.instance != instance })
}

// takeFreed are the dropped batches that can be released since the last call.
func (q *queue) takeFreed() []*batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	freed := q.freed
	q.freed = nil
	return freed
}

// keepFreed is for those that could not be released.
func (q *queue) keepFreed(freed []*batch) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.freed = append(q.freed, freed...)
}

// held are the runs with emails in hand.
func (q *queue) held() map[int64]*sendingRun {
	q.mu.Lock()
	defer q.mu.Unlock()
	runs := map[int64]*sendingRun{}
	for b := range q.batches {
		runs[b.run.ID] = b.run
	}
	return runs
}

// inHand are the batches that are fetched and not done, by run and first seq.
func (q *queue) inHand() (runs []int64, firstSeqs []int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := range q.batches {
		runs, firstSeqs = append(runs, b.run.ID), append(firstSeqs, int32(b.firstSeq))
	}
	return runs, firstSeqs
}

// room is how many batches of the owner to fetch: what waits is shared between the owners. An
// owner of whom nothing waits gets a batch, whatever the others have.
func (q *queue) room(owner int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := 0
	for _, l := range q.owners {
		if l.owner == owner {
			own = len(l.items)
		}
	}
	if own == 0 && len(q.owners) >= maxOwners {
		return 0
	}
	share := q.low / max(1, len(q.owners))
	if own > 0 && (q.size >= q.low || own >= share) {
		return 0
	}
	return max(1, min(2*share-own, 2*q.low-q.size)/domain.BatchSize)
}

// pause stops or resumes the senders' supply.
func (q *queue) pause(shut bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.shut = shut
	if !shut {
		q.wake()
	}
}

// sendable tells whether emails are in hand that no limit of their domains and owners holds back.
func (q *queue) sendable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	return len(q.batches) > 0 && (q.size == 0 || slices.ContainsFunc(q.owners, func(l *ownerQueue) bool {
		return l.limiter.open(now) && slices.ContainsFunc(q.slots, func(d *slot) bool {
			if len(d.throttles.all) == 0 {
				return l.first(now) >= 0
			}
			at, _ := q.choose(l, d, now)
			return at >= 0 && d.throttles.open("", now)
		})
	}))
}

// idle tells whether nothing of the run is in hand.
func (q *queue) idle(run *sendingRun) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return run.batches == 0
}
