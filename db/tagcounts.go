package db

import (
	"context"

	"skychimp/db/clientindex"
	"skychimp/db/postgres"

	"github.com/uptrace/bun/dialect/pgdialect"
)

// Tag counts: clients have few different sets of tags, and triggers keep the number of each
// in tag_counts, so that no page counts clients one by one.

// count is the number of the owner's clients.
func (cs Clients) count(ctx context.Context, owner int64) (clients int, err error) {
	err = cs.db.pg.Bun.NewSelect().TableExpr("tag_counts").ColumnExpr("coalesce(sum(clients), 0)::bigint").
		Where("owner_id = ?", owner).Scan(ctx, &clients)
	return clients, err
}

// spellings are the ways the owner writes a tag, and the number of clients that have it.
func (cs Clients) spellings(ctx context.Context, owner int64, tag string) (spellings []string, clients int, err error) {
	err = cs.db.pg.Bun.NewRaw(`SELECT array_agg(DISTINCT tag), coalesce(sum(n), 0)
		FROM (SELECT tags, sum(clients) AS n FROM tag_counts WHERE owner_id = ? GROUP BY tags HAVING sum(clients) > 0) AS sets, unnest(tags) AS tag
		WHERE lower(tag) = lower(?)`, owner, tag).Scan(ctx, pgdialect.Array(&spellings), &clients)
	return spellings, clients, err
}

// TagCount is how many clients have a tag.
type TagCount struct {
	Tag     string
	Clients int
}

// Tags are the owner's tags, the most used first, at most 100. Spellings that differ in case
// are one tag.
func (cs Clients) Tags(ctx context.Context, owner int64) ([]TagCount, error) {
	tags := []TagCount{}
	err := cs.db.pg.Bun.NewRaw(`SELECT (array_agg(tag ORDER BY n DESC))[1] AS tag, sum(n) AS clients
		FROM (SELECT tags, sum(clients) AS n FROM tag_counts WHERE owner_id = ? GROUP BY tags HAVING sum(clients) > 0) AS sets, unnest(tags) AS tag
		GROUP BY lower(tag) ORDER BY sum(n) DESC, lower(tag) LIMIT 100`, owner).Scan(ctx, &tags)
	return tags, postgres.TranslateError(err)
}

// MergeTagCounts makes one row of the many that changes have left of a set.
func (cs Clients) MergeTagCounts(ctx context.Context) error {
	return cs.db.pg.MergeCounts(ctx, "tag_counts", "clients", "owner_id", "tags", "suppressed")
}

// PruneChanges forgets which clients changed more than an hour ago.
func (cs Clients) PruneChanges(ctx context.Context) error { return clientindex.Prune(ctx, cs.db.pg) }
