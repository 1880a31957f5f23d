package db_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestCursor(t *testing.T) {
	for text, want := range map[string]db.Cursor{
		"17": {17}, "1-0-3": {1, 0, 3}, "": nil, "x": nil, "1-": nil, "-1": nil, "99999999999999999999": nil, "1-' OR 1": nil,
	} {
		if got := db.ParseCursor(text); !slices.Equal(got, want) || want != nil && got.String() != text {
			t.Errorf("%q is %v, want %v", text, got, want)
		}
	}
}

// walk goes through a list of so many pages from row to row, forward and back, and compares each page with that of the number.
func walk[T any](t *testing.T, pages int, list func(page db.Page) []T, key func(T) string, place func(T) db.Cursor) {
	t.Helper()
	keys := func(rows []T) (all []string) {
		for _, row := range rows {
			all = append(all, key(row))
		}
		return all
	}
	rows := list(db.PageOf(1))
	check := func(number int) {
		t.Helper()
		if got, want := keys(rows), keys(list(db.PageOf(number))); len(got) == 0 || !slices.Equal(got, want) {
			t.Fatalf("page %d is %q by its cursor, %q by its number", number, got, want)
		}
	}
	for number := 2; number <= pages; number++ {
		rows = list(db.Page{Number: number, After: place(rows[len(rows)-1])})
		check(number)
	}
	if rest := list(db.Page{Number: pages + 1, After: place(rows[len(rows)-1])}); len(rest) != 0 {
		t.Errorf("%d rows after the last", len(rest))
	}
	for number := pages - 1; number >= 1; number-- {
		rows = list(db.Page{Number: number, Before: place(rows[0])})
		check(number)
	}
	if got, want := keys(list(db.Page{Number: 2, After: db.Cursor{1, 2, 3, 4, 5}})), keys(list(db.PageOf(2))); !slices.Equal(got, want) {
		t.Error("a cursor of another list is not passed over")
	}
}

// TestPagesByCursor: whichever way somebody comes to a page, it shows the same rows.
func TestPagesByCursor(t *testing.T) {
	d := dbtest.New(t)
	owner := newUser(t, d, "ann", domain.RoleUser).ID
	for _, sql := range []string{
		`INSERT INTO clients (owner_id, email, created_at) SELECT 1, 'c' || i || '@x.org', timestamptz '2026-01-01' + (i / 7) * interval '1 s 1 us' FROM generate_series(1, 110) AS i`,
		`INSERT INTO messages (owner_id, subject, body) SELECT 1, 'M' || i, '' FROM generate_series(1, 110) AS i`,
		`INSERT INTO posts (slug, title, body) SELECT 'p' || i, 'P' || i, '' FROM generate_series(1, 110) AS i`,
		`INSERT INTO audit (actor, act, object) SELECT 'a', 'block', 'o' || i FROM generate_series(1, 110) AS i`,
		`INSERT INTO users (email, name, password_hash, role) SELECT 'u' || i || '@x.org', 'u', '', 'user' FROM generate_series(2, 110) AS i`,
	} {
		if _, err := d.Postgres().Pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(sql, err)
		}
	}
	fail := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("clients", func(t *testing.T) {
		walk(t, 5, func(page db.Page) []domain.Client {
			rows, total, err := d.Clients().List(t.Context(), owner, db.ClientFilter{Page: page})
			if fail(err); total != 110 {
				t.Fatal(total)
			}
			return rows
		}, func(c domain.Client) string { return c.Email }, func(c domain.Client) db.Cursor { return db.Cursor{c.CreatedAt.UnixMicro(), c.ID} })
	})
	t.Run("messages", func(t *testing.T) {
		walk(t, 5, func(page db.Page) []db.MessageRow {
			rows, _, err := d.Messages().List(t.Context(), owner, "", page)
			fail(err)
			return rows
		}, func(m db.MessageRow) string { return m.Subject }, func(m db.MessageRow) db.Cursor { return db.Cursor{m.ID} })
	})
	t.Run("posts", func(t *testing.T) {
		walk(t, 5, func(page db.Page) []domain.Post {
			rows, _, err := d.Posts().List(t.Context(), db.PostFilter{Page: page, Now: time.Now()})
			fail(err)
			return rows
		}, func(p domain.Post) string { return p.Title }, func(p domain.Post) db.Cursor { return db.Cursor{p.ID} })
	})
	t.Run("audit", func(t *testing.T) {
		walk(t, 5, func(page db.Page) []domain.AuditEntry {
			rows, _, err := d.Audit().List(t.Context(), db.AuditFilter{Page: page})
			fail(err)
			return rows
		}, func(e domain.AuditEntry) string { return e.Object }, func(e domain.AuditEntry) db.Cursor { return db.Cursor{e.ID} })
	})
	t.Run("users", func(t *testing.T) {
		walk(t, 5, func(page db.Page) []db.UserRow {
			rows, _, err := d.Users().List(t.Context(), db.UserFilter{Page: page})
			fail(err)
			return rows
		}, func(u db.UserRow) string { return u.Email }, func(u db.UserRow) db.Cursor { return db.Cursor{u.ID} })
	})
	t.Run("attempts", func(t *testing.T) {
		mailing := dbtest.NewMailing(t, d, owner, nil).ID
		for _, sql := range []string{
			`INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, status) SELECT ?, 1, i, now(), '', '', 'done' FROM generate_series(1, 9) AS i`,
			`INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
				SELECT run.id, 1 + i / 2, 1, 'c', 1 + i % 2, now() + i * interval '1 us', CASE WHEN i % 2 = 0 THEN 'deferred' ELSE 'accepted' END, 250, 'Ok'
				FROM runs AS run, generate_series(0, 21) AS i WHERE run.mailing_id = ?`,
			`INSERT INTO deliveries (run_id, seq, client_id, email, outcome) SELECT min(id), i, i, 'c' || i, CASE WHEN i % 2 = 0 THEN 'failed' ELSE 'accepted' END
				FROM runs, generate_series(1, 220) AS i WHERE mailing_id = ? GROUP BY i`,
		} {
			if _, err := d.Postgres().Pool.Exec(t.Context(), strings.Replace(sql, "?", strconv.FormatInt(mailing, 10), 1)); err != nil {
				t.Fatal(sql, err)
			}
		}
		for status, pages := range map[domain.AttemptStatus]int{"": 8, domain.Deferred: 4, domain.Accepted: 4} {
			walk(t, pages, func(page db.Page) []db.AttemptRow {
				rows, more, err := d.Attempts().List(t.Context(), db.AttemptFilter{OwnerID: owner, Status: status, Page: page})
				if fail(err); len(rows) > 0 && more != (page.Number < pages) {
					t.Errorf("page %d of %q: more %v", page.Number, status, more)
				}
				return rows
			}, func(a db.AttemptRow) string { return fmt.Sprint(a.RunID, a.Seq, a.N) },
				func(a db.AttemptRow) db.Cursor { return db.Cursor{a.RunID, int64(a.Seq), a.At.UnixMicro()} })
		}
		run, _, err := d.Runs().List(t.Context(), owner, mailing, 1)
		fail(err)
		walk(t, 5, func(page db.Page) []db.DeliveryRow {
			rows, _, err := d.Runs().Deliveries(t.Context(), run[len(run)-1].ID, domain.OutcomeFailed, page)
			fail(err)
			return rows
		}, func(r db.DeliveryRow) string { return r.Email }, func(r db.DeliveryRow) db.Cursor { return db.Cursor{int64(r.Seq)} })
	})
}
