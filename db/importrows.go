package db

import (
	"context"
	"encoding/json"
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
		if len(row.Errors) == 0 {
			emails[n] = row.Form.Email
		}
	}
	found, err := tx.Query(ctx, `SELECT place - 1, clients.id, clients.email, full_name, first_name, last_name, comment, tags, fields
		FROM unnest($2::text[]) WITH ORDINALITY AS row (email, place)
		JOIN clients ON owner_id = $1 AND lower(clients.email) = lower(row.email) `+lock, owner, emails)
	if err != nil {
		return nil, err
	}
	known := map[int]*domain.Client{}
	var place int
	var c domain.Client
	_, err = pgx.ForEachRow(found, []any{&place, &c.ID, &c.Email, &c.FullName, &c.FirstName, &c.LastName, &c.Comment, &c.Tags, &c.Fields}, func() error {
		one := c
		known[place], c.Tags, c.Fields = &one, nil, nil
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

// clientColumns are clients as arrays for unnest; an array of arrays would have to be even.
type clientColumns struct {
	ids                                                []int64
	emails, names, first, last, comments, tags, fields []string
}

func columnsOf(clients []domain.Client) (list clientColumns, err error) {
	for _, c := range clients {
		fields := []byte("{}")
		if len(c.Fields) > 0 {
			if fields, err = json.Marshal(c.Fields); err != nil {
				return list, err
			}
		}
		list.ids, list.emails, list.names = append(list.ids, c.ID), append(list.emails, c.Email), append(list.names, c.FullName)
		list.first, list.last = append(list.first, c.FirstName), append(list.last, c.LastName)
		list.comments, list.tags = append(list.comments, c.Comment), append(list.tags, strings.Join(c.Tags, tagSeparator))
		list.fields = append(list.fields, string(fields))
	}
	return list, nil
}

func insertClients(ctx context.Context, tx Tx, i *domain.Import, clients []domain.Client) ([]int64, error) {
	if len(clients) == 0 {
		return nil, nil
	}
	list, err := columnsOf(clients)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Pgx.Query(ctx, `INSERT INTO clients (owner_id, import_id, email, full_name, first_name, last_name, comment, tags, fields)
		SELECT $1, $2, email, name, first, last, comment, string_to_array(tags, $3), fields::jsonb
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) AS row (email, name, first, last, comment, tags, fields)
		ON CONFLICT (owner_id, lower(email)) DO NOTHING RETURNING id`,
		i.OwnerID, i.ID, tagSeparator, list.emails, list.names, list.first, list.last, list.comments, list.tags, list.fields)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

func mergeClients(ctx context.Context, tx Tx, clients []domain.Client) error {
	list, err := columnsOf(clients)
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET full_name = row.name, first_name = row.first, last_name = row.last, comment = row.comment,
			tags = string_to_array(row.tags, $1), fields = row.fields::jsonb
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) AS row (id, name, first, last, comment, tags, fields)
		WHERE clients.id = row.id`,
		tagSeparator, list.ids, list.names, list.first, list.last, list.comments, list.tags, list.fields)
	return err
}
