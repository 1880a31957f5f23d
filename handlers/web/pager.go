package web

import (
	"net/url"
	"strconv"

	"skychimp/db"
)

// Pager is the block ui/pager; Previous and Next are addresses, "" at the ends.
type Pager struct{ Previous, Next, Text string }

// ListPage is the page of a list that the address asks for: `page` is its number, `after` or `before` names the row that
// it stands beside, so that a far page is found as fast as the first.
func (r *Request) ListPage() db.Page {
	return db.Page{Number: max(1, r.QueryInt("page", 1)), After: db.ParseCursor(r.Query("after")), Before: db.ParseCursor(r.Query("before"))}
}

// Pager leads from one page of a list to the next, with the address's other parameters kept.
// Pages count from 1.
func (r *Request) Pager(page, pages int) Pager {
	return Pager{r.toPage(page-1, pages, "", nil), r.toPage(page+1, pages, "", nil), r.Viewer.T("frame.page_of", "Page", page, "Pages", pages)}
}

// nearPages are counted to: that costs nothing, and their addresses stay plain.
const nearPages = 20

// toPage is the address of a page, "" when there is none.
func (r *Request) toPage(page, pages int, side string, row db.Cursor) string {
	query, err := url.ParseQuery(string(r.Request().URI().QueryString()))
	if err != nil || page < 1 || page > pages {
		return ""
	}
	query.Del("after")
	query.Del("before")
	query.Set("page", strconv.Itoa(page))
	if page > nearPages && len(row) > 0 {
		query.Set(side, row.String())
	}
	return r.Path() + "?" + query.Encode()
}

// ListPager leads through a list of so many rows in all, or db.Uncounted, of which the page shows rows; cursor is the
// place of the n-th of them, nil for a list that knows places by their number.
func (r *Request) ListPager(page db.Page, total, rows int, cursor func(n int) db.Cursor) Pager {
	if total == db.Uncounted {
		return r.OpenPager(page, rows == db.PageSize, rows, cursor)
	}
	pages := db.LastPage(total)
	return r.listPager(min(page.Number, pages), pages, rows, cursor, r.Viewer.T("frame.page_of", "Page", min(page.Number, pages), "Pages", pages))
}

// OpenPager is ListPager of a list whose end is not known; more tells whether the page is not the last.
func (r *Request) OpenPager(page db.Page, more bool, rows int, cursor func(n int) db.Cursor) Pager {
	pages := page.Number
	if more {
		pages++
	}
	return r.listPager(page.Number, pages, rows, cursor, r.Viewer.T("frame.page", "Page", page.Number))
}

func (r *Request) listPager(page, pages, rows int, cursor func(n int) db.Cursor, text string) Pager {
	var first, last db.Cursor
	if rows > 0 && cursor != nil {
		first, last = cursor(0), cursor(rows-1)
	}
	return Pager{r.toPage(page-1, pages, "before", first), r.toPage(page+1, pages, "after", last), text}
}

// Found says how many a list has, by a key with plural forms.
func (v Viewer) Found(key string, total int) string {
	if total == db.Uncounted {
		return v.T("frame.found_more", "Max", db.CountMost)
	}
	return v.TN(key, total)
}
