package faulttest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// A frozen program loses its work to another one and must notice when it wakes up.
func TestFaultFrozen(t *testing.T) {
	t.Parallel()
	times, frozen := repeat(t, 1, 20), time.Duration(0)
	if os.Getenv("FAULTS") != "" {
		frozen = time.Minute
	}
	env := newEnv(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 2 * time.Millisecond})})
	env.behindProxy()
	owner := env.owner(1500)
	fenced := 0
	for n := range times {
		env.begin(env.mailing(owner))
		late := env.start()
		late.ready()
		env.emails(200)
		if n%2 == 0 {
			env.freezeInTransaction(late)
		} else {
			late.Signal(syscall.SIGSTOP)
		}
		stopped := time.Now()
		other := env.launch()
		env.until("the other one has done all", env.closed) // it needs to take batches over for that
		time.Sleep(time.Until(stopped.Add(frozen)))
		late.Signal(syscall.SIGCONT)
		env.until("the late one notices", func() bool { return late.Over() || strings.Contains(late.Printed(), "starting anew") })
		if !late.Over() {
			fenced++
		}
		// It still works: the next run is its own.
		other.Kill(syscall.SIGTERM)
		env.begin(env.mailing(owner))
		env.until("the late one sends the next run", env.closed)
		env.kill(syscall.SIGTERM)
	}
	env.report("SIGSTOP, taken over, CONT", times, bounds{doubled: times * env.conns}, fmt.Sprintf("fenced=%d/%d", fenced, times))
}

// freezeInTransaction stops the program between a statement and the commit, with its locks held.
func (env *environment) freezeInTransaction(p *worker) {
	env.Helper()
	var once atomic.Bool
	stopped := make(chan struct{})
	env.proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
		if when == faultproxy.Answered && s.Name() == statement.Complete && once.CompareAndSwap(false, true) {
			p.Signal(syscall.SIGSTOP)
			close(stopped)
		}
		return faultproxy.Pass
	})
	env.until("the program is in a transaction", func() bool {
		select {
		case <-stopped:
			return true
		default:
			return false
		}
	})
	env.proxy.Watch(nil)
}

// Several programs share the runs of one calendar; one of them dies in the middle.
func TestFaultOneOfSeveralDies(t *testing.T) {
	t.Parallel()
	for _, instances := range []int{2, 3} {
		t.Run(fmt.Sprint(instances), func(t *testing.T) {
			t.Parallel()
			times := repeat(t, 2, 20)
			env := newEnv(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 2 * time.Millisecond})})
			owner := env.owner(500)
			for range instances {
				env.launch().ready()
			}
			for n := range times {
				before := env.server.EndsOfData()
				env.due(time.Now(), env.mailing(owner), env.mailing(owner))
				env.until("the first email", func() bool { return env.server.EndsOfData() > before })
				env.emails(1 + rand.IntN(300))
				dying := n % instances
				env.workers[dying].Kill(syscall.SIGKILL)
				env.resumed()
				env.until("the others have done all", env.closed)
				p := env.launch()
				p.ready()
				env.workers = append(append(env.workers[:dying:dying], p), env.workers[dying+1:len(env.workers)-1]...)
			}
			runs := env.count(`SELECT count(*) FROM runs WHERE occurrence_no = 0`)
			if runs != 2*times {
				t.Errorf("%d runs of %d occurrences", runs, 2*times)
			}
			env.report(fmt.Sprintf("%d instances, one dying", instances), times, bounds{doubled: times * env.conns}, fmt.Sprintf("runs=%d/%d", runs, 2*times))
		})
	}
}

// A thousand mailings of a hundred owners come due in the same second.
func TestFaultThousandAtOnce(t *testing.T) {
	t.Parallel()
	const owners, each, clients = 100, 10, 3
	slowest, whole, times := time.Duration(0), time.Duration(0), repeat(t, 1, 3)
	env := newEnv(t, smtptest.Script{})
	var ids []int64
	for range owners {
		ids = append(ids, env.owner(clients))
	}
	env.launch().ready()
	for range times {
		var mailings []int64
		for _, owner := range ids {
			for range each {
				mailings = append(mailings, env.mailing(owner))
			}
		}
		at, before := time.Now().Add(time.Second), env.server.EndsOfData()
		env.due(at, mailings...)
		env.until("everything is sent", func() bool { return env.server.EndsOfData() >= before+owners*each*clients && env.closed() })
		whole = max(whole, time.Since(at))
		first := map[string]time.Time{} // by the owner's number, which stands in the address
		for _, l := range env.server.Emails()[before:] {
			name, _, _ := strings.Cut(l.To, "@")
			_, owner, _ := strings.Cut(name, ".")
			if first[owner].IsZero() {
				first[owner] = l.EndOfData
			}
		}
		if len(first) != owners {
			t.Errorf("%d owners' emails came, want %d", len(first), owners)
		}
		for _, dot := range first {
			slowest = max(slowest, dot.Sub(at))
		}
	}
	// One run of each owner is planned before the second of any: a tenth of the way, however slow the machine.
	if slowest > recovery && slowest > whole/2 {
		t.Errorf("an owner waited %v for the first email, everything took %v", slowest, whole)
	}
	if runs := env.count(`SELECT count(*) FROM runs`); runs != times*owners*each {
		t.Errorf("%d runs, want %d", runs, times*owners*each)
	}
	env.report("1,000 mailings of 100 owners at once", times, bounds{}, fmt.Sprintf("first=%.1fs of %.1fs", slowest.Seconds(), whole.Seconds()))
}
