package email

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
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// record is the TXT record with the public half of the key.
func record(t testing.TB, key signingKey) string {
	t.Helper()
	if public, ok := key.Public().(ed25519.PublicKey); ok {
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der)
}

// verifications are what a receiver thinks of the signatures, one for each key.
func verifications(t testing.TB, s *Signer, email []byte) []*dkim.Verification {
	t.Helper()
	list, err := dkim.VerifyWithOptions(bytes.NewReader(email), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) {
			for _, key := range s.keys {
				if name == key.selector+"._domainkey."+s.domain {
					return []string{record(t, key)}, nil
				}
			}
			return nil, errors.New("no such name: " + name)
		},
	})
	if err != nil || len(list) != len(s.keys) {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	return list
}

// verify wants good signatures, each of the named headers and of the absence of others like them.
func verify(t testing.TB, s *Signer, email []byte, headers string) {
	t.Helper()
	for _, v := range verifications(t, s, email) {
		if v.Err != nil {
			t.Fatalf("signature: %v\n%s", v.Err, email)
		}
		want := headers + " " + strings.ToLower(strings.Join(oversigned, " "))
		if got := strings.ToLower(strings.Join(v.HeaderKeys, " ")); got != want || v.Domain != s.domain {
			t.Errorf("signed %q for %q, want %q", got, v.Domain, want)
		}
		if left := time.Until(v.Expiration); left < 13*24*time.Hour || left > sealTime {
			t.Errorf("the signature is good for %v", left)
		}
	}
}

func TestSignatureVerifies(t *testing.T) {
	both := newRSA(t, 1024)
	both.keys = append(both.keys, newEd25519(t).keys...)
	both.keys[1].selector = "s2"
	for name, signer := range map[string]*Signer{
		"ed25519": newEd25519(t), "rsa 1024": newRSA(t, 1024), "rsa 2048": newRSA(t, 2048), "both": both,
	} {
		t.Run(name, func(t *testing.T) {
			s := benchSource()
			s.Signer = signer
			s.Subject = "Spaces   inside  {{comment}} and a subject that is long enough to be folded once or twice"
			s.Body = "{{comment}}  x\n\n    code   with   spaces  \n\n.dot {{name}}"
			l := compile(t, s)
			r := benchRecipient()
			r.Comment = " a \t b\n\n.c   \n"
			r.Date = time.Now()
			email := write(t, l, r)
			parse(t, email)
			verify(t, signer, email, "from to subject date message-id list-unsubscribe list-unsubscribe-post "+
				"reply-to list-id feedback-id content-language mime-version content-type")
			for _, part := range []string{"noreply@", "anna.petrova@example.net>", "Spaces", r.Date.Format("Jan 2006"), "/unsubscribe/", "One-Click", "code",
				"ivan@example.org", "owner-3", "7:3:mailing", "alternative"} {
				forged(t, signer, email, part, "x"+part)
			}
			for _, name := range oversigned {
				forged(t, signer, email, "\r\nMIME-Version", "\r\n"+name+": <eve@example.org>\r\nMIME-Version")
			}
		})
	}
}

// forged wants a change to break every signature.
func forged(t testing.TB, s *Signer, email []byte, part, by string) {
	t.Helper()
	changed := bytes.Replace(email, []byte(part), []byte(by), 1)
	if bytes.Equal(changed, email) {
		t.Fatalf("%q is not in the email", part)
	}
	for _, v := range verifications(t, s, changed) {
		if v.Err == nil {
			t.Errorf("%q may become %q without breaking the signature", part, by)
		}
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
		{"two keys", good + encode("PRIVATE KEY", pkcs8(rsaKey)), "s1, s2", "example.com", ""},
		{"fewer keys", good, "s1,s2", "example.com", "fewer keys than selectors"},
		{"more keys", good + good, "s1", "example.com", "more keys than the 1 selectors"},
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

// A relay writes its own headers on top, folds others anew and leaves blank lines at the end; the signatures hold, and a
// second From breaks them there as well.
func TestSignaturesOutliveARelay(t *testing.T) {
	signer := newRSA(t, 1024)
	signer.keys = append(signer.keys, newEd25519(t).keys...)
	signer.keys[1].selector = "s2"
	for name, s := range map[string]Source{"Latin": benchSource(), "Cyrillic": cyrillic(6)} {
		s.Signer = signer
		r := benchRecipient()
		r.Date = time.Now()
		head, body, _ := bytes.Cut(write(t, compile(t, s), r), []byte("\r\n\r\n"))
		head = bytes.ReplaceAll(head, []byte("\r\n "), []byte("\r\n\t  "))
		head = bytes.ReplaceAll(head, []byte("Subject: "), []byte("SUBJECT:  "))
		relayed := []byte("Received: from news.example.com (news.example.com [192.0.2.10])\r\n\tby relay.example.net (Postfix) with ESMTPS id 4C0F\r\n" +
			string(head) + "\r\n\r\n" + string(body) + "\r\n\r\n")
		for _, v := range verifications(t, signer, relayed) {
			if v.Err != nil {
				t.Errorf("%s: %v", name, v.Err)
			}
		}
		forged(t, signer, relayed, "Received: ", "From: Eve <eve@example.org>\r\nReceived: ")
	}
}
