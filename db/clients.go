package db

import (
	"context"
	"strconv"
	"strings"

	"github.com/uptrace/bun"

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

// Clients is one page of the owner's list, newest first, and the number of all that match,
// which is SearchMax+1 when a search found more than it looks for.
func (db *DB) Clients(ctx context.Context, owner int64, f ClientFilter) ([]domain.Client, int, error) {
	found := db.bun.NewSelect().Table("clients").Column("id").Where("owner_id = ?", owner)
	if f.Tag != "" {
		// Commas stand between tags and in none.
		found.Where("',' || lower(array_to_string(tags, ',')) || ',' LIKE lower(?)", "%,"+escapeLike(clean(f.Tag))+",%")
	}
	words := strings.Fields(clean(f.Query))
	for _, word := range words[:min(len(words), 10)] {
		found.Where("search LIKE lower(?)", "%"+escapeLike(word)+"%")
	}
	ids, total, err := clientIDs(ctx, found, f.Page, len(words) > 0)
	clients := []domain.Client{}
	if err == nil && len(ids) > 0 {
		err = db.bun.NewSelect().Model(&clients).Where("id IN (?)", bun.In(ids)).
			Order("created_at DESC", "id DESC").Scan(ctx)
	}
	return clients, total, explain(err)
}

// clientIDs counts and takes a page. A search asks for all it may find at once: the order in
// it keeps Postgres from reading the table in its own order until it has found enough.
func clientIDs(ctx context.Context, found *bun.SelectQuery, page int, searching bool) (ids []int64, total int, err error) {
	if searching {
		err = found.Order("created_at DESC", "id DESC").Limit(SearchMax+1).Scan(ctx, &ids)
		total = len(ids)
		ids = ids[:min(total, SearchMax)]
		start := pageStart(page, len(ids))
		return ids[start:min(start+PageSize, len(ids))], total, err
	}
	count, err := found.Count(ctx)
	if err != nil || count == 0 {
		return nil, 0, err
	}
	total = int(count)
	err = found.Order("created_at DESC", "id DESC").Offset(int64(pageStart(page, total))).Limit(PageSize).Scan(ctx, &ids)
	return ids, total, err
}

// pageStart is offset for a list of known length: beyond its end it is the last page's.
func pageStart(page, total int) int { return int(offset(min(page, LastPage(total)))) }

// LastPage is the number of the last page of a list, at least 1.
func LastPage(total int) int { return max(1, (total+PageSize-1)/PageSize) }

// clean drops what the database can't take in a text; nothing it keeps has it.
func clean(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\x00", "")
}

// TagCount is how many clients have a tag.
type TagCount struct {
	Tag     string
	Clients int
}

// Tags are the owner's tags, the most used first, at most 100. Spellings that differ in case
// are one tag.
func (db *DB) Tags(ctx context.Context, owner int64) ([]TagCount, error) {
	tags := []TagCount{}
	// Few sets of tags are different, so they are counted before they are taken apart.
	err := db.bun.NewRaw(`SELECT (array_agg(tag ORDER BY n DESC))[1] AS tag, sum(n) AS clients
		FROM (SELECT tags, count(*) AS n FROM clients WHERE owner_id = ? GROUP BY tags) AS sets, unnest(tags) AS tag
		GROUP BY lower(tag) ORDER BY sum(n) DESC, lower(tag) LIMIT 100`, owner).Scan(ctx, &tags)
	return tags, explain(err)
}

// Client is one client of the owner.
func (db *DB) Client(ctx context.Context, owner, id int64) (c domain.Client, err error) {
	err = db.bun.NewSelect().Model(&c).Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return c, explain(err)
}

// CreateClient saves a new client of c.OwnerID.
func (db *DB) CreateClient(ctx context.Context, c *domain.Client) error {
	return db.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(c).Exec(ctx); err != nil {
			return emailTaken(err)
		}
		if err := keepOptOuts(ctx, tx, c.OwnerID, []int64{c.ID}); err != nil {
			return err
		}
		return changed(ctx, tx, "stats")
	})
}

// CreateClients saves those of the clients, all of one owner, whose address is new, and tells
// how many they were.
func (db *DB) CreateClients(ctx context.Context, owner int64, clients []domain.Client) (created int, err error) {
	err = db.InTx(ctx, func(tx Tx) error {
		var ids []int64
		_, err := tx.NewInsert().Model(&clients).Value("owner_id", "?", owner).
			On("CONFLICT (owner_id, lower(email)) DO NOTHING").Returning("id").Exec(ctx, &ids)
		if err != nil {
			return err
		}
		created = len(ids)
		if err := keepOptOuts(ctx, tx, owner, ids); err != nil {
			return err
		}
		return changed(ctx, tx, "stats")
	})
	return created, err
}

// UpdateClient lets change work on the locked client and saves what it made of it.
func (db *DB) UpdateClient(ctx context.Context, owner, id int64, change func(*domain.Client) error) (c domain.Client, err error) {
	err = db.InTx(ctx, func(tx Tx) error {
		err := tx.NewSelect().Model(&c).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		email := c.Email
		if err := change(&c); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&c).WherePK().Exec(ctx); err != nil {
			return emailTaken(err)
		}
		if c.Email == email {
			return nil
		}
		if err := keepOptOuts(ctx, tx, owner, []int64{id}); err != nil {
			return err
		}
		return changed(ctx, tx, "stats")
	})
	return c, err
}

func emailTaken(err error) error {
	if taken(err, "clients_owner_email") {
		return domain.Refuse(domain.Invalid, "email", "clients.email_taken")
	}
	return err
}

// DeleteClient erases the client. What was sent to it stays on record; what is open in a run
// is dropped.
func (db *DB) DeleteClient(ctx context.Context, owner, id int64) error {
	return db.InTx(ctx, func(tx Tx) error {
		erased, err := eraseClients(ctx, tx, owner, "id", id)
		if err == nil && erased == 0 {
			err = domain.Refuse(domain.NotFound, "", "errors.not_found")
		}
		if err != nil {
			return err
		}
		return changed(ctx, tx, "stats")
	})
}

// eraseClients deletes the owner's clients whose column is value, remembers who unsubscribed
// and tells the engines, and counts them.
func eraseClients(ctx context.Context, tx Tx, owner int64, column string, value int64) (erased int, err error) {
	err = tx.NewRaw(`WITH gone AS (
			DELETE FROM clients WHERE owner_id = ? AND ? = ? RETURNING id, email, suppressed_at, suppressed_reason
		), remembered AS (
			INSERT INTO optouts SELECT ?, sha256(convert_to(lower(email), 'UTF8')), suppressed_at FROM gone
			WHERE suppressed_reason = 'unsubscribed' ON CONFLICT DO NOTHING
		) SELECT count(*) FROM (SELECT pg_notify('suppressed', id::text) FROM gone) AS told`,
		owner, bun.Ident(column), value, owner).Scan(ctx, &erased)
	return erased, err
}

// keepOptOuts unsubscribes those of the new clients whose address unsubscribed before it was
// deleted.
func keepOptOuts(ctx context.Context, tx Tx, owner int64, ids []int64) error {
	_, err := tx.Pgx.Exec(ctx, `UPDATE clients SET suppressed_at = optouts.at, suppressed_reason = 'unsubscribed'
		FROM optouts WHERE optouts.owner_id = $1 AND clients.id = ANY($2) AND suppressed_reason <> 'unsubscribed'
		AND optouts.email_hash = sha256(convert_to(lower(clients.email), 'UTF8'))`, owner, ids)
	return err
}

// Subscriber is what the page behind the link of a letter shows.
type Subscriber struct {
	Email, OwnerName, OwnerLanguage string
	SuppressedReason                domain.Suppression
}

// Subscriber is the client that a link names.
func (db *DB) Subscriber(ctx context.Context, clientID int64) (s Subscriber, err error) {
	err = db.bun.NewSelect().TableExpr("clients AS client").
		ColumnExpr("client.email, client.suppressed_reason, owner.name AS owner_name, owner.language AS owner_language").
		Join("JOIN users AS owner ON owner.id = client.owner_id").Where("client.id = ?", clientID).Scan(ctx, &s)
	return s, explain(err)
}

// Unsubscribe stops the letters to a client for good. Once more, or for a client that was
// deleted, it changes nothing.
func (db *DB) Unsubscribe(ctx context.Context, clientID int64) error {
	return db.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewRaw(`UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed'
			WHERE id = ? AND suppressed_reason <> 'unsubscribed'`, clientID).Exec(ctx)
		if err != nil {
			return err
		}
		return notify(ctx, tx, "suppressed", strconv.FormatInt(clientID, 10))
	})
}

// ClientsAfter are the owner's next 1,000 clients in the order of the list, the first ones
// after the zero client: an export holds neither a connection nor a list.
func (db *DB) ClientsAfter(ctx context.Context, owner int64, last domain.Client) ([]domain.Client, error) {
	clients := []domain.Client{}
	query := db.bun.NewSelect().Model(&clients).Where("owner_id = ?", owner)
	if last.ID != 0 {
		query.Where("(created_at, id) < (?, ?)", last.CreatedAt, last.ID)
	}
	return clients, explain(query.Order("created_at DESC", "id DESC").Limit(1000).Scan(ctx))
}

// ClientsByID are those of the named clients that are the owner's.
func (db *DB) ClientsByID(ctx context.Context, owner int64, ids []int64) ([]domain.Client, error) {
	clients := []domain.Client{}
	if len(ids) == 0 {
		return clients, nil
	}
	err := db.bun.NewSelect().Model(&clients).Where("owner_id = ? AND id IN (?)", owner, bun.In(ids)).Order("id").Scan(ctx)
	return clients, explain(err)
}
