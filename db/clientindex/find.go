package clientindex

import (
	"cmp"
	"slices"
	"sort"
	"time"

	"skychimp/domain"
)

func (t *table) find(q Query) (found Found, ok bool) {
	chosen := t.here
	if q.Selection != nil {
		if chosen, ok = t.choose(*q.Selection); !ok {
			return found, false
		}
	}
	if q.Tag != "" {
		tagged := make(set, len(t.here))
		t.tags.where(tagged, chosen, tagMatch(domain.Test{Relation: domain.RelEqual, Text: q.Tag}))
		tagged.and(chosen)
		chosen = tagged
	}
	if len(q.Words) > 0 {
		chosen = t.search.having(chosen, q.Words, q.Most)
	}
	found.Clients, found.Suppressed = chosen.count(), both(chosen, t.suppressed)
	switch {
	case q.Start == nil:
		return found, true
	case q.ByName && t.names == nil || t.unsorted && !q.ByLast && !q.ByName:
		return found, false
	}
	for _, row := range t.page(chosen, q, found.Clients) {
		found.IDs = append(found.IDs, t.ids[row])
	}
	return found, true
}

func (t *table) page(chosen set, q Query, total int) []int {
	if q.ByLast {
		return t.byLast(chosen, total, q.Start(total), q.Rows)
	}
	if q.ByName {
		return t.byName(chosen, q.Start(total), q.Rows)
	}
	if q.Beside != nil {
		at := t.place(*q.Beside)
		if !q.Beside.Back {
			return chosen.descend(at, 0, q.Rows)
		}
		if at < len(t.ids) && t.added[at] == q.Beside.Added && t.ids[at] == q.Beside.ID {
			at++
		}
		return chosen.ascend(at, q.Rows)
	}
	return chosen.descend(len(t.ids), q.Start(total), q.Rows)
}

// place is the first row that is not older than r.
func (t *table) place(r Row) int {
	return sort.Search(len(t.ids), func(i int) bool {
		return t.added[i] > r.Added || t.added[i] == r.Added && t.ids[i] >= r.ID
	})
}

// byLast is a page of the rows with the latest email first: who got none comes last, the newest first.
func (t *table) byLast(chosen set, total, start, length int) []int {
	rows, last := make([]int, 0, total), *t.last[domain.OfLastAccepted]
	chosen.each(0, len(t.ids), func(row int) { rows = append(rows, row) })
	order := func(a, b int) int {
		return -cmp.Or(cmp.Compare(last[a], last[b]), cmp.Compare(t.ids[a], t.ids[b]))
	}
	start = min(max(start, 0), len(rows))
	end := min(start+length, len(rows))
	part(rows, start, order)
	part(rows[start:], end-start, order)
	slices.SortFunc(rows[start:end], order)
	return rows[start:end]
}

// part brings the first n of the rows, in an order, before all others.
func part(rows []int, n int, order func(a, b int) int) {
	for n > 0 && n < len(rows) {
		pivot, low, high := rows[len(rows)/2], 0, len(rows)-1
		for low <= high {
			switch {
			case order(rows[low], pivot) < 0:
				low++
			case order(rows[high], pivot) > 0:
				high--
			default:
				rows[low], rows[high] = rows[high], rows[low]
				low++
				high--
			}
		}
		switch { // all up to high come before what begins at low; what is between is the pivot
		case n <= high:
			rows = rows[:high+1]
		case n >= low:
			rows, n = rows[low:], n-low
		default:
			return
		}
	}
}

// grown counts the clients that were added from each of the moments, which ascend, to the next.
func (t *table) grown(moments []time.Time) []int64 {
	counts, before := make([]int64, len(moments)-1), 0
	for i, moment := range moments {
		at := t.place(Row{Added: moment.UnixMicro()})
		n := t.here.before(at)
		if i > 0 {
			counts[i-1] = int64(n - before)
		}
		before = n
	}
	return counts
}
