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
	Pager         web.Pager
}

// newList has everything but the rows. Found is a key with plural forms, id the place of the n-th of the rows.
func newList[Row any](r *web.Request, choice, found string, page db.Page, total, rows int, id func(n int) int64) list[Row] {
	return list[Row]{Query: r.Query("q"), Choice: r.Query(choice), Fragment: r.HTMX(), Found: r.Viewer.Found(found, total),
		Pager: r.ListPager(page, total, rows, func(n int) db.Cursor { return db.Cursor{id(n)} })}
}
