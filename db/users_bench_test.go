package db_test

import (
	"fmt"
	"testing"

	"skychimp/db"
	"skychimp/db/dbtest"
)

// BenchmarkUsers asks for pages of 10,000 users with a million clients and 20,000 mailings: the
// users of the first page have 4,000 clients each, one of the last page has 100,000.
func BenchmarkUsers(b *testing.B) {
	d := dbtest.New(b)
	for _, sql := range []string{
		`INSERT INTO users (email, name, password_hash, role, blocked_at)
			SELECT 'u' || i || '@x.org', 'Name ' || i, '', 'user', CASE WHEN i % 100 = 0 THEN now() END FROM generate_series(1, 10000) AS i`,
		`INSERT INTO clients (owner_id, email, full_name, tags) SELECT
			CASE WHEN i <= 100000 THEN 1 WHEN i <= 200000 THEN 10000 - i % 25 ELSE 1 + i % 10000 END,
			'client' || i || '@example.org', 'Иван Иванов ' || i, '{news}' FROM generate_series(1, 1000000) AS i`,
		`INSERT INTO mailings (owner_id, name, audience, start_local, timezone, periodicity, status, disabled_at)
			SELECT 1 + i % 10000, 'Mailing ' || i, 'all', '2031-01-01', 'UTC', 'daily', 'running', CASE WHEN i % 50 = 0 THEN now() END
			FROM generate_series(1, 20000) AS i`,
		`INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, status, planned, accepted, closed_at)
			SELECT id, owner_id, n, now(), 'done', 100, 100, now() FROM mailings, generate_series(1, 10) AS n`,
		`VACUUM ANALYZE`,
	} {
		if _, err := d.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	for name, filter := range map[string]db.UserFilter{
		"first page": {}, "last page": {Page: db.PageOf(400)}, "search": {Query: "u77"}, "nothing": {Query: "zzz"}, "blocked": {Blocked: true},
	} {
		b.Run("users, "+name, func(b *testing.B) {
			slowest(b, func() error { _, _, err := d.Users().List(b.Context(), filter); return err })
		})
	}
	for name, filter := range map[string]db.MailingFilter{
		"first page": {}, "last page": {Page: db.PageOf(800)}, "name": {Query: "Mailing 777"}, "owner": {Query: "u777@"}, "disabled": {Disabled: true},
	} {
		b.Run("mailings, "+name, func(b *testing.B) {
			slowest(b, func() error { _, _, err := d.Mailings().List(b.Context(), filter); return err })
		})
	}
	_, err := d.Postgres().Pool.Exec(b.Context(), `INSERT INTO audit (actor, act, object, reason)
		SELECT 'm' || i || '@x.org', 'block', 'u' || i || '@x.org', 'A reason of some length, number ' || i FROM generate_series(1, 100000) AS i`)
	if err != nil {
		b.Fatal(err)
	}
	for _, query := range []string{"", "m777@", "zzz"} {
		b.Run(fmt.Sprintf("audit, %q", query), func(b *testing.B) {
			slowest(b, func() error { _, _, err := d.Audit().List(b.Context(), db.AuditFilter{Query: query}); return err })
		})
	}
}
