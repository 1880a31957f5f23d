package web

import (
	"net/url"
	"strconv"
)

// Pager is the block ui/pager; Previous and Next are addresses, "" at the ends.
type Pager struct{ Previous, Next, Text string }

// Pager leads from one page of a list to the next, with the address's other parameters kept.
// Pages count from 1.
func (r *Request) Pager(page, pages int) Pager {
	to := func(page int) string {
		query, err := url.ParseQuery(string(r.Request().URI().QueryString()))
		if err != nil || page < 1 || page > pages {
			return ""
		}
		query.Set("page", strconv.Itoa(page))
		return r.Path() + "?" + query.Encode()
	}
	return Pager{to(page - 1), to(page + 1), r.T("frame.page_of", "Page", page, "Pages", pages)}
}

// OpenPager leads through a list whose end is not known.
func (r *Request) OpenPager(page int, more bool) Pager {
	pages := page
	if more {
		pages++
	}
	pager := r.Pager(page, pages)
	pager.Text = r.T("frame.page", "Page", page)
	return pager
}
