package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// EmailChanges are new addresses that users asked for.
type EmailChanges struct{ db *DB }

// EmailChanges of this database.
func (db *DB) EmailChanges() EmailChanges { return EmailChanges{db} }

// Create keeps what a user asked for instead of what the user asked for before, and queues the emails to both
// mailboxes. Whether the new address has an account is seen by the worker.
func (c EmailChanges) Create(ctx context.Context, change domain.EmailChange, now time.Time) error {
	return c.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw(`DELETE FROM email_changes WHERE user_id = ?`, change.UserID).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewInsert().Model(&change).Returning("id").Exec(ctx); err != nil {
			return err
		}
		if err := c.db.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailOldEmail, EmailChangeID: change.ID}); err != nil {
			return err
		}
		job := domain.MailJob{Email: domain.MailNewEmail, EmailChangeID: change.ID}
		return mailWithin(ctx, c.db, tx, now, domain.Invitation(change.Email), job)
	})
}

// Get is one change by id.
func (c EmailChanges) Get(ctx context.Context, id int64) (change domain.EmailChange, err error) {
	err = c.db.pg.Bun.NewSelect().Model(&change).Where("id = ?", id).Scan(ctx)
	return change, postgres.TranslateError(err)
}

// Of is what a user has asked for; NotFound when nothing waits.
func (c EmailChanges) Of(ctx context.Context, user int64) (change domain.EmailChange, err error) {
	err = c.db.pg.Bun.NewSelect().Model(&change).Where("user_id = ?", user).Scan(ctx)
	return change, postgres.TranslateError(err)
}

// ByToken is what a link confirms; NotFound when it was used or ran out.
func (c EmailChanges) ByToken(ctx context.Context, hash []byte, now time.Time) (change domain.EmailChange, err error) {
	err = c.db.pg.Bun.NewRaw(`SELECT change.* FROM tokens AS token JOIN email_changes AS change ON change.id = token.change_id
		WHERE token.hash = ? AND token.expires_at > ?`, hash, now).Scan(ctx, &change)
	return change, postgres.TranslateError(err)
}

// Confirm uses a link up. When both mailboxes have confirmed, the user has the new address, and other
// registrations of it end. Invalid when somebody else has got it meanwhile.
func (c EmailChanges) Confirm(ctx context.Context, hash []byte, now time.Time) (change domain.EmailChange, err error) {
	err = c.db.pg.InTx(ctx, func(tx Tx) error {
		var used struct {
			ChangeID int64
			Purpose  domain.TokenPurpose
		}
		err := tx.NewRaw(`DELETE FROM tokens WHERE hash = ? AND expires_at > ? AND change_id IS NOT NULL RETURNING change_id, purpose`, hash, now).Scan(ctx, &used)
		if err != nil {
			return err
		}
		if err := tx.NewSelect().Model(&change).Where("id = ?", used.ChangeID).For("UPDATE").Scan(ctx); err != nil {
			return err
		}
		if change.Confirm(used.Purpose, now); !change.Confirmed() {
			_, err := tx.NewUpdate().Model(&change).WherePK().Exec(ctx)
			return err
		}
		_, err = c.db.Users().update(ctx, tx, change.UserID, func(u *domain.User) error { u.Email = change.Email; return nil })
		if err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model(&change).WherePK().Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw(`DELETE FROM registrations WHERE lower(email) = lower(?)`, change.Email).Exec(ctx)
		return err
	})
	return change, err
}
