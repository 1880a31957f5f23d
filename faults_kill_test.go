package main_test

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
	faultSignal(t, "kill -9 at random", syscall.SIGKILL, faultTimes(t, 5, 300), faultConns)
}

func TestFaultTerminated(t *testing.T) {
	faultSignal(t, "SIGTERM", syscall.SIGTERM, faultTimes(t, 3, 50), 0)
}

// faultSignal sends the signal again and again at random moments of one run.
func faultSignal(t *testing.T, what string, signal syscall.Signal, times, perKill int) {
	const letters = 150 // between two signals, at most
	f := newFault(t, smtptest.Script{})
	f.begin(f.fill(times*letters + 500))
	for range times {
		f.start()
		f.letters(1 + rand.IntN(letters))
		f.kill(signal)
	}
	f.start()
	f.report(what, times, bounds{doubled: times * perKill})
}

// point is a moment of a letter's or a run's way. arm makes the program die there, once.
type point struct {
	name string
	arm  func(f *fault, kill func())
	// letters go out before the point has come, at most; 0: 300.
	letters int
	// begin makes what the next program works on; nil: all work on one large run.
	begin func(f *fault, mailing int64)
	// clients are whom it is for then; 0: 30.
	clients int
}

func TestFaultKilledAtPoint(t *testing.T) {
	t.Parallel()
	stage := func(stage domain.Stage) func(*fault, func()) {
		return func(f *fault, kill func()) {
			nth := rand.Int32N(faultConns) + 1
			var seen atomic.Int32
			f.on(func(e smtptest.Event) smtptest.Action {
				if e.Stage != stage || seen.Add(1) != nth {
					return smtptest.Action{}
				}
				kill()
				return smtptest.Action{Drop: true}
			})
		}
	}
	for _, p := range []point{
		{name: "claimed", arm: dieAt(faultproxy.Answered, statement.Fetch), letters: 2500},
		{name: "connected", arm: stage(domain.StageConnect)},
		{name: "MAIL", arm: stage(domain.StageMail)},
		{name: "RCPT", arm: stage(domain.StageRcpt)},
		{name: "DATA", arm: stage(domain.StageData)},
		{name: "before dot", arm: stage(smtptest.StageBody)},
		{name: "after dot", arm: stage(domain.StageDot)},
		{name: "after 250", arm: func(f *fault, kill func()) {
			after := func(smtptest.Letter) { kill() }
			f.after250.Store(&after)
		}},
		{name: "in commit", arm: dieAt(faultproxy.Passed, statement.Record)},
		{name: "after commit", arm: dieAt(faultproxy.Answered, statement.Record)},
		{name: "run close", arm: dieAtCommit(statement.Close),
			begin: func(f *fault, mailing int64) { f.begin(mailing) }},
		{name: "schedule advance", arm: dieAtCommit(statement.Advance),
			begin: func(f *fault, mailing int64) { f.due(time.Now(), mailing) }},
		// The second part of a run, after 10,000 in the first.
		{name: "planning", arm: dieAtCommit(statement.PlanPart), clients: 10_300,
			begin: func(f *fault, mailing int64) { f.due(time.Now(), mailing) }},
	} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			p.run(t)
		})
	}
}

func (p point) run(t *testing.T) {
	times := faultTimes(t, 2, 20)
	var f *fault
	script := smtptest.Script{}
	if p.name == "after 250" {
		script.After = func(l smtptest.Letter) {
			if after := f.after250.Load(); after != nil {
				(*after)(l)
			}
		}
	}
	f = newFault(t, script)
	f.behindProxy()
	owner := f.owner(300 + max(300, p.letters)*times)
	if p.begin == nil {
		f.begin(f.mailing(owner))
	} else {
		owner = f.owner(max(30, p.clients))
	}
	for range times {
		var program atomic.Pointer[program]
		var once atomic.Bool
		launched := make(chan struct{})
		p.arm(f, func() {
			if once.CompareAndSwap(false, true) {
				<-launched
				program.Load().kill(syscall.SIGKILL)
			}
		})
		if p.begin != nil {
			p.begin(f, f.mailing(owner))
		}
		started := f.launch()
		program.Store(started)
		close(launched)
		started.firstLetter(f)
		f.until("the program dies at its point", started.over)
		f.disarm()
	}
	f.start()
	if p.name == "schedule advance" { // and what comes due while nobody runs, after a death that left no job behind
		f.until("the runs are closed", f.closed)
		f.until("no job is under way", func() bool { return f.count(`SELECT count(*) FROM river_job WHERE finalized_at IS NULL`) == 0 })
		f.kill(syscall.SIGKILL)
		f.due(time.Now(), f.mailing(owner))
		f.start()
	}
	f.report("kill -9: "+p.name, times, bounds{doubled: times * f.conns})
}

// A program that dies between the attempt and its delivery forgets no bounce: whoever takes over
// suppresses the clients, too.
func TestFaultKilledBeforeBounce(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 2, 20)
	f := newFault(t, smtptest.Script{On: smtptest.Answer(domain.StageRcpt, "550 5.1.1 no such user")})
	f.behindProxy()
	for range times {
		f.begin(f.fill(100))
		var program atomic.Pointer[program]
		var once atomic.Bool
		launched := make(chan struct{})
		f.proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
			if when == faultproxy.Answered && s.Name() == statement.Record && once.CompareAndSwap(false, true) {
				<-launched
				program.Load().kill(syscall.SIGKILL)
				return faultproxy.Drop
			}
			return faultproxy.Pass
		})
		started := f.launch()
		program.Store(started)
		close(launched)
		f.until("the program dies", started.over)
		f.disarm()
	}
	f.launch()
	f.until("the runs are closed", f.closed)
	f.report("kill -9: before a bounce", times, bounds{excused: func(_ string, outcome domain.Outcome) bool {
		return outcome == domain.OutcomeFailed
	}})
	f.suppressed(100 * times)
}

func (f *fault) disarm() {
	f.on(nil)
	f.proxy.Watch(nil)
	f.after250.Store(nil)
}

// dieAt dies at a statement, after some others like it so that letters are under way.
func dieAt(when faultproxy.Moment, name statement.Name) func(*fault, func()) {
	return func(f *fault, kill func()) {
		nth := rand.Int32N(3) + 1
		var seen atomic.Int32
		f.proxy.Watch(func(s faultproxy.Statement, moment faultproxy.Moment) faultproxy.Action {
			if moment == when && s.Name() == name && seen.Add(1) == nth {
				kill()
				return faultproxy.Action(when != faultproxy.Passed)
			}
			return faultproxy.Pass
		})
	}
}

// dieAtCommit dies at the commit of a transaction: before it, in its middle, or after it.
func dieAtCommit(within statement.Name) func(*fault, func()) {
	return func(f *fault, kill func()) {
		when := []faultproxy.Moment{faultproxy.Before, faultproxy.Passed, faultproxy.Answered}[rand.IntN(3)]
		f.proxy.Watch(func(s faultproxy.Statement, moment faultproxy.Moment) faultproxy.Action {
			if moment == when && s.SQL == "commit" && s.Within(within) {
				kill()
				return faultproxy.Action(when != faultproxy.Passed)
			}
			return faultproxy.Pass
		})
	}
}
