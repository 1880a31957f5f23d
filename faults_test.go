package main_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// The matrix of faults: the program as it ships, a real Postgres, a mail server that journals
// every dot and every 250, and an oracle that compares all three. FAULTS=full runs each row as
// often as its full form says; `make faults` prints one line per row.

const faultConns = 10

// fault is one stage of the matrix: a database with one large run, and the mail server.
type fault struct {
	testing.TB
	url     string
	db      *db.DB
	server  *smtptest.Server
	run     int64
	process *exec.Cmd
	slowest time.Duration // from a start to its first letter
}

func newFault(t testing.TB, clients int, script smtptest.Script) *fault {
	t.Helper()
	f := &fault{TB: t, url: dbtest.URL(t), server: smtptest.Start(t, script)}
	var err error
	if f.db, err = db.Open(f.url); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.db.Close)
	f.run = f.begin(f.fill(clients))
	t.Cleanup(func() { f.kill(syscall.SIGKILL) })
	return f
}

// fill makes the owner, his clients and a mailing to all of them.
func (f *fault) fill(clients int) (mailing int64) {
	f.Helper()
	ctx := f.Context()
	_, err := f.db.Pool.Exec(ctx, `WITH owner AS (
			INSERT INTO users (id, email, name, password_hash, role) VALUES (1000, 'owner@example.org', 'Owner', '', 'user') RETURNING id
		) INSERT INTO clients (owner_id, email, full_name)
		SELECT id, 'client' || n || '@example.org', 'Client ' || n FROM owner, generate_series(1, $1::int) n`, clients)
	if err != nil {
		f.Fatal(err)
	}
	message := domain.Message{OwnerID: 1000, Subject: "News for {{name}}", Body: "Hello {{name}}, " + strings.Repeat("there is news. ", 60)}
	if err := f.db.CreateMessage(ctx, &message); err != nil {
		f.Fatal(err)
	}
	m := domain.Mailing{OwnerID: 1000}
	err = m.Change(domain.MailingForm{Name: "Faults", MessageID: message.ID, Audience: "all",
		StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "monthly"}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	if err := f.db.CreateMailing(ctx, &m); err != nil {
		f.Fatal(err)
	}
	return m.ID
}

// begin makes a run of the mailing, which nobody sends yet.
func (f *fault) begin(mailing int64) (run int64) {
	f.Helper()
	planned, ok, err := f.db.PlanRun(f.Context(), mailing, time.Now(), true)
	if err != nil || !ok {
		f.Fatal(ok, err)
	}
	return planned.ID
}

// start starts the program and waits for its first letter.
func (f *fault) start() {
	f.Helper()
	before, started := f.server.Dots(), time.Now()
	f.process = worker(f, f.url, f.server.Addr(), faultConns)
	if err := f.process.Start(); err != nil {
		f.Fatal(err)
	}
	f.until("the first letter after a start", func() bool { return f.server.Dots() > before || f.closed() })
	f.slowest = max(f.slowest, time.Since(started))
}

func (f *fault) kill(signal syscall.Signal) {
	if f.process == nil {
		return
	}
	_ = f.process.Process.Signal(signal)
	_ = f.process.Wait()
	f.process = nil
}

// closed asks as cheaply as it can: it is asked all the time, and the answer is measured too.
func (f *fault) closed() (yes bool) {
	err := f.db.Pool.QueryRow(f.Context(), `SELECT closed_at IS NOT NULL FROM runs WHERE id = $1`, f.run).Scan(&yes)
	return err == nil && yes
}

func (f *fault) until(what string, yes func() bool) {
	f.Helper()
	deadline, tick := time.After(2*time.Minute), time.NewTicker(10*time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-deadline:
			f.Fatalf("waited 2 minutes for: %s", what)
		case <-tick.C:
		}
	}
}

// verdict is what the oracle says: recipients without a letter, deliveries that the tables call
// accepted and the server never had, and letters that came twice.
type verdict struct{ lost, phantom, doubled int }

func (f *fault) judge() verdict {
	f.Helper()
	accepted := map[string]int{}
	for _, l := range f.server.Letters() {
		if l.Code == 250 {
			accepted[l.To]++
		}
	}
	rows, err := f.db.Pool.Query(f.Context(), `SELECT email, outcome FROM deliveries WHERE run_id = $1`, f.run)
	if err != nil {
		f.Fatal(err)
	}
	defer rows.Close()
	var v verdict
	for rows.Next() {
		var email, outcome string
		if err := rows.Scan(&email, &outcome); err != nil {
			f.Fatal(err)
		}
		switch {
		case accepted[email] > 1:
			v.doubled += accepted[email] - 1
		case accepted[email] == 0 && outcome == string(domain.OutcomeAccepted):
			v.phantom++
		case accepted[email] == 0:
			v.lost++
		}
	}
	return v
}

// report prints the row of the matrix and fails the test when it did not pass.
func (f *fault) report(what string, times, bound int) {
	f.Helper()
	f.until("the run is closed", f.closed)
	v := f.judge()
	fmt.Printf("FAULT %-28s n=%d lost=%d phantom=%d doubled=%d/%d recovery=%.1fs\n",
		what, times, v.lost, v.phantom, v.doubled, bound, f.slowest.Seconds())
	if v.lost+v.phantom > 0 || v.doubled > bound || f.slowest > 5*time.Second {
		f.Errorf("%s: %+v, doubled at most %d, slowest recovery %v", what, v, bound, f.slowest)
	}
}

func faultTimes(quick, full int) int {
	if os.Getenv("FAULTS") == "full" {
		return full
	}
	return quick
}

func TestFaultKilledAtRandom(t *testing.T) {
	faultSignal(t, "kill -9 at random", syscall.SIGKILL, faultTimes(5, 300), faultConns)
}

func TestFaultTerminated(t *testing.T) {
	faultSignal(t, "SIGTERM", syscall.SIGTERM, faultTimes(3, 50), 0)
}

// faultSignal sends the signal again and again at random moments of one run.
func faultSignal(t *testing.T, what string, signal syscall.Signal, times, perKill int) {
	const letters = 150 // between two signals, at most
	f := newFault(t, times*letters+500, smtptest.Script{})
	for range times {
		f.start()
		want := f.server.Accepted() + 1 + rand.IntN(letters)
		f.until("enough letters", func() bool { return f.server.Accepted() >= want || f.closed() })
		f.kill(signal)
	}
	f.start()
	f.report(what, times, times*perKill)
}

// worker is `skychimp worker` on a database and a mail server, not started yet.
func worker(t testing.TB, url, smtp string, conns int) *exec.Cmd {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal("the program does not build: ", err)
	}
	c := exec.Command(file, "worker")
	c.Env = append(os.Environ(), "DATABASE_URL="+url, "SECRET="+strings.Repeat("s", 40),
		fmt.Sprintf("SMTP_URL=smtp://%s?tls=none&conns=%d", smtp, conns))
	c.Stderr = t.Output()
	return c
}
