package letter

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// record is the TXT record with the public half of the key.
func record(t testing.TB, s *Signer) string {
	t.Helper()
	if key, ok := s.key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(key)
	}
	der, err := x509.MarshalPKIXPublicKey(s.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

func verification(t testing.TB, s *Signer, letter []byte) *dkim.Verification {
	t.Helper()
	list, err := dkim.VerifyWithOptions(bytes.NewReader(letter), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			if name != s.selector+"._domainkey."+s.domain {
				return nil, errors.New("no such name: " + name)
			}
			return []string{record(t, s)}, nil
		},
	})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	return list[0]
}

// verify wants a good signature of the named headers.
func verify(t testing.TB, s *Signer, letter []byte, headers string) {
	t.Helper()
	v := verification(t, s, letter)
	if v.Err != nil {
		t.Fatalf("signature: %v\n%s", v.Err, letter)
	}
	if got := strings.ToLower(strings.Join(v.HeaderKeys, " ")); got != headers || v.Domain != s.domain {
		t.Errorf("signed %q for %q, want %q", got, v.Domain, headers)
	}
}

func TestSignatureVerifies(t *testing.T) {
	for name, signer := range map[string]*Signer{
		"ed25519": newEd25519(t), "rsa 1024": newRSA(t, 1024), "rsa 2048": newRSA(t, 2048),
	} {
		t.Run(name, func(t *testing.T) {
			s := benchSource()
			s.Signer = signer
			s.Subject = "Spaces   inside  {{comment}} and a subject that is long enough to be folded once or twice"
			s.Body = "{{comment}}  x\n\n    code   with   spaces  \n\n.dot {{name}}"
			l := compile(t, s)
			r := benchRecipient()
			r.Comment = " a \t b\n\n.c   \n"
			letter := write(t, l, r)
			parse(t, letter)
			verify(t, signer, letter, "from to subject date message-id list-unsubscribe list-unsubscribe-post")
			for _, part := range []string{"noreply@", "anna.petrova@example.net>", "Spaces", "Nov 2026", "/unsubscribe/", "One-Click", "code"} {
				forged := bytes.Replace(letter, []byte(part), []byte("x"+part), 1)
				if bytes.Equal(forged, letter) || verification(t, signer, forged).Err == nil {
					t.Errorf("%q may be changed without breaking the signature", part)
				}
			}
		})
	}
}

func TestNewSigner(t *testing.T) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8 := func(key crypto.PrivateKey) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	encode := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	good := encode("PRIVATE KEY", pkcs8(ed))
	tests := []struct{ name, key, selector, domain, problem string }{
		{"ed25519", good, "s1", "example.com", ""},
		{"rsa in PKCS #8", encode("PRIVATE KEY", pkcs8(rsaKey)), "s1", "example.com", ""},
		{"rsa in PKCS #1", encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey)), "s1", "example.com", ""},
		{"ecdsa", encode("PRIVATE KEY", pkcs8(curve)), "s1", "example.com", "can't sign"},
		{"public", encode("PUBLIC KEY", []byte("x")), "s1", "example.com", `"PUBLIC KEY"`},
		{"encrypted", encode("ENCRYPTED PRIVATE KEY", []byte("x")), "s1", "example.com", "encrypted"},
		{"damaged PKCS #8", encode("PRIVATE KEY", []byte("x")), "s1", "example.com", "DKIM key"},
		{"damaged PKCS #1", encode("RSA PRIVATE KEY", []byte("x")), "s1", "example.com", "DKIM key"},
		{"not PEM", "secret", "s1", "example.com", "PEM"},
		{"no selector", good, "", "example.com", "selector"},
		{"bad selector", good, "a; b=c", "example.com", "selector"},
		{"bad domain", good, "s1", "example.com\r\nBcc: x@y.z", "domain"},
	}
	for _, test := range tests {
		_, err := NewSigner([]byte(test.key), test.selector, test.domain)
		if test.problem == "" && err != nil || test.problem != "" && (err == nil || !strings.Contains(err.Error(), test.problem)) {
			t.Errorf("%s: got %v, want %q", test.name, err, test.problem)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error shows the key", test.name)
		}
	}
}
