package domain

import (
	"bytes"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
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
		{"plain", "a,b\nc,d\n", ',', []L{{1, "", 0, []string{"a", "b"}}, {2, "", 0, []string{"c", "d"}}}},
		{"no last line end", "a;b", ';', []L{{1, "", 0, []string{"a", "b"}}}},
		{"Windows line ends", "a;b\r\nc;\r\n", ';', []L{{1, "", 0, []string{"a", "b"}}, {2, "", 0, []string{"c", ""}}}},
		{"tabs", "a\tb c\n", '\t', []L{{1, "", 0, []string{"a", "b c"}}}},
		{"empty lines", "a\n\n,,\n \nb", ',', []L{{1, "", 0, []string{"a"}}, {5, "", 0, []string{"b"}}}},
		{"quotes", `"a,1","say ""hi""",""` + "\n", ',', []L{{1, "", 0, []string{"a,1", `say "hi"`, ""}}}},
		{"lines in quotes", "\"a\r\nb\",c\r\nd,e", ',', []L{{1, "", 0, []string{"a\nb", "c"}}, {3, "", 0, []string{"d", "e"}}}},
		{"quoted before CRLF", "a,\"b\"\r\nc,\"d\"", ',', []L{{1, "", 0, []string{"a", "b"}}, {2, "", 0, []string{"c", "d"}}}},
		{"letters that are quotes", `5" pipe,"OOO "Daisy", Ltd",x` + "\nb,c,d", ',',
			[]L{{1, "", 0, []string{`5" pipe`, `OOO "Daisy`, ` Ltd"`, "x"}}, {2, "", 0, []string{"b", "c", "d"}}}},
		{"quotes that are not doubled", `a,"LLC "Daisy"",x` + "\n\"LLC \"Daisy\"\"\r\n" + `"b ""c"" d","e """,f`, ',',
			[]L{{1, "", 0, []string{"a", `LLC "Daisy"`, "x"}}, {2, "", 0, []string{`LLC "Daisy"`}}, {3, "", 0, []string{`b "c" d`, `e "`, "f"}}}},
		{"a quote left open", "a,\"b\nc,d\n", ',', []L{{1, "imports.row_quote", 0, []string{"a", `"b`}}, {2, "", 0, []string{"c", "d"}}}},
		{"the last quote left open", "a,b\nc,\"d", ',', []L{{1, "", 0, []string{"a", "b"}}, {2, "imports.row_quote", 0, []string{"c", `"d`}}}},
		{"a lone quote", `"`, ',', []L{{1, "imports.row_quote", 0, []string{`"`}}}},
	}
	for _, tt := range tests {
		var got []L
		for line := range SplitCSV(strings.NewReader(tt.text), tt.comma) {
			got = append(got, line)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// What is longer than the window is read as a whole, and what stands across its end is not torn.
func TestSplitCSVWindow(t *testing.T) {
	long := strings.Repeat("x", window-10)
	for _, tt := range []struct {
		text string
		want []int
	}{
		{long + ";\"a\nb\"\nlast;2\n", []int{1, 3}},
		{long + long + long + "\nlast\n", []int{1, 2}},
		{strings.Repeat("a@x.org;\"two\nlines\"\n", window/20), nil},
	} {
		var got []int
		for line := range SplitCSV(iotest.HalfReader(strings.NewReader(tt.text)), ';') {
			if line.Problem != "" {
				t.Fatalf("%+v", line)
			}
			got = append(got, line.Line)
		}
		if tt.want != nil && !slices.Equal(got, tt.want) || len(got) == 0 || tt.want == nil && len(got) != window/20 {
			t.Errorf("%d bytes: %d lines, %v", len(tt.text), len(got), got[:min(len(got), 9)])
		}
	}
}

// A file of nothing but open quotes must not take time without bound.
func TestSplitCSVOpenQuotes(t *testing.T) {
	text, lines, begun := strings.Repeat("\"a@x.org;b\n", 50_001), 0, time.Now()
	for range SplitCSV(strings.NewReader(text), ';') {
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
		{"email|name\na@x.org|Ann\n", '|', ""},
		{"email;tags\na@x.org;a|b\nb@x.org;a|b|c\n", ';', ""},
		{"Report for May\nPrinted, by Ann\n\nemail;name;city\na@x.org;Ann;Rome\n", ';', ""},
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

// packed are the parts of a list.
func packed(t *testing.T, lines iter.Seq2[ImportLine, error]) (parts [][]byte, p PackedImport) {
	t.Helper()
	p, err := PackImport(lines, func(part []byte) error { parts = append(parts, bytes.Clone(part)); return nil })
	if err != nil {
		t.Fatal(err)
	}
	return parts, p
}

func TestPackImport(t *testing.T) {
	lines := []ImportLine{
		{1, "", 0, []string{"email", "comment"}},
		{2, "", 0, []string{"a@x.org", "one\ntwo \"three\", four"}},
		{5, "imports.row_quote", 0, []string{`"b@x.org`, " "}},
		{7, "", 2, []string{"c@x.org"}},
	}
	parts, p := packed(t, each(lines))
	if p.Total != 4 || len(p.Sheets) != 3 || p.Sheets[0].Total != 3 || p.Sheets[1].Total != 0 || p.Sheets[2].Total != 1 ||
		!reflect.DeepEqual(p.First[0], lines[:3]) || !reflect.DeepEqual(p.First[2], lines[3:]) {
		t.Fatalf("%+v", p)
	}
	var got []ImportLine
	for line, err := range UnpackImport(parts[0]) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
	}
	if !reflect.DeepEqual(got, lines) {
		t.Errorf("got back %+v", got)
	}
	for range UnpackImport(parts[0]) {
		break // a reader may leave early
	}
	parts, p = packed(t, func(yield func(ImportLine, error) bool) {
		for line := 1; line <= 2*partLines+1 && yield(ImportLine{Line: line, Cells: []string{"x"}}, nil); line++ {
		}
	})
	next := 1
	for _, part := range parts {
		for line, err := range UnpackImport(part) {
			if err != nil || line.Line != next {
				t.Fatalf("line %d, want %d, %v", line.Line, next, err)
			}
			next++
		}
	}
	if len(parts) != 3 || next != p.Total+1 || len(p.First[0]) != ImportFirstLines {
		t.Errorf("%d parts of %d lines, %d first ones", len(parts), p.Total, len(p.First[0]))
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
		{"grown too large", many(250, 1, 1<<20), "file: imports.file_large"},
		{"as wide as can be", many(1, ImportMaxColumns, 1), ""},
		{"too wide", many(1, ImportMaxColumns+1, 1), "file: imports.columns_many"},
		{"broken on the way", func(yield func(ImportLine, error) bool) { yield(ImportLine{}, fmt.Errorf("torn")) }, "torn"},
	}
	for _, tt := range tests {
		if _, err := PackImport(tt.lines, func([]byte) error { return nil }); text(err) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, text(err), tt.want)
		}
	}
}

func TestUnpackImportBroken(t *testing.T) {
	parts, _ := packed(t, each([]ImportLine{{1, "", 0, []string{"a"}}}))
	content := parts[0]
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
