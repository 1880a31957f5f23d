package outbox_test

import (
	"slices"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

// Who is in a run is decided when its planning begins, for all its parts.
func TestPlanSegment(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, `INSERT INTO clients (owner_id, email, tags, created_at, suppressed_at, suppressed_reason)
		SELECT $1, 'c' || i || '@x.example', CASE WHEN i % 2 = 0 THEN '{VIP}'::text[] ELSE '{}' END, now() - i * interval '1 second',
			CASE WHEN i % 1000 = 0 THEN now() END, CASE WHEN i % 1000 = 0 THEN 'bounced' ELSE '' END FROM generate_series(1, 30000) AS i`, ann)
	dbtest.NewClients(t, d, dbtest.NewOwner(t, d, "bob"), 3)
	form := domain.SegmentForm{Name: "VIP", Match: "all", Conditions: []domain.Condition{
		{Where: "tag", Op: domain.OpIs, Value: "vip"}, {Where: "added_at", Op: domain.OpWithinDays, Value: "7"}, {Where: "emails_accepted", Op: domain.OpEmpty}}}
	s, err := d.Segments().Create(t.Context(), ann, form, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	m := dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.Audience, f.SegmentID = "segment", s.ID })
	if recipients, suppressed, err := d.Mailings().RecipientCount(t.Context(), m); err != nil || recipients != 14_970 || suppressed != 30 {
		t.Errorf("forecast of %d and %d suppressed, %v", recipients, suppressed, err)
	}
	if left, err := d.Mailings().LeftOut(t.Context(), m); err != nil || len(left) != 1 || left[0].Clients != 30 {
		t.Errorf("left out %+v, %v", left, err)
	}
	if f, ok, err := outbox.New(d.Postgres()).Plans().Forecast(t.Context(), m.ID, dbtest.Monday, false); err != nil || !ok || f.Recipients != 14_970 {
		t.Errorf("dry run %+v, %v, %v", f.Recipients, ok, err)
	}
	if err := d.Segments().Delete(t.Context(), ann, s.ID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("a segment in use: %v", err)
	}
	run := dbtest.Plan(t, d, m.ID, dbtest.Monday)
	if run.Planned != 10_000 || run.PlanCursor == nil {
		t.Fatalf("first part: %+v", run)
	}
	// Meanwhile the segment becomes another one.
	if _, err := d.Segments().Update(t.Context(), ann, s.ID, func(s *domain.Segment, fields []domain.Field) error {
		return s.Change(domain.SegmentForm{Name: "None", Match: "all", Conditions: []domain.Condition{{Where: "email", Op: domain.OpEmpty}}}, fields, time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	whole, err := outbox.New(d.Postgres()).Plans().Continue(t.Context())
	if err != nil || len(whole) != 1 || whole[0].Planned != 15_000 || whole[0].Suppressed != 30 {
		t.Fatalf("%+v, %v", whole, err)
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM deliveries JOIN clients ON clients.id = client_id WHERE tags = '{VIP}' AND owner_id = $1`, ann); n != 15_000 {
		t.Errorf("%d deliveries to the segment", n)
	}
	// Without its segment a mailing writes to nobody.
	dbtest.Exec(t, d, `UPDATE mailings SET segment_id = NULL`)
	if next := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 1)); next.Planned != 0 {
		t.Errorf("planned %d without a segment", next.Planned)
	}
}

// Results are counted for a segment that asks, each run once, also when its clients are deleted meanwhile.
func TestSegmentsCountResults(t *testing.T) {
	d := dbtest.New(t)
	run, ids := dbtest.NewRun(t, d, "ann", 5)
	sender := dbtest.NewSender(t, d)
	emails := sender.Fetch(run.ID)
	sender.All(run.ID, emails[:3], domain.OutcomeAccepted)
	sender.All(run.ID, emails[3:], domain.OutcomeFailed)
	form := domain.SegmentForm{Name: "Got it", Match: "all", Conditions: []domain.Condition{{Where: "emails_accepted", Op: domain.OpIs, Value: "1"}}}
	s, err := d.Segments().Create(t.Context(), run.OwnerID, form, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := d.Segments().Count(t.Context(), s); err != nil || n.Clients != 0 {
		t.Errorf("%+v, %v: of a run that is going on", n, err)
	}
	if err := outbox.New(d.Postgres()).Runs().Close(t.Context(), run.ID, dbtest.Monday); err != nil {
		t.Fatal(err)
	}
	if err := d.Clients().Delete(t.Context(), run.OwnerID, ids[0]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Segments().CountAllResults(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := dbtest.Numbers(t, d, `SELECT client_id FROM client_results WHERE accepted = 1 AND last_accepted_at > '2031-01-01' ORDER BY 1`); !slices.Equal(got, ids[1:3]) {
		t.Errorf("%v got an email, want %v", got, ids[1:3])
	}
	if n, err := d.Segments().Count(t.Context(), s); err != nil || n.Clients != 2 || n.Pending {
		t.Errorf("%+v, %v", n, err)
	}
	m, err := d.Mailings().Get(t.Context(), run.OwnerID, run.MailingID)
	if err != nil {
		t.Fatal(err)
	}
	second := dbtest.Plan(t, d, m.ID, dbtest.Monday.AddDate(0, 0, 1))
	sender.All(second.ID, sender.Fetch(second.ID)[:1], domain.OutcomeAccepted)
	dbtest.Exec(t, d, `UPDATE runs SET status = 'done', closed_at = now() WHERE id = $1`, second.ID)
	// Whoever plans a run counts first.
	again := dbtest.NewLaunched(t, d, run.OwnerID, func(f *domain.MailingForm) { f.Audience, f.SegmentID = "segment", s.ID })
	if planned := dbtest.Plan(t, d, again.ID, dbtest.Monday); planned.Planned != 1 {
		t.Errorf("%d clients have one email", planned.Planned)
	}
}
