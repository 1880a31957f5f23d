package db

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// importRows saves a batch and counts it.
func importRows(ctx context.Context, tx Tx, i *domain.Import, rows []domain.ImportRow) error {
	known, err := knownClients(ctx, tx.Pgx, i.OwnerID, rows, "ORDER BY clients.id FOR UPDATE OF clients")
	if err != nil {
		return err
	}
	var batch importedRows
	for n := range rows {
		switch client, verdict := rows[n].Judge(known[n]); verdict {
		case domain.ImportNew:
			batch.fresh = append(batch.fresh, client)
		case domain.ImportChanged:
			batch.merged, batch.before = append(batch.merged, client), append(batch.before, *known[n])
		case domain.ImportSame:
			i.Same++
		case domain.ImportBad: // a line with several addresses is told of once
			if one := rows[n].Problem(i.ID); len(batch.bad) == 0 || batch.bad[len(batch.bad)-1].Line != one.Line {
				batch.bad = append(batch.bad, one)
			}
		}
	}
	ids, err := insertClients(ctx, tx, i, batch.fresh)
	if err != nil {
		return err
	}
	if err := batch.merge(ctx, tx, i); err != nil {
		return err
	}
	if len(batch.bad) > 0 {
		if _, err := tx.NewInsert().Model(&batch.bad).ModelTableExpr("import_errors").Exec(ctx); err != nil {
			return err
		}
	}
	i.Created, i.Updated, i.Bad = i.Created+len(ids), i.Updated+len(batch.merged), i.Bad+len(batch.bad)
	return keepOptOuts(ctx, tx, i.OwnerID, ids)
}

// importedRows are the rows of a batch by what becomes of them.
type importedRows struct {
	fresh, merged, before []domain.Client // before: what was merged
	bad                   []domain.ImportProblem
}

// merge saves the changed clients, and how they were.
func (b importedRows) merge(ctx context.Context, tx Tx, i *domain.Import) error {
	if len(b.merged) == 0 {
		return nil
	}
	var changed, stopped []int64
	var changes, reasons, was []string
	var told []postgres.Notification
	for n, c := range b.merged {
		change, err := json.Marshal(domain.ImportChange{Before: b.before[n].State(), After: c.State()})
		if err != nil {
			return err
		}
		changed, changes = append(changed, c.ID), append(changes, string(change))
		if c.SuppressedReason != b.before[n].SuppressedReason {
			stopped, reasons = append(stopped, c.ID), append(reasons, string(c.SuppressedReason))
			was = append(was, string(b.before[n].SuppressedReason))
			told = append(told, postgres.ClientSuppressed{ClientID: c.ID})
		}
	}
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO import_changes SELECT $1, * FROM unnest($2::bigint[], $3::jsonb[])`, i.ID, changed, changes)
	if err == nil && len(stopped) > 0 {
		_, err = tx.Pgx.Exec(ctx, `INSERT INTO import_suppressions SELECT $1, row.id, row.reason, row.was, suppressed_at
			FROM unnest($2::bigint[], $3::text[], $4::text[]) AS row (id, reason, was) JOIN clients ON clients.id = row.id`, i.ID, stopped, reasons, was)
	}
	if err == nil {
		err = mergeClients(ctx, tx, b.merged)
	}
	if err != nil {
		return err
	}
	return tx.Notify(ctx, told...)
}

// undoBatch takes some of what an import did back. Nothing is left when both are 0.
func undoBatch(ctx context.Context, tx Tx, i *domain.Import) (erased, restored int, err error) {
	var ids []int64
	if err := tx.NewRaw(`SELECT id FROM clients WHERE import_id = ? AND owner_id = ? ORDER BY id LIMIT ?`, i.ID, i.OwnerID, importBatch).Scan(ctx, &ids); err != nil {
		return 0, 0, err
	}
	if len(ids) > 0 { // whom the list alone stopped is not remembered
		if err := unstop(ctx, tx, i, ids); err != nil {
			return 0, 0, err
		}
		erased, err = eraseClients(ctx, tx, i.OwnerID, ids)
		return erased, 0, err
	}
	rows, err := tx.Pgx.Query(ctx, `WITH taken AS (
			DELETE FROM import_changes WHERE import_id = $1 AND client_id IN (SELECT client_id FROM import_changes WHERE import_id = $1 ORDER BY client_id LIMIT $2)
			RETURNING client_id, change
		)
		SELECT change, `+clientState+` FROM taken JOIN clients ON clients.id = client_id AND owner_id = $3 ORDER BY clients.id FOR UPDATE OF clients`,
		i.ID, importBatch, i.OwnerID)
	if err != nil {
		return 0, 0, err
	}
	var clients []domain.Client
	var change domain.ImportChange
	var c domain.Client
	_, err = pgx.ForEachRow(rows, append([]any{&change}, scanState(&c)...), func() error {
		one := c
		one.Restore(change)
		clients = append(clients, one)
		c, change = domain.Client{}, domain.ImportChange{}
		ids = append(ids, one.ID)
		return nil
	})
	if err != nil || len(clients) == 0 {
		return 0, 0, err
	}
	if err := mergeClients(ctx, tx, clients); err != nil {
		return 0, 0, err
	}
	return 0, len(clients), unstop(ctx, tx, i, ids)
}

// unstop lets those of the clients get emails again whom nothing but the list has stopped: who has said so, too, stays.
func unstop(ctx context.Context, tx Tx, i *domain.Import, ids []int64) error {
	_, err := tx.Pgx.Exec(ctx, `WITH gone AS (
			DELETE FROM import_suppressions WHERE import_id = $1 AND client_id = ANY($2) RETURNING *
		)
		UPDATE clients SET suppressed_reason = was_reason, suppressed_at = was_at FROM gone
		WHERE clients.id = client_id AND suppressed_reason = gone.reason
		  AND NOT EXISTS (SELECT FROM unsubscribes u WHERE u.client_id = clients.id AND topic_id = 0)`, i.ID, ids)
	return err
}

// clientState is what an import reads of a client, and scanState where it goes.
const clientState = "clients.id, clients.email, full_name, first_name, last_name, comment, tags, fields, suppressed_reason"

func scanState(c *domain.Client) []any {
	return []any{&c.ID, &c.Email, &c.FullName, &c.FirstName, &c.LastName, &c.Comment, &c.Tags, &c.Fields, &c.SuppressedReason}
}

// knownClients are the owner's clients with the addresses of the rows, by the row's place.
func knownClients(ctx context.Context, tx querier, owner int64, rows []domain.ImportRow, lock string) (map[int]*domain.Client, error) {
	emails := make([]string, len(rows))
	for n, row := range rows {
		if len(row.Errors) == 0 {
			emails[n] = row.Form.Email
		}
	}
	found, err := tx.Query(ctx, `SELECT place - 1, `+clientState+`
		FROM unnest($2::text[]) WITH ORDINALITY AS row (email, place)
		JOIN clients ON owner_id = $1 AND lower(clients.email) = lower(row.email) `+lock, owner, emails)
	if err != nil {
		return nil, err
	}
	known := map[int]*domain.Client{}
	var place int
	var c domain.Client
	_, err = pgx.ForEachRow(found, append([]any{&place}, scanState(&c)...), func() error {
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
	ids                                                         []int64
	emails, names, first, last, comments, tags, fields, reasons []string
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
		list.fields, list.reasons = append(list.fields, string(fields)), append(list.reasons, string(c.SuppressedReason))
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
	rows, err := tx.Pgx.Query(ctx, `INSERT INTO clients (owner_id, import_id, email, full_name, first_name, last_name, comment, tags, fields, suppressed_reason, suppressed_at)
		SELECT $1, $2, email, name, first, last, comment, string_to_array(tags, $3), fields::jsonb, reason, CASE WHEN reason <> '' THEN now() END
		FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[])
			AS row (email, name, first, last, comment, tags, fields, reason)
		ON CONFLICT (owner_id, lower(email)) DO NOTHING RETURNING id, suppressed_reason`,
		i.OwnerID, i.ID, tagSeparator, list.emails, list.names, list.first, list.last, list.comments, list.tags, list.fields, list.reasons)
	if err != nil {
		return nil, err
	}
	var ids, stopped []int64
	var reasons []string
	var id int64
	var reason string
	_, err = pgx.ForEachRow(rows, []any{&id, &reason}, func() error {
		if ids = append(ids, id); reason != "" {
			stopped, reasons = append(stopped, id), append(reasons, reason)
		}
		return nil
	})
	if err == nil && len(stopped) > 0 {
		_, err = tx.Pgx.Exec(ctx, `INSERT INTO import_suppressions SELECT $1, id, reason, '' FROM unnest($2::bigint[], $3::text[]) AS row (id, reason)`, i.ID, stopped, reasons)
	}
	return ids, err
}

func mergeClients(ctx context.Context, tx Tx, clients []domain.Client) error {
	list, err := columnsOf(clients)
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET full_name = row.name, first_name = row.first, last_name = row.last, comment = row.comment,
			tags = string_to_array(row.tags, $1), fields = row.fields::jsonb, suppressed_reason = row.reason,
			suppressed_at = CASE WHEN suppressed_reason = row.reason THEN suppressed_at ELSE now() END
		FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[])
			AS row (id, name, first, last, comment, tags, fields, reason)
		WHERE clients.id = row.id`,
		tagSeparator, list.ids, list.names, list.first, list.last, list.comments, list.tags, list.fields, list.reasons)
	return err
}
