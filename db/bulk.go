package db

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Bulk is what owners do to many clients at once.
type Bulk struct{ db *DB }

// Bulk of this database.
func (db *DB) Bulk() Bulk { return Bulk{db} }

// bulkPart is how many clients one transaction changes.
const bulkPart = 2000

// Get is one act of the owner.
func (b Bulk) Get(ctx context.Context, owner, id int64) (act domain.BulkAct, err error) {
	err = b.db.pg.Bun.NewSelect().Model(&act).Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return act, postgres.TranslateError(err)
}

// Prepare counts whom the act is for. An act without clients of its own is for all that the filter shows.
func (b Bulk) Prepare(ctx context.Context, act *domain.BulkAct, f ClientFilter) error {
	if act.ClientIDs == nil {
		chosen, err := b.db.Clients().selection(ctx, act.OwnerID, f)
		if err != nil {
			return postgres.TranslateError(err)
		}
		act.Filter = domain.BulkFilter{Query: clean(f.Query), Tag: clean(f.Tag), Selection: chosen}
	}
	query := b.db.pg.Bun.NewSelect().TableExpr("clients AS client").ColumnExpr("count(*), coalesce(max(client.id), 0)")
	err := b.narrow(query, *act)
	if err == nil {
		err = query.Scan(ctx, &act.Total, &act.Newest)
	}
	return postgres.TranslateError(err)
}

// narrow narrows clients (as `client`) to those that the act is for.
func (b Bulk) narrow(query *bun.SelectQuery, act domain.BulkAct) error {
	query.Where("client.owner_id = ?", act.OwnerID)
	if act.ClientIDs != nil {
		query.Where("client.id = ANY(?)", pgdialect.Array(act.ClientIDs))
		return nil
	}
	if act.Filter.Selection != nil {
		narrowTo(query, act.OwnerID, *act.Filter.Selection)
	}
	if act.Filter.Tag != "" {
		condition, args := tagCondition(domain.Test{Relation: domain.RelEqual, Text: strings.ToLower(act.Filter.Tag)}, act.OwnerID)
		query.Where(condition, args...)
	}
	for _, word := range searchWords(act.Filter.Query) {
		searched(query, word)
	}
	return nil
}

// Start keeps the act and does it: at once where it is for few, else the queue does.
func (b Bulk) Start(ctx context.Context, act *domain.BulkAct) error {
	err := b.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(act).Returning("id, created_at").Exec(ctx); err != nil {
			return err
		}
		return b.queue(ctx, tx, *act)
	})
	if err != nil || act.Total > domain.BulkAtOnce {
		return err
	}
	return b.Work(ctx, act.ID)
}

func (b Bulk) queue(ctx context.Context, tx Tx, act domain.BulkAct) error {
	return b.db.pg.Enqueue(ctx, tx, domain.BulkJob{ActID: act.ID})
}

// Undo takes the act back, as Start does it.
func (b Bulk) Undo(ctx context.Context, owner, id int64, now time.Time) error {
	var act domain.BulkAct
	err := b.db.pg.InTx(ctx, func(tx Tx) error {
		if err := tx.NewSelect().Model(&act).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		if err := act.Undo(now); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&act).Column("status", "done").WherePK().Exec(ctx); err != nil {
			return err
		}
		return b.queue(ctx, tx, act)
	})
	if err != nil || act.Changed > domain.BulkAtOnce {
		return err
	}
	return b.Work(ctx, id)
}

// Work does or undoes what is left of an act, part by part; several processes may do it at once.
func (b Bulk) Work(ctx context.Context, id int64) error {
	for {
		working := false
		err := b.db.pg.InTx(ctx, func(tx Tx) error {
			var acts []domain.BulkAct
			err := tx.NewSelect().Model(&acts).Where("id = ?", id).For("UPDATE").Scan(ctx)
			if err != nil || len(acts) == 0 || !acts[0].Working() {
				return err
			}
			act := &acts[0]
			if act.Status == domain.BulkRunning {
				err = b.doPart(ctx, tx, act)
			} else {
				err = b.undoPart(ctx, tx, act)
			}
			if err != nil {
				return err
			}
			working = act.Working()
			if _, err := tx.NewUpdate().Model(act).Column("status", "done", "changed", "cursor_at", "cursor_id").WherePK().Exec(ctx); err != nil {
				return err
			}
			return b.db.changed(ctx, tx, "stats")
		})
		if err != nil || !working {
			return err
		}
	}
}

func (b Bulk) doPart(ctx context.Context, tx Tx, act *domain.BulkAct) error {
	var part []domain.Client
	query := tx.NewSelect().Model(&part).Column("client.id", "client.created_at").
		Where("client.id <= ?", act.Newest).OrderExpr("client.created_at, client.id").Limit(bulkPart)
	if !act.CursorAt.IsZero() {
		query.Where("(client.created_at, client.id) > (?, ?)", act.CursorAt, act.CursorID)
	}
	if err := b.narrow(query, *act); err != nil {
		return err
	}
	if err := query.Scan(ctx); err != nil {
		return err
	}
	if len(part) < bulkPart {
		act.Status = domain.BulkDone
	}
	if len(part) == 0 {
		return nil
	}
	ids := make([]int64, len(part))
	for i, one := range part {
		ids[i] = one.ID
	}
	act.CursorAt, act.CursorID = part[len(part)-1].CreatedAt, part[len(part)-1].ID
	changed, err := b.change(ctx, tx, *act, ids)
	act.Done, act.Changed = act.Done+int64(len(part)), act.Changed+changed
	return err
}

// How tags become others, by the tags $3 and the owner $2. A client that would get more than it can have stays as it is.
const (
	taggedMore = `tags || ARRAY(SELECT one FROM unnest($3::text[]) AS one WHERE lower(one) NOT IN (SELECT lower(had) FROM unnest(tags) AS had))`
	taggedLess = `ARRAY(SELECT had FROM unnest(tags) WITH ORDINALITY AS own (had, n) WHERE lower(had) NOT IN (SELECT lower(one) FROM unnest($3::text[]) AS one) ORDER BY n)`
)

// change does the act to the clients, keeps how they were, and counts those that it changed.
func (b Bulk) change(ctx context.Context, tx Tx, act domain.BulkAct, ids []int64) (int64, error) {
	switch act.Act {
	case domain.BulkTag, domain.BulkUntag:
		become := taggedMore
		if act.Act == domain.BulkUntag {
			become = taggedLess
		}
		changed, err := tx.Pgx.Exec(ctx, `WITH others AS (
				SELECT id, tags, `+become+` AS become FROM clients WHERE owner_id = $2 AND id = ANY($4) FOR UPDATE
			), fit AS (
				SELECT * FROM others WHERE become <> tags AND cardinality(become) <= 20 AND octet_length(array_to_string(become, '')) <= 2300
			), kept AS (
				INSERT INTO bulk_clients SELECT $1, id, to_jsonb(tags) FROM fit
			) UPDATE clients SET tags = become FROM fit WHERE clients.id = fit.id`, act.ID, act.OwnerID, act.Tags, ids)
		return changed.RowsAffected(), err
	case domain.BulkSuppress:
		return b.suppress(ctx, tx, act, ids)
	case domain.BulkSeries:
		return b.enter(ctx, tx, act, ids)
	}
	kept, err := tx.Pgx.Exec(ctx, `INSERT INTO bulk_clients SELECT $1, id, to_jsonb(clients) - 'search' FROM clients WHERE owner_id = $2 AND id = ANY($3)`,
		act.ID, act.OwnerID, ids)
	if err == nil {
		_, err = eraseClients(ctx, tx, act.OwnerID, ids)
	}
	return kept.RowsAffected(), err
}

// enter lets clients into a series, but for those who are or were in it, or get no emails.
func (b Bulk) enter(ctx context.Context, tx Tx, act domain.BulkAct, ids []int64) (int64, error) {
	entered, err := tx.Pgx.Exec(ctx, `WITH entered AS (
			INSERT INTO series_clients (series_id, client_id, how)
			SELECT series.id, client.id, 'bulk' FROM series JOIN mailings AS m ON m.id = series.id AND m.status <> 'finished' AND m.deleted_at IS NULL
				JOIN clients AS client ON client.owner_id = series.owner_id AND client.id = ANY($4) AND client.suppressed_at IS NULL
			WHERE series.id = $3 AND series.owner_id = $2 ON CONFLICT DO NOTHING RETURNING client_id
		) INSERT INTO bulk_clients (act_id, client_id) SELECT $1, client_id FROM entered`, act.ID, act.OwnerID, act.SeriesID, ids)
	if err != nil {
		return 0, err
	}
	return entered.RowsAffected(), tx.Notify(ctx, postgres.SeriesDue{})
}

func (b Bulk) suppress(ctx context.Context, tx Tx, act domain.BulkAct, ids []int64) (int64, error) {
	var stopped []int64
	err := tx.NewRaw(`WITH stopped AS (
			UPDATE clients SET suppressed_at = now(), suppressed_reason = ? WHERE owner_id = ? AND id = ANY(?) AND suppressed_at IS NULL RETURNING id
		) INSERT INTO bulk_clients (act_id, client_id) SELECT ?, id FROM stopped RETURNING client_id`,
		domain.Stopped, act.OwnerID, pgdialect.Array(ids), act.ID).Scan(ctx, &stopped)
	if err != nil {
		return 0, err
	}
	told := make([]postgres.Notification, len(stopped))
	for i, id := range stopped {
		told[i] = postgres.ClientSuppressed{ClientID: id}
	}
	return int64(len(stopped)), tx.Notify(ctx, told...)
}

// undoPart takes back what was done to the next clients. What became of them meanwhile stays.
func (b Bulk) undoPart(ctx context.Context, tx Tx, act *domain.BulkAct) error {
	var part []int64
	err := tx.NewRaw(`SELECT client_id FROM bulk_clients WHERE act_id = ? ORDER BY client_id LIMIT ?`, act.ID, bulkPart).Scan(ctx, &part)
	if err != nil {
		return err
	}
	if len(part) < bulkPart {
		act.Status = domain.BulkUndone
	}
	if len(part) == 0 {
		return nil
	}
	if err := b.restore(ctx, tx, *act, part); err != nil {
		return err
	}
	act.Done += int64(len(part))
	_, err = tx.Pgx.Exec(ctx, `DELETE FROM bulk_clients WHERE act_id = $1 AND client_id = ANY($2)`, act.ID, part)
	return err
}

func (b Bulk) restore(ctx context.Context, tx Tx, act domain.BulkAct, ids []int64) (err error) {
	const had = `ARRAY(SELECT jsonb_array_elements_text(before))`
	const those = ` FROM bulk_clients WHERE act_id = $1 AND client_id = clients.id AND owner_id = $2 AND client_id = ANY($4)`
	switch act.Act {
	case domain.BulkTag:
		_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET tags = ARRAY(SELECT now FROM unnest(tags) WITH ORDINALITY AS own (now, n)
			WHERE now = ANY(`+had+`) OR lower(now) NOT IN (SELECT lower(one) FROM unnest($3::text[]) AS one) ORDER BY n)`+those, act.ID, act.OwnerID, act.Tags, ids)
	case domain.BulkUntag:
		_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET tags = tags || ARRAY(SELECT gone FROM unnest(`+had+`) AS gone
			WHERE lower(gone) IN (SELECT lower(one) FROM unnest($3::text[]) AS one) AND lower(gone) NOT IN (SELECT lower(now) FROM unnest(tags) AS now))`+those,
			act.ID, act.OwnerID, act.Tags, ids)
	case domain.BulkSuppress:
		_, err = tx.Pgx.Exec(ctx, `UPDATE clients SET suppressed_at = NULL, suppressed_reason = ''`+
			strings.ReplaceAll(those, "$4", "$3")+` AND suppressed_reason = $4`, act.ID, act.OwnerID, ids, string(domain.Stopped))
	case domain.BulkSeries: // who got a step stays known to have come in, and gets no other
		_, err = tx.Pgx.Exec(ctx, `WITH unsent AS (
				DELETE FROM series_clients AS sc USING bulk_clients AS kept WHERE kept.act_id = $1 AND kept.client_id = sc.client_id
				AND sc.client_id = ANY($2) AND sc.series_id = $3 AND sc.how = 'bulk' AND sc.passed = '{}'
			) UPDATE series_clients SET left_at = now(), left_reason = 'removed', due_at = NULL, next_step_id = 0
			WHERE series_id = $3 AND client_id = ANY($2) AND how = 'bulk' AND passed <> '{}' AND left_at IS NULL`, act.ID, ids, act.SeriesID)
	case domain.BulkDelete:
		err = b.bringBack(ctx, tx, act, ids)
	}
	return err
}

// bringBack makes deleted clients again, with their numbers. Whoever unsubscribed meanwhile stays so, and an address
// that is a client again keeps that one.
func (b Bulk) bringBack(ctx context.Context, tx Tx, act domain.BulkAct, ids []int64) error {
	var columns string
	err := tx.NewRaw(`SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
		WHERE attrelid = 'clients'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''`).Scan(ctx, &columns)
	if err != nil {
		return err
	}
	// Who comes back is no new client: no series begins.
	if _, err := tx.Pgx.Exec(ctx, `SELECT set_config('skychimp.restoring', 'yes', true)`); err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `INSERT INTO clients (`+columns+`) SELECT `+columns+`
		FROM bulk_clients, jsonb_populate_record(NULL::clients, before) WHERE act_id = $1 AND client_id = ANY($2) AND owner_id = $3
		ON CONFLICT DO NOTHING`, act.ID, ids, act.OwnerID)
	if err != nil {
		return err
	}
	if err := keepOptOuts(ctx, tx, act.OwnerID, ids); err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `DELETE FROM deleted_clients WHERE id = ANY($1) AND owner_id = $2 AND id IN (SELECT id FROM clients WHERE id = ANY($1))`, ids, act.OwnerID)
	return err
}

// Sweep forgets acts that can't be undone any more.
func (b Bulk) Sweep(ctx context.Context) error {
	_, err := b.db.pg.Pool.Exec(ctx, `DELETE FROM bulk_acts WHERE created_at < now() - $1::interval AND status IN ('done', 'undone')`, domain.BulkKept)
	return postgres.TranslateError(err)
}
