package engine

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"skychimp/domain"
	"skychimp/domain/email"
)

// maxRefusals is how many refusals alike in a row are no longer their recipients' fault.
const maxRefusals = 20

// refusals counts, for one run, refusals alike in a row that do not blame the mailbox: by receiving
// domain, and under "" of all domains together. Both are needed: one domain that refuses the sender
// must not hide behind another that accepts, and a relay that refuses him may hear twenty domains.
type refusals struct {
	mu   sync.Mutex
	rows map[string]*refusalRow
}

type refusalRow struct {
	alike string // see domain.Answer.Alike
	n     int
	seqs  []int32   // who has failed for it so far
	held  time.Time // when the domain is tried again
	holds int
}

// add counts a refusal and tells whether it was one too many. It is called locked.
func (r *refusals) add(domain, alike string, seq int) (row *refusalRow, tooMany bool) {
	row = r.rows[domain]
	if row == nil {
		row = &refusalRow{}
		if r.rows == nil {
			r.rows = map[string]*refusalRow{}
		}
		r.rows[domain] = row
	}
	if row.alike != alike {
		row.alike, row.n, row.seqs = alike, 0, nil
	}
	if row.n++; row.n >= maxRefusals {
		return row, true
	}
	row.seqs = append(row.seqs, int32(seq))
	return row, false
}

// takeBack gives those who have failed for it, once.
func (r *refusalRow) takeBack() []int32 {
	seqs := r.seqs
	r.seqs = nil
	return seqs
}

// accepted ends the rows that an acceptance disproves; resumed: no domain is held any more.
func (r *refusals) accepted(domain string) (resumed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.rows) == 0 {
		return false
	}
	row := r.rows[domain]
	delete(r.rows, domain)
	delete(r.rows, "")
	if row == nil || row.holds == 0 {
		return false
	}
	for _, other := range r.rows {
		if other.holds > 0 {
			return false
		}
	}
	return true
}

// heldUntil is when letters to the domain may be tried, zero: now.
func (r *refusals) heldUntil(domain string, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if row := r.rows[domain]; row != nil && now.Before(row.held) {
		return row.held
	}
	return time.Time{}
}

// hold lets the domain wait, longer each time; false when the run is too old to try it again.
func (r *refusalRow) hold(run *sending, now time.Time) bool {
	if now.Before(r.held) {
		return true
	}
	until := now.Add(domain.RetryAfter(run.Pauses+r.holds+1, 0))
	if until.Sub(run.CreatedAt) > domain.RetryFor {
		return false
	}
	r.held = until
	r.holds++
	return true
}

// refuse fails the letter. When letter after letter is refused alike and it is not the mailbox that
// is blamed, it is the sender who is not wanted, and nobody has failed: by all domains, the run
// pauses; by one, the run goes on and that domain's letters wait.
//
// Those of the row are taken back when their deliveries know that they failed. A process that dies
// before leaves at most nineteen of a domain failed, and nobody suppressed.
func (s *sender) refuse(it item, answer domain.Answer) {
	run, result, dot := it.block.run, s.result(it, answer, domain.Failed, domain.OutcomeFailed), answer.Stage == domain.StageDot
	alike, to := answer.Alike(), receiver(it.Email)
	if alike == "" {
		s.push(it, result, dot)
		return
	}
	s.settledBefore() // push is waited for once at a time
	run.refusals.mu.Lock()
	all, ofAll := run.refusals.add("", alike, it.Seq)
	one, ofOne := run.refusals.add(to, alike, it.Seq)
	var revert []int32
	switch {
	case ofAll:
		result.Outcome = domain.OutcomeQueued
		revert = slices.Concat(all.takeBack(), one.takeBack())
	case ofOne && one.hold(run, s.clock.Now()):
		result.Outcome, result.RetryAt = domain.OutcomeDeferred, one.held
		revert = one.takeBack()
	}
	s.push(it, result, dot || result.Outcome != domain.OutcomeFailed) // locked, so that the row comes before it
	run.refusals.mu.Unlock()
	switch {
	case ofAll && (run.halted.CompareAndSwap(false, true) || len(revert) > 0):
		s.settledBefore() // then all of revert are settled too
		s.pauseRun(run, answer, revert)
	case len(revert) > 0:
		s.settledBefore()
		s.insist(s.hard, func(ctx context.Context) error {
			return s.outbox.Runs().DeferDomain(ctx, run.ID, to+": "+answer.String(), result.RetryAt, revert)
		})
	}
}

// heldBack defers a letter to a domain that takes none of its run for now.
func (s *sender) heldBack(it item) bool {
	until := it.block.run.refusals.heldUntil(receiver(it.Email), s.clock.Now())
	if until.IsZero() {
		return false
	}
	result := s.result(it, domain.Answer{}, "", domain.OutcomeDeferred)
	result.RetryAt = until
	s.push(it, result, false)
	return true
}

// receiver is the domain of an address.
func receiver(address string) string { return strings.ToLower(email.Host(address)) }
