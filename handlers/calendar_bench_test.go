package handlers

import (
	"fmt"
	"testing"
	"time"

	dbseries "skychimp/db/series"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// busyCalendar is an owner with 100,000 clients and 50 mailings, of which ten pick 5,000 clients each and ten have one of
// five segments, and ten series of five steps that all the clients are in.
func busyCalendar(b *testing.B, w *env) *browser {
	b.Helper()
	user := w.user(b, "ann", domain.RoleUser)
	exec := func(sql string) {
		b.Helper()
		if _, err := w.db.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(sql, err)
		}
	}
	exec(`INSERT INTO clients (owner_id, email, tags, fields) SELECT 1, 'client' || i || '@x.org', ARRAY['t' || i % 40, CASE WHEN i % 10 = 0 THEN 'vip' ELSE 'news' END], '{}'
		FROM generate_series(1, 100000) AS i`)
	exec(`INSERT INTO messages (owner_id, subject, body) SELECT 1, 'News ' || n, 'Hello {{name}}' FROM generate_series(1, 20) AS n`)
	for i := range 5 {
		form := domain.SegmentForm{Name: fmt.Sprint("Segment ", i), Match: "all", Conditions: []domain.Condition{{Where: "tag", Op: "is", Value: fmt.Sprint("t", i)}}}
		if _, err := w.db.Segments().Create(b.Context(), user.ID, form, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
	exec(`INSERT INTO mailings (owner_id, message_id, name, audience, tags, segment_id, start_local, timezone, periodicity, status, next_no, next_run_at, launched_at)
		SELECT 1, 1, 'Mailing ' || n, (ARRAY['all', 'tags', 'tags', 'picked', 'segment'])[1 + n % 5], CASE WHEN n % 5 IN (1, 2) THEN ARRAY['vip', 't' || n] ELSE '{}' END,
			CASE WHEN n % 5 = 4 THEN 1 + n / 5 % 5 END, date_trunc('day', now())::timestamp - interval '30 days' + n * interval '11 minutes' + interval '6 hours', 'Europe/Moscow',
			CASE WHEN n % 2 = 0 THEN 'daily' ELSE 'weekly' END, 'running', 0, now(), now() FROM generate_series(1, 50) AS n`)
	exec(`UPDATE mailings SET next_no = CASE periodicity WHEN 'daily' THEN 31 ELSE 5 END, next_run_at = now() + interval '1 day'`)
	exec(`INSERT INTO mailing_clients SELECT id, i * 20 - id % 20 FROM mailings, generate_series(1, 5000) AS i WHERE audience = 'picked'`)
	for i := range 10 {
		in := rules.Input{Name: fmt.Sprint("Series ", i), Entry: "manual"}
		for step := range 5 {
			in.Steps = append(in.Steps, rules.StepInput{MessageID: int64(step + 1), Wait: "3", At: []string{"10:00", ""}[i%2]})
		}
		s, err := dbseries.In(w.db).Create(b.Context(), user.ID, in, time.Now())
		if err != nil {
			b.Fatal(err)
		}
		exec(fmt.Sprintf(`UPDATE mailings SET status = 'running', launched_at = now() WHERE id = %d`, s.ID))
		exec(fmt.Sprintf(`INSERT INTO series_clients (series_id, client_id, how, next_step_id, due_at) SELECT %d, id, 'manual', %d, now() + random() * interval '10 days' FROM clients`,
			s.ID, s.Steps[0].ID))
	}
	exec(`VACUUM ANALYZE`)
	return w.as(b, user)
}

// BenchmarkCalendar is how long the pages of the calendar and 90 days ahead take.
func BenchmarkCalendar(b *testing.B) {
	w := newEnv(b)
	browser := busyCalendar(b, w)
	day := time.Now().AddDate(0, 0, 5).Format(time.DateOnly)
	for _, path := range []string{"/calendar", "/calendar?week=" + day, "/calendar/" + day, "/calendar/forecast", "/mailings/5/dates/40"} {
		var slowest, first time.Duration
		for i := range 4 {
			begun := time.Now()
			browser.get(path).is(b, 200)
			took := time.Since(begun)
			slowest = max(slowest, took)
			if i == 0 {
				first = took
			}
		}
		b.Logf("%s: first %v, slowest %v", path, first.Round(time.Millisecond), slowest.Round(time.Millisecond))
		if slowest > 5*time.Second {
			b.Errorf("%s takes %v", path, slowest)
		}
	}
}
