// Package faulttest is the matrix of faults: the program as it ships, a real Postgres, a mail server
// that logs every end of data and every 250, and an oracle that compares all three (oracle_test.go).
// Each row is a test that prints one line. A plain `go test` injects a few faults a row; FAULTS=full,
// which is `make faults`, as many as the full form says, FAULTS=7 seven in each row. BenchmarkRun
// measures sending by the same means.
package faulttest

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

const faultConns = 10

// secret is that of all programs of a test.
const secret = "of the faults, 32 characters long"

// environment is where a row happens: a database, the mail server and the programs between them.
type environment struct {
	testing.TB
	url     string // of the database, as the programs know it
	db      *db.DB // past any proxy
	server  *smtptest.Server
	proxy   *faultproxy.Proxy // before the database, nil where it isn't wanted
	conns   int
	environ []string // more of the programs' environment

	run      int64 // the last that was begun
	workers  []*worker
	slowest  time.Duration // from a start, or the end of a fault, to the next email
	own      time.Duration // the same of the first start, before any fault
	script   atomic.Pointer[func(smtptest.Event) smtptest.Action]
	after250 atomic.Pointer[func(smtptest.Email)]
}

// newEnv makes one without a run. The server does what the script says, and besides what
// env.on says later.
func newEnv(t testing.TB, script smtptest.Script) *environment {
	t.Helper()
	return newEnvOn(t, dbtest.URL(t), script)
}

func newEnvOn(t testing.TB, address string, script smtptest.Script) *environment {
	t.Helper()
	env := &environment{TB: t, url: address, conns: faultConns}
	own := script.On
	script.On = func(e smtptest.Event) smtptest.Action {
		if now := env.script.Load(); now != nil {
			if action := (*now)(e); action != (smtptest.Action{}) {
				return action
			}
		}
		if own != nil {
			return own(e)
		}
		return smtptest.Action{}
	}
	env.server = smtptest.Start(t, script)
	var err error
	if env.db, err = db.Open(address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(env.db.Close)
	t.Cleanup(func() { env.kill(syscall.SIGKILL) })
	return env
}

// behindProxy leads the programs to the database by way of a proxy.
func (env *environment) behindProxy() *faultproxy.Proxy {
	env.Helper()
	env.proxy = faultproxy.Postgres(env, env.url)
	env.url = env.proxy.URL()
	return env.proxy
}

// on makes the mail server do something else from now on; nil ends it.
func (env *environment) on(script func(smtptest.Event) smtptest.Action) {
	if script == nil {
		script = func(smtptest.Event) smtptest.Action { return smtptest.Action{} }
	}
	env.script.Store(&script)
}

func (env *environment) exec(sql string, args ...any) {
	env.Helper()
	if _, err := env.db.Postgres().Pool.Exec(env.Context(), sql, args...); err != nil {
		env.Fatal(err)
	}
}

func (env *environment) count(sql string, args ...any) (n int) {
	env.Helper()
	if err := env.db.Postgres().Pool.QueryRow(env.Context(), sql, args...).Scan(&n); err != nil {
		env.Fatal(err)
	}
	return n
}

// fill makes an owner with clients and a mailing to all of them.
func (env *environment) fill(clients int) (mailing int64) {
	env.Helper()
	return env.mailing(env.owner(clients))
}

func (env *environment) owner(clients int) (id int64) {
	env.Helper()
	err := env.db.Postgres().Pool.QueryRow(env.Context(), `WITH owner AS (
			INSERT INTO users (email, name, password_hash, role)
			SELECT 'owner' || count(*) || '@example.org', 'Owner', '', 'user' FROM users RETURNING id
		), added AS (
			INSERT INTO clients (owner_id, email, full_name)
			SELECT id, 'client' || n || '.' || id || '@example.org', 'Client ' || n FROM owner, generate_series(1, $1::int) n
		) SELECT id FROM owner`, clients).Scan(&id)
	if err != nil {
		env.Fatal(err)
	}
	return id
}

func (env *environment) message(owner int64) int64 {
	env.Helper()
	message := domain.Message{OwnerID: owner, Subject: "News for {{name}}", Body: "Hello {{name}}, " + strings.Repeat("there is news. ", 60)}
	if err := env.db.Messages().Create(env.Context(), &message); err != nil {
		env.Fatal(err)
	}
	return message.ID
}

func (env *environment) mailing(owner int64) int64 {
	env.Helper()
	m := domain.Mailing{OwnerID: owner}
	err := m.Change(domain.MailingForm{Name: "Faults", MessageID: env.message(owner), Audience: "all",
		StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "monthly"}, time.Now())
	if err != nil {
		env.Fatal(err)
	}
	if err := env.db.Mailings().Create(env.Context(), &m); err != nil {
		env.Fatal(err)
	}
	return m.ID
}

// begin makes a run of the mailing out of turn.
func (env *environment) begin(mailing int64) (run int64) {
	env.Helper()
	planned, ok, err := outbox.New(env.db.Postgres()).Plans().Make(env.Context(), mailing, time.Now(), true)
	if err != nil || !ok {
		env.Fatal(ok, err)
	}
	env.run = planned.ID
	return planned.ID
}

// due puts the mailings on the calendar: their first occurrence is at that time.
func (env *environment) due(at time.Time, mailings ...int64) {
	env.Helper()
	env.exec(`UPDATE mailings SET status = 'running', launched_at = now(), start_local = $1::timestamptz AT TIME ZONE 'UTC', next_run_at = $1
		WHERE id = ANY($2)`, at.Truncate(time.Microsecond), mailings)
}

// nothingDue is true when the calendar has nothing to plan.
const nothingDue = ` AND NOT EXISTS (SELECT FROM mailings
	WHERE status = 'running' AND next_run_at <= now() AND disabled_at IS NULL AND deleted_at IS NULL)
	AND NOT EXISTS (SELECT FROM series_clients WHERE due_at IS NOT NULL) AND NOT EXISTS (SELECT FROM series WHERE join_to IS NOT NULL)`

// closed tells whether nothing is due or going on any more, as cheaply as it can: it is asked all
// the time, and the answer is measured too.
func (env *environment) closed() bool {
	return env.ask(`SELECT NOT EXISTS (SELECT FROM runs WHERE closed_at IS NULL)` + nothingDue)
}

// idle tells whether nothing can be sent now; retries may wait for their time.
func (env *environment) idle() bool {
	return env.ask(`SELECT NOT EXISTS (SELECT FROM batches WHERE NOT done)` + nothingDue)
}

// ask is false while the database is away.
func (env *environment) ask(question string, args ...any) (yes bool) {
	err := env.db.Postgres().Pool.QueryRow(env.Context(), question, args...).Scan(&yes)
	return err == nil && yes
}

func (env *environment) until(what string, yes func() bool) {
	env.Helper()
	if !programtest.Within(programtest.Timeout, yes) {
		env.Fatalf("waited %v for: %s", programtest.Timeout, what)
	}
}

// resumed waits for the first email after the end of a fault, which is not over before Postgres
// answers again.
func (env *environment) resumed() {
	env.Helper()
	env.until("Postgres answers", func() bool { return env.ask("SELECT true") })
	before, healed := env.server.EndsOfData(), time.Now()
	env.until("the first email after a fault", func() bool { return env.server.EndsOfData() > before || env.idle() })
	env.slowest = max(env.slowest, time.Since(healed))
}

// emails waits until that many more emails have been accepted, or all.
func (env *environment) emails(more int) {
	env.Helper()
	want := env.server.Accepted() + more
	env.until("enough emails", func() bool { return env.server.Accepted() >= want || env.idle() })
	// The periodic check has to find nothing in the middle of it all.
	if found, err := outbox.New(env.db.Postgres()).Runs().CountMismatches(env.Context(), time.Now().Add(-time.Hour)); err != nil || len(found) > 0 {
		env.Errorf("in mid-run: %v, %v", found, err)
	}
}

// repeat is how many faults a row injects.
func repeat(t testing.TB, quick, full int) int {
	switch wanted := os.Getenv("FAULTS"); wanted {
	case "":
		return quick
	case "full":
		return full
	default:
		n, err := strconv.Atoi(wanted)
		if err != nil || n < 1 {
			t.Fatalf("FAULTS=%q: full, or how many faults in each row", wanted)
		}
		return n
	}
}
