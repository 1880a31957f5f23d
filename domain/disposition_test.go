package domain

import (
	"testing"
	"time"
)

// Dispose, row by row: what came before, what the server says, and all that follows from it.
func TestDispose(t *testing.T) {
	now := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	later := func(minutes int) time.Time { return now.Add(time.Duration(minutes) * time.Minute) }
	alike := func(n int) Refusals { return Refusals{InRow: n, All: n} }
	among := func(n, accepted int) Refusals { return Refusals{InRow: 1, All: n, Accepted: accepted} }
	for name, c := range map[string]struct {
		answer  Answer
		history History
		want    Disposition
	}{
		"accepted": {NewAnswer(StageEndOfData, 250, "2.0.0 ok"), History{},
			Disposition{Status: Accepted, Outcome: OutcomeAccepted}},
		"first deferral": {NewAnswer(StageRcpt, 450, "4.2.0 later"), History{},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"third deferral": {NewAnswer(StageRcpt, 450, "4.2.0 later"), History{Tries: 2},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(15)}},
		"deferred for five days": {NewAnswer(StageRcpt, 450, "4.2.0 later"), History{Since: now.Add(-RetryFor)},
			Disposition{Status: Deferred, Outcome: OutcomeFailed}},
		"dead address": {NewAnswer(StageRcpt, 550, "5.1.1 no such user"), History{Run: alike(50), Domain: alike(50)},
			Disposition{Status: Failed, Outcome: OutcomeFailed, Suppress: true}},
		"full mailbox": {NewAnswer(StageRcpt, 552, "5.2.2 mailbox full"), History{},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by one": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Run: alike(19), Domain: alike(19)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by a domain": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Run: alike(3), Domain: alike(20)},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(1), HoldDomain: true}},
		"refused by it again": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: alike(20), Hold: RefusalHold{Holds: 1}, Pauses: 1},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(15), HoldDomain: true}},
		"refused while it waits": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: alike(21), Hold: RefusalHold{Holds: 1, Until: later(3)}},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(3), HoldDomain: true}},
		"refused by it for five days": {NewAnswer(StageEndOfData, 554, "5.7.1 spam"), History{Domain: alike(20), Since: now.Add(-RetryFor)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by 5 % of a domain": {NewAnswer(StageRcpt, 550, "5.7.26 unauthenticated"), History{Run: alike(1), Domain: among(20, 380)},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(1), HoldDomain: true}},
		"sender refused by less": {NewAnswer(StageRcpt, 550, "5.7.26 unauthenticated"), History{Run: alike(1), Domain: among(20, 381)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"too few to tell": {NewAnswer(StageRcpt, 550, "5.7.26 unauthenticated"), History{Run: alike(1), Domain: among(19, 19)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"equal words that nobody knows": {NewAnswer(StageRcpt, 550, "not today"), History{Domain: alike(20)},
			Disposition{Status: Failed, Outcome: OutcomeDeferred, RetryAt: later(1), HoldDomain: true}},
		"an hourly limit": {NewAnswer(StageRcpt, 550, "You have exceeded the maximum of 100 mails per hour"), History{},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"sender refused by all": {NewAnswer(StageRcpt, 550, "5.7.26 unauthenticated"), History{Run: alike(20), Domain: alike(20)},
			Disposition{Status: Failed, Outcome: OutcomeQueued, PauseRun: true}},
		"too large for the mail server": {NewAnswer(StageMail, 552, "5.3.4 the email has 9 bytes, and the mail server takes 8"), History{},
			Disposition{Status: Failed, Outcome: OutcomeQueued, PauseRun: true}},
		"too large for one recipient": {NewAnswer(StageEndOfData, 552, "5.2.3 message too large"), History{Run: alike(1), Domain: alike(1)},
			Disposition{Status: Failed, Outcome: OutcomeFailed}},
		"asked for fewer, hanging up": {NewAnswer(StageRcpt, 421, "4.7.28 unusual rate"), History{Sent: 3},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleDomain, HangUp: true}},
		"asked for fewer": {NewAnswer(StageEndOfData, 451, "4.7.1 try later"), History{Tries: 2, Losses: 4},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleDomain}},
		"asked for fewer, by 450": {NewAnswer(StageRcpt, 450, "4.7.1 too many messages, slow down"), History{},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleDomain}},
		"asked for fewer, in Russian": {NewAnswer(StageRcpt, 451, "Слишком много писем"), History{},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleDomain}},
		"the server's own limit": {NewAnswer(StageEndOfData, 454, "4.7.0 Throttling failure: Maximum sending rate exceeded"), History{},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleServer}},
		"the server's own limit, at MAIL": {NewAnswer(StageMail, 454, "4.7.0 Throttling failure"), History{},
			Disposition{Outcome: OutcomeQueued, Throttle: ThrottleServer}},
		"this email alone is asked to come later": {NewAnswer(StageEndOfData, 451, "4.7.1 try later"), History{Passed: 8},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1), Throttle: ThrottleDomain}},
		"asked for fewer for five days": {NewAnswer(StageEndOfData, 451, "4.7.1 try later"), History{Since: now.Add(-RetryFor - time.Hour)},
			Disposition{Status: Deferred, Outcome: OutcomeFailed}},
		"greylisted by 451 4.7.1": {NewAnswer(StageRcpt, 451, "4.7.1 greylisted"), History{},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"one recipient gets too much": {NewAnswer(StageRcpt, 450, "4.2.1 The user you are trying to contact is receiving mail too quickly"), History{},
			Disposition{Status: Deferred, Outcome: OutcomeDeferred, RetryAt: later(1)}},
		"emails of the connection are used up": {NewAnswer(StageMail, 421, "4.7.0 too many emails on this connection"), History{Sent: 3},
			Disposition{Outcome: OutcomeQueued, HangUp: true}},
		"the server shuts down": {NewAnswer(StageRcpt, 421, "4.3.2 shutting down"), History{Sent: 3},
			Disposition{Outcome: OutcomeQueued}},
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
		if c.history.Since.IsZero() {
			c.history.Since = now
		}
		got := Dispose(c.answer, c.history)
		if c.want.HoldDomain && c.history.Hold.Until.IsZero() { // without jitter, so that all of a domain wait alike
			c.want.RetryAt = now.Add(c.want.RetryAt.Sub(now) * 9 / 10)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestDomainHold(t *testing.T) {
	now := time.Now()
	var d RefusalHold
	d.Add(now, now.Add(time.Minute))
	d.Add(now, now.Add(time.Hour))
	if d.Holds != 1 || !d.Until.Equal(now.Add(time.Minute)) {
		t.Errorf("those under way lengthen the wait: %+v", d)
	}
}
