package outbox_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func TestPlanRun(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 3)
	ids := dbtest.NewClients(t, d, ann, 250)
	dbtest.Suppress(t, d, ids[0], ids[100], ids[249])
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.EndAt = "2031-02-01T00:00" })
	heard := dbtest.Listen(t, d, "runs")
	run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	heard()
	if run.Planned != 250 || run.Suppressed != 3 || run.Subject != "Hello, {{name}}" || run.Body != "Text" || run.Revision != 1 ||
		*run.OccurrenceNo != 0 || !run.ScheduledAt.Equal(dbtest.Monday) || run.Status != domain.RunRunning {
		t.Errorf("%+v", run)
	}
	kept, err := d.Runs().Get(t.Context(), ann, run.ID)
	if err != nil || kept.Counts != (domain.Counts{Planned: 250, Suppressed: 3}) || kept.Subject != run.Subject || !kept.WindowEnd.Equal(m.EndAt) {
		t.Errorf("%v: %+v", err, kept)
	}
	// Clients in their order, the suppressed ones behind, where no batch reaches.
	want := append(append(slices.Clone(ids[1:100]), ids[101:249]...), ids[0], ids[100], ids[249])
	if got := dbtest.Numbers(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 ORDER BY seq", run.ID); !slices.Equal(got, want) {
		t.Errorf("clients %v", got)
	}
	if got := dbtest.Numbers(t, d, "SELECT seq FROM deliveries WHERE outcome = 'suppressed' ORDER BY seq"); !slices.Equal(got, []int64{248, 249, 250}) {
		t.Errorf("suppressed %v", got)
	}
	if got := dbtest.Numbers(t, d, "SELECT first_seq * 1000 + open FROM batches WHERE NOT done AND instance_id IS NULL ORDER BY first_seq"); !slices.Equal(got, []int64{1100, 101100, 201047}) {
		t.Errorf("batches %v", got)
	}
	m, _ = d.Mailings().Get(t.Context(), ann, m.ID)
	if m.NextNo != 1 || !m.NextRunAt.Equal(dbtest.Monday.AddDate(0, 0, 1)) {
		t.Errorf("next %d at %v", m.NextNo, m.NextRunAt)
	}
	// A message that is edited later changes no run that has started.
	if _, err := d.Messages().Update(t.Context(), ann, m.MessageID, func(m *domain.Message) error {
		m.Change(domain.MessageForm{Subject: "New", Body: "New"}, dbtest.Monday)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if kept, _ := d.Runs().Get(t.Context(), ann, run.ID); kept.Subject != "Hello, {{name}}" {
		t.Errorf("subject %q", kept.Subject)
	}
	if next := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 1)); next.Subject != "New" || next.Revision != 2 {
		t.Errorf("%q, revision %d", next.Subject, next.Revision)
	}
}

func TestPlanAudiences(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	var ids []int64
	for i, tags := range []string{"vip", "VIP, news", "News", "", "vip"} {
		ids = append(ids, dbtest.NewClient(t, d, ann, domain.ClientForm{Email: fmt.Sprintf("c%d@x.example", i), Tags: tags}).ID)
	}
	dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "b@x.example", Tags: "vip, news"})
	dbtest.Suppress(t, d, ids[4])
	tests := []struct {
		name       string
		change     func(*domain.MailingForm)
		want       []int64
		suppressed int
	}{
		{"all", func(*domain.MailingForm) {}, ids, 1},
		{"a tag", func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "vip" }, []int64{ids[0], ids[1], ids[4]}, 1},
		{"tags, any of them, any case", func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "VIP, NEWS" }, []int64{ids[0], ids[1], ids[2], ids[4]}, 1},
		{"a tag nobody has", func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "x" }, nil, 0},
		{"picked", func(f *domain.MailingForm) { f.Audience, f.ClientIDs = "picked", ids[3:] }, ids[3:], 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := dbtest.NewLaunched(t, d, ann, tt.change)
			recipients, suppressed, err := d.Mailings().RecipientCount(t.Context(), m)
			if err != nil || recipients != len(tt.want)-tt.suppressed || suppressed != tt.suppressed {
				t.Errorf("%v: forecast of %d and %d suppressed", err, recipients, suppressed)
			}
			run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
			if int(run.Planned) != len(tt.want) || int(run.Suppressed) != tt.suppressed {
				t.Errorf("planned %d, suppressed %d", run.Planned, run.Suppressed)
			}
			if got := dbtest.Numbers(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 ORDER BY client_id", run.ID); !slices.Equal(got, tt.want) {
				t.Errorf("clients %v, want %v", got, tt.want)
			}
		})
	}
	foreign := domain.Mailing{OwnerID: bob, Audience: domain.AudiencePicked, ClientIDs: ids}
	if recipients, suppressed, err := d.Mailings().RecipientCount(t.Context(), foreign); err != nil || recipients != 0 || suppressed != 0 {
		t.Errorf("counted foreign clients: %v %d %d", err, recipients, suppressed)
	}
}

func TestPlanMissed(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 2)
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.EndAt = "2031-01-12T00:00" })
	run := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 2).Add(time.Hour))
	if *run.OccurrenceNo != 2 || !run.ScheduledAt.Equal(dbtest.Monday.AddDate(0, 0, 2)) || run.Planned != 2 {
		t.Errorf("%+v", run)
	}
	rows, total, err := d.Runs().List(t.Context(), ann, m.ID, 1)
	if err != nil || total != 3 {
		t.Fatal(err, total)
	}
	for _, row := range rows[1:] {
		if row.Status != domain.RunMissed || row.Reason != domain.ReasonMissed || row.ClosedAt.IsZero() || row.Planned != 0 {
			t.Errorf("%+v", row)
		}
	}
	// After the end all that is left was missed, and there is no run.
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday.AddDate(0, 0, 9), false); ok || err != nil {
		t.Errorf("ran after the end: %v %v", ok, err)
	}
	if missed := dbtest.Number(t, d, "SELECT count(*) FROM runs WHERE status = 'missed'"); missed != 5 {
		t.Errorf("%d missed", missed)
	}
	if m, _ = d.Mailings().Get(t.Context(), ann, m.ID); m.NextNo != 6 || !m.NextRunAt.IsZero() {
		t.Errorf("next %d at %v", m.NextNo, m.NextRunAt)
	}
}

func TestPlanNothing(t *testing.T) {
	d := dbtest.New(t)
	tests := map[string]struct {
		ready func(m domain.Mailing)
		now   time.Time
		key   string // of the refusal to run out of turn
	}{
		"not launched": {func(domain.Mailing) {}, dbtest.Monday, ""},
		"too early":    {func(m domain.Mailing) { dbtest.UpdateMailing(t, d, m.ID, dbtest.Launch) }, dbtest.Monday.Add(-time.Second), ""},
		"disabled": {func(m domain.Mailing) {
			dbtest.UpdateMailing(t, d, m.ID, dbtest.Launch)
			dbtest.UpdateMailing(t, d, m.ID, dbtest.Disable)
		}, dbtest.Monday,
			"mailings.is_disabled"},
		"stopped": {func(m domain.Mailing) {
			dbtest.UpdateMailing(t, d, m.ID, dbtest.Launch)
			dbtest.UpdateMailing(t, d, m.ID, dbtest.Stop)
		}, dbtest.Monday,
			"mailings.is_finished"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := dbtest.NewMailing(t, d, dbtest.NewOwner(t, d, name), nil)
			tt.ready(m)
			before, _ := d.Mailings().Get(t.Context(), 0, m.ID)
			if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, tt.now, false); ok || err != nil {
				t.Errorf("planned: %v %v", ok, err)
			}
			if after, _ := d.Mailings().Get(t.Context(), 0, m.ID); after.NextNo != before.NextNo || !after.NextRunAt.Equal(before.NextRunAt) {
				t.Errorf("the calendar moved: %+v", after)
			}
			_, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, tt.now, true)
			if tt.key == "" && (err != nil || !ok) {
				t.Errorf("out of turn: %v %v", ok, err)
			} else if tt.key != "" {
				dbtest.Refused(t, err, domain.Conflict, tt.key)
			}
		})
	}
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), 1<<40, dbtest.Monday, false); ok || err != nil {
		t.Errorf("no such mailing: %v %v", ok, err)
	}
}

func batch(u *domain.User) error {
	return u.Block(domain.User{ID: -1, Role: domain.RoleManager}, "spam", dbtest.Monday)
}

// inBackground runs do and waits until its connection waits for a lock.
func inBackground(t *testing.T, d *db.DB, do func()) *sync.WaitGroup {
	t.Helper()
	var done sync.WaitGroup
	done.Go(do)
	dbtest.Eventually(t, "a lock that is waited for", func() bool {
		return dbtest.Number(t, d, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()") > 0
	})
	return &done
}

func TestPlanOfABlockedOwner(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 3)
	m := dbtest.NewLaunched(t, d, ann, nil)
	// Blocked while the run is being planned: a lock stops the plan in the middle.
	tx, err := d.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "LOCK TABLE batches IN EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	planned := inBackground(t, d, func() {
		if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); ok || err != nil {
			t.Errorf("planned for a blocked owner: %v %v", ok, err)
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := d.Users().Update(ctx, ann, batch); err != nil {
		t.Error("a batch has to wait until a million deliveries are planned: ", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	planned.Wait()
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); ok || err != nil {
		t.Errorf("planned for a blocked owner: %v %v", ok, err)
	}
	if runs := dbtest.Number(t, d, "SELECT count(*) FROM runs"); runs != 0 {
		t.Errorf("%d runs", runs)
	}
	if due, err := outbox.New(d.Postgres()).Plans().Due(t.Context(), dbtest.Monday); err != nil || len(due) != 0 {
		t.Errorf("due: %v %v", due, err)
	}
}

func TestPlanOnce(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 120)
	for range 10 {
		m := dbtest.NewLaunched(t, d, ann, nil)
		var planners sync.WaitGroup
		for range 4 {
			planners.Go(func() {
				if _, _, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); err != nil {
					t.Error(err)
				}
			})
		}
		planners.Wait()
		if runs := dbtest.Number(t, d, "SELECT count(*) FROM runs WHERE mailing_id = $1", m.ID); runs != 1 {
			t.Fatalf("%d runs", runs)
		}
		if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); ok || err != nil {
			t.Fatalf("planned again: %v %v", ok, err)
		}
	}
	if wrong := dbtest.Numbers(t, d, "SELECT run_id FROM deliveries GROUP BY run_id HAVING count(*) <> 120"); len(wrong) > 0 {
		t.Errorf("runs %v do not have 120 deliveries", wrong)
	}
}

// A large run is planned in parts, by whoever comes; who joins or changes a tag meanwhile does not
// change it.
func TestPlanParts(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	const clients = 60_050
	dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email, full_name, tags, suppressed_at, suppressed_reason)
		SELECT $1, 'c' || i || '@x.example', '', '{vip}', CASE WHEN i % 1000 = 0 THEN now() END, CASE WHEN i % 1000 = 0 THEN 'bounced' ELSE '' END
		FROM generate_series(1, $2::int) AS i`, ann, clients)
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 3)
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.Tags = "tags", "VIP" })
	run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	if run.Planned != 10_000 || run.Suppressed != 10 || run.PlanCursor == nil {
		t.Fatalf("first part: %+v", run)
	}
	dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "late@x.example", Tags: "vip"})
	form := domain.MailingForm{Name: m.Name, MessageID: m.MessageID, Audience: "all", StartAt: "2031-01-06T09:00", Timezone: m.Timezone, Periodicity: string(m.Periodicity)}
	if _, err := d.Mailings().Update(t.Context(), ann, m.ID, func(m *domain.Mailing) error { return m.Change(form, dbtest.Monday) }); err != nil {
		t.Fatal(err)
	}
	// Stopped, it still has to account for everybody who got nothing.
	dbtest.UpdateMailing(t, d, m.ID, dbtest.Stop)
	if ended, err := outbox.New(d.Postgres()).Runs().Endable(t.Context(), dbtest.Monday); err != nil || len(ended) > 0 {
		t.Errorf("%v: runs %v could end before they are planned", err, ended)
	}
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	var planners sync.WaitGroup
	wholes := make(chan domain.Run, 2)
	for range 2 {
		planners.Go(func() {
			whole, err := outbox.New(d.Postgres()).Plans().Continue(t.Context())
			if err != nil {
				t.Error(err)
			}
			for _, run := range whole {
				wholes <- run
			}
		})
	}
	planners.Wait()
	close(wholes)
	whole, more := <-wholes, len(wholes)
	if whole.Planned != clients || whole.Suppressed != clients/1000 || more != 0 {
		t.Errorf("%d more, %+v", more, whole)
	}
	for name, want := range map[string]int64{
		`SELECT count(DISTINCT client_id) FROM deliveries WHERE run_id = $1`: clients,
		`SELECT max(seq) FROM deliveries WHERE run_id = $1`:                  clients,
		`SELECT sum(open) FROM batches WHERE run_id = $1`:                    clients - clients/1000,
		`SELECT count(*) FROM batches AS b WHERE run_id = $1 AND (first_seq % 100 <> 1 OR open <> (SELECT count(*)
			FROM deliveries WHERE run_id = $1 AND outcome = 'queued' AND seq BETWEEN first_seq AND first_seq + 99))`: 0,
	} {
		if got := dbtest.Number(t, d, name, run.ID); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	kept, err := d.Runs().Get(t.Context(), ann, run.ID)
	if err != nil || kept.Cancelled != clients-clients/1000 || kept.Status != domain.RunDone {
		t.Errorf("%v: %+v", err, kept)
	}
}

func TestPlanOutOfTurn(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 2)
	daily := dbtest.NewLaunched(t, d, ann, nil)
	run, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), daily.ID, dbtest.Monday.Add(-time.Hour), true)
	if err != nil || !ok || run.OccurrenceNo != nil || run.Planned != 2 || !run.ScheduledAt.Equal(dbtest.Monday.Add(-time.Hour)) {
		t.Errorf("%v %v %+v", ok, err, run)
	}
	if next := dbtest.Plan(t, d, daily.ID, dbtest.Monday); *next.OccurrenceNo != 0 {
		t.Errorf("the calendar lost its first run: %+v", next)
	}
	once := dbtest.NewMailing(t, d, ann, func(f *domain.MailingForm) { f.Periodicity = "once" })
	if run, ok, err = outbox.New(d.Postgres()).Plans().Make(t.Context(), once.ID, dbtest.Monday.Add(-time.Hour), true); err != nil || !ok || *run.OccurrenceNo != 0 {
		t.Errorf("%v %v %+v", ok, err, run)
	}
	if once, _ = d.Mailings().Get(t.Context(), ann, once.ID); once.Status != domain.Running {
		t.Errorf("status %s", once.Status)
	}
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), once.ID, dbtest.Monday, false); ok || err != nil {
		t.Errorf("the only run ran twice: %v %v", ok, err)
	}
	_, _, err = outbox.New(d.Postgres()).Plans().Make(t.Context(), once.ID, dbtest.Monday, true)
	dbtest.Refused(t, err, domain.Conflict, "mailings.ran_once")
}

// A run out of turn waits for whoever works on the mailing; a tick goes on to the next one.
func TestPlanLocked(t *testing.T) {
	d := dbtest.New(t)
	m := dbtest.NewLaunched(t, d, dbtest.NewOwner(t, d, "ann"), nil)
	tx, err := d.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	if _, err := tx.Exec(t.Context(), "SELECT FROM mailings WHERE id = $1 FOR UPDATE", m.ID); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); ok || err != nil {
		t.Errorf("tick: %v %v", ok, err)
	}
	planned := inBackground(t, d, func() {
		if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, true); !ok || err != nil {
			t.Errorf("out of turn: %v %v", ok, err)
		}
	})
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	planned.Wait()
}

func TestForecast(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.Suppress(t, d, dbtest.NewClients(t, d, ann, 4)[0])
	m := dbtest.NewLaunched(t, d, ann, nil)
	now := dbtest.Monday.AddDate(0, 0, 3).Add(time.Minute)
	f, ok, err := outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, now, false)
	if err != nil || !ok || f.Recipients != 3 || !f.At.Equal(dbtest.Monday.AddDate(0, 0, 3)) || f.Mailing.ID != m.ID {
		t.Errorf("%v %v %+v", ok, err, f)
	}
	if f, ok, err = outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, dbtest.Monday.Add(-time.Hour), true); err != nil || !ok || f.Recipients != 3 {
		t.Errorf("out of turn: %v %v %+v", ok, err, f)
	}
	if _, ok, err = outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, dbtest.Monday.Add(-time.Hour), false); err != nil || ok {
		t.Errorf("nothing is due: %v %v", ok, err)
	}
	for _, table := range []string{"runs", "deliveries", "batches"} {
		if n := dbtest.Number(t, d, "SELECT count(*) FROM "+table); n != 0 {
			t.Errorf("%d rows left in %s", n, table)
		}
	}
	if after, _ := d.Mailings().Get(t.Context(), ann, m.ID); after.NextNo != 0 || !after.NextRunAt.Equal(dbtest.Monday) {
		t.Errorf("the calendar moved: %+v", after)
	}
	dbtest.UpdateMailing(t, d, m.ID, dbtest.Disable)
	_, _, err = outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, now, true)
	dbtest.Refused(t, err, domain.Conflict, "mailings.is_disabled")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := outbox.New(d.Postgres()).Plans().Forecast(cancelled, m.ID, now, false); err == nil {
		t.Error("no error of a cancelled forecast")
	}
}

func TestDueMailings(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	at := func(start string) func(*domain.MailingForm) {
		return func(f *domain.MailingForm) { f.StartAt = start }
	}
	a1 := dbtest.NewLaunched(t, d, ann, at("2031-01-06T08:00"))
	a2 := dbtest.NewLaunched(t, d, ann, at("2031-01-06T07:00"))
	a3 := dbtest.NewLaunched(t, d, ann, at("2031-01-06T09:00"))
	b1 := dbtest.NewLaunched(t, d, bob, at("2031-01-06T08:30"))
	dbtest.NewMailing(t, d, ann, nil)
	dbtest.NewLaunched(t, d, ann, at("2031-01-06T09:01"))
	dbtest.UpdateMailing(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Disable)
	dbtest.UpdateMailing(t, d, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Stop)
	if err := d.Mailings().Delete(t.Context(), ann, dbtest.NewLaunched(t, d, ann, nil).ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	due, err := outbox.New(d.Postgres()).Plans().Due(t.Context(), dbtest.Monday)
	if want := []int64{a2.ID, b1.ID, a1.ID, a3.ID}; err != nil || !slices.Equal(due, want) {
		t.Errorf("%v %v, want %v: one of each owner first", err, due, want)
	}
}
