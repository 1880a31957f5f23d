package engine

import (
	"sync"
	"sync/atomic"
	"time"

	"skychimp/domain"
)

// refusals are those of one run that blame no mailbox, by receiving domain and of all domains together. Of neither
// are more kept than these; what is beyond them is not counted.
type refusals struct {
	sync.Mutex
	some    atomic.Bool // something is counted; asked for each email, without the lock
	all     kinds
	domains map[string]*domainRefusals
}

const (
	maxRefusing = 5000 // domains of a run
	maxKinds    = 16
)

// domainRefusals are those of one receiving domain.
type domainRefusals struct {
	domain.RefusalHold
	kinds    kinds
	accepted int // since the first refusal
}

// kinds are refusals by what they say, see domain.Answer.Alike.
type kinds map[string]*refusalRow

type refusalRow struct {
	inRow, all int
	seqs       []int32 // who has failed for it so far
}

// of is the row of refusals alike, nil: there are too many kinds.
func (k kinds) of(alike string) *refusalRow {
	row := k[alike]
	if row == nil && len(k) < maxKinds {
		row = &refusalRow{}
		k[alike] = row
	}
	return row
}

func (r *refusalRow) add() domain.Refusals {
	if r == nil {
		return domain.Refusals{}
	}
	r.inRow++
	r.all++
	return domain.Refusals{InRow: r.inRow, All: r.all}
}

// failed remembers who has failed for it.
func (r *refusalRow) failed(seq int) {
	if r != nil {
		r.seqs = append(r.seqs, int32(seq))
	}
}

// takeBack gives those who have failed for it, once.
func (r *refusalRow) takeBack() []int32 {
	if r == nil {
		return nil
	}
	seqs := r.seqs
	r.seqs = nil
	return seqs
}

// of are the refusals of a domain, nil: too many domains refuse. It is called locked.
func (r *refusals) of(name string) *domainRefusals {
	if r.domains == nil {
		r.all, r.domains = kinds{}, map[string]*domainRefusals{}
		r.some.Store(true)
	}
	d := r.domains[name]
	if d == nil && len(r.domains) < maxRefusing {
		d = &domainRefusals{kinds: kinds{}}
		r.domains[name] = d
	}
	return d
}

// accepted notes what an acceptance disproves; resumed: the domain was held before. Those that were under way when it
// was held disprove nothing.
func (r *refusals) accepted(name string, now func() time.Time) (resumed bool) {
	r.Lock()
	defer r.Unlock()
	clear(r.all)
	d := r.domains[name]
	if d == nil {
		return false
	}
	d.accepted++
	for _, row := range d.kinds {
		row.inRow = 0
	}
	if resumed = !d.Until.IsZero() && !now().Before(d.Until); resumed {
		d.Until, d.accepted = time.Time{}, 1
		clear(d.kinds)
	}
	return resumed
}

// none tells that nothing is counted.
func (r *refusals) none() bool { return !r.some.Load() }

// held tells whether a domain is held.
func (r *refusals) held() bool {
	r.Lock()
	defer r.Unlock()
	for _, d := range r.domains {
		if !d.Until.IsZero() {
			return true
		}
	}
	return false
}

// heldUntil is when emails to the domain may be tried, zero: now.
func (r *refusals) heldUntil(name string, now time.Time) time.Time {
	r.Lock()
	defer r.Unlock()
	if d := r.domains[name]; d != nil && now.Before(d.Until) {
		return d.Until
	}
	return time.Time{}
}
