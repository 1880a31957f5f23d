package engine

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/jobs/smtp"
)

// idleTime is how long a connection without an email stays open.
const idleTime = 5 * time.Second

// sender hands emails to a mail server over one connection at a time.
type sender struct {
	returns returnPaths
	baseURL string
	tokens  *domain.UnsubscribeTokens
	visits  *domain.ReturnTokens
	log     *slog.Logger
	clock   *Clock
	queue   *queue
	lease   *lease
	server  *server
	servers servers
	runs    *runControl
	records *recorder
	busy    *atomic.Int32 // connections with an email under way
	wait    *waiting

	proven      bool // the connection before this one, or this one, has opened an envelope
	probing     bool // alone, whether the server is back
	dialled     time.Time
	hard        context.Context // ends when even emails under way are given up
	conn        *smtp.Conn
	next        *item // announced together with the last end of data
	composed    bool  // body is next's already
	unconfirmed bool  // a result of this connection is not durable yet
	durable     chan struct{}
	body        []byte
}

// run is one connection's work, until ctx ends.
func (s *sender) run(ctx context.Context) {
	defer s.hangUp()
	for ctx.Err() == nil {
		it, announced := s.next, s.next != nil
		s.next = nil
		if !announced {
			var ok bool
			if it, ok = s.take(ctx); !ok {
				continue
			}
		}
		s.wait.begin()
		s.busy.Add(1)
		s.exchange(ctx, it, announced)
		s.stopProbing()
		s.busy.Add(-1)
		s.wait.end()
	}
}

// take waits for an email that may go out; false when there is none for now.
func (s *sender) take(ctx context.Context) (*item, bool) {
	if s.conn == nil && !s.proven {
		var ok bool
		if s.probing, ok = s.server.backoff.wait(ctx); !ok {
			return nil, false
		}
	}
	it, ok := s.queue.take(ctx, s.server.slot, idleTime)
	switch {
	case !ok:
		s.stopProbing()
		s.hangUp()
		return it, false
	case s.heldBack(it):
		s.stopProbing()
		return it, false
	}
	s.wait.begin()
	if s.server.rate.Wait(ctx) != nil {
		s.stopProbing()
		s.queue.giveBack(it)
		return it, false
	}
	return it, true
}

// stopProbing lets another sender find out whether the server is back, where this one has not.
func (s *sender) stopProbing() {
	if s.probing {
		s.probing = false
		s.server.backoff.leave()
	}
}

// heldBack defers an email to a domain that takes none of its run for now, or none so soon.
func (s *sender) heldBack(it *item) bool {
	until := it.until
	switch refusals := &it.batch.run.refusals; {
	case !until.IsZero():
		until = s.clock.Now().Add(time.Until(until))
	case refusals.none():
		return false
	default:
		if until = refusals.heldUntil(s.queue.receivers.of(it.Email), s.clock.Now()); until.IsZero() {
			return false
		}
	}
	s.record(it, domain.Answer{}, domain.Disposition{Outcome: domain.OutcomeDeferred, RetryAt: until})
	return true
}

// exchange takes one email from its envelope to the answer after its end of data.
func (s *sender) exchange(ctx context.Context, it *item, announced bool) {
	composed := announced && s.composed
	s.composed = false
	if !s.lease.covers(it) { // no connection is made for it
		s.unannounce(announced)
		s.queue.giveBack(it)
		pause(ctx, 20*time.Millisecond) // until its batch is dropped, or the lease is back
		return
	}
	if s.suppressed(it) || !composed && !s.compose(it) {
		s.unannounce(announced)
		return
	}
	answer, open := s.open(it, announced)
	if !open {
		s.dispose(it, answer)
		return
	}
	s.server.backoff.works(s.dialled)
	s.proven = true
	s.stopProbing()
	s.runs.moving(s.hard)
	// One in flight: what this connection sent before is on record, or nothing more goes out.
	if !s.confirmed() || ctx.Err() != nil || !s.lease.covers(it) || s.runs.suppressed(it) {
		s.abort()
		if !s.suppressed(it) {
			s.queue.giveBack(it)
		}
		return
	}
	s.conn.Email(s.body)
	s.announce(ctx)
	s.dispose(it, s.conn.ResultWhile(s.hard, s.composeNext))
	if s.conn != nil && s.server.perConnection.reached(s.conn.Sent()) {
		s.hangUp()
	}
}

// open brings the email's envelope to the point where the server waits for its data, on a new connection
// where there is none. Where it fails, the answer says why.
func (s *sender) open(it *item, announced bool) (domain.Answer, bool) {
	if s.conn == nil {
		s.dialled = time.Now()
		conn, err := smtp.Dial(s.hard, s.server.Server)
		if err != nil {
			return smtp.AnswerOf(err), false
		}
		s.conn, announced = conn, false // the connection of the announcement is gone
	}
	if announced && !s.conn.Fits(len(s.body)) {
		answer := s.conn.TooLarge(len(s.body))
		s.abort()
		return answer, false
	}
	if !announced {
		back := s.returns.of(it.batch.run.ID, it.Seq)
		s.conn.Envelope(back.from, it.Email, len(s.body), back.token)
	}
	return s.conn.Ready(s.hard)
}

// announce puts the next email's envelope behind the end of data that is about to go out.
func (s *sender) announce(ctx context.Context) {
	if ctx.Err() != nil || s.server.perConnection.reached(s.conn.Sent()+1) || !s.server.rate.Allow() {
		return
	}
	next, ok := s.queue.tryTake(s.server.slot)
	for ok && s.heldBack(next) {
		next, ok = s.queue.tryTake(s.server.slot)
	}
	if !ok {
		return
	}
	s.next = next
	back := s.returns.of(next.batch.run.ID, next.Seq)
	s.conn.Envelope(back.from, next.Email, 0, back.token)
}

// unannounce drops a connection that waits for an email which is not to be sent.
func (s *sender) unannounce(announced bool) {
	if announced && s.conn != nil {
		s.abort()
	}
}

// suppressed ends an email whose client wants none any more.
func (s *sender) suppressed(it *item) bool {
	if !it.Suppressed && !s.runs.suppressed(it) {
		return false
	}
	s.record(it, domain.Answer{}, domain.Disposition{Outcome: domain.OutcomeSuppressed})
	return true
}

// composeNext writes the next email while the server has the one before: signing it takes longer than the server may.
func (s *sender) composeNext() {
	if s.next != nil && !s.next.Suppressed {
		s.composed = s.write(s.next) == nil
	}
}

// compose writes the email's bytes. What cannot be written never can, so it has failed.
func (s *sender) compose(it *item) bool {
	err := s.write(it)
	if err == nil {
		return true
	}
	s.record(it, domain.NewAnswer(domain.StageMail, 0, err.Error()), domain.Disposition{Status: domain.Failed, Outcome: domain.OutcomeFailed})
	return false
}

// write makes body the email.
func (s *sender) write(it *item) (err error) {
	run, token := it.batch.run, s.tokens.Token(it.ClientID)
	to := email.Recipient{
		Email: it.Email, Name: it.Name, Comment: it.Comment, Fields: it.Fields, Date: s.clock.Now().UTC(),
		MessageID:      s.returns.of(run.ID, it.Seq).messageID,
		UnsubscribeURL: s.baseURL + "/unsubscribe/" + token + run.suffix, Token: token,
	}
	if run.tracked {
		to.VisitToken = string(s.visits.Append(nil, run.ID, it.Seq))
	}
	if run.template.NamesParts() {
		to.FirstName, to.LastName = domain.Client{FullName: it.Name, FirstName: it.FirstName, LastName: it.LastName}.Names()
	}
	if s.returns.domain != "" {
		to.UnsubscribeMailbox = s.tokens.Mailbox(it.ClientID, run.suffix, s.returns.domain)
	}
	s.body, err = run.template.Append(s.body[:0], to)
	return err
}

func (s *sender) abort() {
	s.conn.Abort()
	s.conn = nil
	s.giveBackNext()
}

func (s *sender) hangUp() {
	s.confirmed()
	if s.conn != nil {
		s.conn.Close()
		s.conn = nil
	}
	s.giveBackNext()
}

func (s *sender) giveBackNext() {
	if s.next != nil {
		s.queue.giveBack(s.next)
		s.next, s.composed = nil, false
	}
}
