package domain

import (
	"testing"
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
