package db

import (
	"context"
	"regexp"
	"strings"
	"time"

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
// or the comment; Tag, whatever its case, is one of the tags.
type ClientFilter struct {
	Query, Tag string
	Page       Page
}

// List is one page of the owner's list, newest first, and the number of all that match,
// which is SearchMax+1 when a search found more than it looks for.
func (cs Clients) List(ctx context.Context, owner int64, f ClientFilter) (clients []domain.Client, total int, err error) {
	found := cs.db.pg.Bun.NewSelect().Table("clients").Column("id").Where("owner_id = ?", owner)
	if f.Tag != "" {
		var spellings []string
		if spellings, total, err = cs.spellings(ctx, owner, clean(f.Tag)); err != nil {
			return nil, 0, postgres.TranslateError(err)
		}
		found.Where("tags && ?", pgdialect.Array(spellings))
	}
	var ids []int64
	if words := strings.Fields(clean(f.Query)); len(words) > 0 {
		ids, total, err = searchClients(ctx, found, words, f.Page.Number)
		clients, err = cs.listed(ctx, bun.List(ids), err)
		return clients, total, err
	}
	if f.Tag == "" {
		total, err = cs.count(ctx, owner)
	}
	clients, err = cs.listed(ctx, f.Page.newest(found, total, "created_at", "id"), err)
	return clients, total, err
}

// listed are the clients that ids names, in the order of the list.
func (cs Clients) listed(ctx context.Context, ids any, err error) ([]domain.Client, error) {
	clients := []domain.Client{}
	if err == nil {
		err = cs.db.pg.Bun.NewSelect().Model(&clients).Where("id IN (?)", ids).Order("created_at DESC", "id DESC").Scan(ctx)
	}
	return clients, postgres.TranslateError(err)
}

var trigram = regexp.MustCompile(`[\pL\pN]{3}`)

// searchClients asks for all it may find at once: the order in it keeps Postgres from reading
// the table in its own order until it has found enough.
func searchClients(ctx context.Context, found *bun.SelectQuery, words []string, page int) (ids []int64, total int, err error) {
	for _, word := range words[:min(len(words), 10)] {
		if trigram.MatchString(word) {
			found.Where("search LIKE lower(?)", "%"+escapeLike(word)+"%")
		} else { // a LIKE would tempt Postgres to read the whole index, everybody's
			found.Where("strpos(search, lower(?)) > 0", word)
		}
	}
	err = found.Order("created_at DESC", "id DESC").Limit(SearchMax+1).Scan(ctx, &ids)
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
	rows, err := cs.db.pg.Pool.Query(ctx, `SELECT (SELECT count(*) FROM clients WHERE owner_id = $1 AND created_at >= ($2::timestamptz[])[i]
			AND created_at < ($2::timestamptz[])[i + 1]) FROM generate_series(1, cardinality($2::timestamptz[]) - 1) AS i ORDER BY i`, owner, moments)
	if err == nil {
		added, err = pgx.CollectRows(rows, pgx.RowTo[int64])
	}
	return added, postgres.TranslateError(err)
}

// After are the owner's next 1,000 clients in the order of the list, the first ones
// after the zero client: an export holds neither a connection nor a list.
func (cs Clients) After(ctx context.Context, owner int64, last domain.Client) ([]domain.Client, error) {
	clients := []domain.Client{}
	query := cs.db.pg.Bun.NewSelect().Model(&clients).Where("owner_id = ?", owner)
	if last.ID != 0 {
		query.Where("(created_at, id) < (?, ?)", last.CreatedAt, last.ID)
	}
	return clients, postgres.TranslateError(query.Order("created_at DESC", "id DESC").Limit(1000).Scan(ctx))
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
