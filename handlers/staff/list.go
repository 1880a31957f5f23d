package staff

import (
	"skychimp/db"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// list is a page with a search, a filter and the rows found; its results are a block of their own.
type list[Row any] struct {
	Query, Choice string // what is searched for, and the filter's choice
	Choices       []templates.Option
	Found         string
	Fragment      bool // without the page around it
	Rows          []Row
	Sort          string // what the rows are sorted by; "": the newest first
	Heads         []web.Head
	Pager         web.Pager
}

// sortOf is what the address asks a list to be sorted by, "" for anything that is not among them.
func sortOf(r *web.Request, sorts map[string]string) string {
	if sort := r.Query("sort"); sorts[sort] != "" {
		return sort
	}
	return ""
}

// newList has everything but the rows. Found is a key with plural forms, id the place of the n-th of the rows.
func newList[Row any](r *web.Request, choice, found string, page db.Page, total, rows int, id func(n int) int64) list[Row] {
	place := func(n int) db.Cursor { return db.Cursor{id(n)} }
	if r.Query("sort") != "" {
		place = nil // a sorted list knows places by their number
	}
	return list[Row]{Query: r.Query("q"), Choice: r.Query(choice), Fragment: r.HTMX(), Found: r.Viewer.Found(found, total),
		Pager: r.ListPager(page, total, rows, place)}
}
