package outbox_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/holdout"
	"skychimp/db/outbox"
	"skychimp/domain"
	rules "skychimp/domain/holdout"
	"skychimp/domain/series"
	"skychimp/domain/trial"
)

// leftOut are the clients that a run left out on purpose.
func leftOut(t testing.TB, d *db.DB, run int64) []int64 {
	t.Helper()
	return dbtest.Numbers(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 AND outcome = 'suppressed' AND skipped = 'holdout' ORDER BY client_id", run)
}

// Exactly those are left out whom Go draws, in every part and every run, and nobody twice.
func TestPlanLeavesOutAShare(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	const clients = 10_300
	dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email, full_name, tags) SELECT $1, 'c' || i || '@x.example', '', '{}' FROM generate_series(1, $2::int) AS i`, ann, clients)
	ids := dbtest.Numbers(t, d, "SELECT id FROM clients ORDER BY id")
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Holdout = rules.Form{Share: "10", Tag: "back"} })
	other := dbtest.NewLaunched(t, d, ann, nil)
	var drawn []int64
	for _, id := range ids {
		if m.Holdout.LeavesOut(id) {
			drawn = append(drawn, id)
		}
	}
	gone := drawn[0] // somebody drawn who gets no emails anyway
	dbtest.Suppress(t, d, gone)
	drawn = drawn[1:]
	gets := int64(clients - 1 - len(drawn))
	if f, ok, err := outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, dbtest.Monday, false); err != nil || !ok || f.Recipients != gets {
		t.Errorf("dry run of %d, not %d, %v %v", f.Recipients, gets, ok, err)
	}
	next := dbtest.Must[[]domain.Mailing](t)(d.Mailings().Next(t.Context(), ann, 10))
	if counts, _, err := d.Mailings().Audiences().Recipients(t.Context(), ann, next); err != nil || counts[m.ID] != clients-1-1030 || counts[other.ID] != clients-1 {
		t.Errorf("forecast of %v, %v", counts, err)
	}
	for day := range 2 {
		run := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, day))
		whole, err := outbox.New(d.Postgres()).Plans().Continue(t.Context())
		if err != nil || len(whole) != 1 || whole[0].Planned != clients || whole[0].Skipped[domain.SkippedHoldout] != int64(len(drawn)) {
			t.Fatalf("%+v, %v", whole, err)
		}
		if !slices.Equal(leftOut(t, d, run.ID), drawn) {
			t.Errorf("day %d leaves out others", day)
		}
		if n := dbtest.Number(t, d, "SELECT count(*) FROM deliveries WHERE run_id = $1 AND outcome = 'queued'", run.ID); n != gets {
			t.Errorf("day %d: %d emails, not %d", day, n, gets)
		}
		g, err := holdout.GroupsOf(t.Context(), d, m)
		dbtest.Same(t, "groups", g, rules.Groups{Got: trial.Group{Of: gets}, Left: trial.Group{Of: int64(len(drawn))}})
		if err != nil {
			t.Fatal(err)
		}
	}
	dbtest.Exec(t, d, "UPDATE users SET weekly_cap = 5 WHERE id = $1", ann) // the other way of planning
	few := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) {
		f.Holdout, f.Audience, f.ClientIDs = rules.Form{Share: "20", Tag: "back"}, "picked", ids[:50]
	})
	for _, id := range leftOut(t, d, dbtest.Plan(t, d, few.ID, dbtest.Monday).ID) {
		if !few.Holdout.LeavesOut(id) {
			t.Errorf("left out %d", id)
		}
	}
	dbtest.Exec(t, d, "UPDATE users SET weekly_cap = 0 WHERE id = $1", ann)
	if run := dbtest.Plan(t, d, other.ID, dbtest.Monday); len(leftOut(t, d, run.ID)) > 0 {
		t.Error("another mailing leaves somebody out")
	}
	// Whoever was left out gets it no other way.
	run := dbtest.Number(t, d, "SELECT max(id) FROM runs WHERE mailing_id = $1", m.ID)
	dbtest.Exec(t, d, "UPDATE deliveries SET outcome = 'accepted' WHERE run_id = $1 AND outcome <> 'suppressed'", run)
	kept, _ := d.Runs().Get(t.Context(), ann, run)
	if counts, err := d.Runs().AgainCounts(t.Context(), kept.Run, domain.AgainNotAccepted); err != nil || counts[domain.AgainNotAccepted] != 0 {
		t.Errorf("again to %v, %v", counts, err)
	}
	// The end of it: all get the next one.
	dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error {
		m.Holdout.Change(rules.Form{}, true, time.Now())
		return nil
	})
	if run := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 2)); len(leftOut(t, d, run.ID)) > 0 {
		t.Error("left out after the end")
	}
}

// A series leaves its share out at the first step, and for good.
func TestSeriesLeavesOutAShare(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	s := newSeries(t, d, ann, 2, func(in *series.Input) { in.Holdout = rules.Form{Share: "20", Tag: "back"} })
	ids := dbtest.NewClients(t, d, ann, 40)
	planSeries(t, d, time.Now())
	planSeries(t, d, time.Now().Add(aDay))
	want, left := "", int64(0)
	for _, id := range ids {
		if s.Mailing.Holdout.LeavesOut(id) {
			left++
		} else {
			want += fmt.Sprintf("%d:12 ", id)
		}
	}
	dbtest.Same(t, "steps", told(t, d, s), want)
	if n := dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE left_reason = 'holdout'"); n != left || left == 0 {
		t.Errorf("%d left, not %d", n, left)
	}
	g, err := holdout.GroupsOf(t.Context(), d, s.Mailing)
	dbtest.Same(t, "groups", g, rules.Groups{Got: trial.Group{Of: 40 - left}, Left: trial.Group{Of: left}})
	if err != nil {
		t.Fatal(err)
	}
}

// What counts as coming back: what a client gets after the planning, by whichever way, and keeps.
func TestWhoCameBack(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	visit, err := d.Fields().Create(t.Context(), ann, domain.FieldForm{Label: "Last visit", Type: "date"})
	if err != nil {
		t.Fatal(err)
	}
	ids := dbtest.NewClients(t, d, ann, 60)
	dbtest.Exec(t, d, "UPDATE clients SET tags = '{Back}' WHERE id = $1", ids[0]) // had it before
	byTag := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Holdout = rules.Form{Share: "20", Tag: "back"} })
	byDay := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Holdout = rules.Form{Share: "20", Field: visit.ID} })
	dbtest.Plan(t, d, byTag.ID, dbtest.Monday)
	dbtest.Plan(t, d, byDay.ID, dbtest.Monday)
	came := func(m domain.Mailing) int64 {
		t.Helper()
		m, _ = d.Mailings().Get(t.Context(), 0, m.ID)
		g, err := holdout.GroupsOf(t.Context(), d, m)
		if err != nil || g.All() > 60 {
			t.Fatal(g, err)
		}
		return g.Got.Came + g.Left.Came
	}
	today, key := time.Now().UTC(), fmt.Sprint(visit.ID)
	set := func(id int64, day time.Time) {
		dbtest.Exec(t, d, "UPDATE clients SET fields = fields || jsonb_build_object($2::text, $3::text) WHERE id = $1", id, key, day.Format(time.DateOnly))
	}
	for _, step := range []struct {
		what        string
		do          func()
		tagged, day int64
	}{
		{"nothing yet", func() {}, 0, 0},
		{"tags, in any case", func() {
			dbtest.Exec(t, d, "UPDATE clients SET tags = tags || '{x,BACK}'::text[] WHERE id = ANY($1)", ids[1:11])
		}, 10, 0},
		{"another tag", func() { dbtest.Exec(t, d, "UPDATE clients SET tags = tags || '{x}'::text[]") }, 10, 0},
		{"a tag taken away", func() { dbtest.Exec(t, d, "UPDATE clients SET tags = '{}' WHERE id = $1", ids[1]) }, 9, 0},
		{"a day before the planning", func() { set(ids[20], today.AddDate(0, 0, -1)) }, 9, 0},
		{"the day of it and one after it", func() { set(ids[21], today); set(ids[22], today.AddDate(0, 0, 3)) }, 9, 2},
		{"a day put right", func() { set(ids[22], today.AddDate(0, 0, -3)) }, 9, 1},
		{"a new client who has it", func() {
			dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "new@x.example", Tags: "back"})
		}, 9, 1},
		{"an erased client", func() {
			if err := d.Clients().Delete(t.Context(), ann, ids[2]); err != nil {
				t.Fatal(err)
			}
			if n := dbtest.Number(t, d, "SELECT count(*) FROM holdout_clients WHERE client_id = $1", ids[2]); n != 0 {
				t.Error("a trace is left")
			}
		}, 8, 1},
		{"the end", func() {
			dbtest.UpdateMailing(t, d, byTag.ID, func(m *domain.Mailing) error {
				m.Holdout.Change(rules.Form{}, true, time.Now())
				return nil
			})
			dbtest.Exec(t, d, "UPDATE clients SET tags = '{back}' WHERE id = ANY($1)", ids[30:40])
		}, 8, 1},
		{"what is left after 400 days", func() {
			for range 2 {
				if err := holdout.Prune(t.Context(), d, time.Now().AddDate(10, 0, 0)); err != nil {
					t.Fatal(err)
				}
			}
			if n := dbtest.Number(t, d, "SELECT count(*) FROM holdout_clients"); n != 0 {
				t.Errorf("%d rows left", n)
			}
		}, 8, 1},
	} {
		step.do()
		if tagged, day := came(byTag), came(byDay); tagged != step.tagged || day != step.day {
			t.Errorf("%s: %d by tag and %d by day, not %d and %d", step.what, tagged, day, step.tagged, step.day)
		}
	}
	foreign := domain.Mailing{OwnerID: dbtest.NewOwner(t, d, "bob")}
	form := domain.MailingForm{Name: "News", Audience: "all", StartAt: "2031-01-06T09:00", Timezone: "UTC", Periodicity: "daily", MessageID: dbtest.NewMessage(t, d, foreign.OwnerID, "Hello", "Text").ID,
		Holdout: rules.Form{Share: "5", Field: visit.ID}}
	if err := foreign.Change(form, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	dbtest.Refused(t, d.Mailings().Create(t.Context(), &foreign), domain.Invalid, "holdout.field_unknown")
	if err := d.Users().Delete(t.Context(), ann); err != nil {
		t.Fatal(err)
	}
}
