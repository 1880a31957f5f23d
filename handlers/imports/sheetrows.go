package imports

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"html"
	"io"
	"slices"
	"strconv"
	"strings"

	"skychimp/domain"
)

// sheetMost is how many rows and cells are looked at.
const sheetMost = 10_000_000

var errEnough = errors.New("nobody asks for more")

// rows hands the rows of a sheet over that have any text (18.3.1.73), until take wants no more. The next row
// has its cells where the one before had them.
func (b *book) rows(sheet string, take func(domain.ImportLine) bool) error {
	row, count := 0, 0
	cells := make([]string, 0, 50)
	var c cell
	return b.each(sheet, func(p *part) (err error) {
		switch p.name {
		case "row":
			count++
			row, c.column, cells = numberOr(p.attr("r"), row+1), 0, cells[:0]
		case "c":
			count++
			c.begin(p)
		case "/c":
			if cells, err = b.put(cells, row, c.column, b.shown(&c)); err != nil {
				return err
			}
		case "/row":
			if !blank(cells) && !take(domain.ImportLine{Line: row, Cells: cells}) {
				return errEnough
			}
		default:
			c.read(p)
		}
		if count > sheetMost || b.left < 0 {
			return errUnfolds
		}
		return nil
	})
}

// cell is a cell while its tags are read.
type cell struct {
	column      int
	kind, style string
	value       []byte // still escaped
	formula     string
	formulas    bool // it has one
	valued      bool // it has a value, if an empty one
}

// begin makes it the next cell, which stands behind the one before unless its tag says where.
func (c *cell) begin(p *part) {
	*c = cell{column: columnOf(p.attr("r"), c.column+1), kind: p.attr("t"), style: p.attr("s"), value: c.value[:0]}
}

// read takes what stands inside of the cell: a formula, the value, or a part of a text.
func (c *cell) read(p *part) {
	switch p.name {
	case "f", "/f":
		c.formulas, c.formula = true, p.formula(c.formula)
	case "v":
		c.valued = true
	case "/v":
		c.value = append(c.value[:0], p.text...)
	case "/t":
		if len(c.value)+len(p.text) <= maxToken {
			c.value = append(c.value, p.text...)
		}
	}
}

// shown is the text of a cell that was read to its end.
func (b *book) shown(c *cell) string {
	text := b.value(c.kind, c.style, unescape(c.value))
	if c.formulas || c.kind == "e" {
		return c.ofFormula(text)
	}
	return text
}

// ofFormula is what a cell with a formula has: its value, or that there is none.
func (c *cell) ofFormula(text string) string {
	missing := text == "" && c.kind != "e" && (c.kind != "str" || !c.valued)
	if missing || c.kind == "e" && text != "" {
		return domain.FormulaCell(cmp.Or(text, "="+c.formula))
	}
	return text
}

// put puts a text into its column.
func (b *book) put(cells []string, row, column int, text string) ([]string, error) {
	if text == "" {
		return cells, nil
	}
	if column > domain.ImportMaxColumns {
		return cells, domain.Errorf(domain.Invalid, "file", "imports.columns_many", "Max", domain.ImportMaxColumns, "Line", row)
	}
	b.left -= int64(max(0, column-len(cells))) // what stands between takes room, too
	for len(cells) < column {
		cells = append(cells, "")
	}
	cells[column-1] = text
	return cells, nil
}

// formula is the text of a formula, "…" for one that stands in another cell.
func (p *part) formula(before string) string {
	if text := unescape(p.text); p.name == "/f" && text != "" {
		return text[:min(len(text), 200)]
	}
	return cmp.Or(before, "…")
}

func blank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return strings.TrimSpace(cell) != "" })
}

// value is what a cell's value stands for, by its kind (18.18.11).
func (b *book) value(kind, style, value string) string {
	switch kind {
	case "s":
		return b.shared(value)
	case "", "n":
		if value != "" {
			return b.number(value, style)
		}
	case "b":
		return map[string]string{"1": "TRUE", "0": "FALSE"}[value]
	}
	return value
}

func numberOr(text string, otherwise int) int {
	if text == "" { // no error is made for each of millions
		return otherwise
	}
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// columnOf is the number of a column, such as 28 for AB7.
func columnOf(reference string, otherwise int) int {
	n := 0
	for i := 0; i < len(reference) && i < 4 && reference[i] >= 'A' && reference[i] <= 'Z'; i++ {
		n = 26*n + int(reference[i]-'A') + 1
	}
	if n == 0 {
		return otherwise
	}
	return n
}

// columnName is the name of a column, such as AB for 28.
func columnName(n int) string {
	if n > 26 {
		return columnName((n-1)/26) + columnName((n-1)%26+1)
	}
	return string(rune('A' + n - 1))
}

// maxToken bounds a tag, and a text between two: a cell has at most 32,767 characters.
const maxToken = 256 << 10

// part is a part of the file, read tag by tag. What encoding/xml calls a token can be as long as the
// file unfolds to.
type part struct {
	from   *bufio.Reader
	name   string // of the tag, "/" before that of one that ends; without its namespace
	tag    []byte
	closed bool   // the tag has nothing between itself and its end
	text   []byte // what stood before the tag
}

// each calls do at every tag of a part.
func (b *book) each(name string, do func(*part) error) error {
	file := b.parts[partName(name)]
	if file == nil {
		return errBroken
	}
	if b.left -= int64(min(file.UncompressedSize64, sheetBytes+1)); b.left < 0 {
		return errUnfolds
	}
	content, err := file.Open()
	if err != nil {
		return err
	}
	defer content.Close()
	if b.from == nil {
		b.from = bufio.NewReaderSize(nil, maxToken)
	}
	b.from.Reset(content)
	p := part{from: b.from}
	for {
		if err := p.next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := do(&p); err != nil {
			return err
		}
	}
}

// next goes on to the next tag; comments and texts that are not escaped belong to the text before it.
func (p *part) next() error {
	p.text = p.text[:0]
	for {
		text, err := p.from.ReadSlice('<')
		if err != nil {
			return err // io.EOF behind the last tag
		}
		p.text = append(p.text, text[:len(text)-1]...)
		start, _ := p.from.Peek(8)
		switch {
		case len(p.text) > maxToken:
			return errBroken
		case bytes.HasPrefix(start, []byte("!--")):
			err = p.until("-->", func([]byte) {})
		case string(start) == "![CDATA[":
			_, _ = p.from.Discard(len(start))
			var inside []byte
			err = p.until("]]>", func(more []byte) { inside = append(inside, more...) })
			p.text = append(p.text, html.EscapeString(string(bytes.TrimSuffix(inside, []byte("]]>"))))...)
		default:
			return p.readTag()
		}
		if err != nil {
			return err
		}
	}
}

// until reads up to end, which a comment and a text may have; at most maxToken bytes.
func (p *part) until(end string, do func([]byte)) error {
	for size := 0; size <= maxToken; {
		more, err := p.from.ReadSlice('>')
		if err != nil {
			return errors.Join(errBroken, err)
		}
		size += len(more)
		if do(more); bytes.HasSuffix(more, []byte(end)) {
			return nil
		}
	}
	return errBroken
}

// readTag reads on to the end of a tag, which no quoted > is.
func (p *part) readTag() error {
	p.tag = p.tag[:0]
	for len(p.tag) == 0 || bytes.Count(p.tag, []byte(`"`))%2 != 0 {
		more, err := p.from.ReadSlice('>')
		if err != nil || len(p.tag)+len(more) > maxToken {
			return errors.Join(errBroken, err)
		}
		p.tag = append(p.tag, more...)
	}
	p.tag = p.tag[:len(p.tag)-1]
	p.closed = bytes.HasSuffix(p.tag, []byte("/"))
	p.name = p.tagName()
	return nil
}

// tagName is the name of a tag that means something here, without its namespace.
func (p *part) tagName() string {
	name, ends := bytes.CutPrefix(p.tag, []byte("/"))
	start, end := 0, 0
	for end < len(name) && name[end] > ' ' && name[end] != '/' {
		if end++; name[end-1] == ':' {
			start = end
		}
	}
	i := slices.IndexFunc(tags, func(tag string) bool { return tag == string(name[start:end]) })
	switch {
	case i < 0:
		return ""
	case ends:
		return tagEnds[i]
	}
	return tags[i]
}

// tags are those that mean something here, the frequent ones first, and tagEnds their ends: no memory is taken
// for millions of names.
var (
	tags    = []string{"c", "v", "t", "row", "f", "si", "xf", "rPh", "sheet", "numFmt", "cellXfs", "workbookPr", "Relationship"}
	tagEnds = []string{"/c", "/v", "/t", "/row", "/f", "/si", "/xf", "/rPh", "/sheet", "/numFmt", "/cellXfs", "/workbookPr", "/Relationship"}
)

// attr is the value of an attribute, whatever its namespace.
func (p *part) attr(name string) string {
	rest := p.tag
	for len(rest) > len(name)+2 {
		at := bytes.Index(rest, []byte(name))
		if at < 0 {
			return ""
		}
		value, is := bytes.CutPrefix(rest[at+len(name):], []byte("="))
		if is && at > 0 && bytes.IndexByte([]byte(" \t\r\n:"), rest[at-1]) >= 0 && len(value) > 0 {
			quoted, _, _ := bytes.Cut(value[1:], value[:1]) // by " or '
			return html.UnescapeString(string(quoted))
		}
		rest = value
	}
	return ""
}
