package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Imports are lists of clients on their way in.
type Imports struct{ db *DB }

// Imports of this database.
func (db *DB) Imports() Imports { return Imports{db} }

// importBatch is how many rows of a list one statement takes.
const importBatch = 1000

// importColumns are all but the content, which is long.
const importColumns = `id, owner_id, file_name, mapping, status, total, done, created, updated, bad, created_at, ended_at`

// Create keeps an uploaded list. For it go the oldest that their owner never started, when they are too many.
func (is Imports) Create(ctx context.Context, i *domain.Import) error {
	return is.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR UPDATE", i.OwnerID).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(i).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`DELETE FROM imports WHERE id IN (SELECT id FROM (
				SELECT id, row_number() OVER latest AS place, sum(octet_length(content)) OVER latest AS bytes
				FROM imports WHERE owner_id = ? AND status = ? WINDOW latest AS (ORDER BY id DESC)
			) unstarted WHERE place > ? OR bytes > ?)`,
			i.OwnerID, domain.ImportChecked, domain.ImportsUnstarted, domain.ImportsUnstartedBytes).Exec(ctx)
		return err
	})
}

// DropUnstarted forgets the lists that were not started in time.
func (is Imports) DropUnstarted(ctx context.Context) error {
	_, err := is.db.pg.Bun.NewDelete().Table("imports").Where("status = ? AND created_at < now() - make_interval(secs => ?)",
		domain.ImportChecked, domain.ImportsUnstartedFor.Seconds()).Exec(ctx)
	return postgres.TranslateError(err)
}

// List are the owner's latest ten lists, without their content.
func (is Imports) List(ctx context.Context, owner int64) ([]domain.Import, error) {
	list := []domain.Import{}
	err := is.db.pg.Bun.NewSelect().Model(&list).ColumnExpr(importColumns).
		Where("owner_id = ?", owner).Order("id DESC").Limit(10).Scan(ctx)
	return list, postgres.TranslateError(err)
}

// Get is one list of the owner, without its content.
func (is Imports) Get(ctx context.Context, owner, id int64) (i domain.Import, err error) {
	err = is.db.pg.Bun.NewSelect().Model(&i).ColumnExpr(importColumns).
		Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return i, postgres.TranslateError(err)
}

// content is what a list holds while it is needed.
func (is Imports) content(ctx context.Context, i domain.Import) (content []byte, err error) {
	err = is.db.pg.Bun.NewSelect().Table("imports").Column("content").
		Where("id = ? AND owner_id = ?", i.ID, i.OwnerID).Scan(ctx, &content)
	return content, postgres.TranslateError(err)
}

// Check finds out what the list would do to its owner's clients, and changes nothing. The result is kept
// until the meaning of its columns changes, or another import ends.
func (is Imports) Check(ctx context.Context, i domain.Import) (check domain.ImportCheck, err error) {
	valid := i.Mapping.Check() == nil
	var kept []byte
	err = is.db.pg.Bun.NewSelect().Table("imports").Column("result").Where("id = ? AND owner_id = ?", i.ID, i.OwnerID).Scan(ctx, &kept)
	if err != nil {
		return check, postgres.TranslateError(err)
	}
	if kept != nil && valid {
		return check, json.Unmarshal(kept, &check)
	}
	if i.Content, err = is.content(ctx, i); err != nil {
		return check, err
	}
	if i.Fields, err = is.db.Fields().List(ctx, i.OwnerID); err != nil {
		return check, err
	}
	for line, err := range domain.UnpackImport(i.Content) {
		if err != nil || len(check.Lines) == 5 {
			break
		}
		check.Lines = append(check.Lines, line)
	}
	if !valid {
		return check, nil
	}
	if err := is.judge(ctx, i, &check); err != nil {
		return check, err
	}
	if kept, err = json.Marshal(check); err != nil {
		return check, err
	}
	_, err = is.db.pg.Bun.NewRaw(`UPDATE imports SET result = ? WHERE id = ? AND status = ? AND mapping = ?`,
		string(kept), i.ID, domain.ImportChecked, i.Mapping).Exec(ctx)
	return check, postgres.TranslateError(err)
}

// judge counts what would become of each row.
func (is Imports) judge(ctx context.Context, i domain.Import, check *domain.ImportCheck) error {
	err := eachBatch(i, 0, func(_ int, rows []domain.ImportRow) error {
		known, err := knownClients(ctx, is.db.pg.Pool, i.OwnerID, rows, "")
		for n := range rows {
			client, verdict := rows[n].Judge(known[n])
			check.Add(rows[n], client, verdict)
		}
		return err
	})
	return postgres.TranslateError(err)
}

// Map keeps what the columns of the list mean.
func (is Imports) Map(ctx context.Context, owner, id int64, mapping domain.ImportMapping) error {
	return is.update(ctx, owner, id, func(tx Tx, i *domain.Import) error {
		before := i.Mapping
		if err := i.Map(mapping); err != nil || reflect.DeepEqual(before, mapping) {
			return err
		}
		_, err := tx.NewUpdate().Table("imports").Set("result = NULL").Where("id = ?", id).Exec(ctx)
		return err
	})
}

// forgetChecks: what lists would do depends on the clients that are there.
func forgetChecks(ctx context.Context, tx Tx, owner int64) error {
	_, err := tx.NewUpdate().Table("imports").Set("result = NULL").
		Where("owner_id = ? AND status = ? AND result IS NOT NULL", owner, domain.ImportChecked).Exec(ctx)
	return err
}

// Start hands the list to the queue.
func (is Imports) Start(ctx context.Context, owner, id int64, mapping domain.ImportMapping) error {
	return is.update(ctx, owner, id, func(tx Tx, i *domain.Import) error {
		if err := i.Start(mapping); err != nil {
			return err
		}
		return is.db.pg.Enqueue(ctx, tx, domain.ImportJob{ImportID: id})
	})
}

// Undo erases the clients that the import created; the others keep what it changed.
func (is Imports) Undo(ctx context.Context, owner, id int64) (removed int, err error) {
	err = is.update(ctx, owner, id, func(tx Tx, i *domain.Import) error {
		if err := i.Undo(); err != nil {
			return err
		}
		if removed, err = eraseClients(ctx, tx, owner, "import_id", id); err != nil {
			return err
		}
		return errors.Join(forgetChecks(ctx, tx, owner), is.db.changed(ctx, tx, "stats"))
	})
	return removed, err
}

// Run does what is left to do of the list, batch by batch: each is saved together with
// how far it got, so a restart goes on from there. Run twice it changes nothing.
func (is Imports) Run(ctx context.Context, id int64) error {
	var i domain.Import
	if err := is.db.pg.Bun.NewSelect().Model(&i).Where("id = ?", id).Scan(ctx); err != nil {
		if err := postgres.TranslateError(err); domain.KindOf(err) != domain.NotFound {
			return err
		}
		return nil // its owner is gone
	}
	if !i.Going() {
		return nil
	}
	var err error
	if i.Fields, err = is.db.Fields().List(ctx, i.OwnerID); err != nil {
		return err
	}
	err = eachBatch(i, i.Done, func(done int, rows []domain.ImportRow) error {
		return is.update(ctx, i.OwnerID, id, func(tx Tx, now *domain.Import) error {
			if !now.Going() || now.Done != done {
				return domain.Errorf(domain.Conflict, "", "imports.started") // somebody else is at it
			}
			now.Status, now.Done = domain.ImportRunning, done+len(rows)
			return importRows(ctx, tx, now, rows)
		})
	})
	if err != nil {
		return postgres.TranslateError(err)
	}
	return is.end(ctx, i, domain.ImportDone)
}

// Fail gives up on a list; what was imported stays and can be undone.
func (is Imports) Fail(ctx context.Context, id int64) error {
	var i domain.Import
	if err := is.db.pg.Bun.NewSelect().Model(&i).ColumnExpr(importColumns).Where("id = ?", id).Scan(ctx); err != nil {
		return postgres.TranslateError(err)
	}
	return is.end(ctx, i, domain.ImportFailed)
}

func (is Imports) end(ctx context.Context, i domain.Import, status domain.ImportStatus) error {
	return is.update(ctx, i.OwnerID, i.ID, func(tx Tx, i *domain.Import) error {
		if !i.Going() {
			return nil
		}
		i.Status, i.EndedAt = status, time.Now()
		if _, err := tx.NewUpdate().Table("imports").Set("content = ''").Where("id = ?", i.ID).Exec(ctx); err != nil {
			return err
		}
		if i.Created > 10_000 { // Postgres would plan for the old numbers until it looks by itself
			if _, err := tx.NewRaw("ANALYZE clients").Exec(ctx); err != nil {
				return err
			}
		}
		return errors.Join(forgetChecks(ctx, tx, i.OwnerID), is.db.changed(ctx, tx, "stats"))
	})
}

// update lets change work on the locked import, whose content is not loaded, and saves
// what it made of it.
func (is Imports) update(ctx context.Context, owner, id int64, change func(Tx, *domain.Import) error) error {
	return is.db.pg.InTx(ctx, func(tx Tx) error {
		var i domain.Import
		err := tx.NewSelect().Model(&i).ColumnExpr(importColumns).
			Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx)
		if err != nil {
			return err
		}
		if err := change(tx, &i); err != nil {
			return err
		}
		_, err = tx.NewUpdate().Model(&i).ExcludeColumn("content").WherePK().Exec(ctx)
		return err
	})
}

// eachBatch hands the rows over in batches, those before skip left out. done is the number of
// rows before the batch.
func eachBatch(i domain.Import, skip int, do func(done int, rows []domain.ImportRow) error) error {
	rows, at := make([]domain.ImportRow, 0, importBatch), 0
	for row, err := range i.Rows() {
		if err != nil {
			return fmt.Errorf("read the list: %s", err) //nolint:errorlint // not %w: a list that ends early is no lost connection
		}
		if at++; at <= skip {
			continue
		}
		if rows = append(rows, row); len(rows) == importBatch {
			if err := do(at-len(rows), rows); err != nil {
				return err
			}
			rows = rows[:0]
		}
	}
	if len(rows) == 0 {
		return nil
	}
	return do(at-len(rows), rows)
}

// Problems is one page of the lines that were not taken, and the number of all.
func (is Imports) Problems(ctx context.Context, owner, id int64, page Page) ([]domain.ImportProblem, int, error) {
	problems, total := []domain.ImportProblem{}, 0
	err := is.db.pg.Bun.NewRaw(`SELECT coalesce(sum(bad), 0) FROM imports WHERE id = ? AND owner_id = ?`, id, owner).Scan(ctx, &total)
	if err != nil || total == 0 {
		return problems, 0, postgres.TranslateError(err)
	}
	found := is.db.pg.Bun.NewSelect().TableExpr("import_errors").Where("import_id = ?", id)
	err = is.db.pg.Bun.NewSelect().TableExpr("(?) AS problem", page.oldest(found, total, "line")).OrderExpr("line").Scan(ctx, &problems)
	return problems, total, postgres.TranslateError(err)
}
