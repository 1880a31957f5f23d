package db

import (
	"context"
	"regexp"
	"strings"
	"time"

	"skychimp/db/clientindex"
	"skychimp/db/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/domain"
)

// SearchMax is how many clients a search finds; it stops there, because whoever looks for
// somebody types another letter.
const SearchMax = 1000

// ClientFilter narrows the list: every word of Query stands somewhere in the e-mail, the name
// or the comment; Tag, whatever its case, is one of the tags; Segment is one of the owner's, 0: none.
type ClientFilter struct {
	Query, Tag string
	Segment    int64
	Sort       ClientSort
	Page       Page
}

// ClientSort is the order of the list.
type ClientSort string

// The orders: the newest first, by name, and by the last email that was delivered, the latest first.
const (
	SortAdded ClientSort = ""
	SortName  ClientSort = "name"
	SortLast  ClientSort = "last_email"
)

// selection is the filter's segment as it is asked now, nil: it has none. A segment that is not the owner's is NotFound.
func (cs Clients) selection(ctx context.Context, owner int64, f ClientFilter) (*domain.Selection, error) {
	if f.Segment == 0 {
		return nil, nil
	}
	chosen, err := selectionOf(ctx, cs.db.pg.Bun, owner, f.Segment)
	if err == nil {
		_, err = cs.db.Segments().catchUp(ctx, owner, chosen)
	}
	return &chosen, err
}

// filtered narrows clients (as `client`) to the owner's that the filter shows.
func (cs Clients) filtered(ctx context.Context, query *bun.SelectQuery, owner int64, f ClientFilter) error {
	query.Where("client.owner_id = ?", owner)
	chosen, err := cs.selection(ctx, owner, f)
	if chosen != nil && err == nil {
		narrowTo(query, owner, *chosen)
	}
	if f.Tag != "" && err == nil {
		var spellings []string
		if spellings, _, err = cs.spellings(ctx, owner, clean(f.Tag)); err == nil {
			query.Where("client.tags && ?", pgdialect.Array(spellings))
		}
	}
	for _, word := range searchWords(f.Query) {
		searched(query, word)
	}
	return postgres.TranslateError(err)
}

func searchWords(query string) []string {
	words := strings.Fields(clean(query))
	return words[:min(len(words), 10)]
}

// List is one page of the owner's list, newest first, and the number of all that match,
// which is SearchMax+1 when a search found more than it looks for.
func (cs Clients) List(ctx context.Context, owner int64, f ClientFilter) (clients []domain.Client, total int, err error) {
	if ids, total, ok, err := cs.kept(ctx, owner, f); ok || err != nil {
		clients, err = cs.listed(ctx, f.Sort, bun.List(ids), err)
		return clients, total, err
	}
	found := cs.db.pg.Bun.NewSelect().TableExpr("clients AS client").Column("client.id")
	if err := cs.filtered(ctx, found, owner, f); err != nil {
		return nil, 0, err
	}
	var ids []int64
	if len(searchWords(f.Query)) > 0 {
		ids, total, err = searchClients(ctx, found, f.Page.Number)
		clients, err = cs.listed(ctx, f.Sort, bun.List(ids), err)
		return clients, total, err
	}
	if total, err = cs.total(ctx, owner, f, found); err != nil {
		return nil, 0, err
	}
	beside, err := cs.besideName(ctx, owner, f)
	if err != nil {
		return nil, 0, err
	}
	clients, err = cs.listed(ctx, f.Sort, f.sorted(found, total, beside), nil)
	return clients, total, err
}

// kept finds the page in what is kept in memory, if it is.
func (cs Clients) kept(ctx context.Context, owner int64, f ClientFilter) (ids []int64, total int, ok bool, err error) {
	words := searchWords(f.Query)
	query := clientindex.Query{Tag: clean(f.Tag), Words: words, Rows: PageSize, ByLast: f.Sort == SortLast && len(words) == 0, ByName: f.Sort == SortName && len(words) == 0}
	if query.Selection, err = cs.selection(ctx, owner, f); err != nil {
		return nil, 0, false, err
	}
	query.Start = func(total int) int { return pageStart(f.Page.Number, total) }
	if len(words) > 0 {
		query.Most = SearchMax + 1
		query.Start = func(total int) int { return pageStart(f.Page.Number, min(total, SearchMax)) }
	} else if row, back := f.Page.beside(2); row != nil && !query.ByLast && !query.ByName {
		query.Beside = &clientindex.Row{Added: row[0], ID: row[1], Back: back}
	}
	found, ok := cs.db.index.Find(ctx, owner, query)
	return found.IDs, found.Clients, ok, nil
}

// total counts by kept counts where there are some.
func (cs Clients) total(ctx context.Context, owner int64, f ClientFilter, found *bun.SelectQuery) (total int, err error) {
	switch {
	case f.Segment != 0:
		err = cs.db.pg.Bun.NewSelect().TableExpr("(?) AS found", found).ColumnExpr("count(*)").Scan(ctx, &total)
	case f.Tag != "":
		_, total, err = cs.spellings(ctx, owner, clean(f.Tag))
	default:
		total, err = cs.count(ctx, owner)
	}
	return total, postgres.TranslateError(err)
}

// besideName is the name of the client beside the page of a list by name, in lower case: a cursor has its number alone.
// None: the page is counted to.
func (cs Clients) besideName(ctx context.Context, owner int64, f ClientFilter) (name []string, err error) {
	if row, _ := f.Page.beside(1); f.Sort == SortName && row != nil {
		err = cs.db.pg.Bun.NewSelect().Table("clients").ColumnExpr("lower(full_name)").Where("id = ? AND owner_id = ?", row[0], owner).Scan(ctx, &name)
	}
	return name, postgres.TranslateError(err)
}

// sorted is the page of the found clients; beside is of besideName.
func (f ClientFilter) sorted(found *bun.SelectQuery, total int, beside []string) *bun.SelectQuery {
	page := PageOf(f.Page.Number) // names and times of others are no cursor
	switch f.Sort {
	case SortName:
		if row, back := f.Page.beside(1); len(beside) > 0 {
			direction, sign := "ASC", ">"
			if back {
				direction, sign = "DESC", "<"
			}
			return found.Where("(lower(client.full_name), client.id) "+sign+" (?, ?)", beside[0], row[0]).
				OrderExpr("lower(client.full_name) " + direction + ", client.id " + direction).Limit(PageSize)
		}
		return page.oldest(found, total, "lower(client.full_name)", "client.id")
	case SortLast:
		found.Join("LEFT JOIN client_results AS latest ON latest.client_id = client.id")
		return page.newest(found, total, "coalesce(latest.last_accepted_at, '-infinity')", "client.id")
	}
	return f.Page.newest(found, total, "client.created_at", "client.id")
}

// listed are the clients that ids names, in the order of the list.
func (cs Clients) listed(ctx context.Context, sort ClientSort, ids any, err error) ([]domain.Client, error) {
	clients := []domain.Client{}
	if err != nil {
		return clients, postgres.TranslateError(err)
	}
	query := cs.db.pg.Bun.NewSelect().Model(&clients).Where("client.id IN (?)", ids)
	switch sort {
	case SortName:
		query.OrderExpr("lower(client.full_name), client.id")
	case SortLast:
		query.Join("LEFT JOIN client_results AS latest ON latest.client_id = client.id").
			OrderExpr("coalesce(latest.last_accepted_at, '-infinity') DESC, client.id DESC")
	default:
		query.OrderExpr("client.created_at DESC, client.id DESC")
	}
	return clients, postgres.TranslateError(query.Scan(ctx))
}

var trigram = regexp.MustCompile(`[\pL\pN]{3}`)

// searched narrows clients to those who have the word.
func searched(found *bun.SelectQuery, word string) {
	if trigram.MatchString(word) {
		found.Where("client.search LIKE lower(?)", "%"+escapeLike(word)+"%")
	} else { // a LIKE would tempt Postgres to read the whole index, everybody's
		found.Where("strpos(client.search, lower(?)) > 0", word)
	}
}

// searchClients asks for all it may find at once: the order in it keeps Postgres from reading
// the table in its own order until it has found enough.
func searchClients(ctx context.Context, found *bun.SelectQuery, page int) (ids []int64, total int, err error) {
	err = found.OrderExpr("client.created_at DESC, client.id DESC").Limit(SearchMax+1).Scan(ctx, &ids)
	total = len(ids)
	ids = ids[:min(total, SearchMax)]
	start := pageStart(page, len(ids))
	return ids[start:min(start+PageSize, len(ids))], total, err
}

// clean drops what the database can't take in a text; nothing it keeps has it.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// Added counts the owner's clients that were added from each of the moments, which
// ascend, to the next.
func (cs Clients) Added(ctx context.Context, owner int64, moments []time.Time) (added []int64, err error) {
	if added, ok := cs.db.index.Added(ctx, owner, moments); ok {
		return added, nil
	}
	rows, err := cs.db.pg.Pool.Query(ctx, `SELECT (SELECT count(*) FROM clients WHERE owner_id = $1 AND created_at >= ($2::timestamptz[])[i]
			AND created_at < ($2::timestamptz[])[i + 1]) FROM generate_series(1, cardinality($2::timestamptz[]) - 1) AS i ORDER BY i`, owner, moments)
	if err == nil {
		added, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	return added, postgres.TranslateError(err)
}

// After are the next 1,000 of the owner's clients that the filter shows, the newest first, the first ones
// after the zero client: an export holds neither a connection nor a list.
func (cs Clients) After(ctx context.Context, owner int64, f ClientFilter, last domain.Client) ([]domain.Client, error) {
	clients := []domain.Client{}
	query := cs.db.pg.Bun.NewSelect().Model(&clients)
	if err := cs.filtered(ctx, query, owner, f); err != nil {
		return nil, err
	}
	if last.ID != 0 {
		query.Where("(client.created_at, client.id) < (?, ?)", last.CreatedAt, last.ID)
	}
	return clients, postgres.TranslateError(query.OrderExpr("client.created_at DESC, client.id DESC").Limit(1000).Scan(ctx))
}

// ByID are those of the named clients that are the owner's.
func (cs Clients) ByID(ctx context.Context, owner int64, ids []int64) ([]domain.Client, error) {
	clients := []domain.Client{}
	if len(ids) == 0 {
		return clients, nil
	}
	err := cs.db.pg.Bun.NewSelect().Model(&clients).Where("owner_id = ? AND id IN ?", owner, bun.Tuple(ids)).Order("id").Scan(ctx)
	return clients, postgres.TranslateError(err)
}

// escapeLike makes a text that LIKE takes letter by letter.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}
