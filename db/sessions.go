package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Sessions are signed-in browsers.
type Sessions struct{ db *DB }

// Sessions of this database.
func (db *DB) Sessions() Sessions { return Sessions{db} }

// User is the user who is signed in by the session; NotFound when it ended, ran out or its user
// is blocked. A use is noted at most once a minute and prolongs the session.
func (s Sessions) User(ctx context.Context, hash []byte, now time.Time) (domain.User, error) {
	var found struct {
		domain.User `bun:",extend"`
		SeenAt      time.Time
	}
	err := s.db.pg.Bun.NewRaw(`SELECT u.*, s.seen_at FROM sessions s JOIN users u ON u.id = s.user_id
		WHERE s.hash = ? AND s.expires_at > ? AND u.blocked_at IS NULL`, hash, now).Scan(ctx, &found)
	if err != nil {
		return domain.User{}, postgres.TranslateError(err)
	}
	if now.Sub(found.SeenAt) >= time.Minute {
		s.db.index.Expect(found.ID)
		_, err = s.db.pg.Bun.NewRaw(`UPDATE sessions SET seen_at = ?, expires_at = ? WHERE hash = ?`,
			now, now.Add(domain.SessionLife), hash).Exec(ctx)
	}
	return found.User, postgres.TranslateError(err)
}

// Start signs a user in.
func (s Sessions) Start(ctx context.Context, session domain.Session) error {
	s.db.index.Expect(session.UserID)
	return s.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewInsert().Model(&session).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw(`DELETE FROM sessions WHERE user_id = ? AND expires_at < ?`,
			session.UserID, session.CreatedAt).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = tx.NewRaw(`UPDATE users SET last_sign_in_at = ? WHERE id = ?`,
			session.CreatedAt, session.UserID).Exec(ctx)
		return err
	})
}

// End signs one browser out; one that isn't signed in any more stays so.
func (s Sessions) End(ctx context.Context, hash []byte) error {
	_, err := s.db.pg.Bun.NewRaw(`DELETE FROM sessions WHERE hash = ?`, hash).Exec(ctx)
	return postgres.TranslateError(err)
}

// EndOthers signs the user out everywhere but in the session kept.
func (s Sessions) EndOthers(ctx context.Context, userID int64, kept []byte) error {
	_, err := s.db.pg.Bun.NewRaw(`DELETE FROM sessions WHERE user_id = ? AND hash <> ?`, userID, kept).Exec(ctx)
	return postgres.TranslateError(err)
}

// List are where the user is signed in, the last used first.
func (s Sessions) List(ctx context.Context, userID int64, now time.Time) (list []domain.Session, err error) {
	err = s.db.pg.Bun.NewSelect().Model(&list).Where("user_id = ? AND expires_at > ?", userID, now).
		Order("seen_at DESC").Limit(100).Scan(ctx)
	return list, postgres.TranslateError(err)
}
