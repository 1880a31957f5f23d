package faulttest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/statement"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// memoryGrowth is how many MB a program may gain from the first fault to the last.
const memoryGrowth = 20

// ride injects a fault again and again into one run that a living program sends.
func (env *environment) ride(what string, times int, inject func(n int)) {
	env.Helper()
	env.begin(env.fill(1000 + 300*times))
	p := env.start()
	p.ready()
	memory := 0
	for n := range times {
		env.emails(1 + rand.IntN(100))
		inject(n)
		env.resumed()
		if n == 0 {
			memory = p.memory(env)
		}
	}
	grown := p.memory(env) - memory
	if p.Over() {
		env.Errorf("the program died:\n%s", p.Printed())
	}
	if grown > memoryGrowth {
		env.Errorf("%s: memory grew by %d MB from %d", what, grown, memory)
	}
	env.report(what, times, bounds{}, fmt.Sprintf("memory=%d%+dMB", memory, grown))
}

func TestFaultPostgresCut(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{})
	proxy := env.behindProxy()
	var unanswered atomic.Int32
	env.ride("Postgres: connections cut", repeat(t, 5, 50), func(n int) {
		// Nor may batches be lost that were fetched and whose answer never came.
		proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
			if when == faultproxy.Answered && s.Name() == statement.Fetch {
				proxy.Watch(nil)
				unanswered.Add(1)
				return faultproxy.Drop
			}
			return faultproxy.Pass
		})
		if n%2 == 1 { // and for a while nobody gets in
			proxy.Refuse(true)
			defer proxy.Refuse(false)
			defer time.Sleep(200 * time.Millisecond)
		}
		proxy.Cut()
	})
	if unanswered.Load() == 0 {
		t.Error("no fetch of batches was left without its answer")
	}
}

// A stall ends after the lease in the quick form too: others would have taken the work over.
func TestFaultPostgresStalled(t *testing.T) {
	t.Parallel()
	stall := 12 * time.Second
	if os.Getenv("FAULTS") != "" {
		stall = 30 * time.Second
	}
	env := newEnv(t, smtptest.Script{})
	proxy := env.behindProxy()
	env.ride(fmt.Sprintf("Postgres: stalled %v", stall), repeat(t, 1, 50), func(int) {
		resume := proxy.Stall()
		time.Sleep(stall)
		resume()
	})
}

// Nobody says that the connections are dead, and Postgres goes on holding what they hold.
func TestFaultPostgresSilent(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{})
	proxy := env.behindProxy()
	env.ride("Postgres: silent for good", repeat(t, 1, 20), func(int) { proxy.Mute() })
}

func TestFaultPostgresKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	env := newEnvOn(t, c.pg.URL(), smtptest.Script{})
	env.ride("Postgres: kill -9", repeat(t, 3, 50), func(n int) {
		if n%3 != 2 {
			c.kill(true)
			return
		}
		conn, err := env.db.Postgres().Pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		c.kill(false)
		env.until("Postgres has seen it", func() bool { return conn.Ping(t.Context()) != nil })
	})
}

func TestFaultPostgresRestarted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	env := newEnvOn(t, c.pg.URL(), smtptest.Script{})
	env.ride("Postgres: restart", repeat(t, 3, 50), func(int) {
		if err := c.pg.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.start()
	})
}

func TestFaultEverythingKilled(t *testing.T) {
	t.Parallel()
	times := repeat(t, 3, 50)
	c := newCluster(t, nil)
	env := newEnvOn(t, c.pg.URL(), smtptest.Script{})
	env.begin(env.fill(500 + 250*times))
	for range times {
		env.start()
		env.emails(1 + rand.IntN(150))
		c.signal(postmaster(t, c.dir), syscall.SIGKILL)
		env.kill(syscall.SIGKILL)
		<-c.pg.Done()
		c.start()
	}
	env.start()
	env.report("Postgres and program: kill -9", times, bounds{doubled: times * env.conns})
}
