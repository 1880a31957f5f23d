package domain

import (
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSplitCSV(t *testing.T) {
	type L = ImportLine
	tests := []struct {
		name, text string
		comma      byte
		want       []L
	}{
		{"nothing", "", ',', nil},
		{"plain", "a,b\nc,d\n", ',', []L{{1, "", []string{"a", "b"}}, {2, "", []string{"c", "d"}}}},
		{"no last line end", "a;b", ';', []L{{1, "", []string{"a", "b"}}}},
		{"Windows line ends", "a;b\r\nc;\r\n", ';', []L{{1, "", []string{"a", "b"}}, {2, "", []string{"c", ""}}}},
		{"tabs", "a\tb c\n", '\t', []L{{1, "", []string{"a", "b c"}}}},
		{"empty lines", "a\n\n,,\n \nb", ',', []L{{1, "", []string{"a"}}, {5, "", []string{"b"}}}},
		{"quotes", `"a,1","say ""hi""",""` + "\n", ',', []L{{1, "", []string{"a,1", `say "hi"`, ""}}}},
		{"lines in quotes", "\"a\r\nb\",c\r\nd,e", ',', []L{{1, "", []string{"a\nb", "c"}}, {3, "", []string{"d", "e"}}}},
		{"quoted before CRLF", "a,\"b\"\r\nc,\"d\"", ',', []L{{1, "", []string{"a", "b"}}, {2, "", []string{"c", "d"}}}},
		{"letters that are quotes", `5" pipe,"OOO "Daisy", Ltd",x` + "\nb,c,d", ',',
			[]L{{1, "", []string{`5" pipe`, `OOO "Daisy`, ` Ltd"`, "x"}}, {2, "", []string{"b", "c", "d"}}}},
		{"a quote left open", "a,\"b\nc,d\n", ',', []L{{1, "imports.row_quote", []string{"a", `"b`}}, {2, "", []string{"c", "d"}}}},
		{"the last quote left open", "a,b\nc,\"d", ',', []L{{1, "", []string{"a", "b"}}, {2, "imports.row_quote", []string{"c", `"d`}}}},
		{"a lone quote", `"`, ',', []L{{1, "imports.row_quote", []string{`"`}}}},
	}
	for _, tt := range tests {
		var got []L
		for line := range SplitCSV(tt.text, tt.comma) {
			got = append(got, line)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// A file of nothing but open quotes must not take time without bound.
func TestSplitCSVOpenQuotes(t *testing.T) {
	text, lines, begun := strings.Repeat("\"a@x.org;b\n", 50_001), 0, time.Now()
	for range SplitCSV(text, ';') {
		lines++
	}
	if took := time.Since(begun); lines < 25_000 || took > 20*time.Second {
		t.Errorf("%d lines took %v", lines, took)
	}
}

func TestGuessComma(t *testing.T) {
	tests := []struct {
		text  string
		comma byte
		rest  string
	}{
		{"email;name\na@x.org;Smith, Ann\nb@x.org;Brown, Bob\n", ';', ""},
		{"email,name\na@x.org,\"Smith; Ann\"\n", ',', ""},
		{"email\tname\na@x.org\tAnn, Bob; Eve\n", '\t', ""},
		{"a@x.org\nb@x.org\n", ',', ""},
		{"", ',', ""},
		{"sep=;\r\nemail;name\n", ';', "email;name\n"},
		{"email;name,tags\na@x.org;Ann\nb@x.org;Bob\n", ';', ""},
	}
	for _, tt := range tests {
		want := tt.rest
		if want == "" {
			want = tt.text
		}
		if comma, rest := GuessComma(tt.text); comma != tt.comma || rest != want {
			t.Errorf("%q: %q, rest %q", tt.text, comma, rest)
		}
	}
}

func TestPackImport(t *testing.T) {
	lines := []ImportLine{
		{1, "", []string{"email", "comment"}},
		{2, "", []string{"a@x.org", "one\ntwo \"three\", four"}},
		{5, "imports.row_quote", []string{`"b@x.org`, " "}},
	}
	content, total, first, err := PackImport(each(lines))
	if err != nil || total != 3 || !reflect.DeepEqual(first, lines) {
		t.Fatalf("%d lines, first %+v, %v", total, first, err)
	}
	var got []ImportLine
	for line, err := range UnpackImport(content) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	if !reflect.DeepEqual(got, lines) {
		t.Errorf("got back %+v", got)
	}
	for range UnpackImport(content) {
		break // a reader may leave early
	}
}

func TestPackImportLimits(t *testing.T) {
	many := func(n, cells, length int) iter.Seq2[ImportLine, error] {
		return func(yield func(ImportLine, error) bool) {
			line := ImportLine{Cells: slices.Repeat([]string{strings.Repeat("x", length)}, cells)}
			for line.Line = 1; line.Line <= n && yield(line, nil); line.Line++ {
			}
		}
	}
	tests := []struct {
		name  string
		lines iter.Seq2[ImportLine, error]
		want  string
	}{
		{"nothing", many(0, 1, 1), "file: imports.file_empty"},
		{"all rows and a header", many(ImportMaxRows+1, 1, 1), ""},
		{"a row too many", many(ImportMaxRows+2, 1, 1), "file: imports.rows_many"},
		{"grown too large", many(1000, 50, 2000), "file: imports.file_large"},
		{"broken on the way", func(yield func(ImportLine, error) bool) { yield(ImportLine{}, fmt.Errorf("torn")) }, "torn"},
	}
	for _, tt := range tests {
		if _, _, _, err := PackImport(tt.lines); text(err) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, text(err), tt.want)
		}
	}
	_, _, first, err := PackImport(many(1, 60, 1))
	if err != nil || len(first[0].Cells) != ImportMaxColumns {
		t.Errorf("60 columns: %d kept, %v", len(first[0].Cells), err)
	}
}

func TestUnpackImportBroken(t *testing.T) {
	content, _, _, err := PackImport(each([]ImportLine{{1, "", []string{"a"}}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, broken := range map[string][]byte{"empty": nil, "cut": content[:len(content)-9], "no gzip": []byte("1,,a\n")} {
		var last error
		for _, last = range UnpackImport(broken) {
		}
		if last == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func each(lines []ImportLine) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		for _, line := range lines {
			if !yield(line, nil) {
				return
			}
		}
	}
}
