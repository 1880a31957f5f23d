package feeds

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/links"
)

const rss = `<?xml version="1.0"?><rss version="2.0"><channel><title>Site</title>
<item><title>Second &lt;b&gt;post&lt;/b&gt;</title><link>https://example.org/2</link><description>&lt;p&gt;Words &lt;script&gt;x&lt;/script&gt;&lt;/p&gt;</description><pubDate>Sun, 05 Jan 2031 12:00:00 GMT</pubDate></item>
<item><title>First post</title><link>https://example.org/1</link><pubDate>Sat, 04 Jan 2031 12:00:00 GMT</pubDate></item>
<item><title>No link</title><link>javascript:alert(1)</link><pubDate>Sat, 04 Jan 2031 12:00:00 GMT</pubDate></item>
</channel></rss>`

// A digest of a feed sends its posts once, is skipped with the reason when nothing is new, and again when the feed can't be
// read for long; nothing is planned before it was fetched.
func TestDigest(t *testing.T) {
	answer := rss
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if answer == "" {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(answer))
	}))
	defer site.Close()
	d := dbtest.New(t)
	f := &Feeds{DB: d, Links: &links.Checker{Allow: func(netip.AddrPort) bool { return true }}, Log: slog.New(slog.DiscardHandler)}
	ann := dbtest.NewOwner(t, d, "ann")
	dbtest.NewClients(t, d, ann, 2)
	message := dbtest.NewMessage(t, d, ann, "News of {{date}}", "Hello\n\n{{posts}}\n\nBye")
	m := dbtest.NewLaunched(t, d, ann, func(form *domain.MailingForm) {
		form.MessageID, form.Digest, form.FeedURL = message.ID, "feed", site.URL
	})
	plans := outbox.New(d.Postgres()).Plans()
	day := func(n int) time.Time { return dbtest.Monday.AddDate(0, 0, n) }
	if _, ok, err := plans.Make(t.Context(), m.ID, day(0), false); ok || err != nil {
		t.Fatalf("a run is made before anything was fetched: %v", err)
	}
	if err := f.Refresh(t.Context(), day(0)); err != nil {
		t.Fatal(err)
	}
	run := dbtest.Plan(t, d, m.ID, day(0))
	if second, first := strings.Index(run.Body, "https://example.org/2"), strings.Index(run.Body, "https://example.org/1"); second < 0 || first < second ||
		strings.Contains(run.Body, "script") || strings.Contains(run.Body, "{{") || strings.Contains(run.Body, "No link") {
		t.Errorf("%s", run.Body)
	}
	skipped := func(n int, at time.Time, want string) {
		t.Helper()
		if err := f.Refresh(t.Context(), at); err != nil {
			t.Fatal(err)
		}
		if _, ok, err := plans.Make(t.Context(), m.ID, at, false); ok || err != nil {
			t.Fatalf("day %d: a run is made, %v", n, err)
		}
		rows, total, err := d.Runs().List(t.Context(), ann, m.ID, 1)
		if err != nil || total != n+1 || want != "" && (rows[0].Status != domain.RunMissed || rows[0].Reason != want) {
			t.Errorf("day %d: %d runs, %v, %s %s", n, total, err, rows[0].Status, rows[0].Reason)
		}
	}
	skipped(1, day(1), domain.ReasonNothingNew)
	answer = ""
	skipped(1, day(2), "") // it is tried again
	skipped(2, day(2).Add(40*time.Minute), domain.ReasonFeedFailed)
	answer = strings.Replace(rss, "<item>", "<item><title>Third</title><link>https://example.org/3</link><pubDate>Wed, 08 Jan 2031 12:00:00 GMT</pubDate></item><item>", 1)
	if err := f.Refresh(t.Context(), day(3)); err != nil {
		t.Fatal(err)
	}
	if run = dbtest.Plan(t, d, m.ID, day(3)); !strings.Contains(run.Body, "example.org/3") || strings.Contains(run.Body, "example.org/2") || run.Issue != 2 {
		t.Errorf("issue %d: %s", run.Issue, run.Body)
	}
}

// Only the public internet is asked, and nothing endless is read.
func TestFeedLimits(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for range maxBytes/1000 + 10 {
			_, _ = w.Write([]byte(strings.Repeat("x", 1000)))
		}
	}))
	defer site.Close()
	if _, err := (&links.Checker{}).Get(t.Context(), site.URL, maxBytes); err == nil {
		t.Error("an address of this machine is asked")
	}
	open := &links.Checker{Allow: func(netip.AddrPort) bool { return true }}
	if _, err := open.Get(t.Context(), site.URL, maxBytes); err == nil || !strings.Contains(err.Error(), "bytes") {
		t.Error(err)
	}
}
