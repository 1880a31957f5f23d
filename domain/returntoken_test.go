package domain

import (
	"math"
	"strings"
	"testing"
)

var returnSecret = []byte("a secret of thirty-two characters")

func returnToken(run int64, seq int) string {
	return string(NewReturnTokens(returnSecret).Append(nil, run, seq))
}

func TestReturnTokenNamesItsDelivery(t *testing.T) {
	for _, want := range []struct {
		run int64
		seq int
	}{{1, 1}, {127, 128}, {300, 1_000_000}, {math.MaxInt64, math.MaxInt32}} {
		token := returnToken(want.run, want.seq)
		address := string(AppendReturnAddress(nil, []byte(token), "bounces.example.com"))
		if local, _, _ := strings.Cut(address, "@"); len(local) > 64 {
			t.Errorf("the local part %q has %d letters, RFC 5321 allows 64", local, len(local))
		}
		for _, came := range []string{address, strings.ToUpper(address), strings.ToTitle(address[:7]) + address[7:]} {
			run, seq, ok := ParseReturnAddress(came, "Bounces.example.com", []byte("another"), returnSecret)
			if !ok || run != want.run || seq != want.seq {
				t.Errorf("%s: got %d, %d, %v, want %d, %d", came, run, seq, ok, want.run, want.seq)
			}
		}
	}
}

func TestReturnAddressOfOthersIsRefused(t *testing.T) {
	token := returnToken(7, 12)
	for _, address := range []string{
		"", "@", "b+@bounces.example.com", token + "@bounces.example.com", "b+" + token, "b+" + token + "@example.com",
		"c+" + token + "@bounces.example.com", "b+" + token + "a@bounces.example.com", "b+" + token[1:] + "@bounces.example.com",
		"b+" + token + "@bounces.example.com@example.com", "b+" + strings.Repeat("a", 4000) + "@bounces.example.com",
		"b+" + strings.Replace(token, token[:1], "1", 1) + "@bounces.example.com", "b+" + token + "==@bounces.example.com",
	} {
		if _, _, ok := ParseReturnAddress(address, "bounces.example.com", returnSecret); ok {
			t.Errorf("%q was taken", address)
		}
	}
	for i := range token { // each letter counts
		changed := []byte(token)
		if changed[i]++; changed[i] == '{' || changed[i] == '8' {
			changed[i] = 'a'
		}
		if _, _, ok := ParseReturnToken(string(changed), returnSecret); ok {
			t.Errorf("%s was taken for %s", changed, token)
		}
	}
	if _, _, ok := ParseReturnToken(token, []byte("another secret")); ok {
		t.Error("a token of another secret was taken")
	}
	if _, _, ok := ParseReturnToken(token); ok {
		t.Error("a token was taken without any secret")
	}
}

func FuzzReturnToken(f *testing.F) {
	f.Add(int64(1), 1, "b+aa@x")
	f.Add(int64(1<<40), 1<<30, returnToken(5, 5))
	f.Fuzz(func(t *testing.T, run int64, seq int, junk string) {
		if n, m, ok := ParseReturnToken(junk, returnSecret); ok && returnToken(n, m) != strings.ToLower(junk) {
			t.Errorf("%q names %d, %d, whose token is another", junk, n, m)
		}
		if run <= 0 || seq <= 0 || seq > math.MaxInt32 {
			return
		}
		if n, m, ok := ParseReturnToken(strings.ToUpper(returnToken(run, seq)), returnSecret); !ok || n != run || m != seq {
			t.Errorf("%d, %d came back as %d, %d, %v", run, seq, n, m, ok)
		}
	})
}

func BenchmarkReturnAddress(b *testing.B) {
	tokens := NewReturnTokens(returnSecret)
	var token, address []byte
	b.ReportAllocs()
	for i := range b.N {
		token = tokens.Append(token[:0], 123_456, i+1)
		address = AppendReturnAddress(address[:0], token, "bounces.example.com")
	}
}
