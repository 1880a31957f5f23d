package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Tokens are the links in account emails, kept as hashes.
type Tokens struct{ db *DB }

// Tokens of this database.
func (db *DB) Tokens() Tokens { return Tokens{db} }

type token struct {
	Hash           []byte `bun:",pk"`
	UserID         int64  `bun:",nullzero"`
	RegistrationID int64  `bun:",nullzero"`
	ChangeID       int64  `bun:",nullzero"`
	SenderID       int64  `bun:",nullzero"`
	Purpose        domain.TokenPurpose
	ExpiresAt      time.Time
}

// Create keeps a link's hash, the first time it is asked to, for as long as its purpose lets it work; id is of a registration
// of an email change or of a sender where the link confirms one, else of a user. Older links go on working, because emails may arrive
// late and out of turn.
func (t Tokens) Create(ctx context.Context, hash []byte, id int64, purpose domain.TokenPurpose, now time.Time) error {
	return t.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw(`DELETE FROM tokens WHERE expires_at < ?`, now).Exec(ctx); err != nil {
			return err
		}
		kept := token{Hash: hash, UserID: id, Purpose: purpose, ExpiresAt: now.Add(purpose.Life())}
		switch purpose {
		case domain.TokenVerify:
			kept.UserID, kept.RegistrationID = 0, id
		case domain.TokenOldEmail, domain.TokenNewEmail:
			if err := tx.NewRaw(`SELECT user_id FROM email_changes WHERE id = ?`, id).Scan(ctx, &kept.UserID); err != nil {
				return err
			}
			kept.ChangeID = id
		case domain.TokenSender:
			if err := tx.NewRaw(`SELECT owner_id FROM senders WHERE id = ?`, id).Scan(ctx, &kept.UserID); err != nil {
				return err
			}
			kept.SenderID = id
		}
		_, err := tx.NewInsert().Model(&kept).On("CONFLICT DO NOTHING").Exec(ctx)
		return err
	})
}

// User is whose link it is; NotFound when it was used or ran out.
func (t Tokens) User(ctx context.Context, hash []byte, purpose domain.TokenPurpose, now time.Time) (user domain.User, err error) {
	err = t.db.pg.Bun.NewRaw(`SELECT u.* FROM tokens t JOIN users u ON u.id = t.user_id
		WHERE t.hash = ? AND t.purpose = ? AND t.expires_at > ?`, hash, purpose, now).Scan(ctx, &user)
	return user, postgres.TranslateError(err)
}

// Use uses a link up, with all others of its purpose, and changes its user in the same step.
func (t Tokens) Use(ctx context.Context, hash []byte, purpose domain.TokenPurpose, now time.Time,
	change func(*domain.User) error) (user domain.User, err error) {
	err = t.db.pg.InTx(ctx, func(tx Tx) error {
		var id int64
		err := tx.NewRaw(`DELETE FROM tokens WHERE hash = ? AND purpose = ? AND expires_at > ? RETURNING user_id`,
			hash, purpose, now).Scan(ctx, &id)
		if err != nil {
			return err
		}
		if err := dropTokens(ctx, tx, id, purpose); err != nil {
			return err
		}
		user, err = t.db.Users().update(ctx, tx, id, change)
		return err
	})
	return user, err
}

func dropTokens(ctx context.Context, tx Tx, userID int64, purpose domain.TokenPurpose) error {
	_, err := tx.NewRaw(`DELETE FROM tokens WHERE user_id = ? AND purpose = ?`, userID, purpose).Exec(ctx)
	return err
}
