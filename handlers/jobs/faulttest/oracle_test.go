package faulttest

import (
	"fmt"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// totals are what the oracle counts when it compares the plan, the tables and the log of the mail server.
type totals struct {
	lost     int // recipients without an email that nothing explains
	phantom  int // the table says accepted, the server never had it
	untold   int // the server took it, the table says otherwise
	doubled  int // emails that came again; one without an answer counts as come
	stuck    int // deliveries that never ended, though nothing hinders them
	unsummed int // runs whose outcomes don't add up to what was planned
}

// bounds are what a row may show: doubled emails at most, and outcomes other than accepted for
// some recipients.
type bounds struct {
	doubled int
	// excused tells whether the recipient may have this outcome and no email.
	excused func(email string, outcome domain.Outcome) bool
}

// recovery is how long the program may pause after a fault by its own rules. The rest is work, for which
// a machine may take ten times as long as for a start.
const recovery = 5 * time.Second

const mailFromHost = "localhost" // of MAIL_FROM's default

func (env *environment) compare(allowed bounds) (sum totals) {
	env.Helper()
	came, taken := map[string]int{}, map[string]int{}
	for _, l := range env.server.Emails() {
		if l.Code == 250 {
			taken[l.MessageID]++
		}
		if l.Code == 250 || l.Code == 0 {
			came[l.MessageID]++
		}
	}
	tokens := domain.NewReturnTokens([]byte(secret))
	rows, err := env.db.Postgres().Pool.Query(env.Context(), `SELECT run_id, seq, email, outcome FROM deliveries`)
	if err != nil {
		env.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var run int64
		var seq int
		var address string
		var outcome domain.Outcome
		if err := rows.Scan(&run, &seq, &address, &outcome); err != nil {
			env.Fatal(err)
		}
		id := string(email.AppendMessageID(nil, tokens.Append(nil, run, seq), mailFromHost))
		sum.add(taken[id], came[id], outcome, allowed.excused != nil && allowed.excused(address, outcome))
		delete(taken, id)
	}
	if len(taken) > 0 {
		env.Errorf("%d emails belong to no delivery", len(taken))
	}
	mismatches, err := outbox.New(env.db.Postgres()).Runs().CountMismatches(env.Context(), time.Now().Add(-time.Hour))
	if err != nil {
		env.Fatal(err)
	}
	sum.unsummed = len(mismatches)
	return sum
}

func (sum *totals) add(taken, came int, outcome domain.Outcome, excused bool) {
	sum.doubled += max(0, came-1)
	switch {
	case outcome.Open():
		sum.stuck++
	case taken > 0 && outcome != domain.OutcomeAccepted:
		sum.untold++
	}
	switch {
	case taken > 0:
	case outcome == domain.OutcomeAccepted:
		sum.phantom++
	case !excused:
		sum.lost++
	}
}

// report waits for the end, prints the row of the matrix and fails the test when it did not pass.
func (env *environment) report(what string, times int, allowed bounds, remarks ...any) {
	env.Helper()
	before := -1
	for !programtest.Within(programtest.Timeout, env.closed) && env.server.EndsOfData() > before {
		before = env.server.EndsOfData() // there is a lot left to send
	}
	sum := env.compare(allowed)
	fmt.Printf("FAULT %-36s n=%-3d lost=%d phantom=%d doubled=%d/%d stuck=%d recovery=%.1fs %s\n",
		what, times, sum.lost, sum.phantom, sum.doubled, allowed.doubled, sum.stuck, env.slowest.Seconds(), fmt.Sprint(remarks...))
	if sum.lost+sum.phantom+sum.untold+sum.stuck+sum.unsummed > 0 || sum.doubled > allowed.doubled {
		env.Errorf("%s: %+v, doubled at most %d", what, sum, allowed.doubled)
	}
	if n := env.count(`SELECT count(*) FROM batches`) + env.count(`SELECT count(*) FROM retries`); n > 0 {
		env.Errorf("%s: %d batches and retries outlive their runs", what, n)
	}
	if env.slowest > recovery {
		env.own = max(env.own, env.ownStart())
	}
	if env.slowest > recovery+10*env.own {
		env.Errorf("%s: the slowest recovery took %v, a start without a fault %v", what, env.slowest, env.own)
	}
}

// late counts the emails whose dot came after that moment and that the filter wants.
func (env *environment) late(at time.Time, wanted func(smtptest.Email) bool) (n int) {
	for _, l := range env.server.Emails() {
		if l.EndOfData.After(at) && wanted(l) {
			n++
		}
	}
	return n
}
