package faulttest

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// killed starts a program and kills it at a random moment, again and again.
func (env *environment) killed(times int) {
	env.Helper()
	for range times {
		env.launch()
		time.Sleep(time.Duration(rand.IntN(1500)) * time.Millisecond)
		env.kill(syscall.SIGKILL)
	}
}

// none makes sure that a question counts nothing.
func (env *environment) none(what, sql string, args ...any) {
	env.Helper()
	if n := env.count(sql, args...); n != 0 {
		env.Errorf("%d %s", n, what)
	}
}

// Nobody gets more emails a week than the owner allows, whenever the program dies.
func TestFaultCapKilledAtRandom(t *testing.T) {
	t.Parallel()
	times := repeat(t, 2, 60)
	env := newEnv(t, smtptest.Script{})
	owner := env.owner(200 * times)
	env.exec(`UPDATE users SET weekly_cap = 2 WHERE id = $1`, owner)
	mailings := []int64{env.mailing(owner), env.mailing(owner), env.mailing(owner)}
	env.exec(`UPDATE mailings SET periodicity = 'daily'`) // tomorrow's comes before there is room
	env.due(time.Now(), mailings...)
	env.killed(times)
	env.start()
	env.report("weekly limit: kill -9 at random", times, bounds{doubled: times * env.conns,
		excused: func(_ string, outcome domain.Outcome) bool { return outcome == domain.OutcomeSuppressed }})
	env.none("clients got another number of emails than two", `SELECT count(*) FROM (SELECT FROM deliveries GROUP BY client_id
		HAVING count(*) FILTER (WHERE outcome = 'accepted') <> 2 OR count(*) FILTER (WHERE skipped = 'cap') <> 1) AS wrong`)
}

// Emails that wait for the hour of their clients leave once, and not before it, whenever the program dies.
func TestFaultWavesKilledAtRandom(t *testing.T) {
	t.Parallel()
	times := repeat(t, 2, 60)
	env := newEnv(t, smtptest.Script{})
	owner := env.owner(200 * times)
	field, err := env.db.Fields().Create(t.Context(), owner, domain.FieldForm{Label: "Zone", Type: string(domain.FieldZone)})
	if err != nil {
		t.Fatal(err)
	}
	env.exec(`UPDATE clients SET fields = jsonb_build_object($1::text, 'Etc/GMT+1') WHERE id % 2 = 0`, field.ID) // an hour later
	mailing := env.mailing(owner)
	env.exec(`UPDATE mailings SET zone_of_client = true`)
	env.due(time.Now(), mailing)
	env.killed(times)
	env.launch()
	env.until("the first wave is over", func() bool {
		return env.ask(`SELECT count(*) = 0 FROM batches WHERE NOT done`) && env.server.Accepted() >= 100*times
	})
	env.none("emails left before the hour of their client", `SELECT count(*) FROM deliveries JOIN clients ON clients.id = client_id WHERE clients.id % 2 = 0 AND outcome <> 'deferred'`)
	env.exec(`UPDATE retries SET due_at = now()`)
	time.Sleep(time.Duration(rand.IntN(500)) * time.Millisecond)
	env.kill(syscall.SIGKILL)
	env.killed(times)
	env.start()
	env.report("waves: kill -9 at random", 2*times+1, bounds{doubled: (2*times + 1) * env.conns})
}

// Nothing leaves outside the hours of a mailing, whenever the program dies while they end.
func TestFaultHoursKilledAtRandom(t *testing.T) {
	t.Parallel()
	times := repeat(t, 2, 60)
	env := newEnv(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 10 * time.Millisecond})})
	mailing := env.fill(1500 * times)
	env.exec(`UPDATE mailings SET window_from = '00:00', window_to = to_char(now() AT TIME ZONE 'UTC' - interval '1 minute', 'HH24:MI') WHERE id = $1`, mailing)
	run := env.begin(mailing)
	outside := 0
	open := func() {
		env.exec(`UPDATE runs SET opens_at = now() - interval '1 hour', closes_at = now() + interval '1 hour', status = 'running', reason = '', resume_at = NULL WHERE id = $1 AND closed_at IS NULL`, run)
	}
	for range times {
		open()
		env.start()
		closes := time.Now().Add(time.Duration(rand.IntN(600)) * time.Millisecond)
		env.exec(`UPDATE runs SET closes_at = $2 WHERE id = $1`, run, closes)
		time.Sleep(time.Duration(rand.IntN(1200)) * time.Millisecond)
		env.kill(syscall.SIGKILL)
		env.launch()
		env.until("the run waits for its hours", func() bool {
			return env.ask(`SELECT closed_at IS NOT NULL OR status = 'paused' AND reason = 'window' FROM runs WHERE id = $1`, run)
		})
		outside += env.late(closes.Add(3*time.Second), func(smtptest.Email) bool { return true }) // a second, and a busy machine
		env.kill(syscall.SIGKILL)
	}
	open()
	env.start()
	env.report("hours: kill -9 at random", 2*times, bounds{doubled: 2 * times * env.conns}, fmt.Sprintf("outside=%d", outside))
	if outside > 0 {
		t.Errorf("%d emails left outside the hours", outside)
	}
}
