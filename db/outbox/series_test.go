package outbox_test

import (
	"fmt"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// newSeries keeps and launches a series of steps, each a day after the one before.
func newSeries(t testing.TB, d *db.DB, owner int64, steps int, change func(*rules.Input)) rules.Series {
	t.Helper()
	in := rules.Input{Name: "Welcome", Entry: "added"}
	for i := range steps {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: dbtest.NewMessage(t, d, owner, fmt.Sprint("Step ", i+1), "Text").ID, Wait: fmt.Sprint(min(i, 1))})
	}
	if change != nil {
		change(&in)
	}
	s, err := series.In(d).Create(t.Context(), owner, in, time.Now())
	if err == nil {
		_, err = series.In(d).Launch(t.Context(), owner, s.ID, false, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// planSeries plans all that is due at a time, when all emails before have gone out.
func planSeries(t testing.TB, d *db.DB, now time.Time) {
	t.Helper()
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'accepted'")
	if _, err := outbox.New(d.Postgres()).Series().Plan(t.Context(), now, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.New(d.Postgres()).Plans().Continue(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// told are the steps that each client got, in order, such as 1:12 for the first two.
func told(t testing.TB, d *db.DB, s rules.Series) string {
	t.Helper()
	dbtest.WaitingCounted(t, d)
	rows, err := d.Postgres().Pool.Query(t.Context(), `SELECT d.client_id, string_agg(step.position::text, '' ORDER BY run.id) FROM deliveries AS d JOIN runs AS run ON run.id = d.run_id
		JOIN series_steps AS step ON step.id = run.step_id WHERE run.mailing_id = $1 GROUP BY 1 ORDER BY 1`, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	text := ""
	for rows.Next() {
		var client int64
		var steps string
		if err := rows.Scan(&client, &steps); err != nil {
			t.Fatal(err)
		}
		text += fmt.Sprintf("%d:%s ", client, steps)
	}
	return text
}

const aDay = 24*time.Hour + time.Minute

func TestSeriesGoesOutStepByStep(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 3, nil)
	ids := dbtest.NewClients(t, d, owner, 3)
	now := time.Now()
	planSeries(t, d, now)
	planSeries(t, d, now)
	dbtest.Same(t, "the first step, once", told(t, d, s), fmt.Sprintf("%d:1 %d:1 %d:1 ", ids[0], ids[1], ids[2]))
	planSeries(t, d, now.Add(aDay))
	dbtest.Suppress(t, d, ids[1])
	dbtest.Exec(t, d, "UPDATE clients SET paused_until = now() + interval '10 days' WHERE id = $1", ids[2])
	planSeries(t, d, now.Add(2*aDay))
	planSeries(t, d, now.Add(3*aDay))
	dbtest.Same(t, "all steps", told(t, d, s), fmt.Sprintf("%d:123 %d:12 %d:12 ", ids[0], ids[1], ids[2]))
	dbtest.Exec(t, d, "UPDATE clients SET paused_until = NULL WHERE id = $1", ids[2])
	planSeries(t, d, now.Add(9*aDay))
	dbtest.Same(t, "who has paused waits", told(t, d, s), fmt.Sprintf("%d:123 %d:12 %d:12 ", ids[0], ids[1], ids[2]))
	planSeries(t, d, now.Add(11*aDay))
	dbtest.Same(t, "and goes on", told(t, d, s), fmt.Sprintf("%d:123 %d:12 %d:123 ", ids[0], ids[1], ids[2]))
	list, _, err := series.In(d).Clients(t.Context(), s, series.Where{})
	if err != nil || len(list) != 3 || list[0].LeftReason != "finished" || list[1].LeftReason != "unsubscribed" || list[2].LeftReason != "finished" {
		t.Errorf("%+v, %v", list, err)
	}
	runs := dbtest.Numbers(t, d, "SELECT planned FROM runs WHERE mailing_id = $1 ORDER BY id", s.ID)
	dbtest.Same(t, "runs", runs, []int64{3, 3, 1, 1})
	dbtest.Same(t, "batches", dbtest.Number(t, d, "SELECT sum(open) FROM batches"), 8)
}

// Of an owner who allows so many emails a week, a series waits for room.
func TestSeriesKeepsToTheWeeklyCap(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, "UPDATE users SET weekly_cap = 1 WHERE id = $1", owner)
	s := newSeries(t, d, owner, 2, nil)
	ids := dbtest.NewClients(t, d, owner, 1)
	now := time.Now()
	planSeries(t, d, now)
	planSeries(t, d, now.Add(aDay))
	dbtest.Same(t, "one a week", told(t, d, s), fmt.Sprintf("%d:1 ", ids[0]))
	planSeries(t, d, now.Add(7*aDay))
	dbtest.Same(t, "a week later", told(t, d, s), fmt.Sprintf("%d:12 ", ids[0]))
}

// A step whose email waits for another try is not overtaken by the next.
func TestNoStepOvertakesAnother(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 2, nil)
	ids := dbtest.NewClients(t, d, owner, 2)
	now := time.Now()
	planSeries(t, d, now)
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'accepted' WHERE client_id = $1", ids[0])
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'deferred' WHERE client_id = $1", ids[1])
	if _, err := outbox.New(d.Postgres()).Series().Plan(t.Context(), now.Add(aDay), 0); err != nil {
		t.Fatal(err)
	}
	dbtest.Same(t, "the second is deferred", told(t, d, s), fmt.Sprintf("%d:12 %d:1 ", ids[0], ids[1]))
	planSeries(t, d, now.Add(aDay+time.Minute))
	dbtest.Same(t, "and goes on", told(t, d, s), fmt.Sprintf("%d:12 %d:12 ", ids[0], ids[1]))
}

func TestSeriesOfManyIsPlannedInParts(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 2, nil)
	const clients = 23_456
	dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || n || '@x.example' FROM generate_series(1, $2::int) AS n`, owner, clients)
	dbtest.Exec(t, d, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE id % 7 = 0`)
	now := time.Now()
	planSeries(t, d, now)
	planSeries(t, d, now.Add(aDay))
	gets := dbtest.Number(t, d, "SELECT count(*) FROM clients WHERE suppressed_at IS NULL")
	dbtest.Same(t, "deliveries", dbtest.Numbers(t, d, `SELECT count(*) FROM deliveries JOIN runs ON runs.id = run_id GROUP BY step_id ORDER BY step_id`), []int64{gets, gets})
	dbtest.Same(t, "emails in batches", dbtest.Numbers(t, d, `SELECT sum(open) FROM batches JOIN runs ON runs.id = run_id GROUP BY step_id ORDER BY step_id`), []int64{gets, gets})
	dbtest.Same(t, "wrong batches", dbtest.Number(t, d, `SELECT count(*) FROM batches WHERE open <> (SELECT count(*) FROM deliveries AS d
		WHERE d.run_id = batches.run_id AND d.seq BETWEEN first_seq AND first_seq + 99) OR (first_seq - 1) % 100 <> 0`), 0)
	dbtest.Same(t, "unplanned", dbtest.Number(t, d, "SELECT count(*) FROM runs WHERE plan_cursor IS NOT NULL"), 0)
	dbtest.Same(t, "left", dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE left_reason = 'unsubscribed'"), clients-gets)
	dbtest.Same(t, "waiting", dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE series_id = $1 AND due_at IS NOT NULL", s.ID), 0)
}

func TestSeriesWaitsWhileItIsHeld(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 1, nil)
	if err := series.In(d).Pause(t.Context(), owner, s.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	ids := dbtest.NewClients(t, d, owner, 1)
	planSeries(t, d, time.Now())
	dbtest.Same(t, "paused", told(t, d, s), "")
	if err := series.In(d).Resume(t.Context(), owner, s.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	dbtest.UpdateMailing(t, d, s.ID, dbtest.Disable)
	planSeries(t, d, time.Now())
	dbtest.Same(t, "disabled", told(t, d, s), "")
	dbtest.UpdateMailing(t, d, s.ID, func(m *domain.Mailing) error { return m.Enable(domain.User{Role: domain.RoleManager}) })
	planSeries(t, d, time.Now())
	dbtest.Same(t, "enabled", told(t, d, s), fmt.Sprintf("%d:1 ", ids[0]))
}

func TestSeriesLetsThoseInWhoQualify(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, owner, 3)
	dbtest.Exec(t, d, "UPDATE clients SET tags = '{vip}' WHERE id = ANY($1)", ids[:2])
	s, err := series.In(d).Create(t.Context(), owner, rules.Input{Name: "VIP", Entry: "tag", EntryValue: "vip",
		Steps: []rules.StepInput{{MessageID: dbtest.NewMessage(t, d, owner, "Hi", "").ID}}}, time.Now())
	if err == nil {
		_, err = series.In(d).Launch(t.Context(), owner, s.ID, true, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	planSeries(t, d, time.Now())
	dbtest.Same(t, "those with the tag", told(t, d, s), fmt.Sprintf("%d:1 %d:1 ", ids[0], ids[1]))
	dbtest.Same(t, "to let in", dbtest.Number(t, d, "SELECT count(*) FROM series WHERE join_to IS NOT NULL"), 0)
}

func TestSeriesBeginsWithADate(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, "INSERT INTO fields (id, owner_id, key, label, type) VALUES (5, $1, 'birthday', 'Birthday', 'date')", owner)
	s := newSeries(t, d, owner, 1, func(in *rules.Input) { in.Entry, in.EntryValue, in.Steps[0].At = "date", "birthday-1 yearly", "00:10" })
	ids := dbtest.NewClients(t, d, owner, 2)
	morning := time.Now().UTC().AddDate(0, 0, 2).Truncate(24 * time.Hour).Add(time.Hour)
	dbtest.Exec(t, d, "UPDATE clients SET fields = jsonb_build_object('5', to_char($2::date - interval '30 years', 'YYYY-MM-DD')) WHERE id = $1", ids[0], morning.AddDate(0, 0, 1))
	planSeries(t, d, morning.AddDate(0, 0, -1))
	dbtest.Same(t, "the day before", told(t, d, s), "")
	planSeries(t, d, morning)
	planSeries(t, d, morning.Add(2*time.Hour))
	dbtest.Same(t, "its day", told(t, d, s), fmt.Sprintf("%d:1 ", ids[0]))
	planSeries(t, d, morning.AddDate(1, 0, -2))
	planSeries(t, d, morning.AddDate(1, 0, 0))
	planSeries(t, d, morning.AddDate(1, 0, 1))
	dbtest.Same(t, "a year later", told(t, d, s), fmt.Sprintf("%d:11 ", ids[0]))
}

func TestSeriesIsEditedUnderWay(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 3, nil)
	ids := dbtest.NewClients(t, d, owner, 2)
	now := time.Now()
	planSeries(t, d, now)
	planSeries(t, d, now.Add(aDay))
	change := func(edit func(*rules.Input)) rules.Series {
		t.Helper()
		changed, err := series.In(d).Update(t.Context(), owner, s.ID, func(s *rules.Series, own rules.Own) (rules.Edit, error) {
			in := s.Input(own.Fields)
			edit(&in)
			return s.Change(in, own, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	// The third step is removed: those who wait for it are at the end. Another one is added there.
	change(func(in *rules.Input) { in.Steps = in.Steps[:2] })
	dbtest.Same(t, "finished", dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE left_reason = 'finished'"), 2)
	s = change(func(in *rules.Input) {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: dbtest.NewMessage(t, d, owner, "New", "").ID, Wait: "1"})
	})
	counts, err := series.In(d).Counts(t.Context(), s)
	if added := s.Steps[2]; err != nil || counts[added.ID].Passed != 2 {
		t.Fatalf("%+v, %v", counts, err)
	}
	planSeries(t, d, now.Add(3*aDay))
	before := fmt.Sprintf("%d:12 %d:12 ", ids[0], ids[1])
	dbtest.Same(t, "not asked yet", told(t, d, s), before)
	if err := series.In(d).Answer(t.Context(), owner, s.ID, s.Steps[2].ID, true); err != nil {
		t.Fatal(err)
	}
	planSeries(t, d, now.Add(time.Hour))
	dbtest.Same(t, "its wait counts from the answer", told(t, d, s), before)
	planSeries(t, d, now.Add(aDay+time.Minute))
	dbtest.Same(t, "sent to those who had passed", told(t, d, s), fmt.Sprintf("%d:123 %d:123 ", ids[0], ids[1]))
}

// An edit of a series with many under way is done in parts; until it is, nothing of the series is planned.
func TestEditsOfManyAreDoneInParts(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, owner, 2, nil)
	const clients = 11_000
	dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || n || '@x.example' FROM generate_series(1, $2::int) AS n`, owner, clients)
	now := time.Now()
	planSeries(t, d, now)
	update := func(edit func(*rules.Input)) (changed rules.Series) {
		t.Helper()
		changed, err := series.In(d).Update(t.Context(), owner, s.ID, func(s *rules.Series, own rules.Own) (rules.Edit, error) {
			in := s.Input(own.Fields)
			edit(&in)
			return s.Change(in, own, time.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		return changed
	}
	places := func() []int64 {
		t.Helper()
		return dbtest.Numbers(t, d, `SELECT count(*) FROM series_clients GROUP BY next_step_id ORDER BY next_step_id`)
	}
	// The second step is removed, a new one is added, and those who have passed its place get it: the answer waits its turn.
	update(func(in *rules.Input) { in.Steps = in.Steps[:1:1] })
	dbtest.Same(t, "after the request", places(), []int64{5000, 6000})
	move, ok, err := series.In(d).Moving(t.Context(), s.ID)
	if err != nil || !ok || move.Done != 5000 || move.Total != clients {
		t.Fatalf("%+v, %v, %v", move, ok, err)
	}
	s = update(func(in *rules.Input) {
		in.Steps = append(in.Steps, rules.StepInput{MessageID: dbtest.NewMessage(t, d, owner, "New", "").ID, Wait: "1"})
	})
	if !s.Steps[1].Asks {
		t.Fatal("nobody is asked about the new step")
	}
	if err := series.In(d).Answer(t.Context(), owner, s.ID, s.Steps[1].ID, true); err != nil {
		t.Fatal(err)
	}
	dbtest.Same(t, "moves that wait", dbtest.Number(t, d, "SELECT count(*) FROM series_moves"), 2)
	planSeries(t, d, now.Add(2*aDay))
	dbtest.Same(t, "nothing is planned meanwhile", dbtest.Numbers(t, d, `SELECT sum(planned) FROM runs`), []int64{clients})
	for moved := true; moved; {
		if moved, err = series.In(d).Move(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Same(t, "all wait for the new step", dbtest.Number(t, d, `SELECT count(*) FROM series_clients WHERE next_step_id = $1 AND left_at IS NULL`, s.Steps[1].ID), clients)
	planSeries(t, d, now.Add(3*aDay))
	dbtest.Same(t, "each once", dbtest.Numbers(t, d, `SELECT count(*) FROM deliveries JOIN runs ON runs.id = run_id GROUP BY step_id ORDER BY step_id`), []int64{clients, clients})
	if err := series.In(d).Delete(t.Context(), owner, s.ID, now); err != nil {
		t.Fatal(err)
	}
	for _, before := range []time.Time{now, now.Add(time.Minute)} {
		if err := series.In(d).Sweep(t.Context(), before); err != nil {
			t.Fatal(err)
		}
		dbtest.Same(t, "kept of the deleted series", dbtest.Number(t, d, "SELECT count(*) FROM series_clients"), map[bool]int64{true: clients}[before.Equal(now)])
	}
}
