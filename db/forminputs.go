package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// FormInputs are forms on their way: those that were sent without a session, and those that have made something.
type FormInputs struct{ db *DB }

// FormInputs of this database.
func (db *DB) FormInputs() FormInputs { return FormInputs{db} }

// Keep keeps what a user typed into the form of a page. Only the newest few of a user stay.
func (f FormInputs) Keep(ctx context.Context, form domain.KeptForm) error {
	return f.db.pg.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewRaw(`INSERT INTO kept_forms (token_hash, user_id, page, fields) SELECT ?, id, ?, ? FROM users WHERE id = ?`,
			form.TokenHash, form.Page, form.Fields, form.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM kept_forms WHERE user_id = ?0 AND token_hash NOT IN
			(SELECT token_hash FROM kept_forms WHERE user_id = ?0 ORDER BY kept_at DESC, token_hash LIMIT ?1)`, form.UserID, domain.KeptFormsMost).Exec(ctx)
		return err
	})
}

// Kept is what was kept under the token for this user; nil when there is nothing.
func (f FormInputs) Kept(ctx context.Context, tokenHash []byte, user int64, now time.Time) (*domain.KeptForm, error) {
	list := []domain.KeptForm{}
	err := f.db.pg.Bun.NewRaw(`SELECT * FROM kept_forms WHERE token_hash = ? AND user_id = ? AND kept_at > ?`,
		tokenHash, user, now.Add(-domain.KeptFormLife)).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return nil, postgres.TranslateError(err)
	}
	return &list[0], nil
}

// Drop forgets what was kept under the token.
func (f FormInputs) Drop(ctx context.Context, tokenHash []byte, user int64) error {
	_, err := f.db.pg.Bun.NewRaw(`DELETE FROM kept_forms WHERE token_hash = ? AND user_id = ?`, tokenHash, user).Exec(ctx)
	return postgres.TranslateError(err)
}

// KeepDraft keeps what a user has typed into the form of a page and not sent; what is no longer typed is dropped. Only
// the newest of a user stay.
func (f FormInputs) KeepDraft(ctx context.Context, form domain.KeptForm) error {
	return f.db.pg.InTx(ctx, func(tx Tx) error {
		_, err := tx.NewRaw(`INSERT INTO form_drafts (user_id, page, fields) SELECT id, ?, ? FROM users WHERE id = ?
			ON CONFLICT (user_id, page) DO UPDATE SET fields = excluded.fields, kept_at = now()`, form.Page, form.Fields, form.UserID).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM form_drafts WHERE user_id = ?0 AND page NOT IN
			(SELECT page FROM form_drafts WHERE user_id = ?0 ORDER BY kept_at DESC, page LIMIT ?1)`, form.UserID, domain.FormDraftsMost).Exec(ctx)
		return err
	})
}

// Draft is what a user has typed into the form of a page and not sent; nil when there is nothing.
func (f FormInputs) Draft(ctx context.Context, user int64, page string, now time.Time) (*domain.KeptForm, error) {
	list := []domain.KeptForm{}
	err := f.db.pg.Bun.NewRaw(`SELECT * FROM form_drafts WHERE user_id = ? AND page = ? AND kept_at > ?`, user, page, now.Add(-domain.FormDraftLife)).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return nil, postgres.TranslateError(err)
	}
	return &list[0], nil
}

// DropDraft forgets it.
func (f FormInputs) DropDraft(ctx context.Context, user int64, page string) error {
	_, err := f.db.pg.Bun.NewRaw(`DELETE FROM form_drafts WHERE user_id = ? AND page = ?`, user, page).Exec(ctx)
	return postgres.TranslateError(err)
}

// Claim begins the work that a form asks for. claimed is false when the same form was sent before: made is then its
// answer, or nil while that is worked out. Who claimed and never answered is taken for dead after a minute, twice
// what a request may take.
func (f FormInputs) Claim(ctx context.Context, user int64, key []byte, now time.Time) (made *domain.FormAnswer, claimed bool, err error) {
	result, err := f.db.pg.Bun.NewRaw(`INSERT INTO form_keys AS known (user_id, key, used_at) VALUES (?, ?, ?)
		ON CONFLICT (user_id, key) DO UPDATE SET used_at = excluded.used_at
		WHERE known.answer IS NULL AND known.used_at < ?`, user, key, now, now.Add(-time.Minute)).Exec(ctx)
	if err != nil {
		return nil, false, postgres.TranslateError(err)
	}
	if n, _ := result.RowsAffected(); n > 0 {
		return nil, true, nil
	}
	list := []domain.FormAnswer{}
	err = f.db.pg.Bun.NewRaw(`SELECT answer AS path, said FROM form_keys WHERE user_id = ? AND key = ? AND answer IS NOT NULL`, user, key).Scan(ctx, &list)
	if err != nil || len(list) == 0 {
		return nil, false, postgres.TranslateError(err)
	}
	return &list[0], false, nil
}

// Answer ends the work of a form that made something.
func (f FormInputs) Answer(ctx context.Context, user int64, key []byte, made domain.FormAnswer) error {
	_, err := f.db.pg.Bun.NewRaw(`UPDATE form_keys SET answer = ?, said = ? WHERE user_id = ? AND key = ?`, made.Path, made.Said, user, key).Exec(ctx)
	return postgres.TranslateError(err)
}

// Release ends the work of a form that made nothing: it may be sent again.
func (f FormInputs) Release(ctx context.Context, user int64, key []byte) error {
	_, err := f.db.pg.Bun.NewRaw(`DELETE FROM form_keys WHERE user_id = ? AND key = ? AND answer IS NULL`, user, key).Exec(ctx)
	return postgres.TranslateError(err)
}

// Prune forgets what is over.
func (f FormInputs) Prune(ctx context.Context, now time.Time) error {
	_, err := f.db.pg.Bun.NewRaw(`DELETE FROM kept_forms WHERE kept_at < ?`, now.Add(-domain.KeptFormLife)).Exec(ctx)
	if err == nil {
		_, err = f.db.pg.Bun.NewRaw(`DELETE FROM form_keys WHERE used_at < ?`, now.Add(-domain.FormKeyLife)).Exec(ctx)
	}
	if err == nil {
		_, err = f.db.pg.Bun.NewRaw(`DELETE FROM form_drafts WHERE kept_at < ?`, now.Add(-domain.FormDraftLife)).Exec(ctx)
	}
	return postgres.TranslateError(err)
}
