// Package clientindex keeps what segments, tags and searches look at of an owner's clients in memory, in columns, so
// that a million clients are counted within milliseconds. It answers as the database would at this moment: each answer begins with
// what has changed since the last (client_changes). Where it can't, it says so, and SQL answers.
package clientindex

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// The limits of what is kept.
const (
	fewest  = 20_000    // clients of an owner that are worth it
	memory  = 256 << 20 // of all owners
	idle    = 15 * time.Minute
	retry   = time.Minute // after which it is asked again whether an owner has enough clients
	pause   = 5           // times as long as it took, a table is not made again
	loading = 2 * time.Minute
)

// Index is what a process keeps of clients, owner by owner. Tables are made behind whoever asks first.
type Index struct {
	pg     *postgres.DB
	fewest int
	memory int

	mu     sync.Mutex
	owners map[int64]*entry
	making sync.Mutex // one table at a time
	live   context.Context
	end    context.CancelFunc
	work   sync.WaitGroup
}

// entry is an owner's.
type entry struct {
	mu    sync.Mutex // held while the table is asked
	table *table

	// under the index's lock
	used    time.Time
	making  bool
	results bool // somebody asks for them
	size    int
	next    time.Time
	timer   *time.Timer
}

// New keeps clients of this database.
func New(pg *postgres.DB) *Index { return sized(pg, fewest, memory) }

func sized(pg *postgres.DB, fewest, memory int) *Index {
	live, end := context.WithCancel(context.Background())
	return &Index{pg: pg, fewest: fewest, memory: memory, owners: map[int64]*entry{}, live: live, end: end}
}

// Close ends what is being made.
func (x *Index) Close() {
	x.mu.Lock()
	x.end()
	for _, e := range x.owners {
		e.timer.Stop()
	}
	x.mu.Unlock()
	x.work.Wait()
}

// Query is what is asked of an owner's clients: those whom the selection chooses, who have the tag and all the words, whatever
// their case.
type Query struct {
	Selection *domain.Selection
	Tag       string
	Words     []string

	Most   int           // at which a search by words stops, 0: none
	Start  func(int) int // the first row of the page by how many are found; nil: no page
	Rows   int           // of the page
	Beside *Row          // instead of Start: the page begins behind this row, or ends before it
}

// Row is a client's place in the list: added at that microsecond. The list begins with the newest.
type Row struct {
	Added, ID int64
	Back      bool // the page ends before it
}

// Found is how many were found and how many of them get no emails, and a page of them in no order.
type Found struct {
	Clients, Suppressed int
	IDs                 []int64
}

// Find answers a query; not ok: nothing is kept that could, ask the database.
func (x *Index) Find(ctx context.Context, owner int64, q Query) (found Found, ok bool) {
	e := x.entry(owner, q.Selection != nil && q.Selection.Results())
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.table == nil || strings.Contains(q.Tag, "\n") {
		x.make(owner, e)
		return found, false
	}
	lowered, err := e.table.refresh(ctx, x.pg, owner, strings.Join(append([]string{q.Tag}, q.Words...), "\n"))
	if err != nil {
		x.make(owner, e)
		return found, false
	}
	if e.table.worn() {
		x.make(owner, e)
	}
	texts := strings.Split(lowered, "\n")
	q.Tag, q.Words = texts[0], texts[1:]
	found, ok = e.table.find(q)
	if !ok { // another field, or results
		x.make(owner, e)
	}
	return found, ok
}

func (t *table) find(q Query) (found Found, ok bool) {
	chosen := t.here
	if q.Selection != nil {
		if chosen, ok = t.choose(*q.Selection); !ok {
			return found, false
		}
	}
	if q.Tag != "" {
		tagged := make(set, len(t.here))
		t.tags.where(tagged, tagMatch(domain.Test{Relation: domain.RelEqual, Text: q.Tag}))
		tagged.and(chosen)
		chosen = tagged
	}
	if len(q.Words) > 0 {
		chosen = t.search.having(chosen, q.Words, len(t.ids), q.Most)
	}
	found.Clients, found.Suppressed = chosen.count(), both(chosen, t.suppressed)
	switch {
	case q.Start == nil:
		return found, true
	case t.unsorted:
		return found, false
	}
	for _, row := range t.page(chosen, q, found.Clients) {
		found.IDs = append(found.IDs, t.ids[row])
	}
	return found, true
}

func (t *table) page(chosen set, q Query, total int) []int {
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
	low, high := 0, len(t.ids)
	for low < high {
		middle := (low + high) / 2
		if t.added[middle] < r.Added || t.added[middle] == r.Added && t.ids[middle] < r.ID {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// having are those of the rows whose text has all the words, the newest so many.
func (t *texts) having(among set, words []string, rows, most int) set {
	wanted := make([][]byte, len(words))
	for i, word := range words {
		wanted[i] = []byte(word)
	}
	found, n := make(set, len(among)), 0
	for row := rows - 1; row >= 0 && (most == 0 || n < most); row-- {
		if !among.has(row) {
			continue
		}
		text := t.text(t.at[row])
		if !slices.ContainsFunc(wanted, func(word []byte) bool { return !bytes.Contains(text, word) }) {
			found.add(row)
			n++
		}
	}
	return found
}
