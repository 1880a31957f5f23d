package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// budget lets a script act a number of times.
type budget struct{ left atomic.Int32 }

func (b *budget) spend() bool { return b.left.Add(-1) >= 0 }

// atMost is a script that another one's action limits to n times.
func atMost(n int, script func(smtptest.Event) smtptest.Action) func(smtptest.Event) smtptest.Action {
	var b budget
	b.left.Store(int32(n))
	return func(e smtptest.Event) smtptest.Action {
		if action := script(e); action != (smtptest.Action{}) && b.spend() {
			return action
		}
		return smtptest.Action{}
	}
}

// A mail server with a whim: every letter arrives once, nobody fails.
func TestFaultMailServer(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 5, 20)
	letters := max(200, 20*times)
	for _, row := range []struct {
		name   string
		script smtptest.Script
		again  int // letters that may come twice
	}{
		{name: "slow", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageDot, smtptest.Action{Delay: 500 * time.Millisecond}))}},
		{name: "421 at MAIL", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageMail, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "421 at RCPT", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageRcpt, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "421 after the dot", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageDot, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "dropped before dot", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, smtptest.StageBody, smtptest.Action{Drop: true}))}},
		{name: "dropped after dot", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageDot, smtptest.Action{Drop: true}))}, again: times},
		{name: "dropped after 250", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageDot, smtptest.Action{DropAfter: true}))}},
		{name: "7 letters per connection", script: smtptest.Script{LettersPerConn: 7}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFault(t, row.script)
			f.begin(f.fill(letters))
			f.start()
			f.forward()
			f.report("SMTP: "+row.name, times, bounds{doubled: row.again})
		})
	}
}

// forward lets the time of retries and of pauses come, again and again, until all is done.
func (f *fault) forward() {
	f.Helper()
	f.until("all letters are sent, retries too", func() bool {
		f.exec(`UPDATE retries SET due_at = now() WHERE due_at > now()`)
		return f.closed()
	})
}

func TestFaultGreylisting(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 5, 20)
	f := newFault(t, smtptest.Script{On: atMost(times, smtptest.Nth(3, domain.StageRcpt, smtptest.Action{Answer: "451 4.7.1 greylisted, come back"}))})
	f.begin(f.fill(20 * times))
	f.start()
	f.until("the others are accepted", func() bool {
		return f.count(`SELECT count(*) FROM retries`) == times && f.server.Accepted() == 19*times
	})
	f.forward()
	f.report("SMTP: greylisting", times, bounds{})
	if n := f.count(`SELECT count(*) FROM attempts WHERE status = 'deferred'`); n != times {
		t.Errorf("%d deferrals on record, want %d", n, times)
	}
}

func TestFaultTenthRefused(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 5, 20)
	f := newFault(t, smtptest.Script{})
	refused := func(to string) bool {
		name, _, _ := strings.Cut(to, ".")
		return strings.HasSuffix(name, "0")
	}
	f.on(func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && refused(e.To) {
			return smtptest.Action{Answer: "550 5.1.1 no such user"}
		}
		return smtptest.Action{}
	})
	f.begin(f.fill(10 * times))
	f.start()
	f.report("SMTP: 5xx for 10 %", times, bounds{excused: func(to string, outcome domain.Outcome) bool {
		return refused(to) && outcome == domain.OutcomeFailed
	}})
	if n := f.count(`SELECT count(*) FROM clients WHERE suppressed_reason = 'bounced'`); n != times {
		t.Errorf("%d clients bounced, want %d", n, times)
	}
}

// What hangs costs its connection and nothing else. In the quick form the server answers after a
// while; in the full form it never does, and the program's own limits end each wait.
func TestFaultHanging(t *testing.T) {
	t.Parallel()
	stages := []domain.Stage{domain.StageConnect, domain.StageHello, domain.StageMail, domain.StageRcpt, domain.StageData, domain.StageDot, smtptest.StageQuit}
	times := max(len(stages), faultTimes(t, 1, 20))
	letters := 100 * times
	hangs := map[domain.Stage]func(smtptest.Event) smtptest.Action{}
	for i, stage := range stages {
		n := (times + len(stages) - 1 - i) / len(stages)
		hangs[stage] = atMost(n, smtptest.At(stage, smtptest.Action{Hang: true}))
	}
	f := newFault(t, smtptest.Script{LettersPerConn: 50, On: func(e smtptest.Event) smtptest.Action {
		if hang := hangs[e.Stage]; hang != nil {
			return hang(e)
		}
		return smtptest.Action{}
	}})
	f.conns = times + 5
	f.begin(f.fill(letters))
	f.start()
	for range times {
		if _, err := f.server.WaitHang(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again := 0
	if os.Getenv("FAULTS") == "" {
		f.until("half of the letters", func() bool { return f.server.Accepted() >= letters/2 }) // the others go on meanwhile
		f.server.Release()
	} else {
		again = (times + 1) / len(stages) // those that hang after the dot
		if !within(20*time.Minute, func() bool {
			f.exec(`UPDATE retries SET due_at = now() WHERE due_at > now()`)
			return f.closed()
		}) {
			t.Error("the program waits for ever")
		}
	}
	f.forward()
	f.report("SMTP: hanging at any command", times, bounds{doubled: again})
}

// A sender that is refused is nobody's failure: the run pauses and says why, and goes on when it
// is mended.
func TestFaultSenderRefused(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(smtptest.Event) smtptest.Action{
		"535 wrong password":       smtptest.Answer(domain.StageAuth, "535 5.7.8 wrong user or password"),
		"554 for all at DATA":      smtptest.Answer(domain.StageDot, "554 5.7.1 you are a spammer"),
		"554 for all at RCPT":      smtptest.Answer(domain.StageRcpt, "554 5.7.1 relay access denied"),
		"550 hourly limit at RCPT": smtptest.Answer(domain.StageRcpt, "550 You have exceeded the maximum of 100 mails per hour"),
		"553 DNSBL at RCPT":        smtptest.Answer(domain.StageRcpt, "553 5.1.8 your host is in a DNSBL, mail for unknown user blocked"),
		"550 unknown at RCPT":      smtptest.Answer(domain.StageRcpt, "550 not today"),
		"550 for the sender":       smtptest.Answer(domain.StageMail, "550 5.1.8 bad sender"),
		"554 instead of hello":     smtptest.Answer(domain.StageConnect, "554 5.3.2 no service for you"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFault(t, smtptest.Script{Users: map[string]string{"me": "secret"}})
			way, user := faultproxy.Start(t, "tcp", f.server.Addr()), ""
			if strings.HasPrefix(name, "535") {
				user = "me:secret@"
			}
			f.env = []string{fmt.Sprintf("SMTP_URL=smtp://%s%s?tls=none&conns=%d", user, way.Addr(), f.conns)}
			f.refused(name, faultTimes(t, 1, 20), func() {
				f.on(broken)
				way.Cut() // who is in already would not be asked again
			}, func() { f.on(nil) })
		})
	}
}

// TLS that is required and not there, or wrong, gets no letter.
func TestFaultNoTLS(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]smtptest.TLS{"no TLS": smtptest.NoTLS, "bad certificate": smtptest.BadTLS, "garbage for TLS": smtptest.GarbageTLS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFault(t, smtptest.Script{TLS: smtptest.GoodTLS})
			bad := smtptest.Start(t, smtptest.Script{TLS: kind})
			trusted := filepath.Join(t.TempDir(), "root.pem")
			if err := os.WriteFile(trusted, f.server.RootPEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			way := faultproxy.Start(t, "tcp", bad.Addr())
			f.env = []string{"SSL_CERT_FILE=" + trusted, fmt.Sprintf("SMTP_URL=smtp://%s?tls=required&conns=%d", way.Addr(), f.conns)}
			lead := func(to string) func() {
				return func() {
					way.To("tcp", to)
					way.Cut()
				}
			}
			f.refused(name, faultTimes(t, 1, 20), lead(bad.Addr()), lead(f.server.Addr()))
			if bad.Dots() > 0 {
				t.Errorf("%d letters went out without TLS that was required", bad.Dots())
			}
		})
	}
}

// refused breaks the mail server before each run, and mends it when the run has paused.
func (f *fault) refused(what string, times int, breakIt, mend func()) {
	f.Helper()
	owner := f.owner(60)
	f.launch()
	for range times {
		breakIt()
		run := f.begin(f.mailing(owner))
		f.until("the run pauses", func() bool { return f.count(`SELECT count(*) FROM runs WHERE status = 'paused' AND reason <> ''`) == 1 })
		f.until("nothing is under way", func() bool { return f.count(`SELECT count(*) FROM blocks WHERE holder IS NOT NULL`) == 0 })
		if n := f.count(`SELECT count(*) FROM deliveries WHERE run_id = $1 AND outcome <> 'queued'`, run); n > 0 {
			f.Errorf("%d recipients ended for the sender's fault", n)
		}
		f.suppressed(0)
		mend()
		f.exec(`UPDATE runs SET resume_at = now() WHERE status = 'paused'`)
		f.resumed()
		f.until("the run is closed", f.closed)
	}
	f.report("SMTP: "+what, times, bounds{})
}

func (f *fault) suppressed(want int) {
	f.Helper()
	if n := f.count(`SELECT count(*) FROM clients WHERE suppressed_at IS NOT NULL`); n != want {
		f.Errorf("%d clients get no more mail, want %d", n, want)
	}
}

// One receiving domain refuses the sender, whatever the others accept in between: nobody has failed,
// the others get their emails, and that domain's wait until it takes them.
func TestFaultOneDomainRefuses(t *testing.T) {
	t.Parallel()
	for stage, answer := range map[domain.Stage]string{
		domain.StageRcpt: "550 5.7.26 mail from your domain is unauthenticated",
		domain.StageDot:  "554 not today",
	} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			f := newFault(t, smtptest.Script{})
			f.on(func(e smtptest.Event) smtptest.Action {
				if e.Stage == stage && strings.HasSuffix(e.To, "@refusing.example") {
					return smtptest.Action{Answer: answer}
				}
				return smtptest.Action{}
			})
			owner := f.owner(200)
			f.exec(`UPDATE clients SET email = replace(email, 'example.org', 'refusing.example') WHERE id % 2 = 0`)
			run := f.begin(f.mailing(owner))
			f.launch()
			f.until("one domain waits and the other has its emails", func() bool {
				return f.server.Accepted() == 100 && f.count(`SELECT count(*) FROM retries`) == 100
			})
			row, err := f.db.Runs().Get(t.Context(), 0, run)
			if err != nil || row.Status != domain.RunRunning || row.Failed != 0 || row.Deferred != 100 || !strings.Contains(row.Reason, "refusing.example: "+answer) {
				t.Errorf("%v: %+v", err, row)
			}
			if n := f.count(`SELECT count(*) FROM attempts WHERE status = 'failed'`); n > 20+f.conns {
				t.Errorf("the domain that refuses was asked %d times", n)
			}
			f.on(nil)
			f.forward()
			f.report("SMTP: one domain refuses at "+string(stage), 1, bounds{})
			f.suppressed(0)
		})
	}
}

// A list may have many dead addresses in a row: they blame nobody but themselves.
func TestFaultDeadInARow(t *testing.T) {
	t.Parallel()
	f := newFault(t, smtptest.Script{})
	dead := func(to string) bool { return strings.HasSuffix(to, "@dead.example") }
	f.on(func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && dead(e.To) {
			return smtptest.Action{Answer: "550 5.1.1 no such user"}
		}
		return smtptest.Action{}
	})
	owner := f.owner(100)
	f.exec(`UPDATE clients SET email = replace(email, 'example.org', 'dead.example') WHERE id % 100 < 60`)
	run := f.begin(f.mailing(owner))
	f.start()
	f.report("SMTP: sixty dead in a row", 1, bounds{excused: func(to string, outcome domain.Outcome) bool {
		return dead(to) && outcome == domain.OutcomeFailed
	}})
	f.suppressed(60)
	if row, err := f.db.Runs().Get(t.Context(), 0, run); err != nil || row.Pauses != 0 {
		t.Errorf("the run paused for its dead: %v %+v", err, row.Run)
	}
}

// The way to the mail server breaks under letters at any byte.
func TestFaultMailServerCut(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 5, 20)
	f := newFault(t, smtptest.Script{})
	way := faultproxy.Start(t, "tcp", f.server.Addr())
	f.env = []string{fmt.Sprintf("SMTP_URL=smtp://%s?tls=none&conns=%d", way.Addr(), f.conns)}
	f.begin(f.fill(300 + 400*times))
	f.start()
	for n := range times {
		f.letters(50)
		if n%2 == 1 {
			way.Refuse(true)
			time.AfterFunc(300*time.Millisecond, func() { way.Refuse(false) })
		}
		way.Cut()
		f.resumed()
	}
	f.forward()
	f.report("SMTP: connections cut", times, bounds{doubled: times * f.conns})
}
