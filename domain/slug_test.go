package domain

import (
	"regexp"
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for title, want := range map[string]string{
		"Hello, World!":    "hello-world",
		"  10 % -- off?  ": "10-off",
		"Съешь же ещё этих булок":            "sesh-zhe-eshchyo-etikh-bulok",
		"ЩУКА И ЁЖ":                          "shchuka-i-yozh",
		"Їжак, ґанок і п'ять є":              "yizhak-ganok-i-pyat-ye",
		"п’ять пʼять":                        "pyat-pyat",
		"Don't":                              "dont",
		"Ärger im Straßen-Café":              "arger-im-strassen-cafe",
		"cafe\u0301s и\u0306":                "cafes-i",
		"İstanbul ıslak":                     "istanbul-islak",
		"Łódź, Þingvellir, Œuvre":            "lodz-thingvellir-oeuvre",
		"300 \u212A":                         "300-k",
		"Go и 日本語":                           "go-i",
		"日本語":                                "post",
		"ъь":                                 "post",
		"!?":                                 "post",
		"":                                   "post",
		"a\xffb":                             "a-b",
		"<script>alert(1)</script>":          "script-alert-1-script",
		"../../etc/passwd":                   "etc-passwd",
		strings.Repeat("abcdefg ", 10) + "h": strings.TrimSuffix(strings.Repeat("abcdefg-", 10), "-"),
		strings.Repeat("abcdefghi ", 9):      strings.TrimSuffix(strings.Repeat("abcdefghi-", 8), "-"),
		strings.Repeat("щ", 200):             strings.Repeat("shch", 20),
		strings.Repeat("a", 80) + " b":       strings.Repeat("a", 80),
		strings.Repeat("a", 39) + " " + strings.Repeat("b", 40) + " c": strings.Repeat("a", 39) + "-" + strings.Repeat("b", 40),
		strings.Repeat("a", 40) + " " + strings.Repeat("b", 40):        strings.Repeat("a", 40),
	} {
		if got := Slug(title); got != want {
			t.Errorf("%q: %q, want %q", title, got, want)
		}
	}
}

func TestSlugAfter(t *testing.T) {
	full := strings.Repeat("abcdefg-", 9) + "abcdefgh"
	for _, test := range []struct {
		base string
		n    int
		want string
	}{
		{"title", 0, "title"}, {"title", 1, "title"}, {"title", 2, "title-2"}, {"title", 10, "title-10"},
		{full, 1, full},
		{full, 2, strings.TrimSuffix(full, "-abcdefgh") + "-2"},
		{strings.Repeat("a", 80), 12, strings.Repeat("a", 77) + "-12"},
		{strings.Repeat("a", 78), 2, strings.Repeat("a", 78) + "-2"},
	} {
		if got := SlugAfter(test.base, test.n); got != test.want || len(got) > 80 {
			t.Errorf("%q, %d: %q, want %q", test.base, test.n, got, test.want)
		}
	}
}

func FuzzSlug(f *testing.F) {
	f.Add("Съешь же ещё", 2)
	f.Add(strings.Repeat("щ ", 100), 1<<62)
	f.Add("-", -1)
	shape := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	f.Fuzz(func(t *testing.T, title string, n int) {
		slug := Slug(title)
		for _, s := range []string{slug, SlugAfter(slug, n)} {
			if len(s) > 80 || !shape.MatchString(s) {
				t.Errorf("%q: %q", title, s)
			}
		}
		if Slug(slug) != slug {
			t.Errorf("%q: the slug of the slug %q is %q", title, slug, Slug(slug))
		}
	})
}
