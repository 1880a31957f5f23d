package engine

import (
	"context"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// maxLosses is after how many broken connections a letter is no longer thought innocent.
const maxLosses = 5

// settle does with a letter what the answer means (the table in domain.Answer.Verdict).
func (s *sender) settle(it item, answer domain.Answer) {
	verdict, sent := answer.Verdict(), s.conn.Sent()
	if s.conn.Broken() {
		s.conn = nil
	} else if answer.ConnectionLimit() {
		s.hangUp()
	}
	switch verdict {
	case domain.Accepted:
		s.put(it, answer, domain.Accepted, domain.OutcomeAccepted)
		if it.block.run.refusals.accepted(receiver(it.Email)) {
			s.note([]int64{it.block.run.ID}, "")
		}
	case domain.Deferred:
		s.retry(it, answer, domain.Deferred)
	case domain.Failed:
		s.refuse(it, answer)
	case domain.Unknown:
		s.retry(it, answer, domain.Unknown)
	case domain.NotTried:
		s.server.limits.learn(answer, sent)
		if sent == 0 { // as good as no connection
			s.server.dialing.failed()
		}
		if it.losses++; it.losses < maxLosses {
			s.queue.giveBack(it)
		} else {
			s.retry(it, answer, domain.Deferred)
		}
	case domain.SenderBroken:
		s.queue.giveBack(it)
		s.hangUp()
		s.down(answer)
	}
}

// retry defers the letter, or fails it when it was tried long enough. A letter whose dot was
// never answered may have arrived, so it is tried only once more.
func (s *sender) retry(it item, answer domain.Answer, status domain.Verdict) {
	at := s.clock.Now().Add(domain.RetryAfter(it.Tries+1, rand.Float64()))
	given := at.Sub(it.block.run.CreatedAt) > domain.RetryFor
	if status == domain.Unknown {
		bounded, cancel := context.WithTimeout(s.hard, patience)
		before, err := s.outbox.Batches().UnknownTries(bounded, it.block.run.ID, it.Seq)
		cancel()
		given = given || err == nil && before > 0
	}
	if given {
		s.put(it, answer, status, domain.OutcomeFailed)
		return
	}
	result := s.result(it, answer, status, domain.OutcomeDeferred)
	result.RetryAt = at
	s.push(it, result, answer.Stage == domain.StageDot)
}

// pauseRuns pauses every run in hand: the server wants no letter of this sender.
func (s *sender) pauseRuns(answer domain.Answer) {
	for _, run := range s.queue.held() {
		if run.halted.CompareAndSwap(false, true) {
			s.pauseRun(run, answer, nil)
		}
	}
}

func (s *sender) pauseRun(run *sending, answer domain.Answer, revert []int32) {
	s.insist(s.hard, func(ctx context.Context) error {
		return s.outbox.Runs().Pause(ctx, run.ID, answer.String(), s.clock.Now(), revert)
	})
	s.queue.drop(func(b *block) bool { return b.run == run })
	signal(s.check)
}

// trouble shows why nothing moves on the runs in hand, an empty text that it moves again.
func (s *sender) trouble(text string) {
	if old := s.troubled.Load(); old == nil && text == "" || old != nil && *old == text {
		return
	}
	noted := text // text itself would be allocated at every call, which is once a letter
	s.troubled.Store(&noted)
	s.note(slices.Collect(maps.Keys(s.queue.held())), text)
}

func (s *sender) note(runs []int64, text string) {
	bounded, cancel := context.WithTimeout(s.hard, patience)
	defer cancel()
	if err := s.outbox.Runs().SetStatusNote(bounded, runs, text); err != nil {
		s.Log.Warn("trouble could not be noted", "error", err)
	}
}

// suppress ends a letter whose client wants none any more.
func (s *sender) suppress(it item) bool {
	if !it.Suppressed && !s.isSuppressed(it) {
		return false
	}
	s.push(it, s.result(it, domain.Answer{}, "", domain.OutcomeSuppressed), false)
	return true
}

func (e *Engine) isSuppressed(it item) bool {
	_, yes := e.suppressed.Load(it.ClientID)
	return yes
}

func (s *sender) put(it item, answer domain.Answer, status domain.Verdict, outcome domain.Outcome) {
	s.push(it, s.result(it, answer, status, outcome), answer.Stage == domain.StageDot)
}

func (s *sender) result(it item, answer domain.Answer, status domain.Verdict, outcome domain.Outcome) outbox.Result {
	n := it.Tries
	if status != "" {
		n++
	}
	return outbox.Result{
		Instance: it.block.instance, RunID: it.block.run.ID, Seq: it.Seq, ClientID: it.ClientID, Email: it.Email, N: n,
		// Postgres keeps microseconds, and the key of an attempt has to stay the same.
		At: s.clock.Now().UTC().Truncate(time.Microsecond), Status: status, Code: answer.Code, Answer: answer.Text, Outcome: outcome,
	}
}

// push hands a result to the recorder. wait: nothing more may go out on this connection until it is
// durable, and until its delivery knows when a refusal is taken back, for those before it are then.
func (s *sender) push(it item, result outbox.Result, wait bool) {
	s.queue.answered(it)
	s.asking.end()
	r := settled{Result: result, block: it.block, whole: result.Status == domain.Failed && result.Outcome.Open()}
	if wait {
		r.durable, s.waiting = s.durable, true
	}
	s.results <- r
}

// connectionLimit is how many letters the server takes on one connection, learned when it
// ended two in a row after the same number.
type connectionLimit struct {
	mu      sync.Mutex
	last, n int
}

func (l *connectionLimit) learn(answer domain.Answer, sent int) {
	if sent == 0 || answer.Code != 421 && !answer.ConnectionLimit() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if sent == l.last {
		l.n = sent
	}
	l.last = sent
}

func (l *connectionLimit) reached(sent int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n > 0 && sent >= l.n
}
