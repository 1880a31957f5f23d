// Package clientindex keeps what segments, tags and searches look at of an owner's clients in memory, in columns, so
// that a million clients are counted within milliseconds. It answers as the database would at this moment: each answer begins with
// what has changed since the last (client_changes). Where it can't, it says so, and SQL answers.
package clientindex

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// The limits of what is kept.
const (
	fewest  = 20_000          // clients of an owner that are worth it
	memory  = 256 << 20       // of all owners
	idle    = 24 * time.Hour  // after which an owner is forgotten whom nobody asks for
	tended  = 5 * time.Minute // after which a table is brought up to date without being asked
	retry   = time.Minute     // after which it is asked again whether an owner has enough clients
	pause   = 5               // times as long as it took, a table is not made again
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
	used   time.Time
	making bool
	size   int
	next   time.Time
	timer  *time.Timer
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
	ByLast bool          // the page is one of those with the latest email first
	ByName bool          // or of those by name
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
	e := x.entry(owner)
	e.mu.Lock()
	defer e.mu.Unlock()
	lowered, ok := x.fresh(ctx, owner, e, strings.Join(append([]string{q.Tag}, q.Words...), "\n"))
	if !ok || strings.Contains(q.Tag, "\n") {
		return found, false
	}
	texts := strings.Split(lowered, "\n")
	q.Tag, q.Words = texts[0], texts[1:]
	found, ok = e.table.find(q)
	if !ok && (!q.ByName || e.table.names != nil) { // somebody came who is not the newest
		x.make(owner, e)
	}
	return found, ok
}

// fresh brings the table up to date, if there is one that can be; it lowers a text.
func (x *Index) fresh(ctx context.Context, owner int64, e *entry, text string) (lowered string, ok bool) {
	if e.table == nil {
		x.make(owner, e)
		return "", false
	}
	lowered, err := e.table.refresh(ctx, x.pg, owner, text)
	if err != nil || e.table.worn() {
		x.make(owner, e)
	}
	return lowered, err == nil
}

// Expect says that an owner is about to ask.
func (x *Index) Expect(owner int64) { x.make(owner, x.entry(owner)) }

// expected is how many owners are expected when a process begins.
const expected = 20

// Start expects the large owners who were here within a day.
func (x *Index) Start() {
	x.work.Go(func() {
		rows, err := x.pg.Pool.Query(x.live, `SELECT user_id FROM (SELECT user_id, max(seen_at) AS seen FROM sessions WHERE seen_at > now() - $1::interval GROUP BY 1) AS here
			WHERE (SELECT sum(clients) FROM tag_counts WHERE owner_id = user_id) >= $2 ORDER BY seen DESC LIMIT $3`, idle, x.fewest, expected)
		var owners []int64
		if err == nil {
			owners, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		}
		if err != nil && x.live.Err() == nil {
			slog.Warn("clients are kept in memory only when they are asked for", "error", err)
		}
		for _, owner := range slices.Backward(owners) { // the latest stays longest
			x.Expect(owner)
		}
	})
}

// Added counts the owner's clients that were added from each of the moments, which ascend, to the next.
func (x *Index) Added(ctx context.Context, owner int64, moments []time.Time) (added []int64, ok bool) {
	e := x.entry(owner)
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := x.fresh(ctx, owner, e, ""); !ok || e.table.unsorted || len(moments) == 0 {
		return nil, false
	}
	return e.table.grown(moments), true
}
