package outbox_test

import (
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// A mailing by the clocks of its clients becomes one run, whose emails wait for the hour of each.
func TestPlanWaves(t *testing.T) {
	d := dbtest.New(t)
	box := outbox.New(d.Postgres())
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 260)
	form := domain.MailingForm{ZoneOf: "client"}
	if m := (domain.Mailing{OwnerID: ann}); m.Change(form, dbtest.Monday) == nil {
		t.Fatal("the form is complete")
	}
	field, err := d.Fields().Create(t.Context(), ann, domain.FieldForm{Label: "Zone", Type: string(domain.FieldZone)})
	if err != nil {
		t.Fatal(err)
	}
	m := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) { f.ZoneOf, f.Timezone = "client", "Europe/Berlin" })
	zone := func(name string, ids []int64) {
		exec(t, d, `UPDATE clients SET fields = jsonb_build_object($1::text, $2::text) WHERE id = ANY($3)`, field.ID, name, ids)
	}
	zone("Asia/Vladivostok", ids[:110])
	zone("Europe/Moscow", ids[110:220])
	dbtest.Suppress(t, d, ids[259])
	m = dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error { return m.Launch(dbtest.Monday.AddDate(0, 0, -7)) })
	wall := func(name string) time.Time {
		zone, _ := time.LoadLocation(name)
		return domain.Instant(m.StartLocal, zone)
	}
	first := wall("Asia/Vladivostok")
	if !m.NextRunAt.Equal(first) {
		t.Fatalf("the first emails leave at %v, want %v", m.NextRunAt, first)
	}
	run := dbtest.Plan(t, d, m.ID, first)
	if !run.ScheduledAt.Equal(first) || run.Planned != 260 || run.Suppressed != 1 || run.Held[domain.HeldZone] != 149 || run.Skipped.Sum() != 1 {
		t.Fatalf("%+v", run)
	}
	s := dbtest.NewSender(t, d)
	send := func() (emails int) {
		for range 5 {
			batch := s.Fetch(run.ID)
			s.All(run.ID, batch, domain.OutcomeAccepted)
			emails += len(batch)
		}
		return emails
	}
	for _, c := range []struct {
		at     time.Time
		emails int
	}{{first, 110}, {wall("Europe/Moscow").Add(-time.Second), 0}, {wall("Europe/Moscow"), 110}, {wall("Europe/Berlin"), 39}} {
		if err := box.Batches().ReopenRetries(t.Context(), c.at); err != nil {
			t.Fatal(err)
		}
		if got := send(); got != c.emails {
			t.Errorf("%d emails at %v, want %d", got, c.at, c.emails)
		}
		if off, err := box.Runs().CountMismatches(t.Context(), dbtest.Monday.AddDate(-1, 0, 0)); err != nil || len(off) > 0 {
			t.Errorf("%v %+v", err, off)
		}
	}
	if ended, err := box.Runs().Endable(t.Context(), first); err != nil || len(ended) != 1 {
		t.Errorf("%v, the run doesn't end", err)
	}
}

// Somebody who comes in with an earlier day moves the next time.
func TestFollowZones(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 2)
	field, err := d.Fields().Create(t.Context(), ann, domain.FieldForm{Label: "Zone", Type: string(domain.FieldZone)})
	if err != nil {
		t.Fatal(err)
	}
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.ZoneOf, f.Timezone = "client", "Europe/Berlin" })
	exec(t, d, `UPDATE clients SET fields = jsonb_build_object($1::text, 'Pacific/Auckland') WHERE id = $2`, field.ID, ids[0])
	auckland, _ := time.LoadLocation("Pacific/Auckland")
	want := domain.Instant(m.StartLocal, auckland)
	if err := d.Mailings().FollowZones(t.Context(), want.Add(-10*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if m, err = d.Mailings().Get(t.Context(), ann, m.ID); err != nil || !m.NextRunAt.Equal(want) {
		t.Errorf("%v, next %v, want %v", err, m.NextRunAt, want)
	}
	next := func(after time.Duration, zone string) {
		t.Helper()
		if err := d.Mailings().FollowZones(t.Context(), want.Add(after)); err != nil {
			t.Fatal(err)
		}
		there, _ := time.LoadLocation(zone)
		if m, err = d.Mailings().Get(t.Context(), ann, m.ID); err != nil || !m.NextRunAt.Equal(domain.Instant(m.StartLocal, there)) {
			t.Errorf("%v, next %v, want that of %s", err, m.NextRunAt, zone)
		}
	}
	exec(t, d, `UPDATE clients SET fields = jsonb_build_object($1::text, 'Pacific/Kiritimati') WHERE id = $2`, field.ID, ids[1])
	exec(t, d, `DELETE FROM client_changes`)
	next(-10*time.Hour+time.Minute, "Pacific/Auckland") // nobody has changed: nobody is read
	next(-9*time.Hour, "Pacific/Kiritimati")            // the changes don't reach back so far
	exec(t, d, `UPDATE clients SET fields = jsonb_build_object($1::text, 'Pacific/Chatham') WHERE id = $2`, field.ID, ids[1])
	next(-9*time.Hour+time.Minute, "Pacific/Kiritimati") // a zone that nobody has any more stays until a run is made
}

// No client gets more emails within seven days than the owner allows: what is too much waits, or is left out when the next
// run of its mailing comes before there is room. An important mailing goes out, and counts.
func TestPlanCap(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 5)
	exec(t, d, `UPDATE users SET weekly_cap = 2 WHERE id = $1`, ann)
	monday := dbtest.Monday
	once := func(days int, change func(*domain.MailingForm)) domain.Run {
		t.Helper()
		start := monday.AddDate(0, 0, days)
		m := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) {
			f.Periodicity, f.EndAt, f.Timezone, f.StartAt = "once", "", "UTC", start.Format(domain.WallFormat)
			if change != nil {
				change(f)
			}
		})
		dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error { return m.Launch(start.Add(-time.Minute)) })
		return dbtest.Plan(t, d, m.ID, start)
	}
	want := func(what string, run domain.Run, queued, held, skipped int64) {
		t.Helper()
		if run.Planned-run.Suppressed-run.Held.Sum() != queued || run.Held[domain.SkippedCap] != held || run.Skipped[domain.SkippedCap] != skipped {
			t.Errorf("%s: planned %d, suppressed %d, held %v, skipped %v", what, run.Planned, run.Suppressed, run.Held, run.Skipped)
		}
	}
	want("the first", once(0, nil), 5, 0, 0)
	second := once(1, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids[:3] })
	want("the second, to three", second, 3, 0, 0)
	exec(t, d, `UPDATE deliveries SET outcome = 'failed' WHERE run_id = $1 AND client_id = $2`, second.ID, ids[2])
	capped := func(days int, waiting, leftOut int64) {
		t.Helper()
		m := domain.Mailing{OwnerID: ann, Audience: domain.AudienceAll, Periodicity: domain.Daily, StartLocal: monday, Timezone: "UTC"}
		if leftOut == 0 {
			m.Periodicity = domain.Once
		}
		got, err := d.Mailings().Capped(t.Context(), m, monday.AddDate(0, 0, days))
		if err != nil || got.Waiting != waiting || got.LeftOut != leftOut || waiting > 0 && !got.Until.Equal(monday.AddDate(0, 0, 7)) {
			t.Errorf("%v, %+v", err, got)
		}
	}
	capped(2, 2, 0)
	capped(2, 0, 2)
	capped(8, 0, 0)
	third := once(2, nil)
	want("the third", third, 3, 2, 0)
	due := dbtest.Numbers(t, d, `SELECT DISTINCT extract(epoch FROM due_at)::bigint FROM retries WHERE run_id = $1`, third.ID)
	if len(due) != 1 || !time.Unix(due[0], 0).Equal(monday.AddDate(0, 0, 7)) {
		t.Errorf("those held wait until %v", due)
	}
	want("an important one", once(3, func(f *domain.MailingForm) { f.Important = true }), 5, 0, 0)
	daily := once(4, func(f *domain.MailingForm) { f.Periodicity = "daily" })
	want("a daily one, which comes again before there is room", daily, 0, 0, 5)
	want("after a week", once(16, nil), 5, 0, 0)
}
