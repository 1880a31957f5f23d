package faulttest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// shift sets the clock of the database, as whoever connects from now on sees it. To a program that is
// the same as a clock of its own which is wrong the other way; no test can give it such a one.
func (env *environment) shift(by time.Duration) {
	env.Helper()
	for _, name := range []string{"now", "clock_timestamp"} {
		env.exec(fmt.Sprintf(`CREATE OR REPLACE FUNCTION public.%[1]s() RETURNS timestamptz LANGUAGE sql STABLE
			AS 'SELECT pg_catalog.%[1]s() + interval ''%[2]d seconds'''`, name, int(by.Seconds())))
	}
	env.exec(`DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`)
}

// A process whose clock is a day ahead begins, resumes, repeats and ends nothing of tomorrow, says so
// once, sends what the others have planned, and plans again when its clock is right.
func TestFaultClockADayAhead(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	env := newEnv(t, smtptest.Script{})
	owner := env.owner(30)
	env.shift(-day)
	today := time.Now().Add(-day)
	tomorrow := today.Add(day / 2)
	due, later := env.mailing(owner), env.mailing(owner)
	env.due(today, due)
	env.due(tomorrow, later)
	ending, paused, waiting := env.mailing(owner), env.mailing(owner), env.mailing(owner)
	env.due(today.AddDate(0, 1, 0), ending)
	env.exec(`UPDATE mailings SET end_at = $2, end_local = $2::timestamptz AT TIME ZONE 'UTC' WHERE id = $1`, ending, tomorrow)
	for _, mailing := range []int64{ending, paused, waiting} {
		if _, ok, err := outbox.New(env.db.Postgres()).Plans().Make(t.Context(), mailing, today, true); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	env.exec(`UPDATE runs SET status = 'paused', reason = 'no', resume_at = $2 WHERE mailing_id = $1`, paused, tomorrow)
	env.exec(`WITH late AS (UPDATE deliveries SET outcome = 'deferred' FROM runs AS run WHERE run_id = run.id AND mailing_id = $1 RETURNING run_id, seq),
		done AS (UPDATE batches SET open = 0, done = true FROM runs AS run WHERE run_id = run.id AND mailing_id = $1)
		INSERT INTO retries (run_id, seq, due_at) SELECT run_id, seq, $2 FROM late`, waiting, tomorrow)

	p := env.launch()
	env.until("the run that ends tomorrow is sent", func() bool {
		return env.ask(`SELECT EXISTS (SELECT FROM runs WHERE mailing_id = $1 AND accepted = 30 AND closed_at IS NOT NULL)`, ending)
	})
	env.until("the plan job was left several times", func() bool {
		return env.ask(`SELECT EXISTS (SELECT FROM river_job WHERE kind = 'plan' AND (metadata->>'snoozes')::int >= 2)`)
	})
	if n := env.count(`SELECT count(*) FROM runs`); n != 3 || env.server.EndsOfData() != 30 {
		t.Errorf("%d runs, want 3; %d emails, want 30", n, env.server.EndsOfData())
	}
	if n := env.count(`SELECT count(*) FROM retries`); n != 30 || !env.ask(`SELECT EXISTS (SELECT FROM runs WHERE status = 'paused')`) {
		t.Errorf("%d retries wait, want 30; or the paused run went on", n)
	}
	if !env.ask(`SELECT status = 'running' FROM mailings WHERE id = $1`, ending) {
		t.Error("the mailing that ends tomorrow is finished")
	}
	code, out, errs := programtest.Run(t, []string{"DATABASE_URL=" + env.url, "SECRET=" + secret, "SMTP_URL=smtp://" + env.server.Addr()}, "", "send")
	if code != 1 || !strings.Contains(errs, "clock is 24h0m0s ahead of the database's") {
		t.Errorf("send: exit %d, %s%s", code, out, errs)
	}
	if said := strings.Count(p.Printed(), "clock is not the database's"); said != 1 {
		t.Errorf("said %d times that the clock is wrong:\n%s", said, p.Printed())
	}
	env.shift(0)
	env.report("clock a day ahead", 1, bounds{})
	if said := strings.Count(p.Printed(), "clock is right again"); said != 1 {
		t.Errorf("said %d times that the clock is right:\n%s", said, p.Printed())
	}
	if n := env.count(`SELECT count(*) FROM runs WHERE occurrence_no = 0 AND accepted = 30`); n != 2 {
		t.Errorf("%d runs of the calendar, want 2", n)
	}
}
