package db

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"skychimp/domain"
)

// importRows saves a batch and counts it.
func importRows(ctx context.Context, tx Tx, i *domain.Import, rows []domain.ImportRow) error {
	known, err := knownClients(ctx, tx.Pgx, i.OwnerID, rows, "ORDER BY clients.id FOR UPDATE OF clients")
	if err != nil {
		return err
	}
	fresh, merged, bad := []domain.Client{}, []domain.Client{}, []domain.ImportProblem{}
	for n := range rows {
		switch client, verdict := rows[n].Judge(known[n]); verdict {
		case domain.ImportNew:
			fresh = append(fresh, client)
		case domain.ImportChanged:
			merged = append(merged, client)
		case domain.ImportBad:
			bad = append(bad, rows[n].Problem(i.ID))
		}
	}
	ids, err := insertClients(ctx, tx, i, fresh)
	if err != nil {
		return err
	}
	if err := mergeClients(ctx, tx, merged); err != nil {
		return err
	}
	if len(bad) > 0 {
		if _, err := tx.NewInsert().Model(&bad).ModelTableExpr("import_errors").Exec(ctx); err != nil {
			return err
		}
	}
	i.Created, i.Updated, i.Bad = i.Created+len(ids), i.Updated+len(merged), i.Bad+len(bad)
	return keepOptOuts(ctx, tx, i.OwnerID, ids)
}

// knownClients are the owner's clients with the addresses of the rows, by the row's place.
func knownClients(ctx context.Context, tx querier, owner int64, rows []domain.ImportRow, lock string) (map[int]*domain.Client, error) {
	emails := make([]string, len(rows))
	for n, row := range rows {
		if len(row.Problems) == 0 {
			emails[n] = row.Form.Email
		}
	}
	found, err := tx.Query(ctx, `SELECT place - 1, clients.id, clients.email, full_name, comment, tags
		FROM unnest($2::text[]) WITH ORDINALITY AS row (email, place)
		JOIN clients ON owner_id = $1 AND lower(clients.email) = lower(row.email) `+lock, owner, emails)
	if err != nil {
		return nil, err
	}
	known := map[int]*domain.Client{}
	var place int
	var c domain.Client
	_, err = pgx.ForEachRow(found, []any{&place, &c.ID, &c.Email, &c.FullName, &c.Comment, &c.Tags}, func() error {
		one := c
		known[place], c.Tags = &one, nil
		return nil
	})
	return known, err
}

// querier is the pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// tagSeparator stands in no tag, because it is a control character.
const tagSeparator = "\x1f"

// columnsOf turns clients into arrays for unnest; an array of arrays would have to be even.
func columnsOf(clients []domain.Client) (ids []int64, emails, names, comments, tags []string) {
	for _, c := range clients {
		ids, emails, names = append(ids, c.ID), append(emails, c.Email), append(names, c.FullName)
		comments, tags = append(comments, c.Comment), append(tags, strings.Join(c.Tags, tagSeparator))
	}
	return ids, emails, names, comments, tags
}

func insertClients(ctx context.Context, tx Tx, i *domain.Import, clients []domain.Client) ([]int64, error) {
	if len(clients) == 0 {
		return nil, nil
	}
	_, emails, names, comments, tags := columnsOf(clients)
	rows, err := tx.Pgx.Query(ctx, `INSERT INTO clients (owner_id, import_id, email, full_name, comment, tags)
		SELECT $1, $2, email, name, comment, string_to_array(tags, $3)
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[]) AS row (email, name, comment, tags)
		ON CONFLICT (owner_id, lower(email)) DO NOTHING RETURNING id`,
		i.OwnerID, i.ID, tagSeparator, emails, names, comments, tags)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

func mergeClients(ctx context.Context, tx Tx, clients []domain.Client) error {
	ids, _, names, comments, tags := columnsOf(clients)
	_, err := tx.Pgx.Exec(ctx, `UPDATE clients SET full_name = row.name, comment = row.comment, tags = string_to_array(row.tags, $1)
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[]) AS row (id, name, comment, tags) WHERE clients.id = row.id`,
		tagSeparator, ids, names, comments, tags)
	return err
}
