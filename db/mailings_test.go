package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// The mailings of these tests start on Monday, 6 January 2031, at 9:00 UTC, daily.
var monday = time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)

func newMailing(t testing.TB, d *db.DB, owner int64, change func(*domain.MailingForm)) domain.Mailing {
	t.Helper()
	form := domain.MailingForm{Name: "News", Audience: "all", StartAt: "2031-01-06T09:00", Timezone: "UTC", Periodicity: "daily"}
	if change != nil {
		change(&form)
	}
	if form.MessageID == 0 {
		form.MessageID = newMessage(t, d, owner, "Hello, {{name}}", "Text").ID
	}
	m := domain.Mailing{OwnerID: owner}
	if err := m.Change(form, monday.AddDate(0, 0, -2)); err != nil {
		t.Fatal(err)
	}
	if err := d.Mailings().Create(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func launch(m *domain.Mailing) error { return m.Launch(monday.AddDate(0, 0, -1)) }
func stop(m *domain.Mailing) error   { return m.Stop(monday.AddDate(0, 0, 1)) }

func disable(m *domain.Mailing) error {
	return m.Disable(domain.User{Role: domain.RoleManager}, "spam", monday)
}

func newLaunched(t testing.TB, d *db.DB, owner int64, change func(*domain.MailingForm)) domain.Mailing {
	t.Helper()
	m := newMailing(t, d, owner, change)
	return update(t, d, m.ID, launch)
}

func update(t testing.TB, d *db.DB, id int64, change func(*domain.Mailing) error) domain.Mailing {
	t.Helper()
	m, err := d.Mailings().Update(t.Context(), 0, id, change)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newClients gives an owner n clients, c001@x.example and so on.
func newClients(t testing.TB, d *db.DB, owner int64, n int) []int64 {
	t.Helper()
	clients := make([]domain.Client, n)
	for i := range clients {
		clients[i] = domain.Client{OwnerID: owner, Email: fmt.Sprintf("c%03d@x.example", i+1), FullName: fmt.Sprintf("C %d", i+1), Tags: []string{}}
	}
	if created, err := d.Clients().CreateMany(t.Context(), owner, clients); err != nil || created != n {
		t.Fatal(created, err)
	}
	return numbers(t, d, "SELECT id FROM clients WHERE owner_id = $1 ORDER BY id", owner)
}

// numbers are the rows of a query with one column.
func numbers(t testing.TB, d *db.DB, query string, args ...any) []int64 {
	t.Helper()
	rows, err := d.Pool.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}

func number(t testing.TB, d *db.DB, query string, args ...any) int64 {
	t.Helper()
	return numbers(t, d, query, args...)[0]
}

func exec(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	if _, err := d.Pool.Exec(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

func TestMailingKept(t *testing.T) {
	d := dbtest.New(t)
	ann := newOwner(t, d, "ann")
	ids := newClients(t, d, ann, 3)
	saved := newMailing(t, d, ann, func(f *domain.MailingForm) {
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
	update(t, d, m.ID, func(m *domain.Mailing) error {
		return m.Change(domain.MailingForm{Name: "Letters", MessageID: m.MessageID, Audience: "tags", Tags: "a,b",
			StartAt: "2031-01-07T09:30", Timezone: "UTC", Periodicity: "once"}, monday)
	})
	m, err = d.Mailings().Get(t.Context(), ann, m.ID)
	if err != nil || m.Name != "Letters" || !slices.Equal(m.Tags, []string{"a", "b"}) || len(m.ClientIDs) != 0 || !m.EndAt.IsZero() || !m.EndLocal.IsZero() {
		t.Errorf("%v: %+v", err, m)
	}
}

func TestMailingsList(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := newOwner(t, d, "ann"), newOwner(t, d, "bob")
	news := newLaunched(t, d, ann, func(f *domain.MailingForm) { f.Name = "News 100%" })
	newMailing(t, d, ann, func(f *domain.MailingForm) { f.Name = "Скидки" })
	newMailing(t, d, bob, func(f *domain.MailingForm) { f.Name = "Bob's" })
	gone := newMailing(t, d, ann, func(f *domain.MailingForm) { f.Name = "Deleted" })
	if err := d.Mailings().Delete(t.Context(), ann, gone.ID, monday); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.Outbox().Plan(t.Context(), news.ID, monday, false); !ok || err != nil {
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
		{"beyond the last page", db.MailingFilter{OwnerID: ann, Page: 9}, []string{"Скидки", "News 100%"}},
		{"nothing", db.MailingFilter{OwnerID: ann, Query: "zzz", Page: 2}, []string{}},
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
	if row := rows[0]; row.Subject != "Hello, {{name}}" || row.OwnerEmail != "ann@owners.example" || !row.LastRunAt.Equal(monday) {
		t.Errorf("%+v", row)
	}
	for range db.PageSize {
		newMailing(t, d, bob, nil)
	}
	rows, total, err := d.Mailings().List(t.Context(), db.MailingFilter{OwnerID: bob, Page: 2})
	if err != nil || len(rows) != 1 || rows[0].Name != "Bob's" || total != db.PageSize+1 {
		t.Errorf("page 2: %v, %d rows of %d", err, len(rows), total)
	}
}

func TestMailingForeign(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := newOwner(t, d, "ann"), newOwner(t, d, "bob")
	newClients(t, d, ann, 1)
	m := newLaunched(t, d, ann, nil)
	run, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday, false)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for _, id := range []int64{m.ID, m.ID + 1000} {
		acts := map[string]func() error{
			"read":   func() error { _, err := d.Mailings().Get(t.Context(), bob, id); return err },
			"change": func() error { _, err := d.Mailings().Update(t.Context(), bob, id, stop); return err },
			"run":    func() error { return d.Mailings().RunNow(t.Context(), bob, id, monday) },
			"delete": func() error { return d.Mailings().Delete(t.Context(), bob, id, monday) },
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
	ann, bob := newOwner(t, d, "ann"), newOwner(t, d, "bob")
	own, foreign := newClients(t, d, ann, 1), newClients(t, d, bob, 1)
	message, theirs := newMessage(t, d, ann, "s", "b").ID, newMessage(t, d, bob, "s", "b").ID
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
			before := number(t, d, "SELECT count(*) FROM mailings")
			m := domain.Mailing{OwnerID: ann}
			if err := m.Change(form, monday); err != nil {
				t.Fatal(err)
			}
			refused(t, d.Mailings().Create(t.Context(), &m), domain.Invalid, tt.key)
			if after := number(t, d, "SELECT count(*) FROM mailings"); after != before {
				t.Error("the refused mailing was kept")
			}
			good := newMailing(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", own })
			_, err := d.Mailings().Update(t.Context(), ann, good.ID, func(m *domain.Mailing) error { return m.Change(form, monday) })
			refused(t, err, domain.Invalid, tt.key)
			if kept, err := d.Mailings().Get(t.Context(), ann, good.ID); err != nil || kept.Name != "News" || !slices.Equal(kept.ClientIDs, own) {
				t.Errorf("%v: %+v", err, kept)
			}
		})
	}
}

func TestUpdateMailingRefused(t *testing.T) {
	d := dbtest.New(t)
	m := newMailing(t, d, newOwner(t, d, "ann"), nil)
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
	rows, err := d.Pool.Query(t.Context(), `SELECT coalesce((args->>'mailing_id')::bigint, 0), coalesce((args->>'force')::boolean, false)
		FROM river_job WHERE kind = 'plan' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var job domain.PlanJob
		if err := rows.Scan(&job.MailingID, &job.Force); err != nil {
			t.Fatal(err)
		}
		list = append(list, job)
	}
	return list
}

func TestLaunchAsksForAPlan(t *testing.T) {
	d := dbtest.New(t)
	m := newMailing(t, d, newOwner(t, d, "ann"), nil)
	if jobs := planJobs(t, d); len(jobs) != 0 {
		t.Fatalf("%+v", jobs)
	}
	if _, err := d.Mailings().Update(t.Context(), 0, m.ID, func(m *domain.Mailing) error { _ = launch(m); return errors.New("no") }); err == nil {
		t.Fatal("no error")
	}
	if jobs := planJobs(t, d); len(jobs) != 0 {
		t.Fatalf("a launch that was rolled back is planned: %+v", jobs)
	}
	update(t, d, m.ID, launch)
	update(t, d, m.ID, func(m *domain.Mailing) error { m.Name = "x"; return nil })
	if jobs := planJobs(t, d); !slices.Equal(jobs, []domain.PlanJob{{MailingID: m.ID}}) {
		t.Errorf("%+v", jobs)
	}
}

func TestRunMailing(t *testing.T) {
	d := dbtest.New(t)
	ann := newOwner(t, d, "ann")
	m := newMailing(t, d, ann, nil)
	if err := d.Mailings().RunNow(t.Context(), ann, m.ID, monday); err != nil {
		t.Fatal(err)
	}
	if jobs := planJobs(t, d); !slices.Equal(jobs, []domain.PlanJob{{MailingID: m.ID, Force: true}}) {
		t.Errorf("%+v", jobs)
	}
	if _, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday, true); !ok || err != nil {
		t.Fatal(ok, err)
	}
	refused(t, d.Mailings().RunNow(t.Context(), ann, m.ID, monday.Add(9*time.Second)), domain.Conflict, "mailings.just_ran")
	// Both clicks were queued before either was planned.
	_, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday.Add(time.Second), true)
	refused(t, err, domain.Conflict, "mailings.just_ran")
	if ok || number(t, d, "SELECT count(*) FROM runs") != 1 {
		t.Error("a double click made two runs")
	}
	if err := d.Mailings().RunNow(t.Context(), ann, m.ID, monday.Add(11*time.Second)); err != nil {
		t.Error(err)
	}
	update(t, d, m.ID, disable)
	refused(t, d.Mailings().RunNow(t.Context(), ann, m.ID, monday.Add(time.Hour)), domain.Conflict, "mailings.is_disabled")
}

// What ends a mailing ends its open runs, whether they run or pause, and nobody else's.
func TestEndOpenRuns(t *testing.T) {
	acts := map[string]func(ctx context.Context, d *db.DB, m domain.Mailing) error{
		domain.ReasonStopped: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Mailings().Update(ctx, m.OwnerID, m.ID, stop)
			return err
		},
		domain.ReasonDisabled: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Mailings().Update(ctx, 0, m.ID, disable)
			return err
		},
		domain.ReasonDeleted: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			return d.Mailings().Delete(ctx, m.OwnerID, m.ID, monday)
		},
		domain.ReasonBlocked: func(ctx context.Context, d *db.DB, m domain.Mailing) error {
			_, err := d.Users().Update(ctx, m.OwnerID, func(u *domain.User) error {
				return u.Block(domain.User{ID: -1, Role: domain.RoleManager}, "spam", monday)
			})
			return err
		},
	}
	for reason, act := range acts {
		t.Run(reason, func(t *testing.T) {
			d := dbtest.New(t)
			ann, bob := newOwner(t, d, "ann"), newOwner(t, d, "bob")
			newClients(t, d, ann, 1)
			newClients(t, d, bob, 1)
			m, other := newLaunched(t, d, ann, nil), newLaunched(t, d, bob, nil)
			var runs []int64
			for i, id := range []int64{m.ID, m.ID, m.ID, other.ID} {
				run, ok, err := d.Outbox().Plan(t.Context(), id, monday.AddDate(0, 0, i), false)
				if !ok || err != nil {
					t.Fatal(ok, err)
				}
				runs = append(runs, run.ID)
			}
			if err := d.Outbox().PauseRun(t.Context(), runs[1], "550 no", monday, nil); err != nil {
				t.Fatal(err)
			}
			exec(t, d, "UPDATE runs SET status = 'done', closed_at = now() WHERE id = $1", runs[2])
			heard := listen(t, d, "runs")
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
	m := newLaunched(t, d, newOwner(t, d, "ann"), func(f *domain.MailingForm) { f.EndAt = "2031-02-01T00:00" })
	run, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday, false)
	if !ok || err != nil || !run.WindowEnd.Equal(time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC)) {
		t.Fatal(ok, err, run.WindowEnd)
	}
	for _, end := range []string{"2031-01-07T00:00", ""} {
		m = update(t, d, m.ID, func(m *domain.Mailing) error {
			return m.Change(domain.MailingForm{Name: "x", MessageID: m.MessageID, Audience: "all", StartAt: "2031-01-06T09:00",
				EndAt: end, Timezone: "UTC", Periodicity: "daily"}, monday)
		})
		if run, err := d.Runs().Get(t.Context(), 0, run.ID); err != nil || !run.WindowEnd.Equal(m.EndAt) {
			t.Errorf("end %q: %v, window %v", end, err, run.WindowEnd)
		}
	}
}

func TestDeleteMailing(t *testing.T) {
	d := dbtest.New(t)
	ann := newOwner(t, d, "ann")
	ids := newClients(t, d, ann, 1)
	m := newLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids })
	run, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday, false)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	refused(t, d.Messages().Delete(t.Context(), ann, m.MessageID), domain.Conflict, "messages.in_use")
	if err := d.Mailings().Delete(t.Context(), ann, m.ID, monday); err != nil {
		t.Fatal(err)
	}
	if err := d.Mailings().Delete(t.Context(), ann, m.ID, monday); domain.KindOf(err) != domain.NotFound {
		t.Errorf("deleted twice: %v", err)
	}
	if err := d.Messages().Delete(t.Context(), ann, m.MessageID); err != nil {
		t.Errorf("its message: %v", err)
	}
	if _, err := d.Runs().Get(t.Context(), ann, run.ID); err != nil {
		t.Errorf("its run stays on record: %v", err)
	}
	if _, ok, err := d.Outbox().Plan(t.Context(), m.ID, monday.AddDate(0, 0, 5), false); ok || err != nil {
		t.Errorf("it ran: %v %v", ok, err)
	}
}
