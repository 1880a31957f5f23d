package result

import (
	"fmt"
	"testing"
)

func TestSigns(t *testing.T) {
	for _, tt := range []struct {
		what string
		w    Watched
		want string
	}{
		{"nothing", Watched{}, "[]"},
		{"one in a thousand", Watched{Counts: Counts{Accepted: 2000, Complained: 2}}, "[]"},
		{"more than one in a thousand", Watched{Counts: Counts{Accepted: 1999, Complained: 2}}, "[complaints]"},
		{"a single complaint", Watched{Counts: Counts{Accepted: 10, Complained: 1}}, "[]"},
		{"five percent", Watched{Counts: Counts{Accepted: 95, Failed: 5}}, "[]"},
		{"six percent", Watched{Counts: Counts{Accepted: 94, Failed: 6}}, "[refusals]"},
		{"few emails", Watched{Counts: Counts{Accepted: 1, Failed: 9}}, "[]"},
		{"tenfold", Watched{ListBefore: 100, ListGained: 900}, "[growth]"},
		{"less than tenfold", Watched{ListBefore: 101, ListGained: 900}, "[]"},
		{"a small list", Watched{ListGained: 499}, "[]"},
		{"all", Watched{Counts: Counts{Accepted: 100, Failed: 50, Complained: 3}, ListGained: 1000, AtQuota: true}, "[complaints refusals growth quota]"},
	} {
		if got := fmt.Sprint(tt.w.Signs()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
	if a, b := (Watched{Counts: Counts{Accepted: 100, Complained: 3}}), (Watched{Counts: Counts{Accepted: 100, Failed: 90}, AtQuota: true}); a.Weight() <= b.Weight() {
		t.Error("refusals before complaints")
	}
}
