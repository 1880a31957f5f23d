package engine

import (
	"testing"

	"skychimp/domain"
)

func TestReturnPaths(t *testing.T) {
	secret := []byte("a secret of thirty-two characters")
	for _, host := range []string{"bounces.example.com", ""} {
		paths := returnPaths{tokens: domain.NewReturnTokens(secret), from: "news@example.com", domain: host}
		first, second, again := paths.of(7, 12), paths.of(7, 13), paths.of(7, 13)
		if first == second || second != again || paths.of(7, 12) != first {
			t.Errorf("%+v, %+v, %+v", first, second, again)
		}
		want := returnPath{from: "b+" + first.token + "@" + host, messageID: "<" + first.token + "@example.com>", token: first.token}
		if host == "" {
			want.from = "news@example.com"
		}
		if run, seq, ok := domain.ParseReturnToken(first.token, secret); first != want || !ok || run != 7 || seq != 12 {
			t.Errorf("%+v, want %+v, which names %d, %d", first, want, run, seq)
		}
	}
}

func BenchmarkReturnPaths(b *testing.B) {
	paths := returnPaths{tokens: domain.NewReturnTokens([]byte("secret")), from: "news@example.com", domain: "bounces.example.com"}
	b.ReportAllocs()
	for i := range b.N {
		paths.of(123_456, i)
		paths.of(123_456, i)
	}
}
