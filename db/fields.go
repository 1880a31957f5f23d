package db

import (
	"context"
	"strconv"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Fields are the typed properties that owners give their clients.
type Fields struct{ db *DB }

// Fields of this database.
func (db *DB) Fields() Fields { return Fields{db} }

// List are the owner's fields in the order in which they were made.
func (fs Fields) List(ctx context.Context, owner int64) ([]domain.Field, error) {
	fields := []domain.Field{}
	err := fs.db.pg.Bun.NewSelect().Model(&fields).Where("owner_id = ?", owner).Order("id").Scan(ctx)
	return fields, postgres.TranslateError(err)
}

// Get is one field of the owner.
func (fs Fields) Get(ctx context.Context, owner, id int64) (f domain.Field, err error) {
	err = fs.db.pg.Bun.NewSelect().Model(&f).Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return f, postgres.TranslateError(err)
}

// Create saves a new field of the owner.
func (fs Fields) Create(ctx context.Context, owner int64, form domain.FieldForm) (f domain.Field, err error) {
	f.OwnerID = owner
	err = fs.change(ctx, owner, func(tx Tx, fields []domain.Field) error {
		if err := f.Change(form, fields); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&f).Exec(ctx)
		return err
	})
	return f, err
}

// Update applies the form to a field, unless check refuses to change what is stored. Its key stays while messages name it.
func (fs Fields) Update(ctx context.Context, owner, id int64, form domain.FieldForm, check func(stored domain.Field) error) (f domain.Field, err error) {
	if f, err = fs.Get(ctx, owner, id); err != nil {
		return f, err // without a lock on anybody
	}
	err = fs.change(ctx, owner, func(tx Tx, fields []domain.Field) error {
		var others []domain.Field
		if f, others, err = pick(fields, id); err != nil {
			return err
		}
		if err := check(f); err != nil {
			return err
		}
		key := f.Key
		if err := f.Change(form, others); err != nil {
			return err
		}
		if f.Key != key {
			if err := refuseUsed(ctx, tx, owner, key, "key", "fields.key_used"); err != nil {
				return err
			}
		}
		_, err := tx.NewUpdate().Model(&f).WherePK().Exec(ctx)
		return err
	})
	return f, err
}

// Delete deletes a field that no message names and no segment asks for; its values follow in the queue.
func (fs Fields) Delete(ctx context.Context, owner, id int64) error {
	if _, err := fs.Get(ctx, owner, id); err != nil {
		return err
	}
	return fs.change(ctx, owner, func(tx Tx, fields []domain.Field) error {
		f, _, err := pick(fields, id)
		if err != nil {
			return err
		}
		if err := refuseUsed(ctx, tx, owner, f.Key, "", "fields.in_use"); err != nil {
			return err
		}
		if err := refuseChosenBy(ctx, tx, f); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model(&f).WherePK().Exec(ctx); err != nil {
			return err
		}
		return fs.db.pg.Enqueue(ctx, tx, domain.ClearFieldJob{OwnerID: owner, FieldID: id})
	})
}

// clearPart is how many clients are looked at in one transaction.
const clearPart = 5000

// Clear empties a deleted field, a part of the owner's clients after the other. Until then nothing but the search
// knows its values.
func (fs Fields) Clear(ctx context.Context, owner, id int64) error {
	for last, more := int64(0), true; more; {
		err := fs.db.pg.Pool.QueryRow(ctx, `WITH part AS MATERIALIZED (
				SELECT id FROM clients WHERE owner_id = $1 AND id > $3 ORDER BY id LIMIT $4
			), cleared AS (
				UPDATE clients SET fields = fields - $2 FROM part WHERE clients.id = part.id AND jsonb_exists(fields, $2)
			) SELECT coalesce(max(id), 0), count(*) = $4 FROM part`, owner, strconv.FormatInt(id, 10), last, clearPart).Scan(&last, &more)
		if err != nil {
			return postgres.TranslateError(err)
		}
	}
	return nil
}

// change lets do work on the owner's fields, which nobody else changes meanwhile.
func (fs Fields) change(ctx context.Context, owner int64, do func(Tx, []domain.Field) error) error {
	return fs.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", owner).Exec(ctx); err != nil {
			return err
		}
		fields := []domain.Field{}
		if err := tx.NewSelect().Model(&fields).Where("owner_id = ?", owner).Order("id").Scan(ctx); err != nil {
			return err
		}
		return do(tx, fields)
	})
}

// pick parts a field from the others.
func pick(fields []domain.Field, id int64) (f domain.Field, others []domain.Field, err error) {
	err = domain.Errorf(domain.NotFound, "", "errors.not_found")
	for _, one := range fields {
		if one.ID == id {
			f, err = one, nil
		} else {
			others = append(others, one)
		}
	}
	return f, others, err
}

// checkCameBack refuses a field that holds no days of the owner's clients, and keeps it from being deleted before the mailing
// is saved.
func checkCameBack(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if m.Holdout.FieldID == 0 {
		return nil
	}
	own, err := tx.NewSelect().Table("fields").Where("id = ? AND owner_id = ? AND type = ?", m.Holdout.FieldID, m.OwnerID, domain.FieldDate).For("KEY SHARE").Exists(ctx)
	if err == nil && !own {
		err = domain.Errorf(domain.Invalid, "came_back", "holdout.field_unknown")
	}
	return err
}

// refuseUsed refuses what would leave a message with a placeholder that nobody knows.
func refuseUsed(ctx context.Context, tx Tx, owner int64, fieldKey, place, reason string) error {
	var subjects []string
	err := tx.NewSelect().Table("messages").Column("subject").
		Where("owner_id = ? AND subject || ' ' || body ~ ?", owner, `\{\{\s*(#if\s+)?`+fieldKey+`\s*(\||\}\})`).Order("id").Limit(1).Scan(ctx, &subjects)
	if err != nil || len(subjects) == 0 {
		return err
	}
	if place != "" {
		return domain.Errorf(domain.Invalid, place, reason, "Subject", subjects[0])
	}
	return domain.Errorf(domain.Conflict, "", reason, "Subject", subjects[0])
}

// refuseChosenBy refuses what would leave a segment with a condition that nobody knows.
func refuseChosenBy(ctx context.Context, tx Tx, f domain.Field) error {
	var segments []domain.Segment
	err := tx.NewSelect().Model(&segments).Where("owner_id = ?", f.OwnerID).Order("id").Scan(ctx)
	for _, one := range segments {
		if err == nil && one.Uses(f.ID) {
			return domain.Errorf(domain.Conflict, "", "fields.in_segment", "Name", one.Name)
		}
	}
	return err
}
