package domain

import (
	"encoding/base64"
	"math"
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
