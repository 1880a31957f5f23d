package imports

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"skychimp/domain"
)

// rowsOf are the clients that a file brings as its columns are guessed: address, full name, first and last name,
// comment, tags, and why no emails; or what is wrong with them.
func rowsOf(t *testing.T, file []byte, fields ...domain.Field) string {
	t.Helper()
	list := domain.Import{Fields: fields}
	read, err := readFile(bytes.NewReader(file), int64(len(file)))
	var parts [][]byte
	var packed domain.PackedImport
	if err == nil {
		packed, err = domain.PackImport(read.lines, func(part []byte) error { parts = append(parts, bytes.Clone(part)); return nil })
	}
	if err != nil {
		return err.Error()
	}
	list.Take(packed, read.sheets, fields)
	var got []string
	for _, part := range parts {
		for rows, err := range list.Rows(domain.UnpackImport(part)) {
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				if len(row.Errors) > 0 {
					got = append(got, fmt.Sprintf("%d: %s", row.Line, row.Errors[0].Key))
					continue
				}
				var c domain.Client
				if err := c.Apply(row.Form, row.Names, nil); err != nil {
					t.Fatal(err)
				}
				first, last := c.Names()
				got = append(got, strings.TrimRight(strings.Join([]string{c.Email, c.FullName, first, last, c.Comment, strings.Join(c.Tags, ","), string(row.Suppressed)}, "/"), "/"))
			}
		}
	}
	return strings.Join(got, "\n")
}

// What programs export is taken as it is.
func TestExports(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"google.csv", "ivan@example.com/Иван Сергеевич Петров/Иван/Петров/Met in May/Friends\n3: clients.email_required\nanna@example.com/Anna Smith/Anna/Smith//Friends,Work"},
		{"google-old.csv", "ivan@example.com/Иван Петров/Иван/Петров//Friends"},
		{"outlook-en.csv", "ivan@example.com/Ivan Petrov/Ivan/Petrov/Likes tea/Key customer\nolga@example.com/Olga Orlova/Olga/Orlova"},
		{"outlook-ru.csv", "ivan@example.com/Иван Сергеевич Петров/Иван/Петров/Любит чай/Клиенты"},
		{"yandex.csv", "ivan@example.com/Иван Петров/Иван/Петров/коллега\nanna@example.com/Анна/Анна"},
		{"mailchimp.csv", "ann@example.com/Ann Smith/Ann/Smith//Donor,VIP\nbob@example.com/Bob Brown/Bob/Brown"},
		{"mailchimp-unsubscribed.csv", "gone@example.com/Gone Girl/Gone/Girl/not my style//unsubscribed"},
		{"mailchimp-api.csv", "a@example.com\nb@example.com//////unsubscribed\nc@example.com//////bounced\n5: imports.row_unconfirmed\ne@example.com//////unsubscribed"},
		{"unisender.csv", "ivan@example.com/Иван/Иван///новости\nold@example.com/Ольга/Ольга////unsubscribed\ndead@example.com/Пётр/Пётр////bounced\nspam@example.com/Анна/Анна////complained"},
		{"excel-semicolons.csv", "ivan@example.com/Иванова Мария Петровна/Мария/Иванова/5 шт.; срочно"},
		{"1c.csv", "ivan@example.com/Петров Иван Сергеевич/Иван/Петров\nshop@example.com/ООО \"Ромашка\""},
		{"1c-report.csv", "ivan@example.com/Петров Иван/Иван/Петров\nshop@example.com/ООО \"Ромашка\"\n9: clients.email_required"},
		{"bitrix24.csv", "ivan@example.com/Иван Иванович Петров/Иван/Петров/перезвонить"},
		{"amocrm.csv", "ivan@example.com/Иван Петров/Иван/Петров//vip,опт"},
		{"bitrix24.xls", "ivan@example.com/Иван Петров/Иван/Петров/первая\nвторая\nanna@example.com/Анна & Ко/Анна & Ко"},
		{"excel2003.xml", "ivan@example.com/Иван Петров/Иван/Петров\nanna@example.com/Anna/Anna"},
		{"getresponse.csv", "a@example.com/Ann/Ann///one,two"},
		{"work-and-home.csv", "ann@home.example/Ann Smith/Ann/Smith\nbob@work.example/Bob Brown/Bob/Brown"},
	} {
		t.Run(test.file, func(t *testing.T) {
			file, err := os.ReadFile(filepath.Join("testdata", test.file))
			if err != nil {
				t.Fatal(err)
			}
			if got := rowsOf(t, file); got != test.want {
				t.Errorf("\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// A text is read in the encoding that it has, with or without a mark.
func TestEncodings(t *testing.T) {
	in := func(e encoding.Encoding, text string) []byte {
		t.Helper()
		out, err := e.NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return []byte(out)
	}
	const russian = "Почта;ФИО;Примечание\nivan@example.com;Иван Петров;любит чай\nanna@example.com;АННА СМИРНОВА;\n"
	const ivan = "ivan@example.com/Иван Петров/Иван/Петров/любит чай\nanna@example.com/АННА СМИРНОВА/Анна/Смирнова"
	const german = "email;name\na@example.com;Jürgen Müller\nb@example.com;José Núñez\nc@example.com;Zoë\n"
	const jurgen = "a@example.com/Jürgen Müller/Jürgen/Müller\nb@example.com/José Núñez/José/Núñez\nc@example.com/Zoë/Zoë"
	for name, test := range map[string]struct {
		file []byte
		want string
	}{
		"UTF-8":                      {[]byte(russian), ivan},
		"UTF-8 with a mark":          {[]byte("\ufeff" + russian), ivan},
		"UTF-16 little":              {in(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM), russian), ivan},
		"UTF-16 big":                 {in(unicode.UTF16(unicode.BigEndian, unicode.UseBOM), russian), ivan},
		"UTF-16 little, no mark":     {in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), russian), ivan},
		"UTF-16 big, no mark":        {in(unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM), russian), ivan},
		"UTF-16 of ASCII, no mark":   {in(unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM), "email;name\na@x.org;Ann\n"), "a@x.org/Ann/Ann"},
		"windows-1251":               {in(charmap.Windows1251, russian), ivan},
		"windows-1251, named comma":  {in(charmap.Windows1251, "sep=;\r\n"+russian), ivan},
		"cp866":                      {in(charmap.CodePage866, russian), ivan},
		"KOI8-R":                     {in(charmap.KOI8R, russian), ivan},
		"Mac Cyrillic":               {in(charmap.MacintoshCyrillic, russian), ivan},
		"one name in KOI8-R":         {in(charmap.KOI8R, "a@x.org;Мария\n"), "a@x.org/Мария/Мария"},
		"one name in cp866":          {in(charmap.CodePage866, "a@x.org;Мария\n"), "a@x.org/Мария/Мария"},
		"small letters in 1251":      {in(charmap.Windows1251, "почта;имя\na@x.org;мария\n"), "a@x.org/мария/Мария"},
		"capitals in 1251":           {in(charmap.Windows1251, "ПОЧТА;ИМЯ\na@x.org;МАРИЯ\n"), "a@x.org/МАРИЯ/Мария"},
		"small letters in KOI8-R":    {in(charmap.KOI8R, "почта;имя\na@x.org;мария\n"), "a@x.org/мария/Мария"},
		"Ukrainian in 1251":          {in(charmap.Windows1251, "пошта;ім'я;name\na@x.org;;Їжакевич Олексій\n"), "a@x.org/Їжакевич Олексій/Олексій/Їжакевич"},
		"Latin-1":                    {in(charmap.ISO8859_1, german), jurgen},
		"windows-1252":               {in(charmap.Windows1252, german), jurgen},
		"one letter in Latin-1":      {in(charmap.ISO8859_1, "email,name\na@example.com,José\n"), "a@example.com/José/José"},
		"one broken byte":            {[]byte(strings.Replace(russian, "Петров;", "Петро\xd0;", 1)), strings.Replace(ivan, "Иван Петров/Иван/Петров", "Иван Петро\ufffd/Иван/Петро\ufffd", 1)},
		"a broken byte, with a mark": {[]byte("\ufeffemail,name\na@x.org,Jos\xe9\n"), "a@x.org/Jos\ufffd/Jos\ufffd"},
		"a NUL":                      {[]byte("email,name\na@x.org,Iv\x00an\nb@x.org,Bob\nc@x.org,Clara Schumann and others\n"), "a@x.org/Iv\ufffdan/Iv\ufffdan\nb@x.org/Bob/Bob\nc@x.org/Clara Schumann and others/Clara/Others"},
		"bars":                       {[]byte("email|name|tags\na@x.org|Ann|one;two\n"), "a@x.org/Ann/Ann///one,two"},
		"a Mac's line ends":          {[]byte("email,name\ra@x.org,Ann\rb@x.org,Bob\r"), "a@x.org/Ann/Ann\nb@x.org/Bob/Bob"},
		"CR CR LF":                   {[]byte("email;name;comment\r\r\na@x.org;Ann;\"two\r\r\nlines\"\r\r\nb@x.org;Bob\r\r\n"), "a@x.org/Ann/Ann//two\nlines\nb@x.org/Bob/Bob"},
		"quotes not doubled":         {[]byte("email,name\na@x.org,\"ООО \"Ромашка\"\"\nb@x.org,Bob\n"), "a@x.org/ООО \"Ромашка\"\nb@x.org/Bob/Bob"},
		"no text":                    {[]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x01\x00"), "file: imports.file_kind"},
		"a PDF":                      {[]byte("%PDF-1.7\n"), "file: imports.file_kind"},
		"cards":                      {[]byte("BEGIN:VCARD\r\nVERSION:3.0\r\nEMAIL:a@x.org\r\nEND:VCARD\r\n"), "file: imports.file_vcard"},
		"an old XLS":                 {[]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "file: imports.file_xls"},
		"a very old XLS":             {[]byte("\x09\x08\x10\x00\x00\x06"), "file: imports.file_xls"},
		"a page without a table":     {[]byte("<html><body>Sign in</body></html>"), "file: imports.file_table"},
		"mail programs' addresses":   {[]byte("email\n\"Smith, Ann <ann@x.org>\"\nmailto:bob@x.org\n<eve@x.org>\n"), "ann@x.org/Ann/Ann\nbob@x.org\neve@x.org"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rowsOf(t, test.file); got != test.want {
				t.Errorf("\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// A workbook's hidden sheets are left out; the one with addresses is taken first, and the others can be chosen.
func TestSheets(t *testing.T) {
	part := func(text string) func(func(string)) { return func(w func(string)) { w(text) } }
	cell := func(text string) string { return `<c t="inlineStr"><is><t>` + text + `</t></is></c>` }
	row := func(cells ...string) string {
		text := "<row>"
		for _, one := range cells {
			text += cell(one)
		}
		return text + "</row>"
	}
	file := sheetFile(t, map[string]func(func(string)){
		"xl/workbook.xml": part(`<workbook><sheets><sheet name="Old" state="hidden" r:id="rId1"/><sheet name="Cover" r:id="rId2"/><sheet name="Clients &amp; co" r:id="rId3"/>
			<sheet name="More" r:id="rId4"/></sheets></workbook>`),
		"xl/_rels/workbook.xml.rels": part(`<Relationships><Relationship Id='rId1' Target='worksheets/sheet1.xml'/><Relationship Id='rId2' Target='worksheets/sheet2.xml'/>
			<Relationship Id='rId3' Target='worksheets/sheet3.xml'/><Relationship Id='rId4' Target='/xl/worksheets/sheet4.xml'/></Relationships>`),
		"xl/worksheets/sheet1.xml": part(row("email") + row("hidden@x.org")),
		"xl/worksheets/sheet2.xml": part(row("Our clients") + row("2026")),
		"xl/worksheets/sheet3.xml": part(row("email", "name") + row("a@x.org", "Ann")),
		"xl/worksheets/sheet4.xml": part(row("email") + row("b@x.org") + row("c@x.org")),
	})
	if got := rowsOf(t, file); got != "a@x.org/Ann/Ann" {
		t.Errorf("%s", got)
	}
	read, err := readFile(bytes.NewReader(file), int64(len(file)))
	if err != nil || strings.Join(read.sheets, "|") != "Cover|Clients & co|More" {
		t.Errorf("%q, %v", read.sheets, err)
	}
	totals := map[int]int{}
	for line, err := range read.lines {
		if err != nil {
			t.Fatal(err)
		}
		totals[line.Sheet]++
	}
	if totals[0] != 2 || totals[1] != 2 || totals[2] != 3 {
		t.Errorf("%v", totals)
	}
}

// A formula without a value is a bad row where its column counts, and nothing elsewhere.
func TestFormulas(t *testing.T) {
	file := sheetFile(t, map[string]func(func(string)){"xl/worksheets/sheet1.xml": func(w func(string)) {
		w(`<row><c t="str"><v>email</v></c><c t="str"><v>name</v></c><c t="str"><v>points</v></c></row>
			<row><c><f>"ivan"&amp;"@example.com"</f></c><c t="str"><v>Ivan</v></c></row>
			<row><c t="str"><f>A1</f><v>a@x.org</v></c><c t="str"><f>""</f><v></v></c><c><f>1+1</f></c></row>
			<row><c t="str"><v>b@x.org</v></c><c t="e"><f>NA()</f><v>#N/A</v></c></row>
			<row><c t="str"><v>c@x.org</v></c><c><f t="shared" si="0"/></c></row>
			<row><c t="str"><f>"iv"&amp;"@example.com"</f></c></row><row><c><f>A1</f><v/></c></row>
			<row><c t="str"><v>d@x.org</v></c><c t="str"><f>""</f><v/></c></row>`)
	}})
	if got := rowsOf(t, file); got != "2: imports.row_formula\na@x.org\n4: imports.row_formula\n5: imports.row_formula\n6: imports.row_formula\n7: imports.row_formula\nd@x.org" {
		t.Errorf("%s", got)
	}
}

// Other programs' workbooks are refused in words.
func TestOtherBooks(t *testing.T) {
	for name, want := range map[string]string{"content.xml": "file: imports.file_other", "xl/workbook.bin": "file: imports.file_other", "Index/Document.iwa": "file: imports.file_other"} {
		file := sheetFile(t, map[string]func(func(string)){name: func(func(string)) {}})
		_, err := readFile(bytes.NewReader(file), int64(len(file)))
		if _, refused := errors.AsType[*domain.Error](err); !refused || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A page that unfolds costs no more than a list that does.
func TestTablesThatUnfold(t *testing.T) {
	for name, part := range map[string]string{
		"cells": "<td>", "rows": "<tr>", "wide cells": `<tr><td colspan="1000">x</td></tr>`, "far cells": `<Row><Cell ss:Index="1000"><Data>x</Data></Cell></Row>`,
		"open tags": "<", "open attributes": "<td a", "comments": "<!--", "entities": "&amp;", "hidden": "<style>", "breaks": "<tr><td>x<br>",
	} {
		t.Run(name, func(t *testing.T) {
			frugal(t, []byte("<table><tr><td>a@x.org"+strings.Repeat(part, 200_000/len(part))))
		})
	}
}
