package imports

import (
	"archive/zip"
	"bufio"
	"bytes"
	"errors"
	"html"
	"io"
	"math"
	"path"
	"strconv"
	"strings"
	"time"

	"skychimp/domain"
)

// What an XLSX file may unfold to: bytes of the parts that are read, which the ZIP's directory tells and its
// reader holds them to, with those of the texts that cells share, each time they do. Spreadsheets compress to
// a tenth, with much repeated to a fortieth.
const (
	sheetBytes  = 256 << 20
	sheetLeast  = 8 << 20 // also of a small file
	sheetGrowth = 40      // times the file's own size
	sharedText  = 64 << 20
	sharedMost  = 2_000_000
	sheetsMost  = 100
)

var (
	errBroken  = domain.Errorf(domain.Invalid, "file", "imports.file_broken")
	errUnfolds = domain.Errorf(domain.Invalid, "file", "imports.file_unfolds")
)

// book is an XLSX file, a ZIP of XML parts (ECMA-376, part 1, 18). Only what cells need is read of it, part
// after part, without ever holding one.
type book struct {
	parts map[string]*zip.File
	from  *bufio.Reader
	left  int64 // bytes that may still be unpacked
	text  strings.Builder
	ends  []uint32 // where in text each shared text ends
	dates []bool   // by style: its numbers are points in time
	epoch time.Time
}

// sheet is one of a workbook that can be seen.
type sheet struct{ name, part string }

// openBook reads what all sheets of a workbook share; the rows of each come when they are asked for.
func openBook(file io.ReaderAt, size int64) (listFile, error) {
	b := book{left: min(sheetBytes, max(sheetLeast, sheetGrowth*size))}
	sheets, err := b.open(file, size)
	if err != nil {
		return listFile{}, brokenOr(err)
	}
	read := listFile{lines: func(yield func(domain.ImportLine, error) bool) {
		for i, one := range sheets {
			err := b.rows(one.part, func(line domain.ImportLine) bool {
				line.Sheet = i
				return yield(line, nil)
			})
			if errors.Is(err, errEnough) {
				return
			}
			if err != nil {
				yield(domain.ImportLine{}, brokenOr(err))
				return
			}
		}
	}}
	for _, one := range sheets {
		read.sheets = append(read.sheets, one.name)
	}
	return read, nil
}

func brokenOr(err error) error {
	if _, refused := errors.AsType[*domain.Error](err); refused {
		return err
	}
	return errBroken
}

// open reads what all sheets share, and names those that can be seen in their order.
func (b *book) open(file io.ReaderAt, size int64) ([]sheet, error) {
	archive, err := zip.NewReader(file, size)
	if err != nil {
		return nil, err
	}
	b.parts = map[string]*zip.File{}
	for _, file := range archive.File {
		b.parts[partName(file.Name)] = file
	}
	if other := otherBook(b.parts); other != nil {
		return nil, other
	}
	targets, err := b.readTargets()
	if err != nil {
		return nil, err
	}
	sheets, err := b.readWorkbook(targets)
	if len(sheets) == 0 {
		err = errors.Join(err, errBroken)
	}
	if err := errors.Join(err, b.readStyles(), b.readShared()); err != nil {
		return nil, err
	}
	return sheets, nil
}

// readTargets finds the parts that the workbook refers to, by the ids it has for them.
func (b *book) readTargets() (map[string]string, error) {
	targets := map[string]string{}
	err := b.each("xl/_rels/workbook.xml.rels", func(p *part) error {
		if p.name == "Relationship" && len(targets) < 10_000 {
			target := p.attr("Target")
			if !strings.HasPrefix(target, "/") {
				target = "xl/" + target
			}
			targets[p.attr("Id")] = path.Clean(strings.TrimPrefix(target, "/"))
		}
		return nil
	})
	return targets, err
}

// readWorkbook reads from which day on dates are counted, and lists the sheets that can be seen; where there are
// none, the hidden ones.
func (b *book) readWorkbook(targets map[string]string) (sheets []sheet, err error) {
	var hidden []sheet
	b.epoch = time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
	err = b.each("xl/workbook.xml", func(p *part) error {
		switch p.name {
		case "workbookPr":
			if on := p.attr("date1904"); on == "1" || on == "true" {
				b.epoch = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
			}
		case "sheet":
			id := p.attr("id")
			one := sheet{p.attr("name"), targets[id]}
			if one.part == "" || len(sheets)+len(hidden) == sheetsMost {
				return nil
			}
			delete(targets, id) // each is read once
			if state := p.attr("state"); state == "hidden" || state == "veryHidden" {
				hidden = append(hidden, one)
			} else {
				sheets = append(sheets, one)
			}
		}
		return nil
	})
	if len(sheets) == 0 {
		sheets = hidden
	}
	return sheets, err
}

func partName(name string) string { return strings.ToLower(strings.ReplaceAll(name, `\`, "/")) }

// readShared keeps the texts that cells share.
func (b *book) readShared() error {
	const name = "xl/sharedStrings.xml"
	file := b.parts[partName(name)]
	if file == nil {
		return nil
	}
	if file.UncompressedSize64 <= uint64(b.left) { // else each refuses it
		b.text.Grow(int(min(file.UncompressedSize64, sharedText)))
		b.ends = make([]uint32, 0, file.UncompressedSize64/uint64(len("<si/>")))
	}
	sounds := false // how to pronounce the text
	return b.each(name, func(p *part) error {
		switch p.name {
		case "rPh", "/rPh":
			sounds = p.name == "rPh"
		case "/t":
			if !sounds {
				b.text.WriteString(unescape(p.text))
			}
		}
		if p.name == "/si" || p.name == "si" && p.closed {
			b.ends = append(b.ends, uint32(b.text.Len()))
		}
		if b.text.Len() > sharedText || len(b.ends) > sharedMost {
			return errUnfolds
		}
		return nil
	})
}

// shared is the text of a number, as a cell has it.
func (b *book) shared(number string) string {
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= len(b.ends) {
		return ""
	}
	start := uint32(0)
	if i > 0 {
		start = b.ends[i-1]
	}
	b.left -= int64(b.ends[i] - start)
	return b.text.String()[start:b.ends[i]]
}

// readStyles finds the styles that make a number a date (18.8.30).
func (b *book) readStyles() error {
	if b.parts["xl/styles.xml"] == nil {
		return nil
	}
	formats, cells := map[string]bool{}, false
	for _, known := range []string{"14", "15", "16", "17", "18", "19", "20", "21", "22", "45", "46", "47"} {
		formats[known] = true
	}
	return b.each("xl/styles.xml", func(p *part) error {
		switch p.name {
		case "numFmt":
			if len(formats) < 10_000 {
				formats[p.attr("numFmtId")] = datesFormat(p.attr("formatCode"))
			}
		case "cellXfs", "/cellXfs":
			cells = p.name == "cellXfs"
		case "xf":
			if cells {
				b.dates = append(b.dates, formats[p.attr("numFmtId")])
			}
		}
		return nil
	})
}

// datesFormat reports whether a number format shows a point in time: it has a letter of one outside of
// quotes and brackets.
func datesFormat(code string) bool {
	var until byte
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; {
		case until != 0:
			if code[i] == until {
				until = 0
			}
		case code[i] == '"':
			until = '"'
		case code[i] == '[':
			until = ']'
		case code[i] == '\\':
			i++
		case strings.IndexByte("ymdhs", c) >= 0:
			return true
		}
	}
	return false
}

// number is a number as people write it: a date where the style says so, and never an exponent. A
// spreadsheet counts days, and shows 15 digits.
func (b *book) number(text, style string) string {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(value, 0) || math.IsNaN(value) || math.Abs(value) > 1e15 {
		return text
	}
	if i, err := strconv.Atoi(style); err == nil && i >= 0 && i < len(b.dates) && b.dates[i] && value >= 0 && value < 3e6 {
		days, part := math.Modf(value)
		at := b.epoch.AddDate(0, 0, int(days)).Add(time.Duration(math.Round(part*24*60*60)) * time.Second)
		switch {
		case part == 0:
			return at.Format(time.DateOnly)
		case days == 0:
			return at.Format("15:04")
		}
		return at.Format("2006-01-02 15:04")
	}
	value, _ = strconv.ParseFloat(strconv.FormatFloat(value, 'g', 15, 64), 64)
	return strconv.FormatFloat(value, 'f', -1, 64)
}

// unescape is the text between tags.
func unescape(text []byte) string {
	if !bytes.ContainsAny(text, "&_") {
		return string(text)
	}
	return strings.ReplaceAll(html.UnescapeString(string(text)), "_x000D_", "")
}
