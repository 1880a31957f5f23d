package engine

import (
	"math/rand/v2"
	"slices"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
)

// dispose does what domain.Dispose says that an answer means.
//
// Of refusals alike, those that have failed are taken back when their deliveries know that they failed. A process
// that dies before leaves at most nineteen of a domain in a row failed, or one in twenty, and nobody suppressed.
func (s *sender) dispose(it *item, answer domain.Answer) {
	h := s.history(it, answer)
	alike := ""
	if answer.Status() == domain.Failed {
		alike = answer.Alike()
	}
	if alike == "" {
		d := domain.Dispose(answer, h)
		s.leaveConnection(answer, d)
		s.follow(it, answer, d)
		return
	}
	s.confirmed() // a result is waited for once at a time
	d, revert, pause := s.refused(it, answer, alike, h)
	s.leaveConnection(answer, d)
	run := it.batch.run
	if pause {
		s.confirmed() // then all of revert know that they failed
		s.runs.pause(s.hard, run, answer, revert)
	} else if d.HoldDomain && len(revert) > 0 {
		s.confirmed()
		s.runs.holdDomain(s.hard, run, outbox.DomainHold{Domain: s.queue.receivers.of(it.Email), Answer: answer, Until: d.RetryAt}, revert)
	}
}

// refused counts a refusal and records it. revert are those who have failed alike and are to be tried again. pause: it is the one that
// pauses the run, with them.
func (s *sender) refused(it *item, answer domain.Answer, alike string, h domain.History) (d domain.Disposition, revert []int32, pause bool) {
	refusals := &it.batch.run.refusals
	refusals.Lock()
	defer refusals.Unlock()
	var one *refusalRow
	to := refusals.of(s.queue.receivers.of(it.Email))
	all := refusals.all.of(alike)
	h.Run = all.add()
	if to != nil {
		one = to.kinds.of(alike)
		h.Domain, h.Hold = one.add(), to.RefusalHold
		h.Domain.Accepted = to.accepted
	}
	d = domain.Dispose(answer, h)
	switch {
	case d.PauseRun:
		revert = slices.Concat(all.takeBack(), one.takeBack())
		pause = it.batch.run.halted.CompareAndSwap(false, true) || len(revert) > 0
	case d.HoldDomain:
		to.Add(h.Now, d.RetryAt)
		revert = one.takeBack()
	default:
		all.failed(it.Seq)
		one.failed(it.Seq)
	}
	s.record(it, answer, d) // locked, so that the row comes before it
	return d, revert, pause
}

// history is what came before the answer, without the refusals of the run.
func (s *sender) history(it *item, answer domain.Answer) domain.History {
	h := domain.History{Now: s.clock.Now(), Jitter: rand.Float64(), Since: it.batch.run.CreatedAt, Pauses: it.batch.run.Pauses,
		Tries: it.Tries, Losses: it.losses, Passed: it.passed}
	if s.conn != nil {
		h.Sent = s.conn.Sent()
	}
	if answer.Status() == domain.Unknown {
		h.Unanswered = s.runs.unanswered(s.hard, it)
	}
	if answer.Status() != domain.Accepted && h.Now.Sub(h.Since) > domain.RetryFor/2 { // so old that it matters
		h.Since = s.runs.triedSince(s.hard, it, h.Now)
	}
	return h
}

// leaveConnection keeps it, gives it up, or learns from its end.
func (s *sender) leaveConnection(answer domain.Answer, d domain.Disposition) {
	if s.conn == nil {
		return
	}
	if d.Status == "" && d.Throttle == domain.ThrottleNone {
		s.server.perConnection.learn(answer, s.conn.Sent())
	}
	switch {
	case s.conn.Broken():
		s.conn = nil
	case d.HangUp:
		s.hangUp()
	}
}

// follow records the attempt, or sends the email again, and tells the server's other senders and the run.
func (s *sender) follow(it *item, answer domain.Answer, d domain.Disposition) {
	if d.Throttle != domain.ThrottleNone {
		s.slowDown(it, answer, d)
	}
	if d.Status != "" {
		s.record(it, answer, d)
	} else {
		if d.Server < domain.ServerAway && d.Throttle == domain.ThrottleNone {
			it.losses++
		}
		s.queue.giveBack(it)
	}
	if d.Status == domain.Accepted {
		s.accepted(it)
	}
	if d.Server == domain.ServerWorks {
		return
	}
	s.server.backoff.fail()
	s.proven, s.probing = false, false
	if d.Server == domain.ServerUnready {
		return
	}
	s.log.Warn("the mail server takes no emails", "server", s.server.Addr, "stage", answer.Stage, "answer", answer.String())
	if !s.servers.anyWorks() {
		s.runs.stop(s.hard, answer, d.Server == domain.ServerRefuses)
	}
}

// slowDown sends fewer emails to where this one was wanted later, and says on the run's page when it gets none.
func (s *sender) slowDown(it *item, answer domain.Answer, d domain.Disposition) {
	name, held, until := s.queue.throttled(it, s.server.slot, d.Throttle, d.HangUp)
	if !held {
		return
	}
	if name == "" {
		name = s.server.Addr
	}
	s.log.Info("a receiver wants fewer emails and gets none for a while", "receiver", name, "until", until, "answer", answer.String())
	s.runs.noteHold(s.hard, it.batch.run, outbox.DomainHold{Domain: name, Answer: answer, Until: s.clock.Now().Add(time.Until(until))})
}

// accepted tells those who count it.
func (s *sender) accepted(it *item) {
	s.queue.accepted(it)
	if it.batch.run.refusals.none() {
		return
	}
	if to := s.queue.receivers.of(it.Email); it.batch.run.refusals.accepted(to, s.clock.Now) {
		s.runs.resumeDomain(s.hard, it.batch.run, to)
	}
}

// record hands a result over. What ends after the data has to be durable before more goes out on this
// connection; a refusal that is taken back, before those of its row are.
func (s *sender) record(it *item, answer domain.Answer, d domain.Disposition) {
	s.queue.answered(it)
	s.wait.end()
	n := it.Tries
	if d.Status != "" {
		n++
	}
	r := result{batch: it.batch, whole: d.Status == domain.Failed && d.Outcome.Open(), Result: outbox.Result{
		Instance: it.batch.instance, RunID: it.batch.run.ID, Seq: it.Seq, ClientID: it.ClientID, Email: it.Email, N: n,
		// Postgres keeps microseconds, and the key of an attempt has to stay the same.
		At: s.clock.Now().UTC().Truncate(time.Microsecond), Code: answer.Code, Answer: answer.Text,
	}}
	r.Follow(d)
	if r.Status != "" && r.Status != domain.Accepted {
		r.Class = answer.Class()
	}
	if answer.Stage == domain.StageEndOfData || r.whole {
		r.durable, s.unconfirmed = s.durable, true
	}
	s.records.results <- r
}

// confirmed waits until the result before is durable; false when the program gives up.
func (s *sender) confirmed() bool {
	if s.unconfirmed {
		s.wait.end()
		select {
		case <-s.durable:
			s.unconfirmed = false
		case <-s.hard.Done():
			return false
		}
		s.wait.begin()
	}
	return true
}
