package handlers

import (
	"encoding/xml"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
)

// publish adds a post that everybody sees from at on.
func (w *env) publish(t testing.TB, title string, at time.Time) domain.Post {
	t.Helper()
	post := domain.Post{Slug: domain.Slug(title), Title: title, Body: "The *body* of " + title, PublishedAt: &at}
	if err := w.db.Posts().Create(t.Context(), &post); err != nil {
		t.Fatal(err)
	}
	return post
}

// public starts the cache and the counting of views, as the program does.
func (w *env) public(t testing.TB) {
	t.Helper()
	if err := w.db.StartCache("", slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	w.db.Posts().StartViews(slog.New(slog.DiscardHandler))
}

// titles are those of the cards in the page, in order.
func titles(page string) (list []string) {
	card := regexp.MustCompile(`(?s)<article class="post-card" id="post-\d+">.*?<h3><a href="[^"]*">(.*?)</a>`)
	for _, match := range card.FindAllStringSubmatch(page, -1) {
		list = append(list, match[1])
	}
	return list
}

func TestBlog(t *testing.T) {
	w := newEnv(t)
	b, now := w.visitor(t), time.Now()
	b.get("/blog").is(t, 200, "No posts yet")
	want := []string{}
	for n := range 14 {
		title := fmt.Sprintf("Number %d", n)
		w.publish(t, title, now.Add(-time.Duration(n)*time.Hour))
		want = append(want, title)
	}
	w.publish(t, "To come", now.Add(time.Hour))
	if got := titles(b.get("/blog").is(t, 200, `rel="next" href="/blog?page=2"`).body); !slices.Equal(got, want[:12]) {
		t.Errorf("%q", got)
	}
	if got := titles(b.get("/blog?page=2").is(t, 200, `rel="prev" href="/blog?page=1"`).body); !slices.Equal(got, want[12:]) {
		t.Errorf("%q", got)
	}
	for _, path := range []string{"/blog?page=3", "/blog?page=0", "/blog?page=-1", "/blog/to-come", "/blog/nothing"} {
		b.get(path).is(t, 404)
	}
	b.htmx().get("/blog").is(t, 200)
	if got := b.htmx().get("/blog").body; strings.Contains(got, "<html") {
		t.Error("htmx got the frame")
	}
}

func TestArticle(t *testing.T) {
	w := newEnv(t)
	at := time.Date(2026, 3, 14, 15, 9, 0, 0, time.UTC)
	post := domain.Post{Slug: "a", Title: `Bread & "butter" <b>`, Body: "Some *words* <script>alert(1)</script>", PublishedAt: &at,
		Image: strings.Repeat("a", 32) + ".jpg"}
	if err := w.db.Posts().Create(t.Context(), &post); err != nil {
		t.Fatal(err)
	}
	b := w.visitor(t)
	picture := "/media/" + strings.Repeat("a", 32) + "-1200.jpg"
	page := b.get("/blog/a").is(t, 200,
		`<title>Bread &amp; &#34;butter&#34; &lt;b&gt; · SkyChimp</title>`,
		`<meta property="og:title" content="Bread &amp; &#34;butter&#34; &lt;b&gt;">`,
		`<meta property="og:image" content="`+w.url+picture+`">`,
		`<link rel="canonical" href="`+w.url+`/blog/a">`,
		`<meta property="article:published_time" content="2026-03-14T15:09:00Z">`,
		`<time datetime="2026-03-14T15:09:00Z"`, "<p>Some <em>words</em> alert(1)</p>", `src="`+picture+`"`)
	if strings.Contains(page.body, "<script>") {
		t.Error("a script in the article")
	}
	b.with("Accept-Language", "ru").get("/blog/a").is(t, 200, "14 марта 2026", "Все статьи")
}

var shownViews = regexp.MustCompile(`<span class="views">(\d+)</span>`)

func viewsIn(t testing.TB, a answer) string {
	t.Helper()
	match := shownViews.FindStringSubmatch(a.is(t, 200).body)
	if match == nil {
		t.Fatal("no views in the page")
	}
	return match[1]
}

func TestViewsThatCount(t *testing.T) {
	w := newEnv(t)
	w.public(t)
	w.publish(t, "Read me", time.Now())
	b := w.visitor(t)
	const path = "/blog/read-me"
	for _, ignored := range []*browser{
		b.with("Sec-Purpose", "prefetch;prerender"), b.with("Purpose", "prefetch"), b.with("X-Moz", "prefetch"),
		b.with("User-Agent", "Mozilla/5.0 (compatible; Googlebot/2.1)"),
	} {
		if got := viewsIn(t, ignored.get(path)); got != "0" {
			t.Errorf("%v: %s views", ignored.header, got)
		}
	}
	b.do("HEAD", path, nil).is(t, 200)
	for _, want := range []string{"1", "2", "3"} {
		if got := viewsIn(t, b.get(path)); got != want {
			t.Errorf("%s views, want %s", got, want)
		}
	}
}

// TestThousandReaders: all at once, and each one is counted.
func TestThousandReaders(t *testing.T) {
	w := newEnv(t)
	w.public(t)
	post := w.publish(t, "Read me", time.Now())
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 200, MaxIdleConnsPerHost: 200}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for range 1000 {
		all.Go(func() {
			response, err := client.Get(w.url + "/blog/read-me")
			if err != nil {
				t.Error(err)
				return
			}
			defer response.Body.Close()
			if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
				t.Error(response.Status, err)
			}
		})
	}
	all.Wait()
	if got := viewsIn(t, w.visitor(t).get("/blog/read-me")); got != "1001" {
		t.Errorf("%s views shown", got)
	}
	other, err := db.Open(w.db.Postgres().Pool.Config().ConnString())
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	w.db.Close() // a clean stop writes the last ones down
	if got, err := other.Posts().Get(t.Context(), post.ID); err != nil || got.Views != 1001 {
		t.Errorf("%d views stored, %v", got.Views, err)
	}
}

// TestScheduledPostAppears by itself, although the list without it is cached.
func TestScheduledPostAppears(t *testing.T) {
	w := newEnv(t)
	w.public(t)
	at := time.Now().Add(1500 * time.Millisecond)
	w.publish(t, "Soon", at)
	b := w.visitor(t)
	paths := []string{"/", "/blog", "/blog/feed.xml", "/sitemap.xml"}
	for _, path := range paths {
		if page := b.get(path).is(t, 200).body; strings.Contains(page, "/blog/soon") && time.Now().Before(at) {
			t.Errorf("%s shows it too early", path)
		}
	}
	time.Sleep(time.Until(at))
	for _, path := range append(paths, "/blog/soon") {
		b.get(path).is(t, 200, "/blog/soon")
	}
}

func TestFeed(t *testing.T) {
	w := newEnv(t)
	post := w.publish(t, "Bread & butter", time.Now().Add(-time.Hour).Truncate(time.Second))
	answer := w.visitor(t).get("/blog/feed.xml").is(t, 200)
	if got := answer.Header.Get("Content-Type"); got != "application/atom+xml; charset=utf-8" {
		t.Error(got)
	}
	var feed struct {
		Updated string `xml:"updated"`
		Author  string `xml:"author>name"`
		Entries []struct {
			ID        string `xml:"id"`
			Title     string `xml:"title"`
			Published string `xml:"published"`
			Updated   string `xml:"updated"`
			Summary   string `xml:"summary"`
			Links     []struct {
				Href string `xml:"href,attr"`
			} `xml:"link"`
		} `xml:"http://www.w3.org/2005/Atom entry"`
	}
	if err := xml.Unmarshal([]byte(answer.body), &feed); err != nil {
		t.Fatal(err)
	}
	if len(feed.Entries) != 1 || feed.Author != "SkyChimp" || feed.Updated != feed.Entries[0].Updated {
		t.Fatalf("%+v", feed)
	}
	entry := feed.Entries[0]
	if entry.Title != "Bread & butter" || entry.ID != w.url+"/blog/bread-butter" || entry.Summary != "The body of Bread & butter" ||
		entry.Published != post.PublishedAt.UTC().Format(time.RFC3339) || entry.Links[0].Href != entry.ID {
		t.Errorf("%+v", entry)
	}
	var site struct {
		URLs []struct {
			Loc string `xml:"loc"`
		} `xml:"url"`
	}
	if err := xml.Unmarshal([]byte(w.visitor(t).get("/sitemap.xml").is(t, 200).body), &site); err != nil {
		t.Fatal(err)
	}
	if len(site.URLs) != 3 || site.URLs[2].Loc != entry.ID {
		t.Errorf("%+v", site)
	}
	w.visitor(t).get("/robots.txt").is(t, 200, "Sitemap: "+w.url+"/sitemap.xml\n")
}

func TestHome(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	b.get("/").is(t, 200, `id="stat-mailings">0<`, `id="stat-active">0<`, `id="stat-clients">0<`, `href="/register"`)
	owner, other := w.user(t, "owner", domain.RoleUser), w.user(t, "other", domain.RoleUser)
	for _, client := range []domain.Client{{OwnerID: owner.ID, Email: "a@example.com"}, {OwnerID: other.ID, Email: "A@example.com"}, {OwnerID: owner.ID, Email: "b@example.com"}} {
		client.Tags = []string{}
		if err := w.db.Clients().Create(t.Context(), &client); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 2 {
		w.publish(t, fmt.Sprintf("Post %d", n), time.Now())
	}
	if got := titles(b.get("/").is(t, 200, `id="stat-clients">2<`).body); len(got) != 2 {
		t.Errorf("%q of two posts", got)
	}
	for n := 2; n < 7; n++ {
		w.publish(t, fmt.Sprintf("Post %d", n), time.Now())
	}
	w.publish(t, "To come", time.Now().Add(time.Hour))
	seen, orders := map[string]bool{}, map[string]bool{}
	for range 60 {
		three := titles(b.get("/").is(t, 200).body)
		orders[strings.Join(three, ",")] = true
		slices.Sort(three)
		if len(slices.Compact(three)) != 3 {
			t.Fatalf("%q", three)
		}
		for _, title := range three {
			seen[title] = true
		}
	}
	if len(seen) != 7 || len(orders) < 20 || seen["To come"] { // 210 orders; fewer than 20 of them in 60 tries never happens
		t.Errorf("%d posts in %d orders", len(seen), len(orders))
	}
	page := w.as(t, owner).get("/").is(t, 200, "Open dashboard", owner.Name)
	if strings.Contains(page.body, "Send your first mailing today") {
		t.Error("somebody with an account is asked to register")
	}
	if strings.Contains(b.get("/").body, owner.Name) {
		t.Error("a visitor sees the name of somebody else")
	}
}
