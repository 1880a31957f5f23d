package emailauth

import (
	"bytes"
	"strings"
	"testing"
)

func TestAligned(t *testing.T) {
	tests := []struct {
		from, proved    string
		relaxed, strict bool
	}{
		{"example.com", "example.com", true, true},
		{"Example.COM.", "example.com", true, true},
		{"news.example.com", "example.com", true, false},
		{"example.com", "mail.example.com", true, false},
		{"a.example.co.uk", "b.example.co.uk", true, false},
		{"a.co.uk", "b.co.uk", false, false}, // nobody has registered co.uk
		{"notexample.com", "example.com", false, false},
		{"example.com", "example.org", false, false},
		{"", "", false, false},
		{"example.com", "", false, false},
		{"one.github.io", "two.github.io", false, false}, // each is somebody else's
		{"xn--e1afmkfd.xn--p1ai", "mail.xn--e1afmkfd.xn--p1ai", true, false},
	}
	for _, test := range tests {
		if got := Aligned(test.from, test.proved, false); got != test.relaxed {
			t.Errorf("%s and %s, relaxed: %v", test.from, test.proved, got)
		}
		if got := Aligned(test.from, test.proved, true); got != test.strict {
			t.Errorf("%s and %s, strict: %v", test.from, test.proved, got)
		}
	}
}

func TestDKIM(t *testing.T) {
	const key = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A=="
	tests := []struct {
		name      string
		algorithm string
		found     []string
		want      Verdict
	}{
		{"as shown", RSA, []string{Record(RSA, key)}, Good},
		{"RSA without k=", RSA, []string{"v=DKIM1; p=" + key}, Good},
		{"without v=", RSA, []string{"k=rsa; p=" + key}, Good},
		{"white space in the key", RSA, []string{"v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0B AQEFAAOCAQ8A=="}, Good},
		{"with t=, h= and s=", RSA, []string{"v=DKIM1;k=rsa;t=s;h=sha1:sha256;s=email:*;p=" + key + ";"}, Good},
		{"ed25519", Ed25519, []string{Record(Ed25519, key)}, Good},
		{"an ed25519 key without k= is one of RSA", Ed25519, []string{"v=DKIM1; p=" + key}, Invalid},
		{"of the other algorithm", RSA, []string{Record(Ed25519, key)}, Invalid},
		{"only for SHA-1", RSA, []string{"v=DKIM1; h=sha1; p=" + key}, Invalid},
		{"not for email", RSA, []string{"v=DKIM1; s=tlsrpt; p=" + key}, Invalid},
		{"none", RSA, nil, Missing},
		{"another text at the name", RSA, []string{"google-site-verification=abc"}, Invalid},
		{"a key and another text", RSA, []string{"google-site-verification=abc", Record(RSA, key)}, Good},
		{"another key", RSA, []string{Record(RSA, "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8B==")}, OtherKey},
		{"a cut key", RSA, []string{Record(RSA, key[:20])}, OtherKey},
		{"revoked", RSA, []string{"v=DKIM1; k=rsa; p="}, Revoked},
		{"without a key", RSA, []string{"v=DKIM1; k=rsa"}, Invalid},
		{"two", RSA, []string{Record(RSA, key), Record(RSA, key)}, Several},
		{"no list of tags", RSA, []string{"p=" + key + "; p=" + key}, Invalid},
	}
	for _, test := range tests {
		if got := DKIM(test.algorithm, key, Texts{Found: test.found}); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	if got := DKIM(RSA, key, Texts{Failed: true}); got != Unknown {
		t.Errorf("no answer: %s", got)
	}
}

func TestDMARC(t *testing.T) {
	const own, org = "_dmarc.news.example.com", "_dmarc.example.com"
	tests := []struct {
		name     string
		own, org []string
		want     Verdict
		p, at    string
		strict   bool
	}{
		{"its own", []string{"v=DMARC1; p=reject"}, nil, Good, "reject", own, false},
		{"that of the organization", nil, []string{"v=DMARC1; p=none"}, Good, "none", org, false},
		{"its own before", []string{"v=DMARC1; p=none; adkim=s"}, []string{"v=DMARC1; p=reject"}, Good, "none", own, true},
		{"sp= below", nil, []string{"v=DMARC1; p=reject; sp=quarantine"}, Good, "quarantine", org, false},
		{"sp= does not count at the name itself", []string{"v=DMARC1; p=none; sp=reject"}, nil, Good, "none", own, false},
		{"none", nil, nil, Missing, "", own, false},
		{"another text", []string{"hello"}, nil, Missing, "", own, false},
		{"without p=", []string{"v=DMARC1; rua=mailto:a@b.example"}, nil, Invalid, "", own, false},
		{"an unknown p=", []string{"v=DMARC1; p=nothing"}, nil, Invalid, "nothing", own, false},
		{"two", []string{"v=DMARC1; p=none", "v=DMARC1; p=reject"}, nil, Several, "", own, false},
		{"capitals and spaces", []string{"v = DMARC1 ; P=None ;"}, nil, Good, "none", own, false},
	}
	names := DMARCNames("news.example.com")
	if len(names) != 2 || names[0] != own || names[1] != org {
		t.Fatalf("names: %v", names)
	}
	if only := DMARCNames("example.com"); len(only) != 1 {
		t.Fatalf("names: %v", only)
	}
	for _, test := range tests {
		got := DMARC(names, []Texts{{Found: test.own}, {Found: test.org}})
		if got.Verdict != test.want || got.P != test.p || got.At != test.at || got.Strict != test.strict {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if got := DMARC(names, []Texts{{Failed: true}, {}}); got.Verdict != Unknown {
		t.Errorf("no answer: %+v", got)
	}
}

func TestSPF(t *testing.T) {
	tests := []struct {
		found []string
		want  Verdict
	}{
		{[]string{"v=spf1 -all"}, Good}, {[]string{"v=spf1"}, Good}, {[]string{"V=SPF1 mx ~all", "other"}, Good},
		{nil, Missing}, {[]string{"v=spf10 -all"}, Missing}, {[]string{"v=spf1 a", "v=spf1 mx"}, Several},
	}
	for _, test := range tests {
		if got, _ := SPF(Texts{Found: test.found}); got != test.want {
			t.Errorf("%q: %s", test.found, got)
		}
	}
}

// A sealed key is opened by SECRET and SECRET_OLD, under its own name alone.
func TestVault(t *testing.T) {
	one, two, three := []byte(strings.Repeat("1", 32)), []byte(strings.Repeat("2", 32)), []byte(strings.Repeat("3", 32))
	before, err := NewVault(one, nil)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, edKey, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	if rsaKey.Selector == edKey.Selector || DKIM(Ed25519, edKey.Public, Texts{Found: []string{Record(Ed25519, edKey.Public)}}) != Good {
		t.Errorf("keys: %s %s", rsaKey.Selector, edKey.Selector)
	}
	sealed := before.Seal(rsaKey.Selector, rsaKey.PEM)
	if bytes.Contains(sealed, []byte("PRIVATE")) || bytes.Equal(sealed, before.Seal(rsaKey.Selector, rsaKey.PEM)) {
		t.Error("it is not sealed")
	}
	now, err := NewVault(two, one)
	if err != nil {
		t.Fatal(err)
	}
	if plain, old, err := now.Open(rsaKey.Selector, sealed); err != nil || !old || !bytes.Equal(plain, rsaKey.PEM) {
		t.Errorf("with SECRET_OLD: %v %v", old, err)
	}
	if _, old, err := now.Open("s", now.Seal("s", []byte("key"))); err != nil || old {
		t.Errorf("sealed anew: %v %v", old, err)
	}
	other, err := NewVault(three)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := other.Open(rsaKey.Selector, sealed); err != ErrSealed {
		t.Errorf("another secret: %v", err)
	}
	if _, _, err := now.Open(edKey.Selector, sealed); err != ErrSealed {
		t.Errorf("under another name: %v", err)
	}
	if _, err := NewVault(nil, []byte{}); err == nil {
		t.Error("a vault without a secret")
	}
}

// A relay that knows us by a password hides our name and address from receivers.
func TestPTR(t *testing.T) {
	tests := []struct {
		name      string
		host      string
		addresses []string
		names     [][]string
		failed    bool
		want      Level
		relayed   Level
	}{
		{"back and forth", "mail.example.com", []string{"192.0.2.1", "2001:db8::1"}, [][]string{{"Mail.example.com."}, {"other.", "mail.example.com."}}, false, OK, OK},
		{"one of two does not", "mail.example.com", []string{"192.0.2.1", "2001:db8::1"}, [][]string{{"mail.example.com."}, nil}, false, Fail, Warn},
		{"another name", "mail.example.com", []string{"192.0.2.1"}, [][]string{{"host-1.provider.example."}}, false, Fail, Warn},
		{"no address", "mail.example.com", nil, nil, false, Fail, Warn},
		{"no answer", "mail.example.com", nil, nil, true, Warn, Warn},
		{"localhost", "localhost", nil, nil, false, Fail, Warn},
		{"of this network", "mail.local", nil, nil, false, Fail, Warn},
		{"an address", "192.0.2.1", nil, nil, false, Fail, Warn},
	}
	for _, test := range tests {
		for relay, want := range map[bool]Level{false: test.want, true: test.relayed} {
			if got := PTR(test.host, test.addresses, test.names, test.failed, relay); got.Level != want {
				t.Errorf("%s, relay %v: %+v", test.name, relay, got)
			}
		}
	}
	if Unsigned(true).Level != Warn || Unsigned(false).Level != Fail {
		t.Error("unsigned")
	}
}

// What a domain without a record is told to publish is a record, also before the server has a public name.
func TestSPFToPublish(t *testing.T) {
	for server, want := range map[string]string{"mail.example.com": "a:mail.example.com", "": "a mx"} {
		got := SPFOf("SPF", "example.com", server, Texts{}, "", "")
		if got.Level != Fail || got.Key != "checks.spf_missing" || got.Args[3] != want {
			t.Errorf("%q: %+v", server, got)
		}
	}
}
