package domain

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
)

func TestUnsubscribeToken(t *testing.T) {
	secret := []byte("a secret of the service")
	for _, id := range []int64{1, 127, 128, 300, 1_000_000, math.MaxInt64} {
		token := NewUnsubscribeTokens(secret).Token(id)
		if got, ok := ParseUnsubscribeToken(secret, token); !ok || got != id {
			t.Errorf("%d: token %q reads as %d, %v", id, token, got, ok)
		}
		if _, ok := ParseUnsubscribeToken([]byte("another secret"), token); ok {
			t.Errorf("%d: another secret takes token %q", id, token)
		}
		if len(token) > 40 {
			t.Errorf("%d: token %q has %d characters", id, token, len(token))
		}
	}
}

func TestUnsubscribeTokenForged(t *testing.T) {
	secret := []byte("a secret of the service")
	token := NewUnsubscribeTokens(secret).Token(77)
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		for bit := range 8 {
			forged := append([]byte(nil), raw...)
			forged[i] ^= 1 << bit
			if id, ok := ParseUnsubscribeToken(secret, base64.RawURLEncoding.EncodeToString(forged)); ok {
				t.Fatalf("byte %d bit %d changed: still reads as %d", i, bit, id)
			}
		}
	}
	for name, wrong := range map[string]string{
		"empty":      "",
		"cut":        token[:len(token)-1],
		"longer":     token + "A",
		"padded":     token + "=",
		"other text": "77",
		"not base64": "!" + token[1:],
		"zero":       NewUnsubscribeTokens(secret).Token(0),
		"negative":   NewUnsubscribeTokens(secret).Token(-1),
		"MAC alone":  base64.RawURLEncoding.EncodeToString(NewUnsubscribeTokens(secret).sum(nil)),
		"with break": token[:4] + "\n" + token[4:],
	} {
		if id, ok := ParseUnsubscribeToken(secret, wrong); ok {
			t.Errorf("%s: %q reads as %d", name, wrong, id)
		}
	}
}

func TestUnsubscribeMailbox(t *testing.T) {
	secret := []byte("a secret of the service")
	tokens := NewUnsubscribeTokens(secret)
	for _, id := range []int64{1, 300, math.MaxInt64} {
		mailbox := tokens.Mailbox(id, RunSuffix(99), "bounces.example.com")
		if local, _, _ := strings.Cut(mailbox, "@"); len(local) > 64 {
			t.Errorf("%d: local part of %d letters", id, len(local)) // RFC 5321, section 4.5.3.1.1
		}
		for _, written := range []string{mailbox, strings.ToUpper(mailbox)} {
			if got, ok := ParseUnsubscribeMailbox(written, "Bounces.example.com", []byte("the one of now"), secret); !ok || got.ClientID != id || got.RunID != 99 && id < 1000 {
				t.Errorf("%d: %s reads as %+v, %v", id, written, got, ok)
			}
		}
		if tokens.Token(id) != NewUnsubscribeTokens(secret).Token(id) {
			t.Errorf("%d: the link changed", id)
		}
	}
	good := tokens.Mailbox(77, "", "bounces.example.com")
	for _, wrong := range []string{"", "@", "unsubscribe+@bounces.example.com", good[:len(good)-1], strings.Replace(good, "+", "+a", 1),
		strings.Replace(good, "unsubscribe", "b", 1), tokens.Token(77) + "@bounces.example.com", tokens.Mailbox(77, "", "example.com"),
		tokens.Mailbox(0, "", "bounces.example.com"), NewUnsubscribeTokens([]byte("another")).Mailbox(77, "", "bounces.example.com")} {
		if id, ok := ParseUnsubscribeMailbox(wrong, "bounces.example.com", secret); ok {
			t.Errorf("%q reads as %+v", wrong, id)
		}
	}
}

func TestFeedbackSender(t *testing.T) {
	one := FeedbackSender([]byte("a secret"), "example.com")
	if len(one) < 5 || len(one) > 15 { // what Gmail takes
		t.Errorf("%q has %d letters", one, len(one))
	}
	if one != FeedbackSender([]byte("a secret"), "example.com") || one == FeedbackSender([]byte("another"), "example.com") ||
		one == FeedbackSender([]byte("a secret"), "example.org") {
		t.Errorf("%q is not this installation's alone", one)
	}
}
