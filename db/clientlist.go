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
// or the comment; Tag, whatever its case, is one of the tags. Page counts from 1; beyond the
// last the last one is answered.
type ClientFilter struct {
	Query, Tag string
	Page       int
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
		ids, total, err = searchClients(ctx, found, words, f.Page)
	} else {
		if f.Tag == "" {
			total, err = cs.count(ctx, owner)
		}
		if err == nil {
			ids, err = pageOfClients(ctx, found, f.Page, total)
		}
	}
	clients = []domain.Client{}
	if err == nil && len(ids) > 0 {
		err = cs.db.pg.Bun.NewSelect().Model(&clients).Where("id IN ?", bun.Tuple(ids)).
			Order("created_at DESC", "id DESC").Scan(ctx)
	}
	return clients, total, postgres.TranslateError(err)
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

// pageOfClients counts to a far page from the end of the list.
func pageOfClients(ctx context.Context, found *bun.SelectQuery, page, total int) (ids []int64, err error) {
	start := pageStart(page, total)
	length := min(PageSize, total-start)
	if start > total/2 {
		found.Order("created_at", "id").Offset(int64(total - start - length))
	} else {
		found.Order("created_at DESC", "id DESC").Offset(int64(start))
	}
	return ids, found.Limit(int64(length)).Scan(ctx, &ids)
}

// pageStart is offset for a list of known length: beyond its end it is the last page's.
func pageStart(page, total int) int { return int(offset(min(page, LastPage(total)))) }

// LastPage is the number of the last page of a list, at least 1.
func LastPage(total int) int { return max(1, (total+PageSize-1)/PageSize) }

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

// offset is where a page of a list starts; page counts from 1, and anybody can ask for any.
func offset(page int) int64 { return PageSize * int64(min(max(page, 1), 1<<40)-1) }
