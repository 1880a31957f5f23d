package db_test

import (
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// tried inserts attempts of a run to n recipients, ten a second from noon on. Every hundredth is
// deferred first and accepted a minute after the last, every thousandth fails.
func tried(t testing.TB, d *db.DB, run int64, n int) time.Time {
	t.Helper()
	noon := time.Date(2031, 1, 6, 12, 0, 0, 0, time.UTC)
	dbtest.Exec(t, d, `INSERT INTO attempts SELECT $1::bigint, i, i, i || '@x.example', 1, $2::timestamptz + (i - 1) / 10 * interval '1 s',
			CASE WHEN i % 1000 = 0 THEN 'failed' WHEN i % 100 = 0 THEN 'deferred' ELSE 'accepted' END, 250, ''
		FROM generate_series(1, $3::int) AS i
		UNION ALL SELECT $1, i, i, i || '@x.example', 2, $2::timestamptz + ($3 / 10 + 60) * interval '1 s', 'accepted', 250, ''
		FROM generate_series(1, $3) AS i WHERE i % 100 = 0 AND i % 1000 <> 0`, run, noon, n)
	return noon
}

func runTo(id, planned int64) domain.Run {
	return domain.Run{ID: id, Counts: domain.Counts{Planned: planned}}
}

func TestThroughput(t *testing.T) {
	d := dbtest.New(t)
	if throughput, err := d.Runs().Throughput(t.Context(), runTo(6, 10)); err != nil || len(throughput.Parts) != 0 {
		t.Errorf("before the first attempt: %+v, %v", throughput, err)
	}
	noon := tried(t, d, 7, 2000)
	tried(t, d, 8, 2000) // of another run
	throughput, err := d.Runs().Throughput(t.Context(), runTo(7, 2000))
	if err != nil || !throughput.From.Equal(noon) || throughput.Step != 7*time.Second || throughput.Every != 1 || len(throughput.Parts) != 38 {
		t.Fatalf("%+v, %v", throughput, err)
	}
	var sum domain.ThroughputPart
	for _, part := range throughput.Parts {
		sum.Accepted, sum.Deferred, sum.Failed = sum.Accepted+part.Accepted, sum.Deferred+part.Deferred, sum.Failed+part.Failed
	}
	if sum != (domain.ThroughputPart{Accepted: 1998, Deferred: 18, Failed: 2}) {
		t.Errorf("in all %+v", sum)
	}
	if throughput.Parts[0] != (domain.ThroughputPart{Accepted: 70}) || throughput.Parts[37] != (domain.ThroughputPart{Accepted: 18}) || throughput.Parts[32] != (domain.ThroughputPart{}) {
		t.Errorf("%+v", throughput.Parts)
	}
}

// Of a large run the accepted emails are estimated, refusals and delays are counted.
func TestThroughputOfMany(t *testing.T) {
	d := dbtest.New(t)
	const n = 50_000
	tried(t, d, 7, n)
	throughput, err := d.Runs().Throughput(t.Context(), runTo(7, n))
	if err != nil || throughput.Every != 16 || len(throughput.Parts) > 40 {
		t.Fatalf("%+v, %v", throughput, err)
	}
	var sum domain.ThroughputPart
	for _, part := range throughput.Parts {
		sum.Accepted, sum.Deferred, sum.Failed = sum.Accepted+part.Accepted, sum.Deferred+part.Deferred, sum.Failed+part.Failed
	}
	if sum.Deferred != 450 || sum.Failed != 50 || sum.Accepted < n*95/100 || sum.Accepted > n*105/100 {
		t.Errorf("in all %+v", sum)
	}
}

// BenchmarkCharts asks for what the charts show: of a run to a million recipients, and of an
// owner with 100,000 clients in a table of a million.
func BenchmarkCharts(b *testing.B) {
	d := dbtest.New(b)
	owner := dbtest.NewOwner(b, d, "ann")
	seedMillion(b, d, owner)
	tried(b, d, 7, 1_000_000)
	dbtest.Exec(b, d, `INSERT INTO attempts SELECT 8, seq, client_id, email, n, at, CASE WHEN seq % 2 = 0 THEN 'deferred' ELSE status END, code, answer
		FROM attempts WHERE run_id = 7`)
	dbtest.Exec(b, d, `VACUUM ANALYZE attempts`)
	for name, run := range map[string]int64{"throughput": 7, "throughput, half deferred": 8} {
		b.Run(name, func(b *testing.B) {
			slowest(b, func() error { _, err := d.Runs().Throughput(b.Context(), runTo(run, 1_000_000)); return err })
		})
	}
	var days []time.Time
	for i := range 61 {
		days = append(days, time.Now().AddDate(0, 0, i-60))
	}
	b.Run("clients", func(b *testing.B) {
		slowest(b, func() error { _, err := d.Clients().Added(b.Context(), owner, days); return err })
	})
	b.Run("overlaps", func(b *testing.B) {
		slowest(b, func() error { _, err := d.Mailings().Audiences().Overlaps(b.Context(), owner, nil); return err })
	})
}
