package db

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// keepVersion keeps what a message is, once for each revision, and drops what is too many.
func keepVersion(ctx context.Context, tx Tx, m domain.Message) error {
	_, err := tx.NewRaw(`INSERT INTO message_versions (message_id, revision, owner_id, author, subject, preheader, body, language, saved_at)
		SELECT ?, ?, id, name, ?, ?, ?, ?, ? FROM users WHERE id = ? ON CONFLICT DO NOTHING`,
		m.ID, m.Revision, m.Subject, m.Preheader, m.Body, m.Language, m.UpdatedAt, m.OwnerID).Exec(ctx)
	if err == nil {
		_, err = tx.NewRaw("DELETE FROM message_versions WHERE message_id = ? AND revision <= ?", m.ID, m.Revision-domain.MaxVersions).Exec(ctx)
	}
	return err
}

// Versions are what a message of the owner was and is, the newest first, without bodies.
func (ms Messages) Versions(ctx context.Context, owner, id int64) ([]domain.MessageVersion, error) {
	list := []domain.MessageVersion{}
	err := ms.db.pg.Bun.NewSelect().Model(&list).ExcludeColumn("body").Where("message_id = ? AND owner_id = ?", id, owner).Order("revision DESC").Scan(ctx)
	return list, postgres.TranslateError(err)
}

// Version is one of them; NotFound when it is too old.
func (ms Messages) Version(ctx context.Context, owner, id int64, revision int) (v domain.MessageVersion, err error) {
	err = ms.db.pg.Bun.NewSelect().Model(&v).Where("message_id = ? AND owner_id = ? AND revision = ?", id, owner, revision).Scan(ctx)
	return v, postgres.TranslateError(err)
}

// PruneVersions drops those that have been kept long enough, some of them at a time.
func (ms Messages) PruneVersions(ctx context.Context, now time.Time) error {
	_, err := ms.db.pg.Bun.NewRaw(`DELETE FROM message_versions WHERE (message_id, revision) IN
		(SELECT message_id, revision FROM message_versions WHERE saved_at < ? ORDER BY saved_at LIMIT 10000)`, now.Add(-domain.VersionLife)).Exec(ctx)
	return postgres.TranslateError(err)
}
