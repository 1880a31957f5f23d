package digest_test

import (
	"strings"
	"testing"
	"time"

	"skychimp/domain/digest"
	"skychimp/domain/email"
)

var now = time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)

func post(title string, hoursAgo int) digest.Post {
	return digest.Post{Title: title, Link: "https://example.org/" + title, Summary: "About " + title, At: now.Add(-time.Duration(hoursAgo) * time.Hour)}
}

func titles(posts []digest.Post) string {
	var list []string
	for _, one := range posts {
		list = append(list, one.Title)
	}
	return strings.Join(list, " ")
}

// A digest sends what is newer than what went out, and nothing twice.
func TestNew(t *testing.T) {
	d := digest.Digest{Source: digest.Blog, Fetched: &digest.Fetched{At: now, Posts: []digest.Post{post("g", 70), post("a", 10), post("b", 20), post("c", 30), post("d", 40), post("e", 50), post("f", 60), post("later", -5)}}}
	first := d.New(now)
	if titles(first) != "a b c d e" {
		t.Errorf("first %s", titles(first))
	}
	d.Take(first)
	if again := d.New(now); len(again) > 0 {
		t.Errorf("again %s", titles(again))
	}
	if then := d.New(now.Add(6 * time.Hour)); titles(then) != "later" {
		t.Errorf("then %s", titles(then))
	}
}

func TestWaits(t *testing.T) {
	for _, c := range []struct {
		name    string
		d       digest.Digest
		overdue time.Duration
		want    bool
	}{
		{"no digest", digest.Digest{}, 0, false},
		{"nothing fetched", digest.Digest{Source: digest.Blog}, time.Hour, true},
		{"fetched", digest.Digest{Source: digest.Blog, Fetched: &digest.Fetched{At: now.Add(-time.Minute)}}, 0, false},
		{"fetched long ago", digest.Digest{Source: digest.Blog, Fetched: &digest.Fetched{At: now.Add(-time.Hour)}}, 0, true},
		{"unreadable", digest.Digest{Source: digest.Blog, Fetched: &digest.Fetched{At: now, Problem: true}}, 0, true},
		{"unreadable for long", digest.Digest{Source: digest.Blog, Fetched: &digest.Fetched{At: now, Problem: true}}, time.Hour, false},
	} {
		if got := c.d.Waits(now.Add(-c.overdue), now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}

// What strangers write stays text.
func TestFill(t *testing.T) {
	evil := digest.Post{Title: "[x](javascript:alert(1)) **{{email}}** <script>", Link: "https://example.org/a(b)?c={{email}}", Summary: "# no heading\n<img src=x> {{#if name}}", At: now}
	evil, ok := digest.Clean(evil)
	if !ok {
		t.Fatal("nothing is left")
	}
	got := digest.Fill("Hello\n\n{{ posts }}\n\nBye", []digest.Post{evil, post("good", 1)})
	if strings.Contains(got, "{{") || !strings.Contains(got, "https://example.org/good") {
		t.Errorf("%s", got)
	}
	if _, err := email.Check("News", got); err != nil {
		t.Errorf("%v in %s", err, got)
	}
	for _, bad := range []digest.Post{{Title: "x", Link: "javascript:alert(1)", At: now}, {Title: " ", Link: "https://example.org", At: now}, {Title: "x", Link: "https://example.org"}, {Title: "x", Link: "/relative", At: now}} {
		if _, ok := digest.Clean(bad); ok {
			t.Errorf("%+v is taken", bad)
		}
	}
	if p, _ := digest.Clean(digest.Post{Title: strings.Repeat("long words ", 100), Link: "https://example.org", At: now}); len([]rune(p.Title)) > 201 {
		t.Error("a title has no end")
	}
}
