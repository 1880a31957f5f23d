package domain

import (
	"testing"
	"time"
)

func TestLimits(t *testing.T) {
	limits, err := ParseLimits("gmail.com?rate=20&conns=5 Mail.RU?conns=2 *?rate=0.5")
	if err != nil {
		t.Fatal(err)
	}
	for email, want := range map[string]struct {
		domain string
		limit  Limit
	}{
		"ann@gmail.com":     {"gmail.com", Limit{20, 5}},
		"ann@GMail.com":     {"gmail.com", Limit{20, 5}},
		"ann@mail.ru":       {"mail.ru", Limit{0, 2}},
		"ann@example.org":   {"example.org", Limit{0.5, 0}},
		`"a@b"@example.org`: {"example.org", Limit{0.5, 0}},
	} {
		if domain, limit := limits.Of(email); domain != want.domain || limit != want.limit {
			t.Errorf("%s: %s %+v", email, domain, limit)
		}
	}
	delete(limits, "*")
	if domain, limit := limits.Of("ann@example.org"); domain != "" || limit != (Limit{}) {
		t.Errorf("%s %+v", domain, limit)
	}
}

func TestLimitsRefuse(t *testing.T) {
	for _, text := range []string{"?rate=1", "a@b.c?rate=1", "gmail.com?rate=0", "gmail.com?rate=NaN", "gmail.com?conns=1.5",
		"gmail.com?speed=1", "gmail.com?rate=%zz", "gmail.com,mail.ru?rate=1"} {
		if limits, err := ParseLimits(text); err == nil {
			t.Errorf("%q: %+v", text, limits)
		}
	}
	for _, text := range []string{"rate=-1", "firstday=99", "firstday=500&growth=1", "growth=x", "letters=5", "rate"} {
		if limits, err := ParseOwnerLimits(text); err == nil {
			t.Errorf("%q: %+v", text, limits)
		}
	}
}

func TestAllowance(t *testing.T) {
	limits, err := ParseOwnerLimits("rate=50&conns=20&firstday=500")
	if err != nil || limits != (OwnerLimits{Limit{50, 20}, 500, 2}) {
		t.Fatalf("%+v %v", limits, err)
	}
	created := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		age     time.Duration
		letters int
		bounded bool
	}{
		{0, 500, true},
		{24*time.Hour - time.Second, 500, true},
		{24 * time.Hour, 1000, true},
		{10 * 24 * time.Hour, 512_000, true},
		{15 * 24 * time.Hour, 0, false},
		{10_000 * 24 * time.Hour, 0, false},
	} {
		if letters, ok := limits.DailyQuota(created, created.Add(c.age)); letters != c.letters || ok != c.bounded {
			t.Errorf("%v: %d %v", c.age, letters, ok)
		}
	}
	if _, ok := (OwnerLimits{}).DailyQuota(created, created); ok {
		t.Error("no limits bound")
	}
}
