package attacktest

import (
	"bytes"
	"cmp"
	"fmt"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
)

// slowestNeighbour is what 99 of 100 pages of other owners stay below, whatever one owner does.
const slowestNeighbour = 200 * time.Millisecond

// BenchmarkNeighbours is one owner of 100,000 clients who imports, previews, exports and searches without a pause
// over 24 connections, beside ten people at work for another owner, who think for half a second on average. It
// prints how long these wait, with and without the one, and fails when their slowest percent takes slowestNeighbour.
// SECONDS is how long each of the two takes: 30 unless the environment says otherwise.
func BenchmarkNeighbours(b *testing.B) {
	p := serve(b)
	greedy, email := p.signedIn(b, "Ann", "user")
	other, _ := p.signedIn(b, "Bob", "user")
	d, err := db.Open(environOf(p, "DATABASE_URL"))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for _, sql := range []string{
		`INSERT INTO clients (owner_id, email, full_name, tags) SELECT id, 'c' || n || '@' || id || '.example', 'Client ' || n, CASE n % 3 WHEN 0 THEN '{vip}'::text[] ELSE '{}' END
			FROM users, generate_series(1, CASE email WHEN '` + email + `' THEN 100000 ELSE 5000 END) n`,
		`INSERT INTO messages (owner_id, subject, body) SELECT id, 'News', repeat('Some words of a *text* with [a link](https://example.com/path). ', 2000) FROM users`,
		`ANALYZE`,
	} {
		if _, err := d.Postgres().Pool.Exec(b.Context(), sql); err != nil {
			b.Fatal(err)
		}
	}
	seconds, err := strconv.Atoi(cmp.Or(os.Getenv("SECONDS"), "30"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, with := range []bool{false, true} {
			ended := make(chan struct{})
			var attack sync.WaitGroup
			var done sync.Map
			if with {
				attackers(b, greedy, &attack, ended, &done)
				time.Sleep(2 * time.Second) // until all of it is under way
			}
			took := neighbours(b, other, time.Duration(seconds)*time.Second)
			close(ended)
			attack.Wait()
			slices.Sort(took)
			p99 := took[len(took)*99/100]
			fmt.Printf("NEIGHBOURS with one who does all at once: %v, n=%d p50=%.1f p99=%.1f max=%.1f ms\n", with, len(took), ms(took[len(took)/2]), ms(p99), ms(took[len(took)-1]))
			done.Range(func(what, n any) bool { fmt.Printf("NEIGHBOURS   meanwhile %s: %d\n", what, *n.(*int)); return true })
			if with && p99 >= slowestNeighbour {
				b.Errorf("the slowest percent takes %v", p99)
			}
		}
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func environOf(p *target, name string) string {
	for _, pair := range p.Env {
		if value, ok := strings.CutPrefix(pair, name+"="); ok {
			return value
		}
	}
	return ""
}

// neighbours are ten people at work, and how long each of their pages took.
func neighbours(b *testing.B, other browser, span time.Duration) (took []time.Duration) {
	pages := []string{"/", "/clients", "/clients?q=client+77", "/clients?tag=vip", "/clients?page=20", "/messages", "/messages/new", "/mailings", "/mailings/new", "/attempts",
		"/calendar", "/account", "/start", "/login", "/blog"}
	var mu sync.Mutex
	var wait sync.WaitGroup
	for until := time.Now().Add(span); len(took) < 1; {
		for range 10 {
			wait.Go(func() {
				for time.Now().Before(until) {
					time.Sleep(time.Duration(rand.Float64() * float64(time.Second)))
					begun := time.Now()
					status, _ := other.get(b, pages[rand.IntN(len(pages))])
					one := time.Since(begun)
					if status != http.StatusOK && status != http.StatusSeeOther {
						b.Errorf("a neighbour reads %d", status)
					}
					mu.Lock()
					took = append(took, one)
					mu.Unlock()
				}
			})
		}
		wait.Wait()
	}
	return took
}

func (b browser) get(t testing.TB, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", b.p.URL+path, nil)
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header.Set("X-Forwarded-For", b.from)
	return b.answer(t, request)
}

// attackers do without a pause, over four or eight connections each, what costs much, until it has ended; done
// counts what was answered.
func attackers(b *testing.B, greedy browser, wait *sync.WaitGroup, ended chan struct{}, done *sync.Map) {
	var list bytes.Buffer
	for n := range 20_000 {
		fmt.Fprintf(&list, "new%d@example.org;Client %d;vip\n", n, n)
	}
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, _ := writer.CreateFormFile("file", "list.csv")
	_, _ = part.Write(list.Bytes())
	_ = writer.Close()
	text := strings.Repeat("Some words of a *text* with [a link](https://example.com/path).\n\n", 1_500)
	var mu sync.Mutex
	for what, one := range map[string]struct {
		connections int
		do          func() int
	}{
		"searches": {8, func() int {
			status, _ := greedy.get(b, []string{"/clients?q=qj", "/clients?q=a", "/clients?q=client+77", "/clients?page=2000", "/attempts?status=failed"}[rand.IntN(5)])
			return status
		}},
		"exports": {4, func() int { status, _ := greedy.get(b, "/clients/export.csv"); return status }},
		"previews": {8, func() int {
			status, _ := greedy.post(b, "/start/preview", "subject", "News", "body", text)
			return status
		}},
		"imports": {4, func() int {
			request, _ := http.NewRequestWithContext(b.Context(), "POST", greedy.p.URL+"/clients/import", bytes.NewReader(form.Bytes()))
			request.Header = http.Header{"Content-Type": {writer.FormDataContentType()}, "X-Forwarded-For": {greedy.from}}
			response, err := greedy.Do(request)
			if err != nil {
				b.Error(err)
				return 0
			}
			_ = response.Body.Close()
			path := response.Header.Get("Location")
			if path == "" {
				return response.StatusCode
			}
			status, _ := greedy.get(b, path)
			if status == http.StatusOK {
				status, _ = greedy.post(b, path, "columns", "email", "columns", "full_name", "columns", "tags", "do", "start")
			}
			return status
		}},
	} {
		for range one.connections {
			wait.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
					}
					status := one.do()
					mu.Lock()
					n, _ := done.LoadOrStore(fmt.Sprint(what, " ", status), new(int))
					*n.(*int)++
					mu.Unlock()
				}
			})
		}
	}
}
