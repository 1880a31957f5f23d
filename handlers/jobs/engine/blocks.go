package engine

import (
	"slices"
	"time"

	"skychimp/domain"
)

// giveBack puts a letter that was not sent at the head of its lane again.
func (q *queue) giveBack(it item) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.leave(it)
	b := it.block
	b.out--
	if b.dropped {
		q.settled(b)
		return
	}
	b.left++
	l := q.lane(b.run.OwnerID)
	l.items = slices.Insert(l.items, 0, it)
	q.size++
	q.wake()
}

// done says that the letter's result is durable.
func (q *queue) done(b *block) {
	q.mu.Lock()
	defer q.mu.Unlock()
	b.out--
	q.settled(b)
}

func (q *queue) settled(b *block) {
	if b.out > 0 || b.left > 0 {
		return
	}
	b.run.blocks--
	delete(q.blocks, b)
	if b.dropped {
		q.freed = append(q.freed, b)
	}
	if b.run.blocks == 0 {
		signal(q.empty)
	}
}

// drop gives up the blocks that match: their waiting letters go at once, those that a sender
// has come to their end first.
func (q *queue) drop(match func(*block) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := range q.blocks {
		b.dropped = b.dropped || match(b)
	}
	for _, l := range q.lanes {
		l.items = slices.DeleteFunc(l.items, func(it item) bool { return it.block.dropped })
	}
	q.lanes = slices.DeleteFunc(q.lanes, func(l *lane) bool { return len(l.items) == 0 })
	q.size = 0
	for _, l := range q.lanes {
		q.size += len(l.items)
	}
	for b := range q.blocks {
		if b.dropped {
			b.left = 0
			q.settled(b)
		}
	}
	signal(q.hungry)
}

// renew drops the blocks of all instances but this one, which the process has become.
func (q *queue) renew(holder int64) {
	q.mu.Lock()
	q.holder = holder
	q.mu.Unlock()
	q.drop(func(b *block) bool { return b.instance != holder })
}

// takeFreed are the dropped blocks that can be released since the last call.
func (q *queue) takeFreed() []*block {
	q.mu.Lock()
	defer q.mu.Unlock()
	freed := q.freed
	q.freed = nil
	return freed
}

// held are the runs with letters in hand.
func (q *queue) held() map[int64]*sending {
	q.mu.Lock()
	defer q.mu.Unlock()
	runs := map[int64]*sending{}
	for b := range q.blocks {
		runs[b.run.ID] = b.run
	}
	return runs
}

// inHand are the blocks that are claimed and not done, by run and first seq.
func (q *queue) inHand() (runs []int64, firstSeqs []int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for b := range q.blocks {
		runs, firstSeqs = append(runs, b.run.ID), append(firstSeqs, int32(b.firstSeq))
	}
	return runs, firstSeqs
}

// room is how many blocks of the owner to claim: what waits is shared between the owners. An
// owner of whom nothing waits gets a block, whatever the others have.
func (q *queue) room(owner int64) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	own := 0
	for _, l := range q.lanes {
		if l.owner == owner {
			own = len(l.items)
		}
	}
	if own == 0 && len(q.lanes) >= maxLanes {
		return 0
	}
	share := q.low / max(1, len(q.lanes))
	if own > 0 && (q.size >= q.low || own >= share) {
		return 0
	}
	return max(1, min(2*share-own, 2*q.low-q.size)/domain.BlockSize)
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

// sendable tells whether letters are in hand that no limit of their domains and owners holds back.
func (q *queue) sendable() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	return len(q.blocks) > 0 && (q.size == 0 || slices.ContainsFunc(q.lanes, func(l *lane) bool { return l.first(now) >= 0 }))
}

// idle tells whether nothing of the run is in hand.
func (q *queue) idle(run *sending) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return run.blocks == 0
}
