package faulttest

import (
	"fmt"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// Several programs lose the database at once, or what says that they live. When it is back each has
// to find its place again: the rate is what it was, nobody takes a living one for dead, and no
// program goes round in circles with work that is no longer its own.
func TestFaultAllLoseDatabase(t *testing.T) {
	t.Parallel()
	const terminate = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
	for _, way := range []struct {
		name    string
		cluster bool
		lose    func(*environment, *cluster)
	}{
		{"cut for 14 s", false, func(env *environment, _ *cluster) {
			env.proxy.Refuse(true)
			env.proxy.Cut()
			time.Sleep(14 * time.Second)
			env.proxy.Refuse(false)
		}},
		{"all fenced", false, func(env *environment, _ *cluster) {
			env.exec(`WITH gone AS (DELETE FROM instances RETURNING id)
				SELECT pg_terminate_backend(pid) FROM pg_locks JOIN gone ON objid = gone.id
				WHERE locktype = 'advisory' AND classid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		}},
		{"terminated by administrator", false, func(env *environment, _ *cluster) { env.exec(terminate) }},
		{"crash restart", true, func(env *environment, c *cluster) {
			conn, err := env.db.Postgres().Pool.Acquire(env.Context())
			if err != nil {
				env.Fatal(err)
			}
			defer conn.Release()
			c.kill(false)
			env.until("Postgres is away", func() bool { return conn.Ping(env.Context()) != nil })
			env.until("Postgres is back", func() bool { return env.ask("SELECT true") })
		}},
	} {
		for _, programs := range []int{2, 4} {
			t.Run(fmt.Sprint(way.name, "/", programs), func(t *testing.T) {
				t.Parallel()
				var c *cluster
				var address string
				if way.cluster {
					c = newCluster(t, nil)
					address = c.pg.URL()
				} else {
					address = dbtest.URL(t)
				}
				// The mail server sets the pace, so that the rate says nothing about the machine.
				env := newEnvOn(t, address, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 100 * time.Millisecond})})
				env.behindProxy()
				env.loseDatabase(way.name, programs, func() { way.lose(env, c) })
			})
		}
	}
}

func (env *environment) loseDatabase(what string, programs int, lose func()) {
	env.Helper()
	times := repeat(env, 1, 20)
	perSecond := 10 * env.conns * programs
	env.begin(env.fill((1 + 10*times) * perSecond))
	for range programs {
		env.launch()
	}
	for _, p := range env.workers {
		p.ready()
	}
	most := 0
	for range times {
		time.Sleep(3 * time.Second) // all are steady
		rate := env.rate()
		conns := env.server.Conns()
		lose()
		healed := time.Now()
		env.until("the rate of before", func() bool { return env.rate() > rate*3/4 || env.idle() })
		env.slowest = max(env.slowest, time.Since(healed))
		env.emails(2 * perSecond) // time for a storm, and for what was doubled
		most = max(most, env.server.Conns()-conns)
	}
	if limit := 5 * programs * env.conns; most > limit {
		env.Errorf("%s: %d connections to the mail server for a fault, want at most %d", what, most, limit)
	}
	env.report(fmt.Sprintf("%d programs: %s", programs, what), times, bounds{doubled: times * programs * env.conns}, fmt.Sprintf("connections=%d", most))
}

// rate is how many emails go out in the next second.
func (env *environment) rate() int {
	before := env.server.Accepted()
	time.Sleep(time.Second)
	return env.server.Accepted() - before
}
