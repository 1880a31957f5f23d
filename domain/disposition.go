package domain

import "time"

// Disposition is all that follows from an answer: what is recorded, and what becomes of the delivery,
// its client, its run, its receiving domain, the connection and the server.
type Disposition struct {
	Status     AttemptStatus // of the attempt that is recorded; empty: no try is charged
	Outcome    Outcome       // of the delivery; queued: it is sent again as soon as it may be
	RetryAt    time.Time     // where the outcome is deferred
	Suppress   bool          // the address is dead: its client gets no more emails
	HoldDomain bool          // the run sends nothing to the receiving domain until RetryAt, and those it refused alike wait too
	PauseRun   bool          // the run pauses, and those it refused alike are sent again
	Throttle   ThrottleScope // emails go more slowly from now on
	HangUp     bool          // a new connection takes more
	Server     ServerState
}

// ServerState is what an answer says of the mail server itself.
type ServerState int

// The states. But for one that works, a server is dialled again after a pause. When no other is left, of
// one that is away the runs show it, and of one that refuses the sender they pause.
const (
	ServerWorks   ServerState = iota
	ServerUnready             // it ended the session before it took an email
	ServerAway
	ServerRefuses
)

// History is what came before an answer.
type History struct {
	Now        time.Time
	Jitter     float64       // from 0 up to 1, see RetryAfter
	Since      time.Time     // when the email was tried first, which may be days after its run was made: it may have been held
	Pauses     int           // of the run so far
	Recorded   AttemptStatus // the attempt is on record, and the process that made it has died; empty otherwise
	Tries      int           // recorded before, of this delivery
	Unanswered bool          // one of them got no answer after the end of data
	Losses     int           // connections that broke under this email since it was fetched
	Passed     int           // times that it was asked to come later since it was fetched, while others were accepted
	Sent       int           // emails that this connection took
	Run        Refusals      // of the run to all domains alike, this answer included
	Domain     Refusals      // of the run to the receiving domain alike, this answer included
	Hold       RefusalHold   // of the run to the receiving domain
}

const (
	maxLosses  = 5  // broken connections, after which an email is charged a try
	maxPassed  = 8  // times that others were accepted meanwhile, after which it is the email that is refused
	maxAlike   = 20 // refusals alike, in a row or above maxPercent, which are no longer their recipients' fault
	maxPercent = 5
)

// Dispose says what an answer means after what came before. It is the only place that decides: for the
// living, and for whoever takes the work of a dead process over.
func Dispose(a Answer, h History) Disposition {
	status := h.Recorded
	if status == "" {
		status = a.Status()
	}
	hangUp := h.Recorded == "" && a.ConnectionLimit()
	if scope := a.throttles(); scope != ThrottleNone && h.Recorded == "" && h.Now.Sub(h.Since) <= RetryFor {
		return throttled(a, h, scope)
	}
	switch status {
	case Accepted:
		return Disposition{Status: Accepted, Outcome: OutcomeAccepted}
	case Failed:
		return refused(a, h, hangUp)
	case Deferred, Unknown:
		return retried(status, h, hangUp)
	case SenderBroken:
		return Disposition{Outcome: OutcomeQueued, HangUp: true, Server: ServerRefuses}
	}
	return notTried(a, h, hangUp)
}

// throttled sends the email again when the receiver's turn comes. No try is charged.
func throttled(a Answer, h History, scope ThrottleScope) Disposition {
	d := Disposition{Outcome: OutcomeQueued}
	if h.Passed >= maxPassed {
		d = retried(Deferred, h, false)
	}
	d.Throttle, d.HangUp = scope, a.Code == 421
	return d
}

// notTried sends the email again at once, on another connection, unless it may be the email that ends them.
func notTried(a Answer, h History, hangUp bool) Disposition {
	if !a.Stage.inSession() {
		return Disposition{Outcome: OutcomeQueued, Server: ServerAway}
	}
	d := Disposition{Outcome: OutcomeQueued, HangUp: hangUp}
	if h.Losses+1 >= maxLosses {
		d = retried(Deferred, h, hangUp)
	}
	if h.Sent == 0 {
		d.Server = ServerUnready
	}
	return d
}

// retried defers, or fails what was tried long enough. An email whose end of data was never answered may
// have arrived, so it is tried only once more.
func retried(status AttemptStatus, h History, hangUp bool) Disposition {
	at := h.Now.Add(RetryAfter(h.Tries+1, h.Jitter))
	if at.Sub(h.Since) > RetryFor || status == Unknown && h.Unanswered {
		return Disposition{Status: status, Outcome: OutcomeFailed, HangUp: hangUp}
	}
	return Disposition{Status: status, Outcome: OutcomeDeferred, RetryAt: at, HangUp: hangUp}
}

// refused fails the recipient, unless it is not the recipient that is refused. When email after email is
// refused alike and no mailbox is blamed, nobody has failed: by all domains, the run pauses; by one, it
// waits. Of a process that died nobody knows whether this was the last of such a row, so whoever is not
// dead is tried again.
func refused(a Answer, h History, hangUp bool) Disposition {
	d := Disposition{Status: Failed, Outcome: OutcomeFailed, Suppress: a.HardBounce(), HangUp: hangUp}
	switch {
	case h.Recorded != "" && !d.Suppress:
		return retried(Failed, h, hangUp)
	case a.tooLarge():
		if h.Now.Sub(h.Since) <= RetryFor {
			d.Outcome, d.PauseRun = OutcomeQueued, true
		}
	case a.Alike() == "":
	case h.Run.InRow >= maxAlike:
		d.Outcome, d.PauseRun = OutcomeQueued, true
	case h.Domain.tooMany():
		until := h.Hold.next(h)
		if until.Sub(h.Since) <= RetryFor {
			d.Outcome, d.RetryAt, d.HoldDomain = OutcomeDeferred, until, true
		}
	}
	return d
}

// Refusals are those of one kind (Answer.Alike) in one run. Both the count of each receiving domain and that of all
// together are needed: one domain that refuses the sender must not hide behind another that accepts, and a relay
// that refuses the sender may hear twenty domains.
type Refusals struct {
	InRow    int // with no acceptance in between
	All      int
	Accepted int // since the first of any kind
}

// tooMany also finds the refusals of a domain that accepts others in between.
func (r Refusals) tooMany() bool {
	return r.InRow >= maxAlike || r.All >= maxAlike && 100*r.All >= maxPercent*(r.All+r.Accepted)
}

// RefusalHold is how a receiving domain that refuses its sender is held in one run.
type RefusalHold struct {
	Until time.Time // when it is tried again; passed or zero: it is not held
	Holds int       // so far
}

// Add notes that the domain waits. Those that were under way meanwhile don't lengthen it.
func (d *RefusalHold) Add(now, until time.Time) {
	if !now.Before(d.Until) {
		d.Until = until
		d.Holds++
	}
}

// next is longer each time.
func (d RefusalHold) next(h History) time.Time {
	if h.Now.Before(d.Until) {
		return d.Until
	}
	return h.Now.Add(RetryAfter(h.Pauses+d.Holds+1, 0))
}
