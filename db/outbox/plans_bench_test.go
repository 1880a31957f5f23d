package outbox_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/domain/abtest"
)

// BenchmarkPlanRun plans runs of everybody's and of a tag's clients, and tests of two subjects on 10 % of them. B/op is what the program
// allocates: it must not grow with the number of clients.
func BenchmarkPlanRun(b *testing.B) {
	for _, n := range []int{1000, 100_000, 1_000_000} {
		for _, audience := range []string{"all", "tags", "tested"} {
			b.Run(fmt.Sprintf("%s/%d", audience, n), func(b *testing.B) {
				d := dbtest.New(b)
				owner := dbtest.NewOwner(b, d, "ann")
				dbtest.Exec(b, d, `INSERT INTO clients (owner_id, email, full_name, tags)
					SELECT $1, 'c' || i || '@x.example', 'Client ' || i, ARRAY['vip', 'tag' || i % 10] FROM generate_series(1, $2) AS i`, owner, n)
				dbtest.Exec(b, d, "VACUUM ANALYZE clients")
				b.ReportAllocs()
				var before, after runtime.MemStats
				for b.Loop() {
					b.StopTimer()
					m := dbtest.NewLaunched(b, d, owner, func(f *domain.MailingForm) {
						if f.Audience, f.Tags = audience, "VIP"; audience == "tested" {
							f.Audience, f.AB = "all", abtest.Setup{Variants: []abtest.Variant{{Subject: "Other"}}, Share: 10, Goal: abtest.Unsubscribed}
						}
					})
					runtime.ReadMemStats(&before)
					b.StartTimer()
					begun := time.Now()
					run := dbtest.Plan(b, d, m.ID, dbtest.Monday)
					b.ReportMetric(time.Since(begun).Seconds(), "s/first")
					if _, err := outbox.New(d.Postgres()).Plans().Continue(b.Context()); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(time.Since(begun).Seconds(), "s/plan")
					if planned := dbtest.Number(b, d, "SELECT sum(planned)::bigint FROM runs WHERE mailing_id = $1", run.MailingID); planned != int64(n) {
						b.Fatal(planned)
					}
					runtime.ReadMemStats(&after)
					b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc), "B/plan")
				}
			})
		}
	}
}
