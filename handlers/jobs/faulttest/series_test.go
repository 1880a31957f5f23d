package faulttest

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/series"
	"skychimp/db/statement"
	rules "skychimp/domain/series"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// series launches a series whose steps follow each other at once; with all, for all clients that there are.
func (env *environment) series(owner int64, steps int, all bool) (id int64) {
	env.Helper()
	in := rules.Input{Name: "Faults", Entry: "added"}
	for range steps {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: env.message(owner)})
	}
	s, err := series.In(env.db).Create(env.Context(), owner, in, time.Now())
	if err == nil {
		_, err = series.In(env.db).Launch(env.Context(), owner, s.ID, all, 0)
	}
	if err != nil {
		env.Fatal(err)
	}
	return s.ID
}

// join makes clients, who come into the series of the owner.
func (env *environment) join(owner int64, clients int) {
	env.Helper()
	env.exec(`INSERT INTO clients (owner_id, email) SELECT $1, 'joined' || n || '.' || gen_random_uuid() || '@example.org' FROM generate_series(1, $2::int) n`, owner, clients)
}

// inOrder makes sure that everybody got each step of the series once, and none before the one before.
func (env *environment) inOrder(id int64, clients, steps int) string {
	env.Helper()
	wrong := 0
	for what, want := range map[string]int{
		`SELECT count(*) FROM series_clients WHERE series_id = $1`: clients,
		`SELECT count(*) FROM series_clients WHERE series_id = $1 AND left_reason = 'finished' AND cardinality(passed) = (SELECT count(*) FROM series_steps WHERE series_id = $1)`: clients,
		`SELECT count(*) FROM deliveries JOIN runs ON runs.id = run_id WHERE mailing_id = $1`:                                                                                      clients * steps,
		`SELECT count(*) FROM (SELECT FROM deliveries JOIN runs ON runs.id = run_id WHERE mailing_id = $1 GROUP BY client_id, step_id HAVING count(*) > 1) AS twice`:               0,
		`WITH got AS (SELECT d.client_id, step.position, min(a.at) AS first, max(a.at) AS last FROM runs JOIN deliveries AS d ON d.run_id = runs.id
				JOIN attempts AS a ON a.run_id = d.run_id AND a.seq = d.seq JOIN series_steps AS step ON step.id = runs.step_id WHERE runs.mailing_id = $1 GROUP BY 1, 2)
			SELECT count(*) FROM got JOIN got AS next ON next.client_id = got.client_id AND next.position = got.position + 1 WHERE next.first < got.last`: 0,
	} {
		if n := env.count(what, id); n != want {
			env.Errorf("%d instead of %d: %s", n, want, what)
			wrong++
		}
	}
	return fmt.Sprintf("clients=%d steps=%d wrong=%d", clients, steps, wrong)
}

// Who comes into a series gets each step once and in order, whenever the program dies.
func TestFaultSeriesKilledAtRandom(t *testing.T) {
	t.Parallel()
	const steps = 3
	times := repeat(t, 3, 300)
	env := newEnv(t, smtptest.Script{})
	owner := env.owner(0)
	id := env.series(owner, steps, false)
	clients := 0
	for range times {
		env.join(owner, 60)
		clients += 60
		env.start()
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		env.kill(syscall.SIGKILL)
	}
	env.start()
	env.report("series: kill -9 at random", times, bounds{doubled: times * env.conns}, env.waited(id), " ")
	fmt.Println("FAULT", env.inOrder(id, clients, steps))
}

// waited waits until nobody is under way in the series.
func (env *environment) waited(id int64) string {
	env.Helper()
	env.until("nobody waits in the series", func() bool {
		return env.ask(`SELECT NOT EXISTS (SELECT FROM series_clients WHERE series_id = $1 AND due_at IS NOT NULL)`, id)
	})
	return ""
}

func TestFaultSeriesKilledAtPoint(t *testing.T) {
	t.Parallel()
	for _, p := range []struct {
		name string
		at   statement.Name
	}{{"between entry and first step", statement.Place}, {"planning of a step", statement.Step}} {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			const steps = 2
			times := repeat(t, 2, 20)
			env := newEnv(t, smtptest.Script{})
			env.behindProxy()
			owner := env.owner(0)
			id := env.series(owner, steps, false)
			clients := 0
			for range times {
				env.join(owner, 130)
				clients += 130
				var program atomic.Pointer[worker]
				var once sync.Once
				launched := make(chan struct{})
				dieAtCommit(p.at)(env, func() {
					once.Do(func() {
						<-launched
						program.Load().Kill(syscall.SIGKILL)
					})
				})
				started := env.launch()
				program.Store(started)
				close(launched)
				env.until("the program dies at its point", started.Over)
				env.disarm()
			}
			env.start()
			env.report("series, kill -9: "+p.name, times, bounds{doubled: times * env.conns}, env.waited(id))
			fmt.Println("FAULT", env.inOrder(id, clients, steps))
		})
	}
}

// Two programs that share the work plan each step once.
func TestFaultSeriesOfTwoPrograms(t *testing.T) {
	t.Parallel()
	const steps = 3
	times := repeat(t, 3, 20)
	env := newEnv(t, smtptest.Script{})
	owner := env.owner(0)
	id := env.series(owner, steps, false)
	env.launch()
	clients := 0
	for range times {
		env.launch()
		env.join(owner, 250)
		clients += 250
		time.Sleep(time.Duration(rand.IntN(800)) * time.Millisecond)
		killed := env.workers[0]
		env.workers = env.workers[1:]
		killed.Kill(syscall.SIGKILL)
	}
	env.report("series: two programs, one dies", times, bounds{doubled: times * env.conns}, env.waited(id))
	fmt.Println("FAULT", env.inOrder(id, clients, steps))
}

// A database that stands still for a while loses no step and doubles none.
func TestFaultSeriesOfStalledDatabase(t *testing.T) {
	t.Parallel()
	const steps = 2
	times := repeat(t, 1, 10)
	env := newEnv(t, smtptest.Script{})
	env.behindProxy()
	owner := env.owner(0)
	id := env.series(owner, steps, false)
	env.launch().ready()
	clients := 0
	for range times {
		var stalled atomic.Bool
		free := make(chan struct{})
		env.proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
			if when == faultproxy.Answered && s.Name() == statement.Step && stalled.CompareAndSwap(false, true) {
				<-free
			}
			return faultproxy.Pass
		})
		env.join(owner, 250)
		clients += 250
		env.until("the database stalls", stalled.Load)
		time.Sleep(9 * time.Second) // Postgres ends a transaction that is idle for 8 s
		close(free)
		env.disarm()
	}
	env.report("series: stalled database", times, bounds{doubled: times * env.conns}, env.waited(id))
	fmt.Println("FAULT", env.inOrder(id, clients, steps))
}
