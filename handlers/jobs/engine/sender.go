package engine

import (
	"context"
	"time"

	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/jobs/smtp"
)

// idleTime is how long a connection without a letter stays open.
const idleTime = 5 * time.Second

// sender hands letters to the mail server over one connection at a time.
type sender struct {
	*Engine
	server  *server
	hard    context.Context // ends when even letters under way are given up
	conn    *smtp.Conn
	next    item // announced together with the last dot
	waiting bool // a result of this connection is not durable yet
	durable chan struct{}
	letter  []byte
	tokens  *domain.UnsubscribeTokens
	asking  *asking
}

// send is one connection's work, until ctx ends.
func (e *Engine) send(ctx, hard context.Context, to *server, asking *asking) {
	s := &sender{Engine: e, server: to, hard: hard, durable: make(chan struct{}, 1), tokens: domain.NewUnsubscribeTokens(e.Secret), asking: asking}
	defer s.hangUp()
	for ctx.Err() == nil {
		it, announced := s.next, s.next.block != nil
		s.next = item{}
		if !announced {
			var ok bool
			if it, ok = s.take(ctx); !ok {
				continue
			}
		}
		asking.begin()
		s.busy.Add(1)
		s.exchange(ctx, it, announced)
		s.busy.Add(-1)
		asking.end()
	}
}

// take waits for a letter that may go out; false when there is none for now.
func (s *sender) take(ctx context.Context) (item, bool) {
	if s.conn == nil && !s.server.dialing.wait(ctx) {
		return item{}, false
	}
	it, ok := s.queue.take(ctx, s.server.door, idleTime)
	switch {
	case !ok:
		s.hangUp()
		return it, false
	case s.heldBack(it):
		return it, false
	}
	s.asking.begin()
	if s.server.limit.Wait(ctx) != nil {
		s.queue.giveBack(it)
		return it, false
	}
	return it, true
}

// exchange takes one letter from its envelope to the answer after its dot.
func (s *sender) exchange(ctx context.Context, it item, announced bool) {
	if !s.maySend(it) { // no connection is made for it
		s.unannounce(announced)
		s.queue.giveBack(it)
		pause(ctx, 20*time.Millisecond) // until its block is dropped, or the lease is back
		return
	}
	if s.suppress(it) || !s.compose(&it) {
		s.unannounce(announced)
		return
	}
	if s.conn == nil {
		announced = false // the connection of the announcement is gone
		if !s.connect(it) {
			return
		}
	}
	if !announced {
		s.conn.Envelope(s.From.Address, it.Email, len(s.letter))
	}
	answer, ok := s.conn.Ready(s.hard)
	if !ok {
		s.settle(it, answer)
		return
	}
	s.server.dialing.works()
	s.trouble("")
	// The dot rule: what this connection sent before is on record, or nothing more goes out.
	if !s.settledBefore() || ctx.Err() != nil || !s.maySend(it) || s.isSuppressed(it) {
		s.abort()
		if s.isSuppressed(it) {
			s.suppress(it)
		} else {
			s.queue.giveBack(it)
		}
		return
	}
	s.conn.Letter(s.letter)
	s.announce(ctx)
	s.settle(it, s.conn.Result(s.hard))
	if s.conn != nil && s.server.limits.reached(s.conn.Sent()) {
		s.hangUp()
	}
}

// announce puts the next letter's envelope behind the dot that is about to go out.
func (s *sender) announce(ctx context.Context) {
	if ctx.Err() != nil || s.server.limits.reached(s.conn.Sent()+1) || !s.server.limit.Allow() {
		return
	}
	next, ok := s.queue.tryTake(s.server.door)
	for ok && s.heldBack(next) {
		next, ok = s.queue.tryTake(s.server.door)
	}
	if !ok {
		return
	}
	s.next = next
	s.conn.Envelope(s.From.Address, next.Email, 0)
}

// unannounce drops a connection that waits for a letter which is not to be sent.
func (s *sender) unannounce(announced bool) {
	if announced && s.conn != nil {
		s.abort()
	}
}

// settledBefore waits until the letter before is durable; false when the program gives up.
func (s *sender) settledBefore() bool {
	if s.waiting {
		s.asking.end()
		select {
		case <-s.durable:
			s.waiting = false
		case <-s.hard.Done():
			return false
		}
		s.asking.begin()
	}
	return true
}

// compose writes the letter's bytes. What cannot be written never can, so it has failed.
func (s *sender) compose(it *item) bool {
	run := it.block.run
	var err error
	s.letter, err = run.letter.Append(s.letter[:0], email.Recipient{
		Email: it.Email, Name: it.Name, Comment: it.Comment, Date: s.clock.Now().UTC(),
		MessageID:      email.MessageID(run.ID, it.ClientID, email.Host(s.From.Address)),
		UnsubscribeURL: s.BaseURL + "/unsubscribe/" + s.tokens.Token(it.ClientID),
	})
	if err == nil {
		return true
	}
	s.put(*it, domain.NewAnswer(domain.StageMail, 0, err.Error()), domain.Failed, domain.OutcomeFailed)
	return false
}

func (s *sender) abort() {
	s.conn.Abort()
	s.conn = nil
	if s.next.block != nil {
		s.queue.giveBack(s.next)
		s.next = item{}
	}
}

func (s *sender) hangUp() {
	s.settledBefore()
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	if s.next.block != nil {
		s.queue.giveBack(s.next)
		s.next = item{}
	}
}
