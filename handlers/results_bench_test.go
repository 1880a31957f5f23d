package handlers

import (
	"fmt"
	"testing"
	"time"

	"skychimp/domain"
)

// resultsFixture is what 500 owners have of two years: 1,000,000 clients as their counts, 20 mailings each that went out
// every week, 100 M emails and 10 M events as their sums, and of one owner 100 M more.
var resultsFixture = []string{
	`INSERT INTO users (email, name, password_hash, role) SELECT 'owner' || n || '@x.org', 'Owner ' || n, '', 'user' FROM generate_series(1, 500) AS n`,
	`INSERT INTO tag_counts SELECT id, ARRAY['t' || n], n = 9, 200 FROM users, generate_series(0, 9) AS n WHERE role = 'user'`,
	`INSERT INTO client_days SELECT owner.id, current_date - d, (ARRAY['typed', 'import', 'form', 'unsubscribed'])[1 + (d + owner.id) % 4], 5
		FROM users AS owner, generate_series(0, 729) AS d WHERE role = 'user'`,
	`INSERT INTO messages (owner_id, subject, body) SELECT id, 'News', 'Hello' FROM users WHERE role = 'user'`,
	`INSERT INTO segments (owner_id, name, match, conditions) SELECT id, 'Segment ' || n, 'all', '[]' FROM users, generate_series(1, 5) AS n WHERE role = 'user'`,
	`INSERT INTO mailings (owner_id, message_id, name, audience, segment_id, start_local, timezone, periodicity, status)
		SELECT message.owner_id, message.id, 'Mailing ' || n, CASE WHEN n % 2 = 0 THEN 'all' ELSE 'segment' END,
			CASE WHEN n % 2 = 1 THEN (SELECT min(id) + n % 5 FROM segments WHERE owner_id = message.owner_id) END,
			now(), 'UTC', 'weekly', 'running' FROM messages AS message, generate_series(1, 20) AS n`,
	`INSERT INTO mailing_days (owner_id, day, mailing_id, hour, planned, accepted, deferred, failed, bounced, complained, unsubscribed, opened, clicked)
		SELECT m.owner_id, current_date - 7 * w - (m.id % 7)::int, m.id, 8 + m.id % 10, n, n - n / 50, n / 20, n / 50, n / 200, m.id % 13 / 12, n / 300, n / 20, n / 50
		FROM mailings AS m, generate_series(0, 103) AS w, LATERAL (SELECT CASE m.owner_id WHEN 1 THEN 48000 ELSE 96 END AS n) AS sent`,
	`INSERT INTO domain_days (owner_id, day, mailing_id, domain, planned, accepted, failed, bounced, clicked)
		SELECT d.owner_id, d.day, d.mailing_id, CASE WHEN n < 3 THEN (ARRAY['gmail.com', 'mail.ru', 'yandex.ru'])[n + 1]
			WHEN n < 5 THEN 'provider' || (d.mailing_id + n) % 40 || '.example' ELSE 'own' || d.owner_id * 10 + (d.mailing_id + n) % 10 || '.example' END,
			planned / 6, accepted / 6, failed / 6, bounced / 6, clicked / 6
		FROM mailing_days AS d, generate_series(0, CASE d.owner_id WHEN 1 THEN 19 ELSE 6 END) AS n ON CONFLICT DO NOTHING`,
	`INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, status, planned, accepted, closed_at, summed)
		SELECT m.id, m.owner_id, 1, now() - interval '1 day', 'News', 'Hello', 'done', 96, 96, now(), true FROM mailings AS m`,
	`VACUUM ANALYZE`,
}

// BenchmarkResults is how long pages of results take for one reader and for eight who wait for nothing but their answers.
func BenchmarkResults(b *testing.B) {
	w := newEnv(b)
	admin := w.user(b, "ada", domain.RoleAdmin)
	begun := time.Now()
	for _, sql := range resultsFixture {
		if _, err := w.db.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(sql, err)
		}
	}
	fmt.Printf("RESULTS filled in %v\n", time.Since(begun).Round(time.Second))
	today := time.Now()
	days := func(from time.Time) string {
		return "from=" + from.Format(time.DateOnly) + "&to=" + today.Format(time.DateOnly)
	}
	year, own := days(today.AddDate(-1, 0, 0)), days(today.AddDate(0, -3, -5))
	asks := []ask{}
	for _, path := range []string{"/results", "/results?" + year, "/results?" + own, "/results?mailing=1&" + year} {
		asks = append(asks, ask{path: path, whole: true})
	}
	for _, path := range []string{"/results", "/results?" + year, "/results?" + own, "/results?owner=2&" + year, "/results?mailing=21&" + year, "/manager", "/admin",
		"/results.csv?table=domains&" + year} {
		asks = append(asks, ask{path: path, whole: true, manager: true})
	}
	user, err := w.db.Users().ByEmail(b.Context(), "owner1@x.org")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, readers := range []int{1, 8} {
			people := make([]worker, readers)
			for i := range people {
				people[i] = worker{w.as(b, user), w.as(b, admin)}
			}
			work(b, people, asks, 3, 0) // so that connections and caches are there
			took, _ := work(b, people, asks, 100, 0)
			for n, all := range took {
				fmt.Printf("RESULTS %d %-60v p50=%5.1f p99=%5.1f max=%5.1f ms\n", readers, asks[n], ms(all[len(all)/2]), ms(all[len(all)*99/100]), ms(all[len(all)-1]))
			}
		}
	}
}
