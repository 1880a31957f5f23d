package outbox_test

import (
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/abtests"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/abtest"
)

// newTest plans a mailing to n clients that tries three subjects on 30 % of them, and gives its runs: the variants and the rest.
func newTest(t *testing.T, d *db.DB, name string, n int, change func(*domain.MailingForm)) (m domain.Mailing, runs []db.RunRow) {
	t.Helper()
	owner := dbtest.NewOwner(t, d, name)
	if n > 0 {
		dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email, full_name, tags) SELECT $1, 'c' || i || '@x.example', '', '{}' FROM generate_series(1, $2) AS i`, owner, n)
	}
	m = dbtest.NewLaunched(t, d, owner, func(f *domain.MailingForm) {
		f.TrackClicks = true
		f.AB = abtest.Setup{Variants: []abtest.Variant{{Subject: "Second, {{name}}"}, {MessageID: dbtest.NewMessage(t, d, owner, "Third", "Other").ID}}, Share: 30, Goal: abtest.Clicked, Hours: 4}
		if change != nil {
			change(f)
		}
	})
	until := dbtest.Monday.Add(30 * time.Second) // it can be taken back
	dbtest.Exec(t, d, `UPDATE mailings SET recall = jsonb_build_object('Until', $2::timestamptz, 'Status', 'created', 'LaunchedAt', now()) WHERE id = $1`, m.ID, until)
	rest := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	if recalled, err := d.Postgres().IDs(t.Context(), `SELECT id FROM runs WHERE ab_test_id = $1 AND not_before = $2`, rest.ABTestID, until); err != nil || len(recalled) != 4 {
		t.Fatal(recalled, err)
	}
	if err := outbox.New(d.Postgres()).Runs().Resume(t.Context(), until); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, d, `UPDATE runs SET not_before = NULL`) // the clock of the database is years behind
	if _, err := outbox.New(d.Postgres()).Plans().Continue(t.Context()); err != nil {
		t.Fatal(err)
	}
	return m, dbtest.Must[[]db.RunRow](t)(d.Runs().OfTest(t.Context(), rest.ABTestID))
}

func TestPlanTest(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	const n = 12_000 // more than one part
	m, runs := newTest(t, d, "ann", n, nil)
	if len(runs) != 4 {
		t.Fatal(len(runs), "runs")
	}
	for i, want := range []struct {
		subject, body, status, reason string
		planned                       int64
	}{
		{"Hello, {{name}}", "Text", "running", "", n / 10}, {"Second, {{name}}", "Text", "running", "", n / 10}, {"Third", "Other", "running", "", n / 10},
		{"Hello, {{name}}", "Text", "paused", domain.ReasonTest, n * 7 / 10},
	} {
		run := runs[i]
		if run.Subject != want.subject || run.Body != want.body || string(run.Status) != want.status || run.Reason != want.reason || run.Undecided != (i == 3) || run.Variant != (i+1)%4 {
			t.Errorf("run %d: %q, %q, %s %q, variant %d", i, run.Subject, run.Body, run.Status, run.Reason, run.Variant)
		}
		if off := run.Planned - want.planned; off*off > 36*want.planned { // six standard deviations, and a little more
			t.Errorf("run %d has %d clients, want about %d", i, run.Planned, want.planned)
		}
	}
	if all, each := dbtest.Number(t, d, "SELECT count(*) FROM deliveries"), dbtest.Number(t, d, "SELECT count(DISTINCT client_id) FROM deliveries"); all != n || each != n {
		t.Errorf("%d deliveries to %d clients", all, each)
	}
	var seed []byte
	if err := d.Postgres().Pool.QueryRow(t.Context(), "SELECT seed FROM ab_tests").Scan(&seed); err != nil {
		t.Fatal(err)
	}
	for _, run := range runs {
		got := dbtest.Numbers(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 ORDER BY client_id", run.ID)
		split := m.AB.SplitOf(seed, run.Variant)
		want := slices.DeleteFunc(dbtest.Numbers(t, d, "SELECT id FROM clients ORDER BY id"), func(id int64) bool { return !split.Has(id) })
		if !slices.Equal(got, want) {
			t.Errorf("variant %d went to %d clients, its hash says %d", run.Variant, len(got), len(want))
		}
	}
}

// What a test goes through: each step on a new test, with the state of the rest after it.
func TestRestOfTest(t *testing.T) {
	t.Parallel()
	d := dbtest.New(t)
	tests, now := abtests.New(d), dbtest.Monday.Add(time.Hour)
	choose := func(m domain.Mailing, rest db.RunRow) error {
		return tests.Choose(t.Context(), m.OwnerID, rest.ABTestID, 2)
	}
	sent := func(rest db.RunRow) {
		dbtest.Exec(t, d, "UPDATE batches SET open = 0, done = true FROM runs WHERE runs.id = run_id AND ab_test_id = $1 AND variant > 0", rest.ABTestID)
	}
	decide := func(at time.Time) error { return tests.Decide(t.Context(), at) }
	for _, tt := range []struct {
		name            string
		do              func(m domain.Mailing, rest db.RunRow) error
		status, reason  string
		subject         string
		chosen, byOwner int64
	}{
		{"waits", func(domain.Mailing, db.RunRow) error { return decide(now) }, "paused", domain.ReasonTest, "Hello, {{name}}", 0, 0},
		{"taken back no more", func(domain.Mailing, db.RunRow) error {
			return outbox.New(d.Postgres()).Runs().Resume(t.Context(), dbtest.Monday.Add(time.Hour))
		}, "paused", domain.ReasonTest, "Hello, {{name}}", 0, 0},
		{"chosen", choose, "running", "", "Second, {{name}}", 2, 1},
		{"chosen twice", func(m domain.Mailing, rest db.RunRow) error {
			if err := choose(m, rest); err != nil {
				return err
			}
			dbtest.Refused(t, tests.Choose(t.Context(), m.OwnerID, rest.ABTestID, 1), domain.Conflict, "runs.ab_decided")
			return nil
		}, "running", "", "Second, {{name}}", 2, 1},
		{"no such variant", func(m domain.Mailing, rest db.RunRow) error {
			dbtest.Refused(t, tests.Choose(t.Context(), m.OwnerID, rest.ABTestID, 4), domain.Invalid, "runs.ab_unknown")
			dbtest.Refused(t, tests.Choose(t.Context(), m.OwnerID, rest.ABTestID, 0), domain.Invalid, "runs.ab_unknown")
			dbtest.Refused(t, tests.Choose(t.Context(), m.OwnerID+1, rest.ABTestID, 1), domain.NotFound, "errors.not_found")
			return nil
		}, "paused", domain.ReasonTest, "Hello, {{name}}", 0, 0},
		{"paused and resumed", func(m domain.Mailing, _ db.RunRow) error {
			_, err := d.Mailings().Pause(t.Context(), m.OwnerID, m.ID)
			if err == nil {
				_, err = d.Mailings().Resume(t.Context(), m.OwnerID, m.ID)
			}
			return err
		}, "paused", domain.ReasonTest, "Hello, {{name}}", 0, 0},
		{"chosen while paused", func(m domain.Mailing, rest db.RunRow) error {
			if _, err := d.Mailings().Pause(t.Context(), m.OwnerID, m.ID); err != nil {
				return err
			}
			return choose(m, rest)
		}, "paused", domain.ReasonPaused, "Second, {{name}}", 2, 1},
		{"stopped", func(m domain.Mailing, rest db.RunRow) error {
			dbtest.UpdateMailing(t, d, m.ID, dbtest.Stop)
			dbtest.Refused(t, choose(m, rest), domain.Conflict, "runs.over")
			return decide(now.AddDate(0, 0, 1))
		}, "stopping", domain.ReasonStopped, "Hello, {{name}}", 0, 0},
		{"no decision before all is out", func(domain.Mailing, db.RunRow) error {
			if err := decide(now); err != nil {
				return err
			}
			return decide(now.Add(5 * time.Hour))
		}, "paused", domain.ReasonTest, "Hello, {{name}}", 0, 0},
		{"the first without a difference", func(_ domain.Mailing, rest db.RunRow) error {
			sent(rest)
			if err := decide(now); err != nil {
				return err
			}
			return decide(now.Add(4 * time.Hour))
		}, "running", "", "Hello, {{name}}", 1, 0},
		{"the best by itself", func(_ domain.Mailing, rest db.RunRow) error {
			sent(rest)
			dbtest.Exec(t, d, "UPDATE runs SET accepted = 200 WHERE ab_test_id = $1 AND variant > 0", rest.ABTestID)
			dbtest.Exec(t, d, "INSERT INTO run_readers (run_id, clicked) SELECT id, variant * variant * 10 FROM runs WHERE ab_test_id = $1 AND variant > 0", rest.ABTestID)
			if err := decide(now); err != nil {
				return err
			}
			return decide(now.Add(4 * time.Hour))
		}, "running", "", "Third", 3, 0},
		{"nobody decides", func(_ domain.Mailing, rest db.RunRow) error {
			at := dbtest.Monday.AddDate(0, 0, 1) // the next run
			if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), rest.ID, at); err != nil {
				return err
			}
			return decide(at)
		}, "done", domain.ReasonUndecided, "Hello, {{name}}", 0, 0},
	} {
		m, runs := newTest(t, d, "owner of "+tt.name, 40, nil)
		rest := runs[3]
		if err := tt.do(m, rest); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		run, err := d.Runs().Get(t.Context(), m.OwnerID, rest.ID)
		if err != nil || string(run.Status) != tt.status || run.Reason != tt.reason || run.Subject != tt.subject || run.Undecided != (tt.chosen == 0) {
			t.Errorf("%s: %s %q, %q (%v)", tt.name, run.Status, run.Reason, run.Subject, err)
		}
		dbtest.Same(t, tt.name, dbtest.Numbers(t, d, "SELECT unnest(ARRAY[chosen, by_owner::int])::bigint FROM ab_tests WHERE id = $1", rest.ABTestID), []int64{tt.chosen, tt.byOwner})
	}
}
