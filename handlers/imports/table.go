package imports

import (
	"errors"
	"io"
	"iter"
	"strconv"
	"strings"

	"golang.org/x/net/html"

	"skychimp/domain"
)

// What one token of a table may have, and how many there may be of a file that is many tags.
const (
	tableToken  = 256 << 10
	tableTokens = 50_000_000
)

// tableLines are the rows of the tables in HTML, or of the first sheet of a spreadsheet in XML that has any: what
// many programs call XLS.
func tableLines(text io.Reader) iter.Seq2[domain.ImportLine, error] {
	return func(yield func(domain.ImportLine, error) bool) {
		t := table{tokens: html.NewTokenizer(text)}
		t.tokens.SetMaxBuf(tableToken)
		for count := 0; ; count++ {
			kind := t.tokens.Next()
			if kind == html.ErrorToken || count > tableTokens {
				if err := t.tokens.Err(); !errors.Is(err, io.EOF) || count > tableTokens {
					yield(domain.ImportLine{}, domain.Errorf(domain.Invalid, "file", "imports.file_table"))
				} else if t.line == 0 {
					yield(domain.ImportLine{}, domain.Errorf(domain.Invalid, "file", "imports.file_table"))
				} else if t.ends() {
					yield(domain.ImportLine{Line: t.line, Cells: t.cells}, nil)
				}
				return
			}
			if done := t.take(kind); done && !yield(domain.ImportLine{Line: t.line, Cells: t.cells}, nil) {
				return
			}
			if t.wide {
				yield(domain.ImportLine{}, domain.Errorf(domain.Invalid, "file", "imports.columns_many", "Max", domain.ImportMaxColumns, "Line", t.line))
				return
			}
			if t.over {
				return
			}
		}
	}
}

// table reads rows, token by token.
type table struct {
	tokens *html.Tokenizer
	line   int
	cells  []string // of the last row
	next   []string // of the row that is being read
	cell   strings.Builder
	in     bool   // a cell
	wait   int    // columns that the cell goes over
	hidden string // the element whose text is none
	row    bool
	over   bool // the sheet has ended
	beyond bool // the row has a text in a column that is too many
	wide   bool
}

// take reads a token; done is true when a row has ended that has any text.
func (t *table) take(kind html.TokenType) (done bool) {
	switch kind {
	case html.TextToken:
		if t.in && t.hidden == "" && t.cell.Len() < tableToken {
			t.cell.Write(t.tokens.Text())
		}
	case html.StartTagToken, html.SelfClosingTagToken:
		name, attributes := t.tokens.TagName()
		return t.start(string(name), attributes, kind == html.SelfClosingTagToken)
	case html.EndTagToken:
		name, _ := t.tokens.TagName()
		return t.end(string(name))
	}
	return false
}

func (t *table) start(name string, attributes, closed bool) (done bool) {
	switch name {
	case "tr", "row":
		done = t.ends()
		t.row = true
		t.line++
	case "td", "th", "cell":
		t.endCell()
		at, span := t.span(attributes)
		for len(t.next) < at-1 && len(t.next) < domain.ImportMaxColumns {
			t.next = append(t.next, "")
		}
		t.in, t.wait = !closed, span-1
		if closed && len(t.next) <= domain.ImportMaxColumns {
			t.next = append(t.next, "")
		}
	case "br", "p", "div":
		if t.in && t.cell.Len() > 0 {
			t.cell.WriteByte('\n')
		}
	case "style", "script", "title", "comment":
		if !closed {
			t.hidden = name
		}
	}
	return done
}

func (t *table) end(name string) (done bool) {
	switch name {
	case t.hidden:
		t.hidden = ""
	case "td", "th", "cell":
		t.endCell()
	case "tr", "row", "table":
		return t.ends()
	case "worksheet":
		done = t.ends()
		t.over = t.line > 0
	}
	return done
}

// span is the column that the cell says to stand in, 0 where it doesn't, and over how many it goes.
func (t *table) span(attributes bool) (at, span int) {
	span = 1
	for attributes {
		var name, value []byte
		name, value, attributes = t.tokens.TagAttr()
		n, err := strconv.Atoi(string(value))
		if err != nil || n < 1 {
			continue
		}
		switch string(name) {
		case "ss:index", "index":
			at = n
		case "colspan":
			span = n
		case "ss:mergeacross", "mergeacross":
			span = n + 1
		}
	}
	return at, min(span, domain.ImportMaxColumns)
}

func (t *table) endCell() {
	if !t.in {
		return
	}
	text := strings.TrimSpace(strings.ReplaceAll(t.cell.String(), "\u00a0", " "))
	t.cell.Reset()
	if len(t.next) <= domain.ImportMaxColumns { // a few bytes may ask for many columns
		t.next = append(t.next, text)
	} else if text != "" {
		t.beyond = true
	}
	for ; t.wait > 0 && len(t.next) <= domain.ImportMaxColumns; t.wait-- {
		t.next = append(t.next, "")
	}
	t.in, t.hidden = false, ""
}

// ends ends the row; it reports whether that has any text.
func (t *table) ends() bool {
	t.endCell()
	if !t.row {
		return false
	}
	for len(t.next) > 0 && t.next[len(t.next)-1] == "" {
		t.next = t.next[:len(t.next)-1]
	}
	t.row, t.wide = false, t.beyond || len(t.next) > domain.ImportMaxColumns
	t.cells, t.next = t.next, t.cells[:0]
	return !blank(t.cells) && !t.wide
}
