package imports

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"skychimp/domain"
)

// sheetFile is an XLSX file of one sheet; each part is written by a func, piece by piece.
func sheetFile(t testing.TB, parts map[string]func(write func(string))) []byte {
	t.Helper()
	all := map[string]func(func(string)){
		"xl/workbook.xml": func(w func(string)) { w(`<workbook><sheets><sheet name="S" r:id="rId1"/></sheets></workbook>`) },
		"xl/_rels/workbook.xml.rels": func(w func(string)) {
			w(`<Relationships><Relationship Id='rId1' Target='worksheets/sheet1.xml'/></Relationships>`)
		},
		"xl/worksheets/sheet1.xml": func(w func(string)) { w(`<row r="1"><c r="A1" t="s"><v>0</v></c></row>`) },
	}
	maps.Copy(all, parts)
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for name, write := range all {
		to, err := archive.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		write(func(text string) { _, _ = to.Write([]byte(text)) })
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func repeat(text string, n int) func(func(string)) {
	return func(write func(string)) {
		chunk := strings.Repeat(text, 1000)
		for range n / 1000 {
			write(chunk)
		}
	}
}

// unfolding are small files that ask for very much.
func unfolding(t testing.TB) map[string][]byte {
	one := func(name string, write func(func(string))) []byte {
		return sheetFile(t, map[string]func(func(string)){name: write})
	}
	const shared, sheet = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"
	return map[string][]byte{
		"200 MB of shared texts":    one(shared, repeat("<si><t>"+strings.Repeat("a", 2000)+"</t></si>", 100_000)),
		"5 million shared texts":    one(shared, repeat("<si><t>a</t></si>", 5_000_000)),
		"one shared text of 200 MB": one(shared, func(w func(string)) { w("<si><t>"); repeat(strings.Repeat("a", 200), 1_000_000)(w); w("</t></si>") }),
		"a part of 300 MB":          one(sheet, repeat(strings.Repeat(" ", 300), 1_000_000)),
		"a tag of 200 MB":           one(sheet, func(w func(string)) { w("<row r=\""); repeat(strings.Repeat("1", 200), 1_000_000)(w); w("\"/>") }),
		"comments":                  one(sheet, repeat("<!---->", 10_000_000)),
		"a comment of 200 MB":       one(sheet, func(w func(string)) { w("<!--"); repeat("<><>", 50_000_000)(w); w("-->") }),
		"texts that aren't escaped": one(sheet, repeat("<![CDATA[]]>", 10_000_000)),
		"rows without cells":        one(sheet, repeat("<row/>", 20_000_000)),
		"rows far to the right":     one(sheet, repeat(`<row><c r="XFD1"><v>1</v></c><c r="A1"><v>1</v></c></row>`, 300_000)),
		"one text in all cells":     sheetFile(t, map[string]func(func(string)){shared: func(w func(string)) { w("<si><t>" + strings.Repeat("a", 200_000) + "</t></si>") }, sheet: repeat(`<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`, 200_000)}),
		"a million sheets":          one("xl/workbook.xml", repeat(`<sheet name="S" r:id="rId1"/>`, 1_000_000)),
		"a million styles":          one("xl/styles.xml", repeat(`<numFmt numFmtId="1" formatCode="yy"/><cellXfs><xf numFmtId="14"/></cellXfs>`, 1_000_000)),
		"texts in texts in one inline": one(sheet, func(w func(string)) {
			w("<row><c t=\"inlineStr\"><is>")
			repeat("<t>"+strings.Repeat("a", 100)+"</t>", 1_000_000)(w)
			w("</is></c></row>")
		}),
	}
}

// A file of some hundred KB doesn't unfold: it is refused in words, or read, for a few bytes and soon.
func TestSheetsThatUnfold(t *testing.T) {
	for name, file := range unfolding(t) {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			begun := time.Now()
			content, total, _, err := domain.PackImport(sheetLines(file))
			took := time.Since(begun)
			runtime.ReadMemStats(&after)
			if _, refused := errors.AsType[*domain.Error](err); err != nil && !refused {
				t.Error(err)
			}
			used := (after.TotalAlloc - before.TotalAlloc) >> 20
			t.Logf("%d KB: %d rows of %d KB, %v; %d MB, %v", len(file)>>10, total, len(content)>>10, err, used, took)
			if used > 600 { // most of it one after the other
				t.Errorf("took %d MB", used)
			}
		})
	}
}

// What Excel, LibreOffice and programs write, whatever they write it for.
func TestSheetCells(t *testing.T) {
	book := excelize.NewFile()
	style, err := book.NewStyle(&excelize.Style{NumFmt: 14})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2031, 1, 31, 0, 0, 0, 0, time.UTC)
	for cell, value := range map[string]any{"A1": "a@x.org", "B1": 79161234567, "C1": 0.1, "D1": true, "E1": at, "F1": at.Add(13*time.Hour + 30*time.Minute), "H1": "a<b>&\"c\"\nd",
		"A3": 1e20, "B3": -3} {
		if err := book.SetCellValue("Sheet1", cell, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.SetCellStyle("Sheet1", "C3", "C3", style); err != nil {
		t.Fatal(err)
	}
	_ = book.SetCellValue("Sheet1", "C3", 45000)
	_ = book.SetCellRichText("Sheet1", "D3", []excelize.RichTextRun{{Text: "rich "}, {Text: "text"}})
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	byHand := sheetFile(t, map[string]func(func(string)){
		"xl/worksheets/sheet1.xml": func(w func(string)) {
			w(`<?xml version='1.0'?><x:worksheet><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>a<![CDATA[<&]]>b</x:t></x:is></x:c><x:c t="s"><x:v>1</x:v></x:c><!-- <x:c> --><x:c/><x:c t="str"><x:f a=">">1</x:f><x:v>f</x:v></x:c></x:row></x:sheetData></x:worksheet>`)
		},
		"xl/sharedStrings.xml": func(w func(string)) {
			w(`<sst><si/><si><t>東</t><rPh><t>ひがし</t></rPh><r><t>京_x000D_</t></r></si></sst>`)
		},
	})
	for _, test := range []struct {
		file []byte
		want string
	}{
		{b.Bytes(), `1: "a@x.org" "79161234567" "0.1" "TRUE" "2031-01-31" "2031-01-31 13:30" "" "a<b>&\"c\"\nd"; 3: "100000000000000000000" "-3" "2023-03-15" "rich text"`},
		{byHand, `1: "a<&b" "東京" "" "f"`},
		{[]byte("PK\x03\x04 and no more"), "file: imports.file_broken"},
		{sheetFile(t, map[string]func(func(string)){"xl/workbook.xml": func(func(string)) {}}), "file: imports.file_broken"},
	} {
		var got []string
		for line, err := range sheetLines(test.file) {
			if err != nil {
				got = append(got, err.Error())
				break
			}
			got = append(got, fmt.Sprintf("%d: %s", line.Line, strings.Trim(fmt.Sprintf("%q", line.Cells), "[]")))
		}
		if text := strings.Join(got, "; "); text != test.want {
			t.Errorf("%s, want %s", text, test.want)
		}
	}
	for n, want := range map[int]string{1: "A", 26: "Z", 27: "AA", 52: "AZ", 703: "AAA"} {
		if columnName(n) != want || columnOf(want+"7", 0) != n {
			t.Errorf("%d: %s", n, columnName(n))
		}
	}
}

func FuzzSheet(f *testing.F) {
	f.Add([]byte(`<row r="1"><c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>x</t></is></c></row>`))
	f.Add([]byte(`<!-- --><x:c a=">"/><![CDATA[<]]>&amp;_x000D_</t>`))
	f.Fuzz(func(t *testing.T, sheet []byte) {
		file := sheetFile(t, map[string]func(func(string)){"xl/worksheets/sheet1.xml": func(w func(string)) { w(string(sheet)) }, "xl/sharedStrings.xml": func(w func(string)) { w(string(sheet)) },
			"xl/styles.xml": func(w func(string)) { w(string(sheet)) }})
		for line, err := range sheetLines(file) {
			if err != nil {
				break
			}
			if len(line.Cells) > domain.ImportMaxColumns {
				t.Errorf("%d cells", len(line.Cells))
			}
		}
	})
}
