package main_test

import (
	"fmt"
	"time"

	"skychimp/domain"
	"skychimp/domain/letter"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// verdict is what the oracle says after it has compared the plan, the tables and the journal.
type verdict struct {
	lost     int // recipients without a letter that nothing explains
	phantom  int // the table says accepted, the server never had it
	untold   int // the server took it, the table says otherwise
	doubled  int // letters that came again; one without an answer counts as come
	stuck    int // deliveries that never ended, though nothing hinders them
	unsummed int // runs whose outcomes don't add up to what was planned
}

// bounds are what a row may show: doubled letters at most, and outcomes other than accepted for
// some recipients.
type bounds struct {
	doubled int
	// excused tells whether the recipient may have this outcome and no letter.
	excused func(email string, outcome domain.Outcome) bool
}

// recovery is how long the program may pause after a fault by its own rules. The rest is work, for which
// a machine may take ten times as long as for a start.
const recovery = 5 * time.Second

const mailFromHost = "localhost" // of MAIL_FROM's default

func (f *fault) judge(allowed bounds) (v verdict) {
	f.Helper()
	came, taken := map[string]int{}, map[string]int{}
	for _, l := range f.server.Letters() {
		if l.Code == 250 {
			taken[l.MessageID]++
		}
		if l.Code == 250 || l.Code == 0 {
			came[l.MessageID]++
		}
	}
	rows, err := f.db.Pool.Query(f.Context(), `SELECT run_id, client_id, email, outcome FROM deliveries`)
	if err != nil {
		f.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var run, client int64
		var email string
		var outcome domain.Outcome
		if err := rows.Scan(&run, &client, &email, &outcome); err != nil {
			f.Fatal(err)
		}
		id := letter.MessageID(run, client, mailFromHost)
		v.add(taken[id], came[id], outcome, allowed.excused != nil && allowed.excused(email, outcome))
		delete(taken, id)
	}
	if len(taken) > 0 {
		f.Errorf("%d letters belong to no delivery", len(taken))
	}
	unbalanced, err := f.db.Outbox().CountMismatches(f.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	v.unsummed = len(unbalanced)
	return v
}

func (v *verdict) add(taken, came int, outcome domain.Outcome, excused bool) {
	v.doubled += max(0, came-1)
	switch {
	case outcome.Open():
		v.stuck++
	case taken > 0 && outcome != domain.OutcomeAccepted:
		v.untold++
	}
	switch {
	case taken > 0:
	case outcome == domain.OutcomeAccepted:
		v.phantom++
	case !excused:
		v.lost++
	}
}

// report waits for the end, prints the row of the matrix and fails the test when it did not pass.
func (f *fault) report(what string, times int, allowed bounds, remarks ...any) {
	f.Helper()
	before := -1
	for !within(patience, f.closed) && f.server.Dots() > before {
		before = f.server.Dots() // there is a lot left to send
	}
	if !f.closed() {
		for _, p := range f.programs {
			f.Logf("a program printed:\n%s", p.printed())
		}
	}
	v := f.judge(allowed)
	fmt.Printf("FAULT %-36s n=%-3d lost=%d phantom=%d doubled=%d/%d stuck=%d recovery=%.1fs %s\n",
		what, times, v.lost, v.phantom, v.doubled, allowed.doubled, v.stuck, f.slowest.Seconds(), fmt.Sprint(remarks...))
	if v.lost+v.phantom+v.untold+v.stuck+v.unsummed > 0 || v.doubled > allowed.doubled {
		f.Errorf("%s: %+v, doubled at most %d", what, v, allowed.doubled)
	}
	if n := f.count(`SELECT count(*) FROM blocks`) + f.count(`SELECT count(*) FROM retries`); n > 0 {
		f.Errorf("%s: %d blocks and retries outlive their runs", what, n)
	}
	if f.slowest > recovery {
		f.own = max(f.own, f.ownStart())
	}
	if f.slowest > recovery+10*f.own {
		f.Errorf("%s: the slowest recovery took %v, a start without a fault %v", what, f.slowest, f.own)
	}
}

// late counts the letters whose dot came after that moment and that the filter wants.
func (f *fault) late(at time.Time, wanted func(smtptest.Letter) bool) (n int) {
	for _, l := range f.server.Letters() {
		if l.Dot.After(at) && wanted(l) {
			n++
		}
	}
	return n
}
