package db

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
)

// PageSize is the number of rows of a list's page.
const PageSize = 25

// CountMost is how far a list is counted that nothing keeps the length of; the total of a longer one is Uncounted.
const (
	CountMost = 10_000
	Uncounted = -1
)

// Page says which rows of a list are asked for. Beside a row they are found in an index, however far that is; by the
// number alone they are counted to, and beyond the last page of a list of known length that page is answered.
type Page struct {
	Number        int // from 1
	After, Before Cursor
}

// PageOf is the page of a number.
func PageOf(number int) Page { return Page{Number: number} }

// Cursor is a row's place in the order of its list: the columns that it is sorted by, times in microseconds.
type Cursor []int64

func (c Cursor) String() string {
	texts := make([]string, len(c))
	for i, n := range c {
		texts[i] = strconv.FormatInt(n, 10)
	}
	return strings.Join(texts, "-")
}

// ParseCursor reads what String wrote, nil when it is nothing such.
func ParseCursor(text string) (c Cursor) {
	for one := range strings.SplitSeq(text, "-") {
		n, err := strconv.ParseInt(one, 10, 64)
		if err != nil {
			return nil
		}
		c = append(c, n)
	}
	return c
}

// beside is the row of the page's cursor, if it has one for so many columns; back asks for what stands before it.
func (p Page) beside(columns int) (row Cursor, back bool) {
	switch {
	case len(p.Before) == columns:
		return p.Before, true
	case len(p.After) == columns:
		return p.After, false
	}
	return nil, false
}

// newest narrows found to the page, of a list that is sorted by the columns, the largest first. Within the page rows
// may come in either order.
func (p Page) newest(found *bun.SelectQuery, total int, columns ...string) *bun.SelectQuery {
	return p.narrow(found, total, true, columns)
}

// oldest is newest of a list that begins with the smallest.
func (p Page) oldest(found *bun.SelectQuery, total int, columns ...string) *bun.SelectQuery {
	return p.narrow(found, total, false, columns)
}

func (p Page) narrow(found *bun.SelectQuery, total int, down bool, columns []string) *bun.SelectQuery {
	row, back := p.beside(len(columns))
	length := PageSize
	if row == nil {
		start := pageStart(p.Number, total)
		if back = total != Uncounted && start > total/2; back { // counted from the nearer end
			length = min(PageSize, total-start)
			start = total - start - length
		}
		found.Offset(int64(start))
	}
	direction, sign := " ASC", " > "
	if down != back {
		direction, sign = " DESC", " < "
	}
	if row != nil {
		values := make([]any, len(row))
		for i, n := range row {
			if values[i] = n; strings.HasSuffix(columns[i], "_at") {
				values[i] = time.UnixMicro(n)
			}
		}
		found.Where("("+strings.Join(columns, ", ")+")"+sign+"("+strings.TrimPrefix(strings.Repeat(", ?", len(row)), ", ")+")", values...)
	}
	for _, column := range columns {
		found.OrderExpr(column + direction)
	}
	return found.Limit(int64(length))
}

// countOf counts what found finds, as far as CountMost.
func countOf(ctx context.Context, db *DB, found *bun.SelectQuery) (total int, err error) {
	n, err := db.pg.Bun.NewSelect().TableExpr("(?) AS found", found.Limit(CountMost+1)).Count(ctx)
	if n > CountMost {
		return Uncounted, nil
	}
	return int(n), postgres.TranslateError(err)
}

// offset is where a page of a list starts; page counts from 1, and anybody can ask for any.
func offset(page int) int64 { return PageSize * int64(min(max(page, 1), 1<<40)-1) }

// pageStart is offset for a list of known length: beyond its end it is the last page's.
func pageStart(page, total int) int {
	if total != Uncounted {
		page = min(page, LastPage(total))
	}
	return int(offset(page))
}

// LastPage is the number of the last page of a list, at least 1.
func LastPage(total int) int { return max(1, (total+PageSize-1)/PageSize) }
