package engine

import (
	"context"
	"log/slog"
	"net"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// fixture is an engine between a database and a scripted mail server.
type fixture struct {
	testing.TB
	db     *db.DB
	server *smtptest.Server
	stop   func()

	bounceDomain string
	second       time.Duration // of throttles and redialling
	mx           func(context.Context, string) ([]*net.MX, error)
}

func newFixture(t testing.TB, script smtptest.Script) *fixture {
	t.Helper()
	w := &fixture{TB: t, db: dbtest.New(t), server: smtptest.Start(t, script), stop: func() {}}
	w.exec(`INSERT INTO users (id, email, name, password_hash, role) VALUES (1000, 'owner@example.org', 'Owner', '', 'user')`)
	return w
}

// start starts an engine on the fixture; its end is part of the test.
func (w *fixture) start(conns int) *Engine {
	w.Helper()
	server := w.reach(w.server.URL())
	server.Conns = conns
	return w.startWith(Limits{}, server)
}

// reach is a server that is not waited for as long as in earnest.
func (w *fixture) reach(url string) smtp.Server {
	w.Helper()
	server, err := smtp.ParseURL(url)
	if err != nil {
		w.Fatal(err)
	}
	server.CommandTimeout, server.EndTimeout = 5*time.Second, 5*time.Second
	return server
}

func (w *fixture) startWith(limits Limits, servers ...smtp.Server) *Engine {
	w.Helper()
	vault, err := emailauth.NewVault([]byte("secret"))
	if err != nil {
		w.Fatal(err)
	}
	e := New(outbox.New(w.db.Postgres()), Settings{second: w.second, LookupMX: w.mx,
		Servers: servers, Limits: limits, From: mail.Address{Address: "noreply@example.org"}, BounceDomain: w.bounceDomain, BaseURL: "http://localhost:8080",
		Secret: []byte("secret"), Vault: vault, Log: slog.New(slog.NewTextHandler(w.Output(), nil)),
		Translate: func(_, key string, _ ...any) string { return key },
	})
	if _, err := e.Join(w.Context()); err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.Context()))
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	var once atomic.Bool
	stop := func() {
		if once.CompareAndSwap(false, true) {
			cancel()
			if err := <-ended; err != nil {
				w.Error(err)
			}
		}
	}
	w.stop = stop
	w.Cleanup(stop)
	return e
}

func (w *fixture) exec(sql string, args ...any) {
	w.Helper()
	if _, err := w.db.Postgres().Pool.Exec(w.Context(), sql, args...); err != nil {
		w.Fatal(err)
	}
}

func (w *fixture) count(sql string, args ...any) (n int) {
	w.Helper()
	if err := w.db.Postgres().Pool.QueryRow(w.Context(), sql, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// plan makes a mailing to that many clients and its run.
func (w *fixture) plan(clients int) domain.Run {
	w.Helper()
	w.exec(`INSERT INTO clients (owner_id, email, full_name) SELECT 1000, 'client' || n || '@example.org', 'Client ' || n
		FROM generate_series(1, $1::int) n`, clients)
	m := w.mailing(domain.MailingForm{Audience: "all"})
	return w.run(m)
}

func (w *fixture) mailing(form domain.MailingForm) int64 {
	w.Helper()
	message := domain.Message{OwnerID: 1000, Subject: "News for {{name}}", Body: "Hello {{name}}, " + strings.Repeat("there is news. ", 150)}
	if err := w.db.Messages().Create(w.Context(), &message); err != nil {
		w.Fatal(err)
	}
	form.Name, form.MessageID, form.StartAt, form.Timezone, form.Periodicity = "Test", message.ID, "2026-01-01T00:00", "UTC", "monthly"
	m := domain.Mailing{OwnerID: 1000}
	if err := m.Change(form, time.Now()); err != nil {
		w.Fatal(err)
	}
	if err := w.db.Mailings().Create(w.Context(), &m); err != nil {
		w.Fatal(err)
	}
	return m.ID
}

func (w *fixture) run(mailing int64) domain.Run {
	w.Helper()
	run, ok, err := outbox.New(w.db.Postgres()).Plans().Make(w.Context(), mailing, time.Now(), true)
	if err != nil || !ok {
		w.Fatal(ok, err)
	}
	return run
}

// until polls for what the tables will say, which nothing announces.
func (w *fixture) until(what string, yes func() bool) {
	w.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !yes() {
		select {
		case <-deadline:
			w.Fatalf("waited 30 s for: %s", what)
		case <-tick.C:
		}
	}
}

// closed waits for the end of a run and checks that its counts add up.
func (w *fixture) closed(id int64) db.RunRow {
	w.Helper()
	row := w.when(id, "closed", func(r db.RunRow) bool { return r.Closed() })
	if row.Open() != 0 {
		w.Errorf("closed run has %d open deliveries", row.Open())
	}
	return row
}

func (w *fixture) when(id int64, what string, yes func(db.RunRow) bool) (row db.RunRow) {
	w.Helper()
	w.until("run "+what, func() bool {
		var err error
		if row, err = w.db.Runs().Get(w.Context(), 0, id); err != nil {
			w.Fatal(err)
		}
		return yes(row)
	})
	return row
}

func (w *fixture) wantCounts(got db.RunRow, want domain.Counts) {
	w.Helper()
	if got.Counts != want {
		w.Errorf("counts are %+v, want %+v", got.Counts, want)
	}
}

// wantOnce checks that each email was accepted once at most, and how many were.
func (w *fixture) wantOnce(emails int) {
	w.Helper()
	seen := map[string]int{}
	for _, l := range w.server.Emails() {
		if l.Code == 250 {
			seen[l.MessageID]++
			if seen[l.MessageID] > 1 {
				w.Errorf("%s got %s twice", l.To, l.MessageID)
			}
		}
	}
	if len(seen) != emails {
		w.Errorf("%d emails were accepted, want %d", len(seen), emails)
	}
}

func TestRunReachesEveryoneOnce(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{EmailsPerConn: 40})
	w.start(4)
	w.exec(`INSERT INTO clients (owner_id, email, suppressed_at) VALUES (1000, 'gone@example.org', now())`)
	run := w.plan(1234)
	row := w.closed(run.ID)
	w.wantCounts(row, domain.Counts{Planned: 1235, Accepted: 1234, Suppressed: 1})
	w.wantOnce(1234)
	if n := w.count(`SELECT count(*) FROM attempts WHERE status = 'accepted' AND code = 250`); n != 1234 {
		t.Errorf("%d attempts on record, want 1234", n)
	}
	w.stop()
	if n := w.count(`SELECT count(*) FROM batches`) + w.count(`SELECT count(*) FROM instances`); n != 0 {
		t.Errorf("%d batches and instances are left", n)
	}
}

func TestRefusedAndDeferred(t *testing.T) {
	t.Parallel()
	var greyed atomic.Bool
	w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
		switch {
		case e.Stage == domain.StageRcpt && e.To == "client7@example.org":
			return smtptest.Action{Answer: "550 5.1.1 no such user"}
		case e.Stage == domain.StageRcpt && e.To == "client9@example.org" && greyed.CompareAndSwap(false, true):
			return smtptest.Action{Answer: "451 4.7.1 greylisted"}
		}
		return smtptest.Action{}
	}})
	run := w.plan(20)
	w.exec(`UPDATE runs SET created_at = now() - interval '6 days'`) // it was held for longer than emails are tried again
	w.start(3)
	w.when(run.ID, "waits for the retry", func(r db.RunRow) bool { return r.Deferred == 1 && r.Open() == 1 })
	w.exec(`UPDATE retries SET due_at = now()`)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 20, Accepted: 19, Failed: 1})
	if n := w.count(`SELECT count(*) FROM attempts WHERE email = 'client9@example.org'`); n != 2 {
		t.Errorf("the greylisted client has %d attempts, want 2", n)
	}
	if n := w.count(`SELECT count(*) FROM clients WHERE email = 'client7@example.org' AND suppressed_reason = 'bounced' AND suppressed_run = $1`, run.ID); n != 1 {
		t.Error("the bounced client still gets emails")
	}
	if n := w.count(`SELECT count(*) FROM attempts WHERE answer = '5.1.1 no such user' AND code = 550`); n != 1 {
		t.Error("the server's words are not on record")
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]smtptest.Script{"with SMTPUTF8": {}, "without": {NoSMTPUTF8: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, script)
			w.exec(`UPDATE users SET email = 'хозяин@пример.рф'`)
			w.exec(`INSERT INTO clients (owner_id, email, full_name) VALUES (1000, 'ivan@пример.рф', ''), (1000, 'иван@пример.рф', 'Иван')`)
			w.start(2)
			run := w.run(w.mailing(domain.MailingForm{Audience: "all"}))
			want := domain.Counts{Planned: 2, Accepted: 2}
			if script.NoSMTPUTF8 {
				want = domain.Counts{Planned: 2, Accepted: 1, Failed: 1}
			}
			w.wantCounts(w.closed(run.ID), want)
			if n := w.count(`SELECT count(*) FROM clients WHERE suppressed_at IS NOT NULL`); n != 0 {
				t.Error("a mailbox that this server cannot write to is taken for dead")
			}
		})
	}
}

func TestBrokenSenderPausesAndNobodyFails(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]func(smtptest.Event) smtptest.Action{
		"554 for every email":  smtptest.Answer(domain.StageEndOfData, "554 5.7.1 you are a spammer"),
		"554 for every RCPT":   smtptest.Answer(domain.StageRcpt, "554 5.7.1 relay access denied"),
		"550 to MAIL":          smtptest.Answer(domain.StageMail, "550 5.1.8 bad sender"),
		"530 to MAIL":          smtptest.Answer(domain.StageMail, "530 5.7.0 authentication required"),
		"554 instead of hello": smtptest.Answer(domain.StageConnect, "554 no service for you"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var broken atomic.Bool
			broken.Store(true)
			w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
				if broken.Load() {
					return on(e)
				}
				return smtptest.Action{}
			}})
			w.start(5)
			run := w.plan(150)
			row := w.when(run.ID, "paused", func(r db.RunRow) bool { return r.Status == domain.RunPaused })
			if row.Reason == "" || row.ResumeAt.IsZero() {
				t.Errorf("paused without a reason or a time: %q, %v", row.Reason, row.ResumeAt)
			}
			w.until("all batches are given back", func() bool {
				return w.count(`SELECT count(*) FROM batches WHERE instance_id IS NOT NULL`) == 0
			})
			if n := w.count(`SELECT count(*) FROM deliveries WHERE outcome <> 'queued'`); n != 0 {
				t.Errorf("%d recipients ended for the sender's fault", n)
			}
			broken.Store(false)
			w.exec(`UPDATE runs SET resume_at = now()`)
			w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 150, Accepted: 150})
			w.wantOnce(150)
		})
	}
}

func TestNoAnswerAfterTheDotIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.For("client3@example.org", domain.StageEndOfData, smtptest.Action{Drop: true})})
	w.start(2)
	run := w.plan(5)
	w.when(run.ID, "waits for the retry", func(r db.RunRow) bool { return r.Deferred == 1 && r.Open() == 1 })
	w.exec(`UPDATE retries SET due_at = now()`)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 5, Accepted: 4, Failed: 1})
	ids := map[string]int{}
	for _, l := range w.server.Emails() {
		if l.To == "client3@example.org" {
			ids[l.MessageID]++
		}
	}
	if len(ids) != 1 || w.count(`SELECT count(*) FROM attempts WHERE status = 'unknown'`) != 2 {
		t.Errorf("want two unknown attempts under one Message-ID, got %v", ids)
	}
}

func TestConnectionsThatBreakCostNobodyAEmail(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]smtptest.Script{
		"dropped at RCPT":   {On: everyNth(7, domain.StageRcpt, smtptest.Action{Drop: true})},
		"dropped at DATA":   {On: everyNth(7, domain.StageData, smtptest.Action{Drop: true})},
		"421 at MAIL":       {On: everyNth(9, domain.StageMail, smtptest.Action{Answer: "421 4.3.2 later"})},
		"no pipelining":     {NoPipelining: true},
		"4 emails a time":   {EmailsPerConn: 4},
		"dropped after 250": {On: everyNth(5, domain.StageEndOfData, smtptest.Action{DropAfter: true})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, script)
			w.start(3)
			run := w.plan(100)
			w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 100, Accepted: 100})
			w.wantOnce(100)
		})
	}
}

// everyNth acts at every nth email of a connection.
func everyNth(n int, stage domain.Stage, action smtptest.Action) func(smtptest.Event) smtptest.Action {
	return func(e smtptest.Event) smtptest.Action {
		if e.Stage == stage && e.Nth > 0 && e.Nth%n == 0 {
			return action
		}
		return smtptest.Action{}
	}
}

func TestStoppedInMidRun(t *testing.T) {
	t.Parallel()
	const conns = 3
	acts := map[string]func(w *fixture, run domain.Run){
		"stop": func(w *fixture, run domain.Run) {
			w.exec(`UPDATE mailings SET status = 'running'`)
			w.change(run, func(m *domain.Mailing) error { return m.Stop(time.Now()) })
		},
		"disable": func(w *fixture, run domain.Run) {
			manager := domain.User{ID: 5, Role: domain.RoleManager}
			w.change(run, func(m *domain.Mailing) error { return m.Disable(manager, "spam", time.Now()) })
		},
		"block": func(w *fixture, run domain.Run) {
			manager := domain.User{Role: domain.RoleManager}
			if _, err := w.db.Users().Block(w.Context(), manager, run.OwnerID, "spam", time.Now()); err != nil {
				w.Fatal(err)
			}
		},
		"delete": func(w *fixture, run domain.Run) {
			if err := w.db.Mailings().Delete(w.Context(), 1000, run.MailingID, time.Now()); err != nil {
				w.Fatal(err)
			}
		},
		"end": func(w *fixture, _ domain.Run) { w.exec(`UPDATE runs SET window_end = now()`) },
	}
	for name, act := range acts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 5 * time.Millisecond})})
			w.start(conns)
			run := w.plan(5000)
			if err := w.server.WaitEmails(t.Context(), 50); err != nil {
				t.Fatal(err)
			}
			act(w, run)
			at := time.Now()
			row := w.closed(run.ID)
			if row.Accepted == 0 || row.Cancelled+row.Expired == 0 || row.Planned != 5000 {
				t.Errorf("counts: %+v", row.Counts)
			}
			late := 0
			for _, l := range w.server.Emails() {
				if l.EndOfData.After(at.Add(time.Second)) {
					late++
				}
			}
			if late > 0 {
				t.Errorf("%d emails were sent more than a second later", late)
			}
			w.wantOnce(int(row.Accepted))
		})
	}
}

func (w *fixture) change(run domain.Run, change func(*domain.Mailing) error) {
	w.Helper()
	if _, err := w.db.Mailings().Update(w.Context(), 0, run.MailingID, change); err != nil {
		w.Fatal(err)
	}
}

func TestUnsubscribedInMidRun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 5 * time.Millisecond})})
	w.start(2)
	run := w.plan(300)
	if err := w.server.WaitEmails(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	last := int64(w.count(`SELECT client_id FROM deliveries WHERE seq = 100`)) // in a batch that is fetched already
	if err := w.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: last}, ""); err != nil {
		t.Fatal(err)
	}
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 300, Accepted: 299, Suppressed: 1})
	w.wantOnce(299)
}

func TestServerAwayAtFirst(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	addr := w.server.Addr()
	w.server.Close()
	w.start(2)
	run := w.plan(10)
	w.when(run.ID, "says why nothing moves", func(r db.RunRow) bool { return strings.Contains(r.Reason, "refused") })
	w.server = smtptest.Start(t, smtptest.Script{Addr: addr})
	row := w.closed(run.ID)
	w.wantCounts(row, domain.Counts{Planned: 10, Accepted: 10})
	if row.Reason != "" {
		t.Errorf("the closed run still says %q", row.Reason)
	}
}

func TestTwoEnginesShareARun(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.start(3)
	w.start(3)
	run := w.plan(2000)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 2000, Accepted: 2000})
	w.wantOnce(2000)
}

func TestOwnersTakeTurns(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: time.Millisecond})})
	big := w.plan(3000)
	w.exec(`INSERT INTO users (id, email, name, password_hash, role) VALUES (1001, 'small@example.org', 'Small', '', 'user')`)
	w.exec(`INSERT INTO clients (owner_id, email) VALUES (1001, 'lone@example.org')`)
	var small int64
	w.exec(`INSERT INTO runs (mailing_id, owner_id, scheduled_at, subject, body, status, planned)
		SELECT mailing_id, 1001, scheduled_at, subject, body, 'running', 1 FROM runs WHERE id = $1`, big.ID)
	small = int64(w.count(`SELECT max(id) FROM runs`))
	w.exec(`INSERT INTO deliveries (run_id, seq, client_id, email, outcome) SELECT $1, 1, id, email, 'queued' FROM clients WHERE owner_id = 1001`, small)
	w.exec(`INSERT INTO batches (run_id, first_seq, open) VALUES ($1, 1, 1)`, small)
	w.start(2)
	w.closed(small)
	if n := w.server.Accepted(); n > 1000 {
		t.Errorf("the small owner waited for %d emails of the big one", n)
	}
}

func TestDrainSendsNothingTwice(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 2 * time.Millisecond})})
	run := w.plan(1000)
	for n := 1; n <= 5; n++ {
		w.start(4)
		if err := w.server.WaitEmails(t.Context(), n*100); err != nil {
			t.Fatal(err)
		}
		w.stop()
	}
	w.start(4)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 1000, Accepted: 1000})
	w.wantOnce(1000)
}

func TestDatabaseConnectionsCut(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: time.Millisecond})})
	w.start(4)
	run := w.plan(2000)
	for n := 1; n <= 8; n++ {
		if err := w.server.WaitEmails(t.Context(), n*200); err != nil {
			t.Fatal(err)
		}
		_, _ = w.db.Postgres().Pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	}
	w.until("the run is closed", func() bool {
		row, err := w.db.Runs().Get(t.Context(), 0, run.ID) // connections of the pool may just have been cut
		return err == nil && row.Closed()
	})
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 2000, Accepted: 2000})
	w.wantOnce(2000)
}

// A text that was saved before it would have been refused holds nobody up: its run pauses.
func TestUnfoldingMessagePauses(t *testing.T) {
	w := newFixture(t, smtptest.Script{})
	run := w.plan(3)
	w.exec(`UPDATE runs SET body = $2 WHERE id = $1`, run.ID, "[a]: /"+strings.Repeat("b", 20_000)+"\n\n"+strings.Repeat("[a]", 58_000))
	w.start(1)
	w.until("the pause in words", func() bool {
		return w.count(`SELECT count(*) FROM runs WHERE id = $1 AND status = 'paused' AND reason = 'messages.body_too_heavy'`, run.ID) == 1
	})
	w.exec(`UPDATE runs SET body = 'Hello', resume_at = now() WHERE id = $1`, run.ID)
	w.until("the end", func() bool { return w.count(`SELECT accepted FROM runs WHERE id = $1`, run.ID) == 3 })
}
