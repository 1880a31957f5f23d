package email

import (
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
)

func TestAppendQuoted(t *testing.T) {
	long := strings.Repeat("x", 80)
	tests := []struct{ text, want string }{
		{"", ""},
		{"a b=c", "a b=3Dc"},
		{"a  b", "a=20 b"},
		{"a \nb\t", "a=20\r\nb=09"},
		{" ", "=20"},
		{"a\nb\r\nc\rd\r", "a\r\nb\r\nc\r\nd\r\n"},
		{".\n..a.\n", "=2E\r\n=2E.a.\r\n"},
		{"я", "=D1=8F"},
		{long, long[:75] + "=\r\n" + long[75:]},
		{long[:75] + ".", long[:75] + "=\r\n=2E"},
		{long[:73] + "=x", long[:73] + "=\r\n=3Dx"},
		{long[:72] + "=x", long[:72] + "=3D=\r\nx"},
	}
	for _, test := range tests {
		got, column := appendQuoted(nil, 0, []byte(test.text))
		if string(got) != test.want {
			t.Errorf("%q is %q, want %q", test.text, got, test.want)
		}
		if want := len(test.want) - strings.LastIndexByte("\n"+test.want, '\n'); column != want {
			t.Errorf("%q ends in column %d, want %d", test.text, column, want)
		}
	}
}

// TestPiecesAtEveryColumn lets values of every length meet the fixed text behind them.
func TestPiecesAtEveryColumn(t *testing.T) {
	for _, rest := range []string{"!", " tail\n", ". dot", strings.Repeat("long ", 40), "=", "\n.", ""} {
		pieces := func() []piece {
			m := newMarks(nil)
			return m.split(m.hide("Hi, {{name}}"+rest+"{{comment}}\n"), verbatim)
		}()
		for length := range 160 {
			for _, unit := range []string{"x", "я", " ", "."} {
				r := Recipient{Name: strings.Repeat(unit, length), Comment: "c"}
				coded := appendQuotedPieces(nil, pieces, &r)
				decoded, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(string(coded))))
				want := strings.ReplaceAll(string(appendPieces(nil, pieces, &r)), "\n", "\r\n")
				if err != nil || string(decoded) != want {
					t.Fatalf("%q came back as %q, %v", want, decoded, err)
				}
				for line := range strings.SplitSeq(string(coded), "\r\n") {
					if len(line) > maxQuoted {
						t.Fatalf("line of %d bytes: %q", len(line), line)
					}
				}
			}
		}
	}
}
