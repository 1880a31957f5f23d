package faulttest

import (
	"math/rand/v2"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

func TestFaultKilledAtRandom(t *testing.T) {
	faultSignal(t, "kill -9 at random", syscall.SIGKILL, repeat(t, 5, 300), faultConns)
}

func TestFaultTerminated(t *testing.T) {
	faultSignal(t, "SIGTERM", syscall.SIGTERM, repeat(t, 3, 50), 0)
}

// faultSignal sends the signal again and again at random moments of one run.
func faultSignal(t *testing.T, what string, signal syscall.Signal, times, perKill int) {
	const emails = 150 // between two signals, at most
	env := newEnv(t, smtptest.Script{})
	env.begin(env.fill(times*emails + 500))
	for range times {
		env.start()
		env.emails(1 + rand.IntN(emails))
		env.kill(signal)
	}
	env.start()
	env.report(what, times, bounds{doubled: times * perKill})
}

// point is a moment of an email's or a run's way. arm makes the program die there, once.
type point struct {
	name string
	arm  func(env *environment, kill func())
	// emails go out before the point has come, at most; 0: 300.
	emails int
	// begin makes what the next program works on; nil: all work on one large run.
	begin func(env *environment, mailing int64)
	// clients are whom it is for then; 0: 30.
	clients int
}

func TestFaultKilledAtPoint(t *testing.T) {
	t.Parallel()
	at := func(stage domain.Stage) func(*environment, func()) {
		return func(env *environment, kill func()) {
			nth := rand.Int32N(faultConns) + 1
			var seen atomic.Int32
			env.on(func(e smtptest.Event) smtptest.Action {
				if e.Stage != stage || seen.Add(1) != nth {
					return smtptest.Action{}
				}
				kill()
				return smtptest.Action{Drop: true}
			})
		}
	}
	for _, p := range []point{
		{name: "fetched", arm: dieAt(faultproxy.Answered, statement.Fetch), emails: 2500},
		{name: "connected", arm: at(domain.StageConnect)},
		{name: "MAIL", arm: at(domain.StageMail)},
		{name: "RCPT", arm: at(domain.StageRcpt)},
		{name: "DATA", arm: at(domain.StageData)},
		{name: "before end of data", arm: at(smtptest.StageBody)},
		{name: "after end of data", arm: at(domain.StageEndOfData)},
		{name: "after 250", arm: func(env *environment, kill func()) {
			after := func(smtptest.Email) { kill() }
			env.after250.Store(&after)
		}},
		{name: "in commit", arm: dieAt(faultproxy.Passed, statement.Record)},
		{name: "after commit", arm: dieAt(faultproxy.Answered, statement.Record)},
		{name: "run close", arm: dieAtCommit(statement.Close),
			begin: func(env *environment, mailing int64) { env.begin(mailing) }},
		{name: "schedule advance", arm: dieAtCommit(statement.Advance),
			begin: func(env *environment, mailing int64) { env.due(time.Now(), mailing) }},
		// The second part of a run, after 10,000 in the first.
		{name: "planning", arm: dieAtCommit(statement.PlanPart), clients: 10_300,
			begin: func(env *environment, mailing int64) { env.due(time.Now(), mailing) }},
		{name: "test decided", arm: dieAtCommit(statement.Choose), clients: 200,
			begin: func(env *environment, mailing int64) {
				env.tested(int64(env.count(`SELECT owner_id FROM mailings WHERE id = $1`, mailing)))
			}},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t)
		})
	}
}

func (p point) run(t *testing.T) {
	times := repeat(t, 2, 20)
	var env *environment
	script := smtptest.Script{}
	if p.name == "after 250" {
		script.After = func(l smtptest.Email) {
			if after := env.after250.Load(); after != nil {
				(*after)(l)
			}
		}
	}
	env = newEnv(t, script)
	env.behindProxy()
	owner := env.owner(300 + max(300, p.emails)*times)
	if p.begin == nil {
		env.begin(env.mailing(owner))
	} else {
		owner = env.owner(max(30, p.clients))
	}
	for range times {
		var program atomic.Pointer[worker]
		var once atomic.Bool
		launched := make(chan struct{})
		p.arm(env, func() {
			if once.CompareAndSwap(false, true) {
				<-launched
				program.Load().Kill(syscall.SIGKILL)
			}
		})
		if p.begin != nil {
			p.begin(env, env.mailing(owner))
		}
		started := env.launch()
		program.Store(started)
		close(launched)
		started.firstEmail(env)
		env.until("the program dies at its point", started.Over)
		env.disarm()
	}
	env.start()
	if p.name == "schedule advance" { // and what comes due while nobody runs, after a death that left no plan behind
		env.until("the runs are closed", env.closed)
		env.until("no plan is under way", func() bool {
			return env.count(`SELECT count(*) FROM river_job WHERE kind = 'plan' AND finalized_at IS NULL`) == 0
		})
		env.kill(syscall.SIGKILL)
		env.due(time.Now(), env.mailing(owner))
		env.start()
	}
	env.report("kill -9: "+p.name, times, bounds{doubled: times * env.conns})
}

// A program that dies between the attempt and its delivery forgets no bounce: whoever takes over
// suppresses the clients, too.
func TestFaultKilledBeforeBounce(t *testing.T) {
	t.Parallel()
	times := repeat(t, 2, 20)
	env := newEnv(t, smtptest.Script{On: smtptest.Answer(domain.StageRcpt, "550 5.1.1 no such user")})
	env.behindProxy()
	for range times {
		env.begin(env.fill(100))
		var program atomic.Pointer[worker]
		var once atomic.Bool
		launched := make(chan struct{})
		env.proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
			if when == faultproxy.Answered && s.Name() == statement.Record && once.CompareAndSwap(false, true) {
				<-launched
				program.Load().Kill(syscall.SIGKILL)
				return faultproxy.Drop
			}
			return faultproxy.Pass
		})
		started := env.launch()
		program.Store(started)
		close(launched)
		env.until("the program dies", started.Over)
		env.disarm()
	}
	env.launch()
	env.until("the runs are closed", env.closed)
	env.report("kill -9: before a bounce", times, bounds{excused: func(_ string, outcome domain.Outcome) bool {
		return outcome == domain.OutcomeFailed
	}})
	env.suppressed(100 * times)
}

func (env *environment) disarm() {
	env.on(nil)
	env.proxy.Watch(nil)
	env.after250.Store(nil)
}

// dieAt dies at a statement, after some others like it so that emails are under way.
func dieAt(when faultproxy.Moment, name statement.Name) func(*environment, func()) {
	return func(env *environment, kill func()) {
		nth := rand.Int32N(3) + 1
		var seen atomic.Int32
		env.proxy.Watch(func(s faultproxy.Statement, moment faultproxy.Moment) faultproxy.Action {
			if moment == when && s.Name() == name && seen.Add(1) == nth {
				kill()
				return faultproxy.Action(when != faultproxy.Passed)
			}
			return faultproxy.Pass
		})
	}
}

// dieAtCommit dies at the commit of a transaction: before it, in its middle, or after it.
func dieAtCommit(within statement.Name) func(*environment, func()) {
	return func(env *environment, kill func()) {
		when := []faultproxy.Moment{faultproxy.Before, faultproxy.Passed, faultproxy.Answered}[rand.IntN(3)]
		env.proxy.Watch(func(s faultproxy.Statement, moment faultproxy.Moment) faultproxy.Action {
			if moment == when && s.SQL == "commit" && s.Within(within) {
				kill()
				return faultproxy.Action(when != faultproxy.Passed)
			}
			return faultproxy.Pass
		})
	}
}
