package outbox_test

import (
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
)

// BenchmarkSeries plans a step for 100,000 clients who are due in one minute while 1,000,000 wait: how long until the first
// 10,000 can be sent, until all are planned, and what asking costs when nobody is due.
func BenchmarkSeries(b *testing.B) {
	d := dbtest.New(b)
	owner := dbtest.NewOwner(b, d, "ann")
	s := newSeries(b, d, owner, 3, nil)
	const due, waiting = 100_000, 1_000_000
	dbtest.Exec(b, d, `ALTER TABLE clients DISABLE TRIGGER clients_enter`)
	dbtest.Exec(b, d, `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || n || '@x.example' FROM generate_series(1, $2::int) AS n`, owner, due+waiting)
	dbtest.Exec(b, d, `ALTER TABLE clients ENABLE TRIGGER clients_enter`)
	dbtest.Exec(b, d, `INSERT INTO series_clients (series_id, client_id, how, next_step_id, due_at)
		SELECT $1, id, 'added', $2, now() + '30 days' FROM clients`, s.ID, s.Steps[1].ID)
	dbtest.Exec(b, d, `VACUUM ANALYZE series_clients`)
	plans := outbox.New(d.Postgres()).Series()
	for b.Loop() {
		dbtest.Exec(b, d, `UPDATE series_clients SET next_step_id = $2, due_at = now() - interval '1 minute', passed = '{}' WHERE client_id IN (SELECT id FROM clients ORDER BY id LIMIT $3) AND series_id = $1`,
			s.ID, s.Steps[0].ID, due)
		begun := time.Now()
		if _, err := plans.Plan(b.Context(), begun, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "ms-first")
		if _, err := outbox.New(d.Postgres()).Plans().Continue(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begun).Milliseconds()), "ms-all")
		begun = time.Now()
		if _, err := plans.Plan(b.Context(), begun, 0); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begun).Microseconds())/1000, "ms-idle")
		dbtest.Same(b, "planned", dbtest.Number(b, d, "SELECT sum(planned) FROM runs WHERE plan_cursor IS NULL"), due)
		dbtest.Exec(b, d, "TRUNCATE deliveries, batches")
		dbtest.Exec(b, d, "DELETE FROM runs")
	}
}
