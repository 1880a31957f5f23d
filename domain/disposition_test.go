package domain

import (
	"testing"
	"time"
)

// Dispose, row by row: what came before, what the server says, and all that follows from it.
func TestDispose(t *testing.T) {
	now := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	later := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	alike := func(n, holds int) Refusals { return Refusals{N: n, Holds: holds} }
	for name, c := range map[string]struct {
		answer  Answer
		history History
		want    Disposition
	}{
		"accepted": {NewAnswer(StageEndOfData, 250, "2.0.0 ok"), History{},
			Disposition{Status: Accepted, Outcome: OutcomeAccepted}},
		"first deferral": {NewAnswer(StageRcpt, 451, "4.7.1 later"), History{},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"third deferral": {NewAnswer(StageRcpt, 451, "4.7.1 later"), History{Tries: 2},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(15)}},
		"deferred for five days": {NewAnswer(StageRcpt, 451, "4.7.1 later"), History{Created: now.Add(-RetryFor)},
			Disposition{Status: Deferred, Outcome: OutcomeFailed}},
		"dead address": {NewAnswer(StageRcpt, 550, "5.1.1 no such user"), History{Run: alike(50, 0), Domain: alike(50, 0)},
			Disposition{Status: Failed, Outcome: OutcomeFailed, Suppress: true}},
		"full mailbox": {NewAnswer(StageRcpt, 552, "5.2.2 mailbox full"), History{},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by one": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Run: alike(19, 0), Domain: alike(19, 0)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by a domain": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Run: alike(3, 0), Domain: alike(20, 0)},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(1), HoldDomain: true}},
		"refused by it again": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: alike(20, 1), Pauses: 1},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(15), HoldDomain: true}},
		"refused while it waits": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: Refusals{N: 21, Holds: 1, HeldUntil: later(3)}},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(3), HoldDomain: true}},
		"refused by it for five days": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: alike(20, 0), Created: now.Add(-RetryFor)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by all": {NewAnswer(StageRcpt, 550, "5.7.26 unauthenticated"), History{Run: alike(20, 0), Domain: alike(20, 0)},
			Disposition{Status: Failed, Outcome: OutcomeQueued, PauseRun: true}},
		"silence after the data": {NewAnswer(StageEndOfData, 0, "EOF"), History{Sent: 3},
			Disposition{Status: Unknown, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"silence again": {NewAnswer(StageEndOfData, 0, "EOF"), History{Unanswered: true, Tries: 1},
			Disposition{Status: Unknown, Outcome: OutcomeFailed}},
		"connection lost": {NewAnswer(StageData, 0, "EOF"), History{Sent: 3},
			Disposition{Outcome: OutcomeQueued}},
		"connection lost at once": {NewAnswer(StageData, 0, "EOF"), History{},
			Disposition{Outcome: OutcomeQueued, Server: ServerUnready}},
		"connection lost five times": {NewAnswer(StageData, 0, "EOF"), History{Losses: 4, Sent: 1},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"limit of the connection": {NewAnswer(StageMail, 452, "4.5.3 too many emails"), History{Sent: 10},
			Disposition{Outcome: OutcomeQueued, HangUp: true}},
		"no connection": {NewAnswer(StageConnect, 0, "connection refused"), History{Losses: 9},
			Disposition{Outcome: OutcomeQueued, Server: ServerAway}},
		"wrong password": {NewAnswer(StageAuth, 535, "5.7.8 no"), History{Sent: 1},
			Disposition{Outcome: OutcomeQueued, HangUp: true, Server: ServerRefuses}},

		"a dead process had it accepted": {NewAnswer(StageRcpt, 250, "2.0.0 ok"), History{Recorded: Accepted},
			Disposition{Status: Accepted, Outcome: OutcomeAccepted}},
		"a dead process had it refused": {NewAnswer(StageRcpt, 550, "5.7.1 no"), History{Recorded: Failed},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"a dead process found a dead address": {NewAnswer(StageRcpt, 550, "5.1.1 no such user"), History{Recorded: Failed},
			Disposition{Status: Failed, Outcome: OutcomeFailed, Suppress: true}},
		"a dead process had no answer": {NewAnswer(StageRcpt, 0, "EOF"), History{Recorded: Unknown},
			Disposition{Status: Unknown, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"a dead process had no answer again": {NewAnswer(StageRcpt, 0, "EOF"), History{Recorded: Unknown, Unanswered: true},
			Disposition{Status: Unknown, Outcome: OutcomeFailed}},
		"a dead process charged losses": {NewAnswer(StageRcpt, 421, "4.3.2 closing"), History{Recorded: Deferred, Tries: 1},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(5)}},
	} {
		c.history.Now, c.history.Jitter = now, 0.5
		if c.history.Created.IsZero() {
			c.history.Created = now
		}
		got := Dispose(c.answer, c.history)
		if c.want.HoldDomain && c.history.Domain.HeldUntil.IsZero() { // without jitter, so that all of a domain wait alike
			c.want.RetryAt = now.Add(c.want.RetryAt.Sub(now) * 9 / 10)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestRefusals(t *testing.T) {
	var r Refusals
	if !r.Add(refusal("550 5.7.1 no")) || r.Add(refusal("550 5.7.1 not either")) || r.N != 2 {
		t.Errorf("%+v", r)
	}
	if !r.Add(refusal("550 corporate mail only")) || r.N != 1 {
		t.Errorf("another refusal begins anew: %+v", r)
	}
	now := time.Now()
	r.Hold(now, now.Add(time.Minute))
	r.Hold(now, now.Add(time.Hour))
	if r.Holds != 1 || !r.HeldUntil.Equal(now.Add(time.Minute)) {
		t.Errorf("those under way lengthen the wait: %+v", r)
	}
}
