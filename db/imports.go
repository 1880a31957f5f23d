package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Imports are lists of clients on their way in.
type Imports struct{ db *DB }

// Imports of this database.
func (db *DB) Imports() Imports { return Imports{db} }

// importBatch is how many rows of a list one statement takes.
const importBatch = 1000

const importColumns = `id, owner_id, file_name, mapping, sheets, status, total, done, created, updated, same, bad, created_at, ended_at`

// Create keeps an uploaded list, whose sheets have these names, with a guess at its columns unless it says what they
// mean. For it go the oldest that their owner never started, when they are too many.
func (is Imports) Create(ctx context.Context, i *domain.Import, lines iter.Seq2[domain.ImportLine, error], names ...string) error {
	fields, err := is.db.Fields().List(ctx, i.OwnerID)
	if err != nil {
		return err
	}
	return is.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(i).Exec(ctx); err != nil {
			return err
		}
		part := 0
		packed, err := domain.PackImport(lines, func(content []byte) error {
			_, err := tx.Pgx.Exec(ctx, "INSERT INTO import_parts VALUES ($1, $2, $3)", i.ID, part, content)
			part++
			return err
		})
		if err != nil {
			return err
		}
		i.Take(packed, names, fields)
		if _, err := tx.NewUpdate().Model(i).WherePK().Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR UPDATE", i.OwnerID).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM imports WHERE id IN (SELECT id FROM (
				SELECT id, row_number() OVER latest AS place,
					sum((SELECT coalesce(sum(octet_length(content)), 0) FROM import_parts WHERE import_id = imports.id)) OVER latest AS bytes
				FROM imports WHERE owner_id = ? AND status = ? WINDOW latest AS (ORDER BY id DESC)
			) unstarted WHERE place > ? OR bytes > ?)`,
			i.OwnerID, domain.ImportChecked, domain.ImportsUnstarted, domain.ImportsUnstartedBytes).Exec(ctx)
		return err
	})
}

// Prune forgets the lists that were not started in time, and of the others all but their counts when they are old:
// the lines that were not taken, and what was there before.
func (is Imports) Prune(ctx context.Context, now time.Time) error {
	return is.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewDelete().Table("imports").Where("status = ? AND created_at < ?", domain.ImportChecked, now.Add(-domain.ImportsUnstartedFor)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`WITH old AS (
				UPDATE imports SET kept = false, content = '', result = NULL WHERE kept AND created_at < ? AND status IN (?) RETURNING id
			), parts AS (DELETE FROM import_parts USING old WHERE import_id = id
			), changes AS (DELETE FROM import_changes USING old WHERE import_id = id
			), suppressions AS (DELETE FROM import_suppressions USING old WHERE import_id = id
			) DELETE FROM import_errors USING old WHERE import_id = id`,
			now.Add(-domain.ImportKeptFor), bun.List([]domain.ImportStatus{domain.ImportDone, domain.ImportUndone, domain.ImportFailed})).Exec(ctx)
		return err
	})
}

// forgetListed takes the address of a client out of the lists of its owner that are kept: those that nobody has started yet, and
// the rest of one that is being imported.
func forgetListed(ctx context.Context, tx Tx, owner, client int64) error {
	var email string
	err := tx.Pgx.QueryRow(ctx, `SELECT email FROM clients WHERE id = $1 AND owner_id = $2`, client, owner).Scan(&email)
	if err != nil {
		return err
	}
	_, err = tx.Pgx.Exec(ctx, `UPDATE imports SET file_name = `+withoutAddress("file_name", "$2::text")+`
		WHERE owner_id = $1 AND position(lower($2) IN lower(file_name)) > 0`, owner, email)
	if err != nil {
		return err
	}
	type part struct {
		ImportID int64
		Part     int
	}
	rows, err := tx.Pgx.Query(ctx, `SELECT import_id, part FROM import_parts JOIN imports ON id = import_id WHERE owner_id = $1`, owner)
	if err != nil {
		return err
	}
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[part])
	for _, one := range parts {
		var content []byte
		if err = tx.Pgx.QueryRow(ctx, `SELECT content FROM import_parts WHERE import_id = $1 AND part = $2`, one.ImportID, one.Part).Scan(&content); err != nil {
			return err
		}
		without, found, err := domain.ForgetAddress(content, email, erasedMark)
		if err == nil && found {
			_, err = tx.Pgx.Exec(ctx, `UPDATE import_parts SET content = $3 WHERE import_id = $1 AND part = $2`, one.ImportID, one.Part, without)
		}
		if err != nil {
			return err
		}
	}
	return err
}

// List are the owner's latest ten lists.
func (is Imports) List(ctx context.Context, owner int64) ([]domain.Import, error) {
	list := []domain.Import{}
	err := is.db.pg.Bun.NewSelect().Model(&list).ColumnExpr(importColumns).
		Where("owner_id = ?", owner).Order("id DESC").Limit(10).Scan(ctx)
	return list, postgres.TranslateError(err)
}

// Get is one list of the owner.
func (is Imports) Get(ctx context.Context, owner, id int64) (i domain.Import, err error) {
	err = is.db.pg.Bun.NewSelect().Model(&i).ColumnExpr(importColumns).
		Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return i, postgres.TranslateError(err)
}

// lines reads a list, one part after the other.
func (is Imports) lines(ctx context.Context, i domain.Import) iter.Seq2[domain.ImportLine, error] {
	return func(yield func(domain.ImportLine, error) bool) {
		for part := 0; ; part++ {
			var content []byte // an older instance keeps a list as a whole
			err := is.db.pg.Pool.QueryRow(ctx, `SELECT p.content FROM import_parts p JOIN imports ON id = import_id WHERE import_id = $1 AND owner_id = $2 AND part = $3
				UNION ALL SELECT content FROM imports WHERE id = $1 AND owner_id = $2 AND $3 = 0 AND content <> ''`, i.ID, i.OwnerID, part).Scan(&content)
			if errors.Is(err, pgx.ErrNoRows) && part > 0 {
				return
			}
			if err != nil {
				yield(domain.ImportLine{}, postgres.TranslateError(err))
				return
			}
			for line, err := range domain.UnpackImport(content) {
				if !yield(line, err) || err != nil {
					return
				}
			}
		}
	}
}

// Values are the different texts of a column, from 0, up to one more than most.
func (is Imports) Values(ctx context.Context, i domain.Import, column, most int) (values []string, err error) {
	seen := map[string]bool{}
	for line, err := range i.Body(is.lines(ctx, i)) {
		if err != nil {
			return nil, err
		}
		if column >= len(line.Cells) {
			continue
		}
		text := strings.Join(strings.Fields(domain.CellText(line.Cells[column])), " ")
		if key := strings.ToLower(text); text != "" && !seen[key] {
			seen[key] = true
			if values = append(values, text); len(values) > most {
				break
			}
		}
	}
	return values, nil
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
	if i.Fields, err = is.db.Fields().List(ctx, i.OwnerID); err != nil {
		return check, err
	}
	first, err := is.first(ctx, i)
	if err != nil {
		return check, err
	}
	check.Look(first, i.Mapping)
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

// first are the first lines of the list's sheet.
func (is Imports) first(ctx context.Context, i domain.Import) (first []domain.ImportLine, err error) {
	for line, err := range is.lines(ctx, i) {
		if err != nil {
			return nil, err
		}
		if line.Sheet == i.Mapping.Sheet {
			first = append(first, line)
		}
		if len(first) == domain.ImportFirstLines || line.Sheet > i.Mapping.Sheet {
			break
		}
	}
	return first, nil
}

// checkedRows is how many rows of a list are looked at before it begins.
const checkedRows = 10_000

// judge counts what would become of each row.
func (is Imports) judge(ctx context.Context, i domain.Import, check *domain.ImportCheck) error {
	err := eachBatch(i, is.lines(ctx, i), 0, func(_, _ int, rows []domain.ImportRow) error {
		if check.Rows >= checkedRows {
			check.Part = true
			return errEnough
		}
		known, err := knownClients(ctx, is.db.pg.Pool, i.OwnerID, rows, "")
		for n := range rows {
			client, verdict := rows[n].Judge(known[n])
			check.Add(rows[n], client, verdict)
		}
		return err
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return postgres.TranslateError(err)
}

var errEnough = errors.New("nobody asks for more")

// Guess is what the columns of a sheet seem to mean.
func (is Imports) Guess(ctx context.Context, i domain.Import, sheet int) (domain.ImportMapping, error) {
	i.Mapping.Sheet = sheet
	fields, err := is.db.Fields().List(ctx, i.OwnerID)
	if err != nil {
		return domain.ImportMapping{}, err
	}
	first, err := is.first(ctx, i)
	mapping := domain.GuessMapping(first, fields)
	mapping.Sheet = sheet
	return mapping, err
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

// undoAtOnce is how many clients are taken back while somebody waits.
const undoAtOnce = 10_000

// Undo erases the clients that the import created, and restores those it changed. What is much is left to the queue.
func (is Imports) Undo(ctx context.Context, owner, id int64) (removed int, err error) {
	var undone domain.Import
	err = is.update(ctx, owner, id, func(tx Tx, i *domain.Import) error {
		if err := i.Undo(time.Now()); err != nil {
			return err
		}
		undone = *i
		return is.db.pg.Enqueue(ctx, tx, domain.ImportJob{ImportID: id})
	})
	if err != nil || undone.Created+undone.Updated > undoAtOnce {
		return 0, err
	}
	return is.undo(ctx, undone)
}

// undo takes back what is left, batch by batch: a restart goes on from there.
func (is Imports) undo(ctx context.Context, i domain.Import) (removed int, err error) {
	for more := true; more && err == nil; {
		err = is.update(ctx, i.OwnerID, i.ID, func(tx Tx, now *domain.Import) error {
			if more = now.Status == domain.ImportUndoing; !more {
				return nil // somebody else has done it
			}
			erased, changed, err := undoBatch(ctx, tx, now)
			if removed += erased; err != nil || erased+changed > 0 {
				return err
			}
			more, now.Status = false, domain.ImportUndone
			return errors.Join(forgetChecks(ctx, tx, i.OwnerID), is.db.changed(ctx, tx, "stats"))
		})
	}
	return removed, err
}

// Run does what is left to do of the list, batch by batch: each is saved together with
// how far it got, so a restart goes on from there. Run twice it changes nothing.
func (is Imports) Run(ctx context.Context, id int64) error {
	var i domain.Import
	if err := is.db.pg.Bun.NewSelect().Model(&i).ColumnExpr(importColumns).Where("id = ?", id).Scan(ctx); err != nil {
		if err := postgres.TranslateError(err); domain.KindOf(err) != domain.NotFound {
			return err
		}
		return nil // its owner is gone
	}
	if i.Status == domain.ImportUndoing {
		_, err := is.undo(ctx, i)
		return err
	}
	if !i.Going() {
		return nil
	}
	var err error
	if i.Fields, err = is.db.Fields().List(ctx, i.OwnerID); err != nil {
		return err
	}
	err = eachBatch(i, is.lines(ctx, i), i.Done, func(done, lines int, rows []domain.ImportRow) error {
		return is.update(ctx, i.OwnerID, id, func(tx Tx, now *domain.Import) error {
			if !now.Going() || now.Done != done {
				return domain.Errorf(domain.Conflict, "", "imports.started") // somebody else is at it
			}
			now.Status, now.Done = domain.ImportRunning, done+lines
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
		if _, err := tx.NewRaw(`WITH parts AS (DELETE FROM import_parts WHERE import_id = ?0)
			UPDATE imports SET content = '', result = NULL WHERE id = ?0`, i.ID).Exec(ctx); err != nil {
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

// update lets change work on the locked import, and saves what it made of it.
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
		_, err = tx.NewUpdate().Model(&i).WherePK().Exec(ctx)
		return err
	})
}

// eachBatch hands the rows over in batches of whole lines, those before skip left out. done is the number of
// lines before the batch.
func eachBatch(i domain.Import, list iter.Seq2[domain.ImportLine, error], skip int, do func(done, lines int, rows []domain.ImportRow) error) error {
	batch, at, lines := make([]domain.ImportRow, 0, importBatch), 0, 0
	for rows, err := range i.Rows(list) {
		if domain.KindOf(err) != 0 {
			return err
		}
		if err != nil {
			return fmt.Errorf("read the list: %s", err) //nolint:errorlint // not %w: a list that ends early is no lost connection
		}
		if at++; at <= skip {
			continue
		}
		batch = append(batch, rows...)
		if lines++; len(batch) >= importBatch {
			if err := do(at-lines, lines, batch); err != nil {
				return err
			}
			batch, lines = batch[:0], 0
		}
	}
	if lines == 0 {
		return nil
	}
	return do(at-lines, lines, batch)
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
