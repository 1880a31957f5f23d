package main_test

import (
	"bytes"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// The matrix of faults: the program as it ships, a real Postgres, a mail server that journals
// every dot and every 250, and an oracle that compares all three (faults_oracle_test.go). Each row
// is a test that prints one line. A plain `go test` injects a few faults a row; FAULTS=full, which
// is `make faults`, as many as the full form says, FAULTS=7 seven in each row.

const faultConns = 10

// fault is one stage of the matrix: a database, the mail server and the programs between them.
type fault struct {
	testing.TB
	url    string // of the database, as the programs know it
	db     *db.DB // past any proxy
	server *smtptest.Server
	proxy  *faultproxy.Proxy // before the database, nil where it isn't wanted
	conns  int
	env    []string // more of the programs' environment

	run      int64 // the last that was begun
	programs []*program
	slowest  time.Duration // from a start, or the end of a fault, to the next letter
	own      time.Duration // the same of the first start, before any fault
	script   atomic.Pointer[func(smtptest.Event) smtptest.Action]
	after250 atomic.Pointer[func(smtptest.Letter)]
}

// newFault makes a stage without a run. The server does what the script says, and besides what
// f.on says later.
func newFault(t testing.TB, script smtptest.Script) *fault {
	t.Helper()
	return newFaultOn(t, dbtest.URL(t), script)
}

func newFaultOn(t testing.TB, address string, script smtptest.Script) *fault {
	t.Helper()
	f := &fault{TB: t, url: address, conns: faultConns}
	own := script.On
	script.On = func(e smtptest.Event) smtptest.Action {
		if now := f.script.Load(); now != nil {
			if action := (*now)(e); action != (smtptest.Action{}) {
				return action
			}
		}
		if own != nil {
			return own(e)
		}
		return smtptest.Action{}
	}
	f.server = smtptest.Start(t, script)
	var err error
	if f.db, err = db.Open(address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.db.Close)
	t.Cleanup(func() { f.kill(syscall.SIGKILL) })
	return f
}

// behindProxy leads the programs to the database by way of a proxy.
func (f *fault) behindProxy() *faultproxy.Proxy {
	f.Helper()
	f.proxy = faultproxy.Postgres(f, f.url)
	f.url = f.proxy.URL()
	return f.proxy
}

// on makes the mail server do something else from now on; nil ends it.
func (f *fault) on(script func(smtptest.Event) smtptest.Action) {
	if script == nil {
		script = func(smtptest.Event) smtptest.Action { return smtptest.Action{} }
	}
	f.script.Store(&script)
}

func (f *fault) exec(sql string, args ...any) {
	f.Helper()
	if _, err := f.db.Pool.Exec(f.Context(), sql, args...); err != nil {
		f.Fatal(err)
	}
}

func (f *fault) count(sql string, args ...any) (n int) {
	f.Helper()
	if err := f.db.Pool.QueryRow(f.Context(), sql, args...).Scan(&n); err != nil {
		f.Fatal(err)
	}
	return n
}

// fill makes an owner with clients and a mailing to all of them.
func (f *fault) fill(clients int) (mailing int64) {
	f.Helper()
	return f.mailing(f.owner(clients))
}

func (f *fault) owner(clients int) (id int64) {
	f.Helper()
	err := f.db.Pool.QueryRow(f.Context(), `WITH owner AS (
			INSERT INTO users (email, name, password_hash, role)
			SELECT 'owner' || count(*) || '@example.org', 'Owner', '', 'user' FROM users RETURNING id
		), added AS (
			INSERT INTO clients (owner_id, email, full_name)
			SELECT id, 'client' || n || '.' || id || '@example.org', 'Client ' || n FROM owner, generate_series(1, $1::int) n
		) SELECT id FROM owner`, clients).Scan(&id)
	if err != nil {
		f.Fatal(err)
	}
	return id
}

func (f *fault) mailing(owner int64) int64 {
	f.Helper()
	message := domain.Message{OwnerID: owner, Subject: "News for {{name}}", Body: "Hello {{name}}, " + strings.Repeat("there is news. ", 60)}
	if err := f.db.Messages().Create(f.Context(), &message); err != nil {
		f.Fatal(err)
	}
	m := domain.Mailing{OwnerID: owner}
	err := m.Change(domain.MailingForm{Name: "Faults", MessageID: message.ID, Audience: "all",
		StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "monthly"}, time.Now())
	if err != nil {
		f.Fatal(err)
	}
	if err := f.db.Mailings().Create(f.Context(), &m); err != nil {
		f.Fatal(err)
	}
	return m.ID
}

// begin makes a run of the mailing out of turn.
func (f *fault) begin(mailing int64) (run int64) {
	f.Helper()
	planned, ok, err := f.db.Outbox().Plan(f.Context(), mailing, time.Now(), true)
	if err != nil || !ok {
		f.Fatal(ok, err)
	}
	f.run = planned.ID
	return planned.ID
}

// due puts the mailings on the calendar: their first occurrence is at that time.
func (f *fault) due(at time.Time, mailings ...int64) {
	f.Helper()
	f.exec(`UPDATE mailings SET status = 'running', launched_at = now(), start_local = $1::timestamptz AT TIME ZONE 'UTC', next_run_at = $1
		WHERE id = ANY($2)`, at.Truncate(time.Microsecond), mailings)
}

// nothingDue is true when the calendar has nothing to plan.
const nothingDue = ` AND NOT EXISTS (SELECT FROM mailings
	WHERE status = 'running' AND next_run_at <= now() AND disabled_at IS NULL AND deleted_at IS NULL)`

// closed tells whether nothing is due or going on any more, as cheaply as it can: it is asked all
// the time, and the answer is measured too.
func (f *fault) closed() bool {
	return f.ask(`SELECT NOT EXISTS (SELECT FROM runs WHERE closed_at IS NULL)` + nothingDue)
}

// idle tells whether nothing can be sent now; retries may wait for their time.
func (f *fault) idle() bool {
	return f.ask(`SELECT NOT EXISTS (SELECT FROM blocks WHERE NOT done)` + nothingDue)
}

// ask is false while the database is away.
func (f *fault) ask(question string, args ...any) (yes bool) {
	err := f.db.Pool.QueryRow(f.Context(), question, args...).Scan(&yes)
	return err == nil && yes
}

func (f *fault) until(what string, yes func() bool) {
	f.Helper()
	if !within(patience, yes) {
		for _, p := range f.programs {
			f.Logf("a program printed:\n%s", p.printed())
		}
		f.Fatalf("waited %v for: %s", patience, what)
	}
}

// within asks until the answer is yes, or the time is over.
func within(limit time.Duration, yes func() bool) bool {
	deadline, tick := time.After(limit), time.NewTicker(poll)
	defer tick.Stop()
	for !yes() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// start starts a program and waits for its first letter, or its end.
func (f *fault) start() *program {
	f.Helper()
	p := f.launch()
	p.firstLetter(f)
	return p
}

func (p *program) firstLetter(f *fault) {
	f.Helper()
	f.until("the first letter after a start", func() bool { return f.server.Dots() > p.before || p.over() || f.closed() })
	if p.over() {
		return
	}
	took := time.Since(p.started)
	f.slowest = max(f.slowest, took)
	if f.own == 0 {
		f.own = took
	}
}

// ownStart tells how long this machine needs now, where nothing else happens, from the start of a
// program to its first letter.
func (f *fault) ownStart() (slowest time.Duration) {
	f.Helper()
	quiet := newFault(f.TB, smtptest.Script{})
	for range 3 {
		quiet.begin(quiet.fill(1))
		quiet.start()
		quiet.until("the run is closed", quiet.closed)
		quiet.kill(syscall.SIGTERM)
	}
	return quiet.slowest
}

// resumed waits for the first letter after the end of a fault, which is not over before Postgres
// answers again.
func (f *fault) resumed() {
	f.Helper()
	f.until("Postgres answers", func() bool { return f.ask("SELECT true") })
	before, healed := f.server.Dots(), time.Now()
	f.until("the first letter after a fault", func() bool { return f.server.Dots() > before || f.idle() })
	f.slowest = max(f.slowest, time.Since(healed))
}

// letters waits until that many more letters have been accepted, or all.
func (f *fault) letters(more int) {
	f.Helper()
	want := f.server.Accepted() + more
	f.until("enough letters", func() bool { return f.server.Accepted() >= want || f.idle() })
	// The periodic check has to find nothing in the middle of it all.
	if found, err := f.db.Outbox().CountMismatches(f.Context(), time.Now().Add(-time.Hour)); err != nil || len(found) > 0 {
		f.Errorf("in mid-run: %v, %v", found, err)
	}
}

func (f *fault) launch() *program {
	f.Helper()
	p := &program{cmd: worker(f, f.url, f.server.Addr(), f.conns), ended: make(chan struct{}), before: f.server.Dots(), started: time.Now()}
	p.cmd.Env = append(p.cmd.Env, f.env...)
	p.cmd.Stdout, p.cmd.Stderr = p, p
	if err := p.cmd.Start(); err != nil {
		f.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.ended) }()
	f.programs = append(f.programs, p)
	return p
}

// kill sends the signal to all programs and waits for their end.
func (f *fault) kill(signal syscall.Signal) {
	for _, p := range f.programs {
		p.kill(signal)
	}
	f.programs = nil
}

// program is a running `skychimp worker`.
type program struct {
	cmd     *exec.Cmd
	ended   chan struct{}
	before  int // letters that had come when it was started
	started time.Time
	mu      sync.Mutex
	text    bytes.Buffer
}

// kill sends the signal and waits for the end; from any goroutine and more than once.
func (p *program) kill(signal syscall.Signal) {
	_ = p.cmd.Process.Signal(signal)
	<-p.ended
}

// ready waits until everything of the program runs, not only what sends.
func (p *program) ready(f *fault) {
	f.Helper()
	f.until("the program is ready", func() bool { return p.over() || strings.Contains(p.printed(), "SkyChimp is sending") })
	if p.over() {
		f.Fatalf("the program did not start:\n%s", p.printed())
	}
}

func (p *program) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *program) printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// memory is how much of the program's memory is in use, in MB.
func (p *program) memory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}

// faultTimes is how many faults a row injects.
func faultTimes(t testing.TB, quick, full int) int {
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

// worker is `skychimp worker` on a database and a mail server, not started yet.
func worker(t testing.TB, address, smtp string, conns int) *exec.Cmd {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal("the program does not build: ", err)
	}
	c := exec.Command(file, "worker")
	server := url.URL{Scheme: "smtp", Host: smtp, RawQuery: fmt.Sprintf("tls=none&conns=%d", conns)}
	c.Env = append(os.Environ(), "DATABASE_URL="+address, "SECRET="+strings.Repeat("s", 40), "DISPATCH_EVERY=1s", "SMTP_URL="+server.String())
	c.Stderr = t.Output()
	return c
}
