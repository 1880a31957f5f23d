package db_test

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// instance is one more process on the database of first, with its cache running and hearing.
func instance(t testing.TB, first *db.DB, redisURL string) *db.DB {
	t.Helper()
	one, err := db.Open(first.Postgres().Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(one.Close)
	before := listeners(t, first)
	if err := one.StartCache(redisURL, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	dbtest.Eventually(t, "the cache to listen", func() bool { return listeners(t, first) > before && one.Hears() })
	return one
}

// listeners counts the caches that have said that they are there.
func listeners(t testing.TB, d *db.DB) (n int) {
	t.Helper()
	err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
		AND application_name = 'skychimp cache' AND query LIKE 'SELECT pg_notify%' AND state = 'idle'`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// queries counts the statements that do runs through the pool.
func queries(d *db.DB, do func()) int64 {
	before := d.Postgres().Pool.Stat().AcquireCount()
	do()
	return d.Postgres().Pool.Stat().AcquireCount() - before
}

func addPost(t testing.TB, d *db.DB, title string, at time.Time) domain.Post {
	t.Helper()
	post := domain.Post{Slug: domain.Slug(title), Title: title, Body: "Body of " + title, PublishedAt: &at}
	if err := d.Posts().Create(t.Context(), &post); err != nil {
		t.Fatal(err)
	}
	return post
}

func published(t testing.TB, d *db.DB) []string {
	t.Helper()
	posts, err := d.Posts().Published(context.Background(), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	titles := []string{}
	for _, post := range posts {
		titles = append(titles, post.Title)
	}
	return titles
}

// noPosts and its likes say what a second instance sees of the first one's writing.
func sees(t testing.TB, d *db.DB, n int) {
	t.Helper()
	dbtest.Eventually(t, "the list of posts", func() bool { return len(published(t, d)) == n })
}

func TestCacheStampede(t *testing.T) {
	first := dbtest.New(t)
	addPost(t, first, "One", time.Now())
	for name, ask := range map[string]func(*db.DB) error{
		"posts": func(d *db.DB) error { _, err := d.Posts().Published(t.Context(), time.Now()); return err },
		"stats": func(d *db.DB) error { _, err := d.Home().Stats(t.Context()); return err },
	} {
		one := instance(t, first, "")
		want := map[string]int64{"posts": 1, "stats": 4}[name] // two are counted, and kept
		var gate, done sync.WaitGroup
		gate.Add(1)
		got := queries(one, func() {
			for range 1000 {
				done.Go(func() {
					gate.Wait()
					if err := ask(one); err != nil {
						t.Error(err)
					}
				})
			}
			gate.Done()
			done.Wait()
		})
		if got != want {
			t.Errorf("%s: 1000 readers of a cold key made %d queries, want %d", name, got, want)
		}
		if got := queries(one, func() { _ = ask(one) }); got != 0 {
			t.Errorf("%s: %d queries for a warm key", name, got)
		}
	}
}

// TestCacheFirstCallerLeaves: the first of many waiters gives up, the others get their answer.
func TestCacheFirstCallerLeaves(t *testing.T) {
	first := dbtest.New(t)
	one := instance(t, first, "")
	addPost(t, first, "One", time.Now())
	lock, err := first.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(context.Background()) }()
	if _, err := lock.Exec(t.Context(), "LOCK TABLE posts"); err != nil {
		t.Fatal(err)
	}
	leaving, leave := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { _, _ = one.Posts().Published(leaving, time.Now()) })
	dbtest.Eventually(t, "the first one's query", func() bool {
		var waiting int
		err := first.Postgres().Pool.QueryRow(t.Context(), "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'posts'::regclass").Scan(&waiting)
		return err == nil && waiting == 1
	})
	done.Go(func() {
		if posts, err := one.Posts().Published(t.Context(), time.Now()); err != nil || len(posts) != 1 {
			t.Errorf("%d posts, %v", len(posts), err)
		}
	})
	leave()
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	done.Wait()
}

func TestCacheInvalidation(t *testing.T) {
	redis := miniredis.RunT(t)
	for name, url := range map[string]string{"in the process": "", "with Redis": "redis://" + redis.Addr()} {
		t.Run(name, func(t *testing.T) {
			first := dbtest.New(t)
			a, b := instance(t, first, url), instance(t, first, url)
			sees(t, a, 0)
			sees(t, b, 0)
			post := addPost(t, a, "One", time.Now())
			sees(t, a, 1)
			sees(t, b, 1)
			_, err := b.Posts().Update(t.Context(), post.ID, func(p *domain.Post) error { p.Title = "Two"; return nil })
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range []*db.DB{a, b} {
				dbtest.Eventually(t, "the new title", func() bool { return published(t, one)[0] == "Two" })
				dbtest.Eventually(t, "the new title of the article", func() bool {
					post, err := one.Posts().PublishedBySlug(t.Context(), "one", time.Now())
					return err == nil && post.Title == "Two"
				})
			}
			if err := a.Posts().Delete(t.Context(), post.ID); err != nil {
				t.Fatal(err)
			}
			sees(t, a, 0)
			sees(t, b, 0)
			if _, err := b.Posts().PublishedBySlug(t.Context(), "one", time.Now()); domain.KindOf(err) != domain.NotFound {
				t.Errorf("the deleted post: %v", err)
			}
		})
	}
}

// TestCacheOwnWrites: who has written doesn't wait for the announcement.
func TestCacheOwnWrites(t *testing.T) {
	one := instance(t, dbtest.New(t), "")
	for n := range 50 {
		addPost(t, one, "Post", time.Now())
		if got := len(published(t, one)); got != n+1 {
			t.Fatalf("%d posts after writing %d", got, n+1)
		}
	}
}

// TestCacheShared: what one instance has loaded, the next one takes from Redis.
func TestCacheShared(t *testing.T) {
	redis := miniredis.RunT(t)
	first := dbtest.New(t)
	addPost(t, first, "One", time.Now())
	a, b := instance(t, first, "redis://"+redis.Addr()), instance(t, first, "redis://"+redis.Addr())
	dbtest.Eventually(t, "the versions to be the same", func() bool {
		sees(t, a, 1)
		// Values are written to Redis behind the reader's back.
		time.Sleep(10 * time.Millisecond)
		return queries(b, func() { sees(t, b, 1) }) == 0
	})
	for _, key := range redis.Keys() {
		if ttl := redis.TTL(key); ttl <= 0 || ttl > 30*time.Second {
			t.Errorf("%s lives for %v", key, ttl)
		}
	}
}

// TestCacheWithoutRedis: killed in mid-run, and taking connections without ever answering.
func TestCacheWithoutRedis(t *testing.T) {
	first := dbtest.New(t)
	redis := miniredis.RunT(t)
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	killed, hung := instance(t, first, "redis://"+redis.Addr()), instance(t, first, "redis://"+silent.Addr().String())
	sees(t, killed, 0)
	redis.Close()
	for n := range 3 {
		addPost(t, first, "Post", time.Now())
		begun := time.Now()
		sees(t, killed, n+1)
		sees(t, hung, n+1)
		if took := time.Since(begun); took > time.Second {
			t.Errorf("post %d took %v", n, took)
		}
	}
	if _, err := killed.Home().Stats(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestCacheDeaf: while the connection of the announcements is gone, nothing old is shown.
func TestCacheDeaf(t *testing.T) {
	first := dbtest.New(t)
	one := instance(t, first, "")
	sees(t, one, 0)
	for n := range 3 {
		_, err := first.Postgres().Pool.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'skychimp cache'`)
		if err != nil {
			t.Fatal(err)
		}
		addPost(t, first, "Post", time.Now())
		begun := time.Now()
		for len(published(t, one)) != n+1 {
			if time.Since(begun) > 2*time.Second { // a second old at most, and one for the query
				t.Fatalf("%d posts after %v", len(published(t, one)), time.Since(begun))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func TestCacheDatabaseAway(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	d, err := db.Open("postgres://skychimp@" + silent.Addr().String() + "/skychimp?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.StartCache("", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second) // the reader's patience
	defer cancel()
	begun := time.Now()
	if _, err := d.Posts().Published(ctx, time.Now()); domain.KindOf(err) != domain.Unavailable {
		t.Error(err)
	}
	if took := time.Since(begun); took > 1200*time.Millisecond {
		t.Errorf("took %v", took)
	}
}

func TestStartCacheRefuses(t *testing.T) {
	d, err := db.Open("postgres://nobody@127.0.0.1/nothing")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.StartCache("http://redis", slog.New(slog.DiscardHandler)); err == nil {
		t.Error("took an address that is none of Redis")
	}
}
