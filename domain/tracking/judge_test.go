package tracking

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

func TestIsProgram(t *testing.T) {
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
	for _, tt := range []struct {
		method, agent string
		want          bool
	}{
		{http.MethodGet, firefox, false},
		{http.MethodHead, firefox, true},
		{http.MethodGet, "", true},
		{http.MethodGet, "Mozilla/5.0", true}, // Apple Mail Privacy Protection
		{http.MethodGet, "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)", true},
		{http.MethodGet, "YahooMailProxy; https://help.yahoo.com/", true},
		{http.MethodGet, "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", false},
		{http.MethodGet, "BarracudaCentral Link Protection", true},
		{http.MethodGet, "Mozilla/5.0 (compatible; Googlebot/2.1)", true},
		{http.MethodGet, "TelegramBot (like TwitterBot)", true},
		{http.MethodGet, "python-requests/2.32", true},
		{http.MethodGet, "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/130.0", true},
		{http.MethodGet, "Outlook-iOS/723.4027091.prod.iphone", false},
	} {
		if got := IsProgram(tt.method, tt.agent); got != tt.want {
			t.Errorf("%s %q: %v", tt.method, tt.agent, got)
		}
	}
}

func TestPrograms(t *testing.T) {
	accepted := time.Date(2026, 12, 1, 9, 0, 0, 0, time.UTC)
	at := func(seconds float64, link int) Visit {
		return Visit{At: accepted.Add(time.Duration(seconds * float64(time.Second))), Link: link}
	}
	for _, tt := range []struct {
		name   string
		visits []Visit
		links  int
		want   string // p: a program
	}{
		{"a person", []Visit{at(60, 0), at(65, 1)}, 3, ".."},
		{"before the server answered", []Visit{at(-0.5, 1)}, 3, "p"},
		{"within two seconds", []Visit{at(1.9, 0), at(2, 1)}, 3, "p."},
		{"the only link", []Visit{at(30, 1)}, 1, "."},
		{"all links at once", []Visit{at(30, 1), at(30.2, 2), at(31, 3)}, 3, "ppp"},
		{"both links at once", []Visit{at(30, 1), at(30.2, 2)}, 2, "pp"},
		{"both links by and by", []Visit{at(30, 1), at(40, 2)}, 2, ".."},
		{"two of three", []Visit{at(30, 1), at(30.2, 2)}, 3, ".."},
		{"five of twenty", []Visit{at(30, 1), at(30.2, 2), at(30.4, 3), at(30.5, 7), at(32.9, 9)}, 20, "ppppp"},
		{"one link five times", []Visit{at(30, 1), at(30.2, 1), at(30.4, 1), at(30.5, 1), at(32.9, 1)}, 20, "....."},
		{"a scanner, then a person", []Visit{at(30, 1), at(30.1, 2), at(30.2, 3), at(300, 2)}, 3, "ppp."},
		{"a picture among all links", []Visit{at(30, 0), at(30.1, 1), at(30.2, 2)}, 2, ".pp"},
		{"by its own words", []Visit{{At: accepted.Add(time.Hour), Link: 1, Program: true}}, 3, "p"},
	} {
		got := ""
		for _, program := range Programs(tt.visits, accepted, tt.links) {
			got += map[bool]string{true: "p", false: "."}[program]
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	if got := fmt.Sprint(Programs([]Visit{at(0, 1)}, time.Time{}, 1)); got != "[false]" {
		t.Errorf("nobody knows when: %s", got)
	}
}
