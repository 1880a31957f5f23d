package handlers

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/domain"
)

// TestReadersWithoutDatabase: whatever becomes of the database, a thousand readers of pages that
// need nothing of it, or nothing new, see them.
func TestReadersWithoutDatabase(t *testing.T) {
	proxy := faultproxy.Postgres(t, dbtest.URL(t))
	database, err := db.Open(proxy.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Close)
	w := envOn(t, database)
	w.public(t)
	w.publish(t, "Read me", time.Now())
	paths := []string{"/", "/blog", "/blog/read-me", "/blog/feed.xml", "/help", "/login", "/register"}
	b := w.visitor(t)
	for _, path := range paths {
		b.get(path).is(t, 200)
	}
	heal := func() {}
	t.Cleanup(func() { heal() })
	for _, fault := range []struct {
		name  string
		begin func()
	}{
		{"slow", func() { proxy.Slow(2 * time.Second) }},
		{"hung", func() { proxy.Slow(0); heal = proxy.Stall() }},
		{"gone", func() { heal(); proxy.Refuse(true); proxy.Cut() }},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fault.begin()
			client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxConnsPerHost: 100, MaxIdleConnsPerHost: 100}}
			defer client.CloseIdleConnections()
			var all sync.WaitGroup
			for n := range 1000 {
				all.Go(func() {
					path := paths[n%len(paths)]
					response, err := client.Get(w.url + path)
					if err != nil {
						t.Error(err)
						return
					}
					defer response.Body.Close()
					if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
						t.Error(path, response.Status, err)
					}
				})
			}
			all.Wait()
			if fault.name == "slow" {
				return
			}
			// What needs the database says so, within a second.
			begun := time.Now()
			b.post("/password/forgot", "email", "ann@people.example").is(t, 503)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("503 after %v", took)
			}
		})
	}
}

// TestHomeNeverWaitsForItsNumbers: neither after a start nor after a change do they have to be
// counted before the page is shown.
func TestHomeNeverWaitsForItsNumbers(t *testing.T) {
	w := newEnv(t)
	w.public(t)
	user := w.user(t, "ann", domain.RoleUser)
	for n := range 3 {
		w.client(t, user.ID, fmt.Sprintf("c%d@example.com", n))
	}
	counted := func() (yes bool) {
		if err := w.db.Postgres().Pool.QueryRow(t.Context(), "SELECT clients = 3 FROM home_stats").Scan(&yes); err != nil {
			t.Fatal(err)
		}
		return yes
	}
	for begun := time.Now(); !counted(); w.visitor(t).get("/").is(t, 200) {
		if time.Since(begun) > time.Minute {
			t.Fatal("the numbers are not kept")
		}
	}
	lock, err := w.db.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK TABLE clients, mailings"); err != nil {
		t.Fatal(err)
	}
	again, err := db.Open(w.db.Postgres().Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Close)
	t.Cleanup(func() { _ = lock.Rollback(context.Background()) })
	started := envOn(t, again)
	started.public(t)
	for range 2 {
		for _, one := range []*env{w, started} {
			one.visitor(t).get("/").is(t, 200, `id="stat-clients">3<`, `id="stat-mailings">0<`)
		}
		if _, err := w.db.Postgres().Pool.Exec(t.Context(), "SELECT pg_notify('cache', json_build_object('topic', 'stats', 'version', gen_random_uuid())::text)"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBusyIsNotAway: people whose database is busy wait, and are not told that it is away.
func TestBusyIsNotAway(t *testing.T) {
	w := newEnv(t)
	b := w.as(t, w.user(t, "ann", domain.RoleUser))
	var busy sync.WaitGroup
	defer busy.Wait()
	for range w.db.Postgres().Pool.Config().MaxConns {
		busy.Go(func() {
			if _, err := w.db.Postgres().Pool.Exec(t.Context(), "SELECT pg_sleep(2)"); err != nil {
				t.Error(err)
			}
		})
	}
	for w.db.Postgres().Pool.Stat().AcquiredConns() < w.db.Postgres().Pool.Config().MaxConns {
		time.Sleep(time.Millisecond)
	}
	b.get("/account").is(t, 200)
}
