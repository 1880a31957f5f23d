package domain

import (
	"strings"
	"testing"
)

func TestCSVRow(t *testing.T) {
	for cell, want := range map[string]string{
		"=1+1": "'=1+1", "+7 900": "'+7 900", "-": "'-", "@x": "'@x", "\tx": "'\tx", "'tis": "''tis",
		"": "", "Ann": "Ann", "a=b": "a=b", "O'Brien": "O'Brien", `a"b`: `a""b`, "a,=b": "a,=b",
		"a;=cmd|' /C calc'!A0": "a;'=cmd|' /C calc'!A0", "a\t@x": "a\t'@x", "a\r-1": "a\r'-1", "a\n+1": "a\n'+1", "a;;=1": "a;;'=1",
		"＝1+1": "'＝1+1", "＋": "'＋", "－1": "'－1", "＠x": "'＠x", "a;＝1": "a;'＝1", "\t\r=": "'\t'\r'=", "a;'=": "a;''=", "'": "''", "a;'": "a;''",
	} {
		got := CSVRow("x", cell)
		if got != `"x","`+want+"\"\r\n" {
			t.Errorf("%q becomes %q", cell, got)
		}
	}
}

// FuzzCSVRow: an import reads what an export wrote, and no spreadsheet finds a formula in it, whatever it splits cells at.
func FuzzCSVRow(f *testing.F) {
	f.Add("=1+1", "a;'=b\t@")
	f.Add("\t\r=", "''")
	f.Add(strings.Repeat(`"`, 5000), "＝;＝")
	f.Fuzz(func(t *testing.T, a, b string) {
		if len(a) > 5000 || len(b) > 5000 {
			return
		}
		cells := []string{strings.ReplaceAll(strings.ToValidUTF8(a, ""), "\r\n", "\n"), "-", strings.ReplaceAll(strings.ToValidUTF8(b, ""), "\r\n", "\n")}
		row := CSVRow(cells...)
		for line, err := range SplitCSV(strings.NewReader(row), ',') {
			if err != nil || line.Problem != "" || len(line.Cells) != len(cells) {
				t.Fatalf("%q: %v, %v", row, line, err)
			}
			for i, cell := range line.Cells {
				if unguard(cell) != cells[i] && unguard(cell) != strings.ReplaceAll(cells[i], "\r\n", "\n") {
					t.Errorf("%q comes back as %q", cells[i], unguard(cell))
				}
				for _, part := range strings.FieldsFunc(cell, func(r rune) bool { return strings.ContainsRune(splits, r) }) {
					if part != "" && part[0] != '\'' && beginsFormula(part) {
						t.Errorf("%q holds a formula: %q", cell, part)
					}
				}
			}
		}
	})
}
