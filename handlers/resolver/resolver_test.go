package resolver

import (
	"strings"
	"testing"

	"skychimp/handlers/resolver/dnstest"
)

func TestLookups(t *testing.T) {
	server := dnstest.New(t)
	long := strings.Repeat("x", 250)
	server.Set(t, "x.example", `TXT "v=spf1 " "-all"`, `TXT "say \"hi\" \\ ;"`, "MX 10 mx.x.example.", "A 192.0.2.1", "AAAA 2001:db8::1")
	server.Set(t, "long.example", "TXT "+strings.Repeat(`"`+long+`" `, 8)) // more than a packet
	server.Set(t, "1.2.0.192.in-addr.arpa", "PTR mail.x.example.")
	server.Fail("broken.example", true)
	r := New(server.Addr)
	texts, err := r.LookupTXT(t.Context(), "x.example")
	if err != nil || len(texts) != 2 || texts[0] != "v=spf1 -all" || texts[1] != `say "hi" \ ;` {
		t.Errorf("texts: %q %v", texts, err)
	}
	if texts, err := r.LookupTXT(t.Context(), "long.example"); err != nil || len(texts) != 1 || texts[0] != strings.Repeat(long, 8) {
		t.Errorf("a long text by TCP: %d %v", len(texts), err)
	}
	if mx, err := r.LookupMX(t.Context(), "x.example"); err != nil || len(mx) != 1 || mx[0].Host != "mx.x.example." || mx[0].Pref != 10 {
		t.Errorf("MX: %v %v", mx, err)
	}
	if addrs, err := r.LookupIPAddr(t.Context(), "x.example"); err != nil || len(addrs) != 2 || addrs[0].IP.String() != "192.0.2.1" {
		t.Errorf("addresses: %v %v", addrs, err)
	}
	if names, err := r.LookupAddr(t.Context(), "192.0.2.1"); err != nil || len(names) != 1 || names[0] != "mail.x.example." {
		t.Errorf("names: %v %v", names, err)
	}
	answers := r.Texts(t.Context(), []string{"x.example", "nobody.example", "broken.example"})
	if len(answers[0].Found) != 2 || answers[0].Failed || answers[1].Failed || len(answers[1].Found) != 0 || !answers[2].Failed {
		t.Errorf("answers: %+v", answers)
	}
}

// Nobody answers: nothing is known, and it does not take long.
func TestNobodyAnswers(t *testing.T) {
	r := New("127.0.0.1:1")
	if _, err := r.LookupTXT(t.Context(), "x.example"); !Failed(err) {
		t.Errorf("got %v", err)
	}
}
