package domain

import (
	"strings"
	"testing"
)

func TestCheckEmail(t *testing.T) {
	good := []string{
		"a@x.org", "ann.smith+news@mail.example.org", "O'Brien@x.org", "1@2.info", "a@localhost",
		"иван@пример.рф", "a@münchen.de", "a@xn--e1afmkfd.xn--p1ai", "a@a-b.org",
		strings.Repeat("a", 64) + "@x.org", "_@x.org", "a!#$%&'*/=?^`{|}~b@x.org",
	}
	bad := []string{
		"", " ", "a", "a@", "@x.org", "a@x", "a@.org", "a@x.", "a@x.org.", "a@x..org", "a..b@x.org", ".a@x.org", "a.@x.org",
		"a@x.org,b@x.org", "an\u200bn@x.org", "a@x\u00ad.org", "a\u202e@x.org", "ann@xn--zzzzzz--.org", "a@x.org;b@x.org", "a b@x.org", "Ann <a@x.org>", "<a@x.org>", "a@b@x.org", `"a b"@x.org`,
		"a@x.org\r\nBcc: b@x.org", "a@x.org\nb", "a\x00@x.org", "a@-x.org", "a@x-.org", "a@x_y.org", "a@x!y.org", "a@[127.0.0.1]",
		"a@127.0.0.1", "a@x.123", "a@x.org(comment)", "\xff@x.org", "a@\xff.org", "mailto:a@x.org", "a@x.org/b",
		strings.Repeat("a", 65) + "@x.org", "a@" + strings.Repeat("b", 64) + ".org",
		"a@" + strings.Repeat("b.", 130) + "org",
	}
	for _, email := range good {
		var p ValidationErrors
		if checkEmail(&p, "email", email); len(p) > 0 {
			t.Errorf("%q: %v", email, p)
		}
	}
	for _, email := range bad {
		var p ValidationErrors
		if checkEmail(&p, "email", email); len(p) != 1 {
			t.Errorf("%q: %d problems, want 1", email, len(p))
		}
	}
}

func TestNormalEmail(t *testing.T) {
	for in, want := range map[string]string{
		" Ann@X.Org ": "Ann@x.org", "ИВАН@ПРИМЕР.РФ": "ИВАН@пример.рф", "dup@xn--e1afmkfd.xn--p1ai": "dup@пример.рф",
		"dup@XN--E1AFMKFD.xn--p1ai": "dup@пример.рф", "\ufeffa@x.org\u200b\u00a0": "a@x.org", "a@stra\u00dfe.de": "a@stra\u00dfe.de",
		"a@mu\u0308nchen.de": "a@münchen.de", "a@ｘ.org": "a@x.org", "a@xn--a.org": "a@xn--a.org", "ann": "ann", "a@B@C": "a@B@c", "": "",
	} {
		if got := NormalEmail(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestWireEmail(t *testing.T) {
	for in, want := range map[string]struct {
		wire         string
		smtputf8, ok bool
	}{
		"ann@x.org":         {"ann@x.org", false, true},
		"ivan@пример.рф":    {"ivan@xn--e1afmkfd.xn--p1ai", false, true},
		"x@münchen.example": {"x@xn--mnchen-3ya.example", false, true},
		"иван@пример.рф":    {"иван@xn--e1afmkfd.xn--p1ai", true, true},
		"a@..рф":            {"", false, false},
		"@x.org":            {"@x.org", false, false},
	} {
		if wire, smtputf8, ok := WireEmail(in); wire != want.wire || smtputf8 != want.smtputf8 || ok != want.ok {
			t.Errorf("%q: %q %v %v, want %+v", in, wire, smtputf8, ok, want)
		}
	}
}
