package handlers

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"skychimp/domain"
)

// BenchmarkClients asks for the page and for fragments of an owner with 100,000 clients among
// 200,000, and reports the slowest percent.
func BenchmarkClients(b *testing.B) {
	w := newEnv(b)
	user := w.user(b, "ann", domain.RoleUser)
	browser := w.as(b, user)
	if _, err := w.db.Postgres().Pool.Exec(b.Context(), `INSERT INTO users (email, name, password_hash, role) VALUES ('other@x.org', 'o', '', 'user')`); err != nil {
		b.Fatal(err)
	}
	for _, sql := range []string{
		`INSERT INTO clients (owner_id, email, full_name, comment, tags)
			SELECT owner.id, 'client' || i || '@' || (ARRAY['gmail.com', 'mail.ru', 'example.org'])[1 + i % 3],
				(ARRAY['Иван', 'Анна', 'Пётр', 'John'])[1 + i % 4] || ' ' || (ARRAY['Петров', 'Smith', 'Brown'])[1 + i / 4 % 3],
				'познакомились на выставке номер ' || i, CASE WHEN i % 10 = 0 THEN ARRAY['vip'] ELSE ARRAY['news'] END
			FROM users AS owner, generate_series(1, 100000) AS i`,
		`VACUUM ANALYZE clients`,
	} {
		if _, err := w.db.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	for _, one := range []struct {
		name, query string
		fragment    bool
	}{
		{"page", "", false},
		{"last page", "page=4000", true},
		{"tag", "tag=vip", true},
		{"common", "q=иван", true},
		{"rare", "q=client77123", true},
		{"address", "q=client77123@mail.ru", true},
		{"none", "q=nobody", true},
	} {
		query, err := url.ParseQuery(one.query)
		if err != nil {
			b.Fatal(err)
		}
		asker := browser
		if one.fragment {
			asker = browser.htmx()
		}
		b.Run(one.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				asker.get("/clients?"+query.Encode()).is(b, 200)
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
		})
	}
}
