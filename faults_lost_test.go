package main_test

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
		lose    func(*fault, *cluster)
	}{
		{"cut for 14 s", false, func(f *fault, _ *cluster) {
			f.proxy.Refuse(true)
			f.proxy.Cut()
			time.Sleep(14 * time.Second)
			f.proxy.Refuse(false)
		}},
		{"all fenced", false, func(f *fault, _ *cluster) {
			f.exec(`WITH gone AS (DELETE FROM instances RETURNING id)
				SELECT pg_terminate_backend(pid) FROM pg_locks JOIN gone ON objid = gone.id
				WHERE locktype = 'advisory' AND classid = 1 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
		}},
		{"terminated by administrator", false, func(f *fault, _ *cluster) { f.exec(terminate) }},
		{"crash restart", true, func(f *fault, c *cluster) {
			conn, err := f.db.Pool.Acquire(f.Context())
			if err != nil {
				f.Fatal(err)
			}
			defer conn.Release()
			c.kill(false)
			f.until("Postgres is away", func() bool { return conn.Ping(f.Context()) != nil })
			f.until("Postgres is back", func() bool { return f.ask("SELECT true") })
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
				f := newFaultOn(t, address, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: 100 * time.Millisecond})})
				f.behindProxy()
				f.loseDatabase(way.name, programs, func() { way.lose(f, c) })
			})
		}
	}
}

func (f *fault) loseDatabase(what string, programs int, lose func()) {
	f.Helper()
	times := faultTimes(f, 1, 20)
	perSecond := 10 * f.conns * programs
	f.begin(f.fill((1 + 10*times) * perSecond))
	for range programs {
		f.launch()
	}
	for _, p := range f.programs {
		p.ready(f)
	}
	most := 0
	for range times {
		time.Sleep(3 * time.Second) // all are steady
		rate := f.rate()
		conns := f.server.Conns()
		lose()
		healed := time.Now()
		f.until("the rate of before", func() bool { return f.rate() > rate*3/4 || f.idle() })
		f.slowest = max(f.slowest, time.Since(healed))
		f.letters(2 * perSecond) // time for a storm, and for what was doubled
		most = max(most, f.server.Conns()-conns)
	}
	if limit := 5 * programs * f.conns; most > limit {
		f.Errorf("%s: %d connections to the mail server for a fault, want at most %d", what, most, limit)
	}
	f.report(fmt.Sprintf("%d programs: %s", programs, what), times, bounds{doubled: times * programs * f.conns}, fmt.Sprintf("connections=%d", most))
}

// rate is how many letters go out in the next second.
func (f *fault) rate() int {
	before := f.server.Accepted()
	time.Sleep(time.Second)
	return f.server.Accepted() - before
}
