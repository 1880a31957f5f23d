package smtp

import (
	"strings"
	"testing"
	"time"
)

func TestParseURL(t *testing.T) {
	for _, c := range []struct {
		url  string
		want Server
	}{
		{"smtp://mail.example", Server{Addr: "mail.example:25", TLS: TLSOpportunistic, Conns: 10}},
		{"smtp://mail.example:2525/", Server{Addr: "mail.example:2525", TLS: TLSOpportunistic, Conns: 10}},
		{"smtp://mail.example?weight=2.5", Server{Addr: "mail.example:25", TLS: TLSOpportunistic, Conns: 10, Weight: 2.5}},
		{"smtp://[::1]:2525", Server{Addr: "[::1]:2525", TLS: TLSOpportunistic, Conns: 10}},
		{"smtps://mail.example", Server{Addr: "mail.example:465", Implicit: true, TLS: TLSRequired, Conns: 10}},
		{"smtps://mail.example?tls=required", Server{Addr: "mail.example:465", Implicit: true, TLS: TLSRequired, Conns: 10}},
		{
			"smtp://me%40example:p%3Aw@mail.example:587?tls=required&conns=3&rate=0.5",
			Server{Addr: "mail.example:587", TLS: TLSRequired, User: "me@example", Password: "p:w", Conns: 3, Rate: 0.5},
		},
		{"smtp://u:p@127.0.0.1?tls=none", Server{Addr: "127.0.0.1:25", TLS: TLSNone, User: "u", Password: "p", Conns: 10}},
	} {
		if c.want.Weight == 0 {
			c.want.Weight = 1
		}
		c.want.ConnectTimeout, c.want.CommandTimeout = 30*time.Second, 5*time.Minute
		c.want.DataTimeout, c.want.EndTimeout = 3*time.Minute, 10*time.Minute
		got, err := ParseURL(c.url)
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", c.url, got, err, c.want)
		}
	}
}

func TestParseURLRefuses(t *testing.T) {
	for url, says := range map[string]string{
		"":                                      "smtp:// or smtps://",
		"mail.example:25":                       "smtp:// or smtps://",
		"http://mail.example":                   "smtp:// or smtps://",
		"smtp:mail.example":                     "the host is missing",
		"smtp://":                               "the host is missing",
		"smtp://:25":                            "the host is missing",
		"smtp://mail.example:0":                 "from 1 to 65535",
		"smtp://mail.example:70000":             "from 1 to 65535",
		"smtp://mail.example:x":                 "not a URL",
		"smtp://user:secret@mail.example:x":     "not a URL",
		"smtp://user:sec%ret@mail.example":      "not a URL",
		"smtp://user@mail.example":              "user and password come together",
		"smtp://user:@mail.example":             "user and password come together",
		"smtp://:secret@mail.example":           "user and password come together",
		"smtp://mail.example/path":              "nothing but a query",
		"smtp://mail.example#x":                 "nothing but a query",
		"smtp://mail.example?tls=yes":           "none, opportunistic or required",
		"smtp://mail.example?tls=":              "none, opportunistic or required",
		"smtps://mail.example?tls=none":         "allowed is required",
		"smtp://mail.example?conns=0":           "from 1 to 1000",
		"smtp://mail.example?conns=ten":         "from 1 to 1000",
		"smtp://mail.example?rate=-1":           "above 0",
		"smtp://mail.example?rate=NaN":          "above 0",
		"smtp://mail.example?rate=fast":         "above 0",
		"smtp://mail.example?conns=1&conns=2":   "given twice",
		"smtp://mail.example?timeout=1":         "allowed are tls, conns, rate and weight",
		"smtp://mail.example?weight=0":          "above 0",
		"smtp://mail.example?%zz":               "cannot be read",
		"smtp://u:secret@mail.example?tls=none": "in the clear",
	} {
		_, err := ParseURL(url)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want %q", url, err, says)
			continue
		}
		if strings.Contains(err.Error(), "ret@") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the password: %v", url, err)
		}
	}
}

func TestWireAddress(t *testing.T) {
	long := strings.Repeat("d", 60) + "."
	for _, c := range []struct {
		address, want string
		utf8          bool
		problem       string
	}{
		{"a@b.example", "a@b.example", false, ""},
		{`"a@b"@c.example`, `"a@b"@c.example`, false, ""},
		{"a@почта.рф", "a@xn--80a1acny.xn--p1ai", false, ""},
		{"a@BÜCHER.example", "a@xn--bcher-kva.example", false, ""},
		{"пётр@почта.рф", "пётр@xn--80a1acny.xn--p1ai", true, ""},
		{"", "", false, "name@domain"},
		{"a", "", false, "name@domain"},
		{"@b.example", "", false, "name@domain"},
		{"a@", "", false, "name@domain"},
		{"a@b.example\r\nRCPT TO:<c@d.example>", "", false, "not allowed"},
		{"a@b.example\n", "", false, "not allowed"},
		{"a b@c.example", "", false, "not allowed"},
		{"a@b.example> SIZE=1", "", false, "not allowed"},
		{"a\x00@b.example", "", false, "not allowed"},
		{"a\x7f@b.example", "", false, "not allowed"},
		{"\xff@b.example", "", false, "not valid UTF-8"},
		{"a@п..рф", "", false, "domain"},
		{"a@п\u2028.рф", "", false, "domain"},
		{"a@" + strings.Repeat(long, 5) + "example", "", false, "too long"},
	} {
		got, utf8, problem := wireAddress(c.address)
		if got != c.want || utf8 != c.utf8 || !strings.Contains(problem, c.problem) || (problem == "") != (c.problem == "") {
			t.Errorf("%q: got %q, %v, %q", c.address, got, utf8, problem)
		}
	}
}

func TestStuff(t *testing.T) {
	for body, want := range map[string]string{
		"":                    "\r\n.\r\n",
		"a":                   "a\r\n.\r\n",
		"a\r\n":               "a\r\n.\r\n",
		".":                   "..\r\n.\r\n",
		".\r\n":               "..\r\n.\r\n",
		"..\r\n":              "...\r\n.\r\n",
		"a\r\n.\r\nb\r\n":     "a\r\n..\r\nb\r\n.\r\n",
		"a\r\n.b\r\n.c\r\n":   "a\r\n..b\r\n..c\r\n.\r\n",
		"a\n.\nb\r\n":         "a\n..\nb\r\n.\r\n",
		"a.b\r\nc.\r\n":       "a.b\r\nc.\r\n.\r\n",
		"a\r\n.":              "a\r\n..\r\n.\r\n",
		"a\r\n\r\n.\r\n.\r\n": "a\r\n\r\n..\r\n..\r\n.\r\n",
	} {
		if got := string(stuff(nil, []byte(body))); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}
