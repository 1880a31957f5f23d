package handlers

import (
	"compress/gzip"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
)

// sharedPaths are the pages that are rendered once for all visitors.
var sharedPaths = []string{"/", "/blog", "/blog?page=2", "/blog/number-3", "/login", "/register", "/password/forgot", "/help"}

// variant is a way to ask for a page, and what tells its answer from the others.
type variant struct {
	lang, encoding string
	fragment       bool
}

func (v variant) of(b *browser) *browser {
	b = b.with("Accept-Language", v.lang).with("Accept-Encoding", v.encoding)
	if v.fragment {
		b = b.htmx()
	}
	return b
}

// read checks that an answer is of its variant, and returns the page.
func (v variant) read(t *testing.T, a answer) string {
	t.Helper()
	page := a.is(t, 200).body
	if got := a.Header.Get("Content-Encoding"); got != map[string]string{"gzip, br": "gzip", "gzip": "gzip"}[v.encoding] {
		t.Errorf("%v %s: encoded as %q", v, a.Request.URL, got)
	} else if got != "" {
		packed, err := gzip.NewReader(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := io.ReadAll(packed) // which compares the sum
		if err != nil {
			t.Fatal(v, a.Request.URL, err)
		}
		page = string(unpacked)
	}
	if strings.HasPrefix(page, "<!doctype html>") == v.fragment || strings.ContainsRune(page, 0) {
		t.Errorf("%v %s: %.200s", v, a.Request.URL, page)
	}
	if russian := regexp.MustCompile(`\p{Cyrillic}{4}`).MatchString(strings.ReplaceAll(page, "Русский", "")); russian != (v.lang == "ru") {
		t.Errorf("%v %s is in another language", v, a.Request.URL)
	}
	for _, header := range []string{"HX-Request", "Accept-Language", "Accept-Encoding", "Cookie"} {
		if !strings.Contains(a.Header.Get("Vary"), header) {
			t.Errorf("%v %s varies by %q", v, a.Request.URL, a.Header.Get("Vary"))
		}
	}
	return page
}

// blogWorld has fifteen posts, Number 0 the newest.
func blogWorld(t *testing.T) *env {
	t.Helper()
	w := newEnv(t)
	w.public(t)
	for n := range 15 {
		w.publish(t, fmt.Sprintf("Number %d", n), time.Now().Add(-time.Duration(n+1)*time.Hour))
	}
	return w
}

// TestVariantsNeverMix: whoever asks at the same time for what others ask for gets their own language, encoding
// and form of the page, and nothing of somebody who is signed in or has a message waiting.
func TestVariantsNeverMix(t *testing.T) {
	w := blogWorld(t)
	secret := regexp.MustCompile(`Ann Signed-In|/logout|Waits for me`)
	user := w.user(t, "Ann Signed-In", domain.RoleUser)
	var all sync.WaitGroup
	for _, lang := range []string{"en", "ru"} {
		for _, encoding := range []string{"identity", "gzip", "gzip, br"} {
			for _, fragment := range []bool{false, true} {
				v := variant{lang, encoding, fragment}
				visitor := v.of(w.visitor(t))
				all.Go(func() {
					for range 10 {
						for _, path := range sharedPaths {
							if page := v.read(t, visitor.get(path)); secret.MatchString(page) {
								t.Errorf("%v %s shows %q", v, path, secret.FindString(page))
							}
						}
					}
				})
			}
		}
	}
	signedIn := w.as(t, user)
	noted := w.visitor(t).with("Cookie", "flash=V2FpdHMgZm9yIG1l")
	all.Go(func() {
		for range 10 {
			signedIn.get("/").is(t, 200, "Ann Signed-In", `class="post-card"`)
			signedIn.get("/blog/number-3").is(t, 200, "Ann Signed-In", `class="post-card"`)
			signedIn.get("/login").leads(t, "/start")
			noted.get("/blog").is(t, 200, "Waits for me")
			noted.get("/login").is(t, 200, "Waits for me")
		}
	})
	all.Wait()
	if a := w.visitor(t).get("/login?next=%2Fclients").is(t, 200, `value="/clients"`); strings.Count(a.body, "/login?next=") != 1 {
		t.Error("the language switch doesn't lead back to the whole address")
	}
	if a := w.visitor(t).get("/login").is(t, 200); strings.Contains(a.body, "/clients") {
		t.Error("somebody's next address is shown to others")
	}
}

// TestPostsAppearAtOnce: what an author does is seen in the same moment where it was done, and as soon as the
// announcement came by readers of another instance.
func TestPostsAppearAtOnce(t *testing.T) {
	w := blogWorld(t)
	second, err := db.Open(w.db.Postgres().Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	other := envOn(t, second)
	other.public(t)
	shown := func(paths []string, text string, want bool) {
		t.Helper()
		for _, path := range paths {
			for n, one := range []*env{w, other} {
				for _, encoding := range []string{"identity", "gzip"} {
					b := variant{"en", encoding, false}.of(one.visitor(t))
					for begun := time.Now(); ; time.Sleep(time.Millisecond) {
						a := b.get(path)
						if encoding == "gzip" && a.StatusCode == 200 {
							packed, _ := gzip.NewReader(strings.NewReader(a.body))
							unpacked, _ := io.ReadAll(packed)
							a.body = string(unpacked)
						}
						if strings.Contains(a.body, text) == want {
							break
						}
						if n == 0 || time.Since(begun) > 10*time.Second {
							t.Fatalf("instance %d, %s: %q is there: %v, want %v", n, path, text, !want, want)
						}
					}
				}
			}
		}
	}
	shown([]string{"/", "/blog", "/blog/number-3"}, "News of today", false)
	post := w.publish(t, "News of today", time.Now())
	shown([]string{"/blog", "/blog/news-of-today"}, "News of today", true)
	_, err = w.db.Posts().Update(t.Context(), post.ID, func(p *domain.Post) error {
		p.Title, p.Body = "Other news", "Quite *different*"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shown([]string{"/blog", "/blog/news-of-today"}, "Other news", true)
	if err := w.db.Posts().Delete(t.Context(), post.ID); err != nil {
		t.Fatal(err)
	}
	shown([]string{"/blog", "/blog/news-of-today"}, "Other news", false)
	if a := w.visitor(t).get("/blog/news-of-today"); a.StatusCode != 404 {
		t.Errorf("the deleted post answers %d", a.StatusCode)
	}
}

// TestETagsOfSharedPages: what a browser has already is not sent again, and the views in a page belong to it.
func TestETagsOfSharedPages(t *testing.T) {
	w := blogWorld(t)
	for _, encoding := range []string{"identity", "gzip"} {
		b := w.visitor(t).with("Accept-Encoding", encoding)
		for _, path := range []string{"/blog", "/login"} {
			tag := b.get(path).is(t, 200).Header.Get("ETag")
			if a := b.with("If-None-Match", tag).get(path).is(t, 304); a.body != "" {
				t.Errorf("%s: a body beside 304", path)
			}
		}
		first := b.get("/blog").is(t, 200)
		b.with("User-Agent", "Mozilla/5.0").get("/blog/number-3").is(t, 200)
		if again := b.with("If-None-Match", first.Header.Get("ETag")).get("/blog").is(t, 200); again.body == first.body {
			t.Error("a new view changes nothing")
		}
	}
}
