package faulttest

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
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

// A mail server with a whim: every email arrives once, nobody fails.
func TestFaultMailServer(t *testing.T) {
	t.Parallel()
	times := repeat(t, 5, 20)
	emails := max(200, 20*times)
	for _, row := range []struct {
		name   string
		script smtptest.Script
		again  int // emails that may come twice
	}{
		{name: "slow", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageEndOfData, smtptest.Action{Delay: 500 * time.Millisecond}))}},
		{name: "421 at MAIL", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageMail, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "421 at RCPT", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageRcpt, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "421 after the end of data", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageEndOfData, smtptest.Action{Answer: "421 4.3.2 later"}))}},
		{name: "dropped before end of data", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, smtptest.StageBody, smtptest.Action{Drop: true}))}},
		{name: "dropped after end of data", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageEndOfData, smtptest.Action{Drop: true}))}, again: times},
		{name: "dropped after 250", script: smtptest.Script{On: atMost(times, smtptest.Nth(10, domain.StageEndOfData, smtptest.Action{DropAfter: true}))}},
		{name: "7 emails per connection", script: smtptest.Script{EmailsPerConn: 7}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			env := newEnv(t, row.script)
			env.begin(env.fill(emails))
			env.start()
			env.forward()
			env.report("SMTP: "+row.name, times, bounds{doubled: row.again})
		})
	}
}

// forward lets the time of retries and of pauses come, again and again, until all is done.
func (env *environment) forward() {
	env.Helper()
	env.until("all emails are sent, retries too", func() bool {
		env.exec(`UPDATE retries SET due_at = now() WHERE due_at > now()`)
		return env.closed()
	})
}

func TestFaultGreylisting(t *testing.T) {
	t.Parallel()
	times := repeat(t, 5, 20)
	env := newEnv(t, smtptest.Script{On: atMost(times, smtptest.Nth(3, domain.StageRcpt, smtptest.Action{Answer: "451 4.7.1 greylisted, come back"}))})
	env.begin(env.fill(20 * times))
	env.start()
	env.until("the others are accepted", func() bool {
		return env.count(`SELECT count(*) FROM retries`) == times && env.server.Accepted() == 19*times
	})
	env.forward()
	env.report("SMTP: greylisting", times, bounds{})
	if n := env.count(`SELECT count(*) FROM attempts WHERE status = 'deferred'`); n != times {
		t.Errorf("%d deferrals on record, want %d", n, times)
	}
}

func TestFaultTenthRefused(t *testing.T) {
	t.Parallel()
	times := repeat(t, 5, 20)
	env := newEnv(t, smtptest.Script{})
	refused := func(to string) bool {
		name, _, _ := strings.Cut(to, ".")
		return strings.HasSuffix(name, "0")
	}
	env.on(func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && refused(e.To) {
			return smtptest.Action{Answer: "550 5.1.1 no such user"}
		}
		return smtptest.Action{}
	})
	env.begin(env.fill(10 * times))
	env.start()
	env.report("SMTP: 5xx for 10 %", times, bounds{excused: func(to string, outcome domain.Outcome) bool {
		return refused(to) && outcome == domain.OutcomeFailed
	}})
	if n := env.count(`SELECT count(*) FROM clients WHERE suppressed_reason = 'bounced'`); n != times {
		t.Errorf("%d clients bounced, want %d", n, times)
	}
}

// What hangs costs its connection and nothing else. In the quick form the server answers after a
// while; in the full form it never does, and the program's own limits end each wait.
func TestFaultHanging(t *testing.T) {
	t.Parallel()
	stages := []domain.Stage{domain.StageConnect, domain.StageHello, domain.StageMail, domain.StageRcpt, domain.StageData, domain.StageEndOfData, smtptest.StageQuit}
	times := max(len(stages), repeat(t, 1, 20))
	emails := 100 * times
	hangs := map[domain.Stage]func(smtptest.Event) smtptest.Action{}
	for i, stage := range stages {
		n := (times + len(stages) - 1 - i) / len(stages)
		hangs[stage] = atMost(n, smtptest.At(stage, smtptest.Action{Hang: true}))
	}
	env := newEnv(t, smtptest.Script{EmailsPerConn: 50, On: func(e smtptest.Event) smtptest.Action {
		if hang := hangs[e.Stage]; hang != nil {
			return hang(e)
		}
		return smtptest.Action{}
	}})
	env.conns = times + 5
	env.begin(env.fill(emails))
	env.start()
	for range times {
		if _, err := env.server.WaitHang(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	again := 0
	if os.Getenv("FAULTS") == "" {
		env.until("half of the emails", func() bool { return env.server.Accepted() >= emails/2 }) // the others go on meanwhile
		env.server.Release()
	} else {
		again = (times + 1) / len(stages) // those that hang after the end of data
		if !programtest.Within(20*time.Minute, func() bool {
			env.exec(`UPDATE retries SET due_at = now() WHERE due_at > now()`)
			return env.closed()
		}) {
			t.Error("the program waits for ever")
		}
	}
	env.forward()
	env.report("SMTP: hanging at any command", times, bounds{doubled: again})
}

// A list may have many dead addresses in a row: they blame nobody but themselves.
func TestFaultDeadInARow(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{})
	dead := func(to string) bool { return strings.HasSuffix(to, "@dead.example") }
	env.on(func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && dead(e.To) {
			return smtptest.Action{Answer: "550 5.1.1 no such user"}
		}
		return smtptest.Action{}
	})
	owner := env.owner(100)
	env.exec(`UPDATE clients SET email = replace(email, 'example.org', 'dead.example') WHERE id % 100 < 60`)
	run := env.begin(env.mailing(owner))
	env.start()
	env.report("SMTP: sixty dead in a row", 1, bounds{excused: func(to string, outcome domain.Outcome) bool {
		return dead(to) && outcome == domain.OutcomeFailed
	}})
	env.suppressed(60)
	if row, err := env.db.Runs().Get(t.Context(), 0, run); err != nil || row.Pauses != 0 {
		t.Errorf("the run paused for its dead: %v %+v", err, row.Run)
	}
}

// The way to the mail server breaks under emails at any byte.
func TestFaultMailServerCut(t *testing.T) {
	t.Parallel()
	times := repeat(t, 5, 20)
	env := newEnv(t, smtptest.Script{})
	way := faultproxy.Start(t, "tcp", env.server.Addr())
	env.environ = []string{fmt.Sprintf("SMTP_URL=smtp://%s?tls=none&conns=%d", way.Addr(), env.conns)}
	env.begin(env.fill(300 + 400*times))
	env.start()
	for n := range times {
		env.emails(50)
		if n%2 == 1 {
			way.Refuse(true)
			time.AfterFunc(300*time.Millisecond, func() { way.Refuse(false) })
		}
		way.Cut()
		env.resumed()
	}
	env.forward()
	env.report("SMTP: connections cut", times, bounds{doubled: times * env.conns})
}
