package db_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// BenchmarkClients asks for pages and searches of an owner with 100,000 clients in a table of
// a million, and reports the slowest percent.
func BenchmarkClients(b *testing.B) {
	d := dbtest.New(b)
	owner := dbtest.NewOwner(b, d, "ann")
	seedMillion(b, d, owner)
	for name, filter := range map[string]db.ClientFilter{
		"first page":     {},
		"last page":      {Page: db.PageOf(1 << 30)},
		"tag":            {Tag: "vip"},
		"common word":    {Query: "иван"},
		"rare word":      {Query: "client77123"},
		"whole address":  {Query: "client771230@example.org"},
		"two words":      {Query: "анна петр"},
		"two letters":    {Query: "77"},
		"nothing, short": {Query: "qj"},
		"nothing":        {Query: "zzzz"},
		"tag and word":   {Query: "smith", Tag: "news"},
	} {
		b.Run(name, func(b *testing.B) {
			slowest(b, func() error {
				_, _, err := d.Clients().List(b.Context(), owner, filter)
				return err
			})
		})
	}
	b.Run("tags", func(b *testing.B) {
		slowest(b, func() error { _, err := d.Clients().Tags(b.Context(), owner); return err })
	})
}

func slowest(b *testing.B, do func() error) {
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		if err := do(); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}

// seedMillion gives every tenth of a million clients to the owner, the rest to 900 others.
func seedMillion(b *testing.B, d *db.DB, owner int64) {
	b.Helper()
	for _, sql := range []string{
		`INSERT INTO users (email, name, password_hash, role) SELECT 'u' || i || '@x.org', 'u', '', 'user' FROM generate_series(1, 900) AS i`,
		fmt.Sprintf(`INSERT INTO clients (owner_id, email, full_name, comment, tags, created_at)
			SELECT CASE WHEN i %% 10 = 0 THEN %d ELSE %d + 1 + (i / 10) %% 900 END,
				'client' || i || '@' || (ARRAY['gmail.com', 'mail.ru', 'example.org', 'yandex.ru'])[1 + i %% 4],
				(ARRAY['Иван', 'Анна', 'Пётр', 'Мария', 'John', 'Ann'])[1 + (i / 10) %% 6] || ' ' ||
				(ARRAY['Иванов', 'Петрова', 'Сидоров', 'Smith', 'Brown', 'Ковалёва'])[1 + (i / 60) %% 6] || ' ' || i,
				CASE WHEN i %% 3 = 0 THEN '' ELSE 'Комментарий клиента номер ' || i || ', познакомились на выставке' END,
				CASE i %% 50 WHEN 0 THEN ARRAY['vip'] WHEN 10 THEN ARRAY['news', 'vip'] WHEN 20 THEN '{}' ELSE ARRAY['news'] END,
				now() - (1000000 - i) * interval '1 s'
			FROM generate_series(1, 1000000) AS i`, owner, owner),
		`VACUUM ANALYZE clients`,
	} {
		if _, err := d.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkImport imports 100,000 new clients, then the same list again.
func BenchmarkImport(b *testing.B) {
	d := dbtest.New(b)
	var text strings.Builder
	text.WriteString("email;name;comment;tags\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "person%d@example.org;Иван Петров %d;познакомились на выставке %d;news,spring\n", i, i, i)
	}
	for round := 0; b.Loop(); round++ {
		owner := dbtest.NewOwner(b, d, fmt.Sprint("owner", round))
		for _, again := range []string{"new", "known"} {
			list, mapping := newImport(b, d, owner, text.String())
			begun := time.Now()
			if _, err := d.Imports().Check(b.Context(), domain.Import{ID: list.ID, OwnerID: owner, Mapping: mapping}); err != nil {
				b.Fatal(err)
			}
			checked := time.Now()
			if err := d.Imports().Start(b.Context(), owner, list.ID, mapping); err != nil {
				b.Fatal(err)
			}
			if err := d.Imports().Run(context.WithoutCancel(b.Context()), list.ID); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(checked.Sub(begun).Seconds(), again+"-check-s")
			b.ReportMetric(time.Since(checked).Seconds(), again+"-import-s")
		}
		begun := time.Now()
		lists, err := d.Imports().List(b.Context(), owner)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := d.Imports().Undo(b.Context(), owner, lists[1].ID); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(begun).Seconds(), "undo-s")
	}
}
