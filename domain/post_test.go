package domain

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestPostState(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) *time.Time { at := now.Add(d); return &at }
	for _, test := range []struct {
		published *time.Time
		want      PostState
	}{
		{nil, Draft}, {at(1), Scheduled}, {at(0), Published}, {at(-1), Published},
	} {
		if got := (Post{PublishedAt: test.published}).State(now); got != test.want {
			t.Errorf("published at %v: %s, want %s", test.published, got, test.want)
		}
	}
}

func TestPostChange(t *testing.T) {
	berlin := zoneNamed(t, "Europe/Berlin")
	long := strings.Repeat("я", 200)
	tests := []struct {
		name        string
		form        PostForm
		title, body string
		publishedAt string // empty: nil
		problems    []string
	}{
		{"a draft", PostForm{Title: "Новости", Body: "Текст"}, "Новости", "Текст", "", nil},
		{"in the author's zone", PostForm{Title: "A", Body: "B", PublishedAt: "2026-01-31T02:30"},
			"A", "B", "2026-01-31T01:30:00Z", nil},
		{"a skipped time", PostForm{Title: "A", Body: "B", PublishedAt: "2024-03-31T02:30"},
			"A", "B", "2024-03-31T01:00:00Z", nil},
		{"one line of title", PostForm{Title: " A \t\n B\r\n", Body: "B"}, "A B", "B", "", nil},
		{"line ends of browsers", PostForm{Title: "A", Body: "    code\r\n\r\n\tB\r\n"}, "A", "    code\n\n\tB\n", "", nil},
		{"control characters", PostForm{Title: "A\x00\x1b", Body: "B\x00\x7f"}, "A", "B", "", nil},
		{"not UTF-8", PostForm{Title: "A\xff", Body: "B\xc3"}, "A\uFFFD", "B\uFFFD", "", nil},
		{"longest title", PostForm{Title: long, Body: "B"}, long, "B", "", nil},
		{"title too long", PostForm{Title: long + "я", Body: "B"}, long + "я", "B", "",
			[]string{"title: blog.title_too_long"}},
		{"nothing", PostForm{}, "", "", "",
			[]string{"title: blog.title_required", "body: blog.body_required"}},
		{"only spaces and controls", PostForm{Title: " \x00", Body: "\r\n \t"}, "", "\n \t", "",
			[]string{"title: blog.title_required", "body: blog.body_required"}},
		{"not a date", PostForm{Title: "A", Body: "B", PublishedAt: "tomorrow"}, "A", "B", "",
			[]string{"published_at: blog.published_at_invalid"}},
		{"no such day", PostForm{Title: "A", Body: "B", PublishedAt: "2026-02-29T10:00"}, "A", "B", "",
			[]string{"published_at: blog.published_at_invalid"}},
		{"no such year", PostForm{Title: "A", Body: "B", PublishedAt: "0000-01-01T10:00"}, "A", "B", "",
			[]string{"published_at: blog.published_at_invalid"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.form.Zone = berlin
			old := time.Now()
			post := Post{PublishedAt: &old}
			err := post.Change(test.form)
			if got := problemsOf(t, err); !reflect.DeepEqual(got, test.problems) {
				t.Errorf("problems %q, want %q", got, test.problems)
			}
			if post.Title != test.title || post.Body != test.body {
				t.Errorf("title %q, body %q, want %q, %q", post.Title, post.Body, test.title, test.body)
			}
			var at string
			if post.PublishedAt != nil {
				at = utcText(*post.PublishedAt)
			}
			if at != test.publishedAt {
				t.Errorf("published at %q, want %q", at, test.publishedAt)
			}
		})
	}
}

func problemsOf(t *testing.T, err error) (list []string) {
	t.Helper()
	if err == nil {
		return nil
	}
	problems, ok := errors.AsType[ValidationErrors](err)
	if !ok {
		t.Fatalf("%v is not of the form", err)
	}
	for _, problem := range problems {
		list = append(list, problem.Error())
	}
	return list
}

func TestPostChangeBodySize(t *testing.T) {
	for size, want := range map[int]bool{200_000: true, 200_001: false} {
		err := (&Post{}).Change(PostForm{Title: "A", Body: strings.Repeat("b", size)})
		if (err == nil) != want {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestPostChangeKeepsSlug(t *testing.T) {
	var post Post
	for _, title := range []string{"First title", "Second title"} {
		if err := post.Change(PostForm{Title: title, Body: "B"}); err != nil || post.Slug != "first-title" {
			t.Errorf("after %q: slug %q, %v", title, post.Slug, err)
		}
	}
}

func TestCountsAsView(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	tests := []struct {
		method, agent, purpose string
		want                   bool
	}{
		{"GET", firefox, "", true},
		{"HEAD", firefox, "", false},
		{"POST", firefox, "", false},
		{"GET", firefox, "prefetch", false},
		{"GET", firefox, "Prefetch;prerender", false},
		{"GET", firefox, "prerender", false},
		{"GET", firefox, "navigate", true},
		{"GET", "", "", true},
		{"GET", "curl/8.5.0", "", true},
		{"GET", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0.0.0 Safari/537.36", "", true},
		{"GET", "Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 Mobile Safari/537.36", "", true},
		{"GET", "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 YaBrowser/25.8 Safari/537.36", "", true},
		{"GET", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "", false},
		{"GET", "Mozilla/5.0 (compatible; YandexImages/3.0; +http://yandex.com/bots)", "", false},
		{"GET", "TelegramBot (like TwitterBot)", "", false},
		{"GET", "facebookexternalhit/1.1", "", false},
		{"GET", "WhatsApp/2.24.1 A", "", false},
		{"GET", "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)", "", false},
		{"GET", "Baiduspider+(+http://www.baidu.com/search/spider.htm)", "", false},
		{"GET", "Mozilla/5.0 (compatible; Yahoo! Slurp)", "", false},
	}
	for _, test := range tests {
		if got := CountsAsView(test.method, test.agent, test.purpose); got != test.want {
			t.Errorf("%s %q %q counts: %v", test.method, test.agent, test.purpose, got)
		}
	}
}
