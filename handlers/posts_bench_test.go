package handlers

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
)

// BenchmarkPublicPages measures the home page and an article over a real connection, with 200
// posts and 20,000 clients: warm as readers find them, and cold after each announcement of a
// change. queries/op is what a page asks of the database.
func BenchmarkPublicPages(b *testing.B) {
	w := newEnv(b)
	w.public(b)
	body := strings.Repeat("## A heading\n\nSome *words* of a [paragraph](https://example.com) that goes on for a while.\n\n- one\n- two\n\n", 25)
	for n := range 200 {
		at := time.Now().Add(-time.Duration(n) * time.Hour)
		post := domain.Post{Slug: fmt.Sprintf("post-%d", n), Title: "A post", Body: body, PublishedAt: &at}
		if err := w.db.Posts().Create(b.Context(), &post); err != nil {
			b.Fatal(err)
		}
	}
	owner := w.user(b, "owner", domain.RoleUser)
	_, err := w.db.Postgres().Pool.Exec(b.Context(), `INSERT INTO clients (owner_id, email)
		SELECT $1::bigint, 'client' || n || '@example.com' FROM generate_series(1, 20000) AS n`, owner.ID)
	if err != nil {
		b.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	b.Cleanup(client.CloseIdleConnections)
	get := func(b *testing.B, path string) {
		response, err := client.Get(w.url + path)
		if err != nil {
			b.Fatal(err)
		}
		defer response.Body.Close()
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
			b.Fatal(response.Status, err)
		}
	}
	for _, path := range []string{"/", "/blog", "/blog/post-7"} {
		b.Run("cold"+path, func(b *testing.B) {
			queries := int64(0)
			for b.Loop() {
				b.StopTimer()
				if _, err := w.db.Postgres().Pool.Exec(b.Context(), "SELECT pg_notify('cache', json_build_object('topic', 'all', 'version', gen_random_uuid())::text)"); err != nil {
					b.Fatal(err)
				}
				time.Sleep(20 * time.Millisecond) // until it is heard
				before := w.db.Postgres().Pool.Stat().AcquireCount()
				b.StartTimer()
				get(b, path)
				queries += w.db.Postgres().Pool.Stat().AcquireCount() - before
			}
			b.ReportMetric(float64(queries)/float64(b.N), "queries/op")
		})
		b.Run("warm"+path, func(b *testing.B) {
			get(b, path)
			before := w.db.Postgres().Pool.Stat().AcquireCount()
			for b.Loop() {
				get(b, path)
			}
			b.ReportMetric(float64(w.db.Postgres().Pool.Stat().AcquireCount()-before)/float64(b.N), "queries/op")
		})
		b.Run("many readers"+path, func(b *testing.B) {
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					get(b, path)
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pages/s")
		})
	}
}
