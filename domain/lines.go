package domain

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ImportLine is one record of a file. Line is where it starts, from 1; Problem is the locale
// key of what makes it unreadable, else "".
type ImportLine struct {
	Line    int
	Problem string
	Sheet   int // of a workbook, from 0
	Cells   []string
}

// What one missing quote can swallow: bytes, and other quotes, alone and in pairs. A comment of quotes
// alone, as we export it, is less.
const maxRecord, maxQuotes, maxPairs = 32 << 10, 500, 5100

// How many records of a file may have a missing quote before little is looked at for each more.
const maxUnclosed, fewQuotes = 100, 10

// window is how much of a list is held at once while it is read.
const window, windowMost = 512 << 10, 4 << 20

// SplitCSV reads text as RFC 4180 has it, with any separator, and takes quotes that stand in the wrong place as
// letters. A quote that is never closed costs its own line only. Empty lines are left out. The cells of a line are
// not kept from one to the next, and neither is the text.
func SplitCSV(from io.Reader, comma byte) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		s := splitter{from: from, comma: comma}
		for {
			line, err := s.next()
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(ImportLine{}, err)
				return
			}
			if strings.TrimSpace(strings.Join(line.Cells, "")) != "" && !yield(line, nil) {
				return
			}
		}
	}
}

// splitter reads records through a window.
type splitter struct {
	from     io.Reader
	comma    byte
	text     string // what is read, and in no record yet
	ended    bool   // text has the end of the list
	line     int
	unclosed int
}

func (s *splitter) more() error {
	next := make([]byte, window)
	n, err := io.ReadFull(s.from, next)
	s.text += string(next[:n])
	s.ended = err != nil
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return err
}

func (s *splitter) next() (ImportLine, error) {
	if s.line == 0 {
		s.line = 1
	}
	for {
		if !s.ended && len(s.text) < 2*maxRecord {
			if err := s.more(); err != nil {
				return ImportLine{}, err
			}
		}
		if s.text == "" {
			return ImportLine{}, io.EOF
		}
		record := ImportLine{Line: s.line}
		cells, size := splitRecord(s.text, s.comma, s.unclosed < maxUnclosed)
		whole := size
		if record.Cells = cells; size == 0 {
			if size = strings.IndexByte(s.text, '\n') + 1; size == 0 {
				size = len(s.text)
			}
			whole = size
			record.Problem = "imports.row_quote"
			record.Cells = strings.Split(strings.TrimRight(s.text[:size], "\r\n"), string(s.comma))
		}
		if whole == len(s.text) && !s.ended && len(s.text) < windowMost { // it may go on
			if err := s.more(); err != nil {
				return ImportLine{}, err
			}
			continue
		}
		if record.Problem != "" {
			s.unclosed++
		}
		s.line += strings.Count(s.text[:size], "\n")
		s.text = s.text[size:]
		return record, nil
	}
}

// splitRecord reads one record and tells its size in bytes, 0 when a quote stays open.
func splitRecord(text string, comma byte, patient bool) (cells []string, size int) {
	ends := string(comma) + "\n"
	for rest := text; ; {
		var cell string
		if strings.HasPrefix(rest, `"`) {
			length := 0
			if cell, length = splitQuoted(rest, comma, patient); length == 0 {
				return nil, 0
			}
			rest = rest[length:]
		} else {
			end := strings.IndexAny(rest, ends)
			if end < 0 {
				end = len(rest)
			}
			cell, rest = strings.TrimSuffix(rest[:end], "\r"), rest[end:]
		}
		cells = append(cells, cell)
		if rest == "" || rest[0] == '\n' {
			return cells, len(text) - len(strings.TrimPrefix(rest, "\n"))
		}
		rest = rest[1:]
	}
}

var unquote = strings.NewReplacer(`""`, `"`, "\r\n", "\n")

// splitQuoted reads a cell in quotes and tells its length, with the quotes and a CR behind
// them; 0 when it has no end. In "LLC "Daisy"" the quotes inside are not doubled: after one that stands alone, two
// before the end of a cell are its own and the cell's.
func splitQuoted(text string, comma byte, patient bool) (cell string, length int) {
	at, mostQuotes, mostPairs := 1, maxQuotes, maxPairs
	if !patient {
		mostQuotes, mostPairs = fewQuotes, fewQuotes
	}
	for quotes, pairs := 0, 0; quotes < mostQuotes && pairs < mostPairs; quotes++ {
		next := strings.IndexByte(text[at:max(at, min(len(text), maxRecord))], '"')
		if next < 0 {
			break
		}
		end := at + next
		at = end + 1
		after := text[at:]
		if rest, paired := strings.CutPrefix(after, `"`); paired {
			if at++; quotes%2 == 0 || !endsCell(rest, comma) {
				pairs++
				quotes--
				continue
			}
			end, after = end+1, rest
		}
		switch {
		case strings.HasPrefix(after, "\r\n"):
			at++
		case !endsCell(after, comma):
			continue
		}
		return unquote.Replace(text[1:end]), at
	}
	return "", 0
}

// endsCell reports whether a cell ends before this text.
func endsCell(text string, comma byte) bool {
	return text == "" || text[0] == comma || text[0] == '\n' || strings.HasPrefix(text, "\r\n")
}

// GuessComma finds the separator that splits the most of the first lines into the same number of cells, whatever
// stands above them. A first line `sep=;`, which Excel understands, decides and is cut off.
func GuessComma(text string) (comma byte, rest string) {
	if first, after, _ := strings.Cut(text, "\n"); strings.HasPrefix(first, "sep=") && len(strings.TrimSpace(first)) == 5 {
		return first[4], after
	}
	best := 0
	comma = ','
	for _, candidate := range []byte{';', ',', '\t', '|'} {
		lines, widths := 0, map[int]int{}
		for record, torn := range SplitCSV(strings.NewReader(text[:min(len(text), maxRecord)]), candidate) {
			if lines++; lines > 20 || torn != nil {
				break
			}
			widths[len(record.Cells)]++
		}
		for width, times := range widths {
			if score := times * (100 + width); width > 1 && score > best {
				best, comma = score, candidate
			}
		}
	}
	return comma, text
}

// What a list may have: text, which a small compressed file can grow to, and lines in one part of it.
const (
	maxUnpacked = 4 * ImportMaxBytes
	partLines   = 10_000
	firstSheets = 20
)

// ImportFirstLines is how many lines of a sheet are looked at to guess what its columns mean.
const ImportFirstLines = 200

// PackedImport is what a list has, as it was kept.
type PackedImport struct {
	Total  int
	Sheets []ImportSheet  // lines of each, in their order
	First  [][]ImportLine // some of each
}

// PackImport hands lines, however they came, to keep in parts of one compact form: gzip of CSV whose first two
// columns are the line's number and problem. It keeps no cells of a line that it has gone on from.
func PackImport(lines iter.Seq2[ImportLine, error], keep func(part []byte) error) (p PackedImport, err error) {
	pack := packer{keep: keep}
	for line, err := range lines {
		if err != nil {
			return p, err
		}
		if len(line.Cells) > ImportMaxColumns {
			return p, Errorf(Invalid, "file", "imports.columns_many", "Max", ImportMaxColumns, "Line", line.Line)
		}
		if p.Total++; p.Total > ImportMaxRows+1 { // one may be the header
			return p, Errorf(Invalid, "file", "imports.rows_many", "Max", ImportMaxRows)
		}
		for len(p.Sheets) <= line.Sheet {
			p.Sheets, p.First = append(p.Sheets, ImportSheet{}), append(p.First, nil)
		}
		p.Sheets[line.Sheet].Total++
		if first := p.First[line.Sheet]; len(first) < ImportFirstLines && line.Sheet < firstSheets {
			p.First[line.Sheet] = append(first, ImportLine{line.Line, line.Problem, line.Sheet, slices.Clone(line.Cells)})
		}
		if err := pack.add(line); err != nil {
			return p, err
		}
	}
	if p.Total == 0 {
		return p, Errorf(Invalid, "file", "imports.file_empty")
	}
	return p, pack.end()
}

// packer writes one part after the other.
type packer struct {
	keep    func(part []byte) error
	out     bytes.Buffer
	packed  *gzip.Writer
	records *csv.Writer
	record  []string
	lines   int // in this part
	size    int // of all
}

func (p *packer) add(line ImportLine) error {
	if p.packed == nil {
		p.packed, _ = gzip.NewWriterLevel(&p.out, gzip.BestSpeed) // which is a level
		p.records = csv.NewWriter(p.packed)
	}
	number := strconv.Itoa(line.Line)
	if line.Sheet > 0 {
		number = strconv.Itoa(line.Sheet) + ":" + number
	}
	for _, cell := range line.Cells {
		p.size += len(cell)
	}
	if p.size > maxUnpacked {
		return Errorf(Invalid, "file", "imports.file_large", "Max", ImportMaxBytes>>20)
	}
	p.record = append(append(p.record[:0], number, line.Problem), line.Cells...)
	if err := p.records.Write(p.record); err != nil {
		return err
	}
	if p.lines++; p.lines < partLines {
		return nil
	}
	return p.end()
}

// end hands over what is left.
func (p *packer) end() error {
	if p.lines == 0 {
		return nil
	}
	p.records.Flush()
	if err := errors.Join(p.records.Error(), p.packed.Close()); err != nil {
		return err
	}
	err := p.keep(p.out.Bytes())
	p.out.Reset()
	p.packed.Reset(&p.out)
	p.lines = 0
	return err
}

// ForgetAddress is a part of a list without an address, in whatever case, for which mark stands then; found is false
// where it has none. It keeps as many lines as it has.
func ForgetAddress(part []byte, address, mark string) (without []byte, found bool, err error) {
	pattern := regexp.MustCompile("(?i)" + regexp.QuoteMeta(address))
	pack := packer{keep: func(part []byte) error {
		without = bytes.Clone(part)
		return nil
	}}
	for line, err := range UnpackImport(part) {
		if err != nil {
			return nil, false, err
		}
		for i, cell := range line.Cells {
			if pattern.MatchString(cell) {
				found, line.Cells[i] = true, pattern.ReplaceAllLiteralString(cell, mark)
			}
		}
		if err := pack.add(line); err != nil {
			return nil, false, err
		}
	}
	return without, found, pack.end()
}

// UnpackImport gives the lines of a part back.
func UnpackImport(content []byte) iter.Seq2[ImportLine, error] {
	return func(yield func(ImportLine, error) bool) {
		packed, err := gzip.NewReader(bytes.NewReader(content))
		if err != nil {
			yield(ImportLine{}, err)
			return
		}
		records := csv.NewReader(packed)
		records.FieldsPerRecord = -1
		for {
			record, err := records.Read()
			if errors.Is(err, io.EOF) {
				return
			}
			var line ImportLine
			if err == nil {
				line = ImportLine{Problem: record[1], Cells: record[2:]}
				number := record[0]
				if sheet, behind, of := strings.Cut(number, ":"); of {
					number = behind
					line.Sheet, err = strconv.Atoi(sheet)
				}
				if err == nil {
					line.Line, err = strconv.Atoi(number)
				}
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}
