package db_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func TestMailingKept(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 3)
	saved := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) {
		f.Audience, f.ClientIDs = "picked", []int64{ids[2], ids[0]}
		f.StartAt, f.EndAt, f.Timezone = "2031-01-06T09:30", "2031-03-30T02:30", "Europe/Berlin"
	})
	m, err := d.Mailings().Get(t.Context(), ann, saved.ID)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.ClientIDs, []int64{ids[0], ids[2]}) || m.Status != domain.Created || m.Name != "News" || m.CreatedAt.IsZero() {
		t.Errorf("%+v", m)
	}
	if got := m.StartLocal.Format(domain.WallFormat); got != "2031-01-06T09:30" {
		t.Errorf("start %s", got)
	}
	if got := m.EndLocal.Format(domain.WallFormat); got != "2031-03-30T02:30" || !m.EndAt.Equal(saved.EndAt) {
		t.Errorf("end %s, %s", got, m.EndAt)
	}
	dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error {
		return m.Change(domain.MailingForm{Name: "Letters", MessageID: m.MessageID, Audience: "tags", Tags: "a,b",
			StartAt: "2031-01-07T09:30", Timezone: "UTC", Periodicity: "once"}, dbtest.Monday)
	})
	m, err = d.Mailings().Get(t.Context(), ann, m.ID)
	if err != nil || m.Name != "Letters" || !slices.Equal(m.Tags, []string{"a", "b"}) || len(m.ClientIDs) != 0 || !m.EndAt.IsZero() || !m.EndLocal.IsZero() {
		t.Errorf("%v: %+v", err, m)
	}
}

func TestMailingsList(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	news := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Name = "News 100%" })
	dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) { f.Name = "Скидки" })
	dbtest.NewMailing(t, d, bob, func(f *domain.MailingForm) { f.Name = "Bob's" })
	gone := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) { f.Name = "Deleted" })
	if err := d.Mailings().Delete(t.Context(), ann, gone.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), news.ID, dbtest.Monday, false); !ok || err != nil {
		t.Fatal(ok, err)
	}
	tests := []struct {
		name   string
		filter db.MailingFilter
		want   []string
	}{
		{"own, newest first", db.MailingFilter{OwnerID: ann}, []string{"Скидки", "News 100%"}},
		{"everybody's", db.MailingFilter{}, []string{"Bob's", "Скидки", "News 100%"}},
		{"status", db.MailingFilter{OwnerID: ann, Status: domain.Running}, []string{"News 100%"}},
		{"name in another case", db.MailingFilter{OwnerID: ann, Query: "СКИДК"}, []string{"Скидки"}},
		{"letters that LIKE knows", db.MailingFilter{OwnerID: ann, Query: "0%"}, []string{"News 100%"}},
		{"an owner finds no owners", db.MailingFilter{OwnerID: ann, Query: "ann@"}, []string{}},
		{"a manager finds owners", db.MailingFilter{Query: "BOB@owners"}, []string{"Bob's"}},
		{"what the database can't take", db.MailingFilter{OwnerID: ann, Query: "ne\x00ws\xff"}, []string{"News 100%"}},
		{"beyond the last page", db.MailingFilter{OwnerID: ann, Page: db.PageOf(9)}, []string{"Скидки", "News 100%"}},
		{"nothing", db.MailingFilter{OwnerID: ann, Query: "zzz", Page: db.PageOf(2)}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rows, total, err := d.Mailings().List(t.Context(), tt.filter)
			names := []string{}
			for _, row := range rows {
				names = append(names, row.Name)
			}
			if err != nil || !slices.Equal(names, tt.want) || total != len(tt.want) {
				t.Errorf("%v %q of %d, want %q", err, names, total, tt.want)
			}
		})
	}
	rows, _, _ := d.Mailings().List(t.Context(), db.MailingFilter{OwnerID: ann, Status: domain.Running})
	if row := rows[0]; row.Subject != "Hello, {{name}}" || row.OwnerEmail != "ann@owners.example" || !row.LastRunAt.Equal(dbtest.Monday) {
		t.Errorf("%+v", row)
	}
	for range db.PageSize {
		dbtest.NewMailing(t, d, bob, nil)
	}
	rows, total, err := d.Mailings().List(t.Context(), db.MailingFilter{OwnerID: bob, Page: db.PageOf(2)})
	if err != nil || len(rows) != 1 || rows[0].Name != "Bob's" || total != db.PageSize+1 {
		t.Errorf("page 2: %v, %d rows of %d", err, len(rows), total)
	}
}

func TestMailingForeign(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.NewClients(t, d, ann, 1)
	m := dbtest.NewLaunched(t, d, ann, nil)
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, id := range []int64{m.ID, m.ID + 1000} {
		acts := map[string]func() error{
			"read":   func() error { _, err := d.Mailings().Get(t.Context(), bob, id); return err },
			"change": func() error { _, err := d.Mailings().Update(t.Context(), bob, id, dbtest.Stop); return err },
			"run":    func() error { return d.Mailings().RunNow(t.Context(), bob, id, 0) },
			"delete": func() error { return d.Mailings().Delete(t.Context(), bob, id, dbtest.Monday) },
		}
		for name, act := range acts {
			if err := act(); domain.KindOf(err) != domain.NotFound {
				t.Errorf("%s mailing %d: %v", name, id, err)
			}
		}
		if rows, total, err := d.Runs().List(t.Context(), bob, id, 1); err != nil || len(rows) != 0 || total != 0 {
			t.Errorf("runs of %d: %d %d %v", id, len(rows), total, err)
		}
	}
	for _, id := range []int64{run.ID, run.ID + 1000} {
		if _, err := d.Runs().Get(t.Context(), bob, id); domain.KindOf(err) != domain.NotFound {
			t.Errorf("run %d: %v", id, err)
		}
	}
	for _, owner := range []int64{ann, 0} {
		if _, err := d.Mailings().Get(t.Context(), owner, m.ID); err != nil {
			t.Errorf("mailing for %d: %v", owner, err)
		}
		if row, err := d.Runs().Get(t.Context(), owner, run.ID); err != nil || row.MailingName != "News" || row.Planned != 1 {
			t.Errorf("run for %d: %v %+v", owner, err, row)
		}
		if rows, total, err := d.Runs().List(t.Context(), owner, m.ID, 1); err != nil || len(rows) != 1 || total != 1 {
			t.Errorf("runs for %d: %v %d", owner, err, total)
		}
	}
}

func TestMailingForeignParts(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	own, foreign := dbtest.NewClients(t, d, ann, 1), dbtest.NewClients(t, d, bob, 1)
	message, theirs := dbtest.NewMessage(t, d, ann, "s", "b").ID, dbtest.NewMessage(t, d, bob, "s", "b").ID
	tests := []struct {
		name    string
		message int64
		clients []int64
		key     string
	}{
		{"foreign message", theirs, own, "mailings.message_required"},
		{"no such message", 1 << 40, own, "mailings.message_required"},
		{"foreign client", message, append([]int64{foreign[0]}, own...), "mailings.clients_unknown"},
		{"no such client", message, append([]int64{1 << 40}, own...), "mailings.clients_unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := domain.MailingForm{Name: "x", MessageID: tt.message, Audience: "picked", ClientIDs: tt.clients,
				StartAt: "2031-01-06T09:00", Timezone: "UTC", Periodicity: "daily"}
			before := dbtest.Number(t, d, "SELECT count(*) FROM mailings")
			m := domain.Mailing{OwnerID: ann}
			if err := m.Change(form, dbtest.Monday); err != nil {
				t.Fatal(err)
			}
			dbtest.Refused(t, d.Mailings().Create(t.Context(), &m), domain.Invalid, tt.key)
			if after := dbtest.Number(t, d, "SELECT count(*) FROM mailings"); after != before {
				t.Error("the refused mailing was kept")
			}
			good := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", own })
			_, err := d.Mailings().Update(t.Context(), ann, good.ID, func(m *domain.Mailing) error { return m.Change(form, dbtest.Monday) })
			dbtest.Refused(t, err, domain.Invalid, tt.key)
			if kept, err := d.Mailings().Get(t.Context(), ann, good.ID); err != nil || kept.Name != "News" || !slices.Equal(kept.ClientIDs, own) {
				t.Errorf("%v: %+v", err, kept)
			}
		})
	}
}

func TestUpdateMailingRefused(t *testing.T) {
	d := dbtest.New(t)
	m := dbtest.NewMailing(t, d, dbtest.NewOwner(t, d, "ann"), nil)
	no := errors.New("no")
	if _, err := d.Mailings().Update(t.Context(), 0, m.ID, func(m *domain.Mailing) error { m.Name = "x"; return no }); !errors.Is(err, no) {
		t.Error(err)
	}
	if m, _ = d.Mailings().Get(t.Context(), 0, m.ID); m.Name != "News" {
		t.Errorf("kept %q", m.Name)
	}
}

// planJobs are the arguments of the queue's plan jobs.
func planJobs(t *testing.T, d *db.DB) []domain.PlanJob {
	t.Helper()
	list := []domain.PlanJob{}
	rows, err := d.Postgres().Pool.Query(t.Context(), `SELECT args FROM river_job WHERE kind = 'plan' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var job domain.PlanJob
		if err := rows.Scan(&job); err != nil {
			t.Fatal(err)
		}
		list = append(list, job)
	}
	return list
}

func TestLaunchAsksForAPlan(t *testing.T) {
	d := dbtest.New(t)
	m := dbtest.NewMailing(t, d, dbtest.NewOwner(t, d, "ann"), nil)
	if jobs := planJobs(t, d); len(jobs) != 0 {
		t.Fatalf("%+v", jobs)
	}
	if _, err := d.Mailings().Update(t.Context(), 0, m.ID, func(m *domain.Mailing) error { _ = dbtest.Launch(m); return errors.New("no") }); err == nil {
		t.Fatal("no error")
	}
	if jobs := planJobs(t, d); len(jobs) != 0 {
		t.Fatalf("a launch that was rolled back is planned: %+v", jobs)
	}
	dbtest.UpdateMailing(t, d, m.ID, dbtest.Launch)
	dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error { m.Name = "x"; return nil })
	if jobs := planJobs(t, d); !slices.Equal(jobs, []domain.PlanJob{{MailingID: m.ID}}) {
		t.Errorf("%+v", jobs)
	}
}

func TestRunMailing(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	m := dbtest.NewMailing(t, d, ann, nil)
	run := func() error { return d.Mailings().RunNow(t.Context(), ann, m.ID, 0) }
	if err := run(); err != nil {
		t.Fatal(err)
	}
	if jobs := planJobs(t, d); !slices.Equal(jobs, []domain.PlanJob{{MailingID: m.ID, Force: true}}) {
		t.Errorf("%+v", jobs)
	}
	now := time.Now()
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, now, true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	dbtest.Refused(t, run(), domain.Conflict, "mailings.just_ran")
	// Both clicks were queued before either was planned.
	_, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, now.Add(time.Second), true)
	dbtest.Refused(t, err, domain.Conflict, "mailings.just_ran")
	if ok || dbtest.Number(t, d, "SELECT count(*) FROM runs") != 1 {
		t.Error("a double click made two runs")
	}
	dbtest.Exec(t, d, "UPDATE runs SET created_at = created_at - interval '11 seconds'")
	if err := run(); err != nil {
		t.Error(err)
	}
	dbtest.UpdateMailing(t, d, m.ID, dbtest.Disable)
	dbtest.Refused(t, run(), domain.Conflict, "mailings.is_disabled")
}

// What ends a mailing ends its open runs, whether they run or pause, and nobody else's.
func TestEndOpenRuns(t *testing.T) {
	acts := map[string]func(ctx context.Context, d *db.DB, m domain.Mailing) error{
		domain.ReasonStopped: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Mailings().Update(ctx, m.OwnerID, m.ID, dbtest.Stop)
			return err
		},
		domain.ReasonDisabled: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Mailings().Update(ctx, 0, m.ID, dbtest.Disable)
			return err
		},
		domain.ReasonDeleted: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			return d.Mailings().Delete(ctx, m.OwnerID, m.ID, dbtest.Monday)
		},
		domain.ReasonBlocked: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Users().Update(ctx, m.OwnerID, func(u *domain.User) error {
				return u.Block(domain.User{ID: -1, Role: domain.RoleManager}, "spam", dbtest.Monday)
			})
			return err
		},
	}
	for reason, act := range acts {
		t.Run(reason, func(t *testing.T) {
			d := dbtest.New(t)
			ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
			dbtest.NewClients(t, d, ann, 1)
			dbtest.NewClients(t, d, bob, 1)
			m, other := dbtest.NewLaunched(t, d, ann, nil), dbtest.NewLaunched(t, d, bob, nil)
			var runs []int64
			for i, id := range []int64{m.ID, m.ID, m.ID, other.ID} {
				run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), id, dbtest.Monday.AddDate(0, 0, i), false)
				if !ok || err != nil {
					t.Fatal(ok, err)
				}
				runs = append(runs, run.ID)
			}
			if err := outbox.New(d.Postgres()).Runs().Pause(t.Context(), runs[1], "550 no", dbtest.Monday, nil); err != nil {
				t.Fatal(err)
			}
			dbtest.Exec(t, d, "UPDATE runs SET status = 'done', closed_at = now() WHERE id = $1", runs[2])
			heard := dbtest.Listen(t, d, "runs")
			if err := act(t.Context(), d, m); err != nil {
				t.Fatal(err)
			}
			heard()
			for i, want := range []domain.RunStatus{domain.RunStopping, domain.RunStopping, domain.RunDone, domain.RunRunning} {
				run, err := d.Runs().Get(t.Context(), 0, runs[i])
				if err != nil || run.Status != want {
					t.Errorf("run %d: %v %s, want %s", i, err, run.Status, want)
				}
				if stopping := want == domain.RunStopping; stopping &&
					(run.Reason != reason || run.EndOutcome != domain.OutcomeCancelled || !run.ResumeAt.IsZero()) {
					t.Errorf("run %d: %+v", i, run.Run)
				}
			}
		})
	}
}

func TestNewEndReachesOpenRuns(t *testing.T) {
	d := dbtest.New(t)
	m := dbtest.NewLaunched(t, d, dbtest.NewOwner(t, d, "ann"), func(f *domain.MailingForm) { f.EndAt = "2031-02-01T00:00" })
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false)
	if !ok || err != nil || !run.WindowEnd.Equal(time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Fatal(ok, err, run.WindowEnd)
	}
	for _, end := range []string{"2031-01-07T00:00", ""} {
		m = dbtest.UpdateMailing(t, d, m.ID, func(m *domain.Mailing) error {
			return m.Change(domain.MailingForm{Name: "x", MessageID: m.MessageID, Audience: "all", StartAt: "2031-01-06T09:00",
				EndAt: end, Timezone: "UTC", Periodicity: "daily"}, dbtest.Monday)
		})
		if run, err := d.Runs().Get(t.Context(), 0, run.ID); err != nil || !run.WindowEnd.Equal(m.EndAt) {
			t.Errorf("end %q: %v, window %v", end, err, run.WindowEnd)
		}
	}
}

func TestDeleteMailing(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 1)
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids })
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	dbtest.Refused(t, d.Messages().Delete(t.Context(), ann, m.MessageID), domain.Conflict, "messages.in_use")
	if err := d.Mailings().Delete(t.Context(), ann, m.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	if err := d.Mailings().Delete(t.Context(), ann, m.ID, dbtest.Monday); domain.KindOf(err) != domain.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if err := d.Messages().Delete(t.Context(), ann, m.MessageID); err != nil {
		t.Errorf("its message: %v", err)
	}
	if _, err := d.Runs().Get(t.Context(), ann, run.ID); err != nil {
		t.Errorf("its run stays on record: %v", err)
	}
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday.AddDate(0, 0, 5), false); ok || err != nil {
		t.Errorf("it ran: %v %v", ok, err)
	}
}
