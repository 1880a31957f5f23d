package web

import (
	"net/url"
	"slices"
	"strconv"

	"skychimp/db"
	"skychimp/templates"
)

// Pager is the block ui/pager; Previous and Next are addresses, "" at the ends.
type Pager struct {
	Previous, Next, Text string

	Page, Pages int // Pages is 0 where any page is a step or two away, or nobody knows the last
	Path        string
	Keep        []templates.Option // the address's other parameters
}

// manyPages is from how many on a page can be asked for by its number.
const manyPages = 4

// numbered lets the pager ask for a page by its number.
func (r *Request) numbered(p Pager, page, pages int) Pager {
	if pages < manyPages {
		return p
	}
	p.Page, p.Pages, p.Path = page, pages, r.Path()
	for name, value := range r.Ctx.Request().URI().QueryArgs().All() {
		if !slices.Contains([]string{"page", "after", "before"}, string(name)) && len(value) > 0 {
			p.Keep = append(p.Keep, templates.Option{Label: string(name), Value: string(value)})
		}
	}
	return p
}

// ListPage is the page of a list that the address asks for: `page` is its number, `after` or `before` names the row that
// it stands beside, so that a far page is found as fast as the first.
func (r *Request) ListPage() db.Page {
	return db.Page{Number: max(1, r.QueryInt("page", 1)), After: db.ParseCursor(r.Query("after")), Before: db.ParseCursor(r.Query("before"))}
}

// Pager leads from one page of a list to the next, with the address's other parameters kept.
// Pages count from 1.
func (r *Request) Pager(page, pages int) Pager {
	return r.numbered(Pager{Previous: r.toPage(page-1, pages, "", nil), Next: r.toPage(page+1, pages, "", nil),
		Text: r.Viewer.T("frame.page_of", "Page", page, "Pages", pages)}, page, pages)
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
	number := min(page.Number, pages)
	return r.numbered(r.listPager(number, pages, rows, cursor, r.Viewer.T("frame.page_of", "Page", number, "Pages", pages)), number, pages)
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
	return Pager{Previous: r.toPage(page-1, pages, "before", first), Next: r.toPage(page+1, pages, "after", last), Text: text}
}

// Found says how many a list has, by a key with plural forms.
func (v Viewer) Found(key string, total int) string {
	if total == db.Uncounted {
		return v.T("frame.found_more", "Max", db.CountMost)
	}
	return v.TN(key, total)
}

// Head is the head of a column, block ui/head: Href sorts the list by it, "" where that can't be.
type Head struct {
	Label, Href string
	Sorted      string // ascending, descending or ""
	Number      bool
}

// Heads are the heads of a table's columns: name and key of its text in turn; a column without a name is not sorted
// by. Names in down begin with the largest. What is asked for is sorted, or "".
func (r *Request) Heads(sorted string, down []string, columns ...string) (heads []Head) {
	for i := 0; i+1 < len(columns); i += 2 {
		name, head := columns[i], Head{Label: r.Viewer.T(columns[i+1])}
		if name != "" {
			query, err := url.ParseQuery(string(r.Request().URI().QueryString()))
			if err != nil {
				query = url.Values{}
			}
			for _, one := range []string{"page", "after", "before", "sort"} {
				query.Del(one)
			}
			if sorted != name {
				query.Set("sort", name)
			} else if head.Sorted = "ascending"; slices.Contains(down, name) {
				head.Sorted = "descending"
			}
			if head.Href = r.Path(); len(query) > 0 {
				head.Href += "?" + query.Encode()
			}
		}
		heads = append(heads, head)
	}
	return heads
}
