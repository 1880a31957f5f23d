package imports

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"skychimp/domain"
	"skychimp/domain/budgettest"
)

// sheetFile is an XLSX file of one sheet; each part is written by a func, piece by piece.
func sheetFile(t testing.TB, parts map[string]func(write func(string))) []byte {
	t.Helper()
	return sheetBy(t, zip.Deflate, parts)
}

// sheetBy packs the file by this method: a fuzzer has no time for packing well.
func sheetBy(t testing.TB, method uint16, parts map[string]func(write func(string))) []byte {
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
		to, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: method})
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
		most := max(1, 64<<10/max(1, len(text)))
		chunk := strings.Repeat(text, most)
		for range n / most {
			write(chunk)
		}
		write(strings.Repeat(text, n%most))
	}
}

// unfolding are small files that ask for very much, of size bytes.
func unfolding(t testing.TB, size int) map[string][]byte {
	one := func(name string, write func(func(string))) []byte {
		return sheetFile(t, map[string]func(func(string)){name: write})
	}
	fill := func(text string) func(func(string)) { return repeat(text, size/len(text)) }
	within := func(before, text, after string) func(func(string)) {
		return func(write func(string)) { write(before); fill(text)(write); write(after) }
	}
	const shared, sheet = "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"
	return map[string][]byte{
		"long shared texts":         one(shared, fill("<si><t>"+strings.Repeat("a", 2000)+"</t></si>")),
		"shared texts":              one(shared, fill("<si><t>a</t></si>")),
		"empty shared texts":        one(shared, fill("<si/>")),
		"escaped shared texts":      one(shared, fill("<si><t>&amp;_x000D_</t></si>")),
		"texts of one shared text":  one(shared, within("<si>", "<t>&</t>", "</si>")),
		"one long shared text":      one(shared, within("<si><t>", strings.Repeat("a", 200), "</t></si>")),
		"sounds of a shared text":   one(shared, within("<si>", "<rPh><t>a</t></rPh>", "</si>")),
		"spaces":                    one(sheet, fill(strings.Repeat(" ", 300))),
		"a long tag":                one(sheet, within("<row r=\"", strings.Repeat("1", 200), "\"/>")),
		"a tag of quotes":           one(sheet, within("<row r=", "'\">", ">")),
		"tags":                      one(sheet, fill("<>")),
		"attributes without a name": one(sheet, fill(`<c rrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrrr ttttttttttttttttttttttttttttt>`)),
		"comments":                  one(sheet, fill("<!---->")),
		"a comment":                 one(sheet, within("<!--", "<><>", "-->")),
		"texts that aren't escaped": one(sheet, fill("<![CDATA[]]>")),
		"a text not escaped":        one(sheet, within("<row><c><v><![CDATA[", "]]&&>", "]]></v></c></row>")),
		"rows without cells":        one(sheet, fill("<row/>")),
		"rows of one cell":          one(sheet, fill(`<row><c><v>1</v></c></row>`)),
		"rows of other numbers":     one(sheet, fill(`<row r="9"><c r="AX1"><v>1e9</v></c></row>`)),
		"rows far to the right":     one(sheet, fill(`<row><c r="XFD1"><v>1</v></c><c r="AX1"><v>1</v></c></row>`)),
		"cells in one row":          one(sheet, within("<row>", `<c r="A1"><v>1</v></c>`, "</row>")),
		"texts in one cell":         one(sheet, within(`<row><c t="inlineStr"><is>`, "<t>a</t>", "</is></c></row>")),
		"long texts in one cell":    one(sheet, within(`<row><c t="inlineStr"><is>`, "<t>"+strings.Repeat("a", 100)+"</t>", "</is></c></row>")),
		"one text in all cells":     sheetFile(t, map[string]func(func(string)){shared: func(w func(string)) { w("<si><t>" + strings.Repeat("a", 200_000) + "</t></si>") }, sheet: repeat(`<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`, size/200)}),
		"one word in all cells":     sheetFile(t, map[string]func(func(string)){shared: func(w func(string)) { w("<si><t>quite a word</t></si>") }, sheet: fill(`<row><c t="s"><v>0</v></c><c t="s"><v>0</v></c></row>`)}),
		"sheets":                    one("xl/workbook.xml", fill(`<sheet name="S" r:id="rId1"/>`)),
		"sheets that aren't there":  one("xl/_rels/workbook.xml.rels", within(`<Relationship Id='rId1' Target='worksheets/sheet1.xml'/>`, `<Relationship Id='a' Target='../../../a/b/c'/>`, "")),
		"styles":                    one("xl/styles.xml", fill(`<numFmt numFmtId="1" formatCode="yy"/><cellXfs><xf numFmtId="14"/></cellXfs>`)),
		"formats":                   one("xl/styles.xml", fill(`<numFmt numFmtId="1" formatCode="&quot;&quot;&quot;"/>`)),
		"dates": sheetFile(t, map[string]func(func(string)){"xl/styles.xml": func(w func(string)) { w(`<cellXfs><xf numFmtId="14"/></cellXfs>`) },
			sheet: fill(`<row><c s="0"><v>45000.123456789</v></c></row>`)}),
	}
}

// A file of some hundred KB doesn't unfold: it is refused in words, or read, for a few bytes and soon.
func TestSheetsThatUnfold(t *testing.T) {
	for name, file := range unfolding(t, sheetLeast-100_000) {
		t.Run(name, func(t *testing.T) { frugal(t, file) })
	}
	for _, name := range []string{"xl/workbook.xml", "xl/styles.xml", "xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"} {
		t.Run("200 MB in "+name, func(t *testing.T) {
			frugal(t, sheetFile(t, map[string]func(func(string)){name: repeat("<si><t>a</t></si>", 200<<20/17)}))
		})
	}
}

// frugal checks that a list is read, or refused in words, within the budget of a file.
func frugal(t *testing.T, file []byte) {
	t.Helper()
	budgettest.Within(t, fmt.Sprintf("a file of %d KB", len(file)>>10), func() {
		list, err := readFile(bytes.NewReader(file), int64(len(file)))
		if err == nil {
			_, err = domain.PackImport(list.lines, func([]byte) error { return nil })
		}
		if _, refused := errors.AsType[*domain.Error](err); err != nil && !refused {
			t.Error(err)
		}
	})
}

// readLines are the lines of a file, or why there are none.
func readLines(file []byte) iter.Seq2[domain.ImportLine, error] {
	list, err := readFile(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return func(yield func(domain.ImportLine, error) bool) { yield(domain.ImportLine{}, err) }
	}
	return list.lines
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
		for line, err := range readLines(test.file) {
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

// FuzzSheet reads a workbook whose parts are one text, again and again.
func FuzzSheet(f *testing.F) {
	f.Add([]byte(`<row r="1"><c r="A1" t="s"><v>0</v></c><c t="inlineStr"><is><t>x</t></is></c></row>`), "", "", 0)
	f.Add([]byte(`<!-- --><x:c a=">"/><![CDATA[<]]>&amp;_x000D_</t>`), "", "", 1)
	f.Add([]byte(`<t>a</t>`), `<sheetData><row><c t="inlineStr"><is>`, "</is></c></row>", 1_000_000)
	f.Add([]byte(`<si><t>a</t></si>`), `<numFmt numFmtId="1" formatCode="yy"/><cellXfs>`, "</cellXfs>", 1_000_000)
	f.Fuzz(func(t *testing.T, text []byte, before, after string, times int) {
		write := func(w func(string)) {
			w(before)
			repeat(string(text), min(max(0, times), (sheetLeast-len(before)-len(after))/(3*max(1, len(text)))))(w)
			w(after)
		}
		file := sheetBy(t, zip.Store, map[string]func(func(string)){"xl/worksheets/sheet1.xml": write, "xl/sharedStrings.xml": write, "xl/styles.xml": write})
		for line, err := range readLines(file) {
			if err != nil {
				break
			}
			if len(line.Cells) > domain.ImportMaxColumns {
				t.Errorf("%d cells", len(line.Cells))
			}
		}
		frugal(t, file)
	})
}

// FuzzList reads a file of any kind, made of one part again and again.
func FuzzList(f *testing.F) {
	for _, part := range []string{"a@b.c;Ann\n", "\"", "\"\"", "\"a\",", "\"a\n", ",;\t", "\r", "\xff\xfe", "sep=;\n", "\"a\"x", "\"a\"x\n", "\"a\"\"\n", "\x00"} {
		f.Add([]byte(nil), []byte(part), []byte(nil), uint32(200_000))
		f.Add([]byte("\xff\xfe"), []byte(part), []byte("\"\n"), uint32(200_000))
	}
	for _, part := range []string{"<tr><td>a@b.c</td><td colspan=9>x</td></tr>", "<td>", "<td rowspan=99 colspan=99>", "<!--", "<table>", "<Row><Cell ss:Index=\"3\"><Data>a@b.c</Data></Cell></Row>", "&nbsp;", "<style>"} {
		f.Add([]byte("<html><table>"), []byte(part), []byte("</table>"), uint32(200_000))
		f.Add([]byte("<?xml version=\"1.0\"?><Workbook><Worksheet><Table>"), []byte(part), []byte(nil), uint32(200_000))
	}
	f.Add(sheetFile(f, nil), []byte(nil), []byte(nil), uint32(0))
	f.Fuzz(func(t *testing.T, before, part, after []byte, size uint32) {
		room := min(int(size), 200_000) - len(before) - len(after)
		if part == nil || room < 0 {
			room = 0
		}
		frugal(t, slices.Concat(before, bytes.Repeat(part, room/max(1, len(part))), after))
	})
}
