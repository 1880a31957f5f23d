package email

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-msgauth/dkim"
)

// benchSource makes an email of about 3 kB of words in both parts.
func benchSource() Source {
	return Source{
		Subject: "{{name}}, the news of November are here",
		Body: "# News of November\n\nHello, {{name}}!\n\n" +
			strings.Repeat("We have **four** new things to show, and [a page](https://example.com/?who={{email}}) about them.\n\n", 6) +
			"- one\n- two\n- three\n\nYours, the team\n",
		Language:        "en",
		From:            mail.Address{Name: "Ivan's Bakery", Address: "noreply@example.com"},
		ReplyTo:         mail.Address{Name: "Ivan", Address: "ivan@example.org"},
		List:            List{Name: "Ivan's Bakery", ID: "owner-3.example.com"},
		FeedbackID:      "7:3:mailing:abcdefghijklm",
		UnsubscribeText: "Unsubscribe",
		FooterText:      "You get this email because you are a client of Ivan's Bakery.",
	}
}

func benchRecipient() Recipient {
	return Recipient{
		Email: "anna.petrova@example.net", Name: "Анна Петрова", Comment: "prefers mornings",
		MessageID:      "<aaaaaaaaaaaaaaaaaaaaaaaaaa@example.com>",
		UnsubscribeURL: "https://mail.example.com/unsubscribe/3q2-7wAAAAAAAAAAKgAAAAAAAAAHf4Xk0gJ0Q1c",
		Date:           time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC),
	}
}

func benchmarkAppend(b *testing.B, s Source, signer *Signer) {
	s.Signer = signer
	l, err := Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	r := benchRecipient()
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		if buf, err = l.Append(buf[:0], r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkAppend(b *testing.B) { benchmarkAppend(b, benchSource(), nil) }

func BenchmarkAppendCyrillic(b *testing.B) { benchmarkAppend(b, cyrillic(6), nil) }

func BenchmarkAppendEd25519(b *testing.B) { benchmarkAppend(b, benchSource(), newEd25519(b)) }

func BenchmarkAppendRSA2048(b *testing.B) { benchmarkAppend(b, benchSource(), newRSA(b, 2048)) }

// BenchmarkMsgauthEd25519 is what signing by go-msgauth would cost.
func BenchmarkMsgauthEd25519(b *testing.B) {
	signer := newEd25519(b)
	l, err := Compile(benchSource())
	if err != nil {
		b.Fatal(err)
	}
	email, err := l.Append(nil, benchRecipient())
	if err != nil {
		b.Fatal(err)
	}
	options := &dkim.SignOptions{
		Domain: "example.com", Selector: "s", Signer: signer.keys[0].Signer,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationRelaxed,
		HeaderKeys: signedOfLists,
	}
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := dkim.Sign(&out, bytes.NewReader(email), options); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	s := benchSource()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Compile(s); err != nil {
			b.Fatal(err)
		}
	}
}

func newEd25519(t testing.TB) *Signer {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return newSigner(t, key)
}

func newRSA(t testing.TB, bits int) *Signer {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return newSigner(t, key)
}

func newSigner(t testing.TB, key any) *Signer {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := NewSigner(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "s", "example.com")
	if err != nil {
		t.Fatal(err)
	}
	return signer
}
