package engine

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
)

// sendingRun is a run with emails in hand.
type sendingRun struct {
	outbox.SendingRun
	template *email.Template
	halted   atomic.Bool               // no data may end any more
	end      atomic.Pointer[time.Time] // of this machine's clock, after which none may either; nil: no end is known
	batches  int                       // fetched and not done; guarded by the queue

	refusals refusals
}

// over tells that no data may end any more, because the run was halted or has reached its end.
func (r *sendingRun) over() bool {
	end := r.end.Load()
	return r.halted.Load() || end != nil && !time.Now().Before(*end)
}

// refusals are those of one run that blame no mailbox: by receiving domain, and under "" of all
// domains together.
type refusals struct {
	sync.Mutex
	rows map[string]*refusalRow
}

type refusalRow struct {
	domain.Refusals
	seqs []int32 // who has failed for it so far
}

// add counts a refusal. It is called locked.
func (r *refusals) add(domain string, answer domain.Answer) *refusalRow {
	row := r.rows[domain]
	if row == nil {
		row = &refusalRow{}
		if r.rows == nil {
			r.rows = map[string]*refusalRow{}
		}
		r.rows[domain] = row
	}
	if row.Add(answer) {
		row.seqs = nil
	}
	return row
}

// takeBack gives those who have failed for it, once.
func (r *refusalRow) takeBack() []int32 {
	seqs := r.seqs
	r.seqs = nil
	return seqs
}

// accepted ends the rows that an acceptance disproves; resumed: no domain is held any more.
func (r *refusals) accepted(domain string) (resumed bool) {
	r.Lock()
	defer r.Unlock()
	if len(r.rows) == 0 {
		return false
	}
	row := r.rows[domain]
	delete(r.rows, domain)
	delete(r.rows, "")
	if row == nil || row.Holds == 0 {
		return false
	}
	for _, other := range r.rows {
		if other.Holds > 0 {
			return false
		}
	}
	return true
}

// heldUntil is when emails to the domain may be tried, zero: now.
func (r *refusals) heldUntil(domain string, now time.Time) time.Time {
	r.Lock()
	defer r.Unlock()
	if row := r.rows[domain]; row != nil && now.Before(row.HeldUntil) {
		return row.HeldUntil
	}
	return time.Time{}
}

// receivingDomain of an address.
func receivingDomain(address string) string { return strings.ToLower(email.Host(address)) }
