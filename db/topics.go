package db

import (
	"context"
	"slices"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Topics are what clients may leave without leaving everything, each one owner's.
type Topics struct{ db *DB }

// Topics of this database.
func (db *DB) Topics() Topics { return Topics{db} }

// TopicRow is a topic with how much it is used.
type TopicRow struct {
	domain.Topic
	Left     int64 // clients who get no emails of it
	Mailings int64 // that are of it and not finished
}

// List are the owner's topics in the order in which they were made.
func (ts Topics) List(ctx context.Context, owner int64) ([]domain.Topic, error) {
	topics := []domain.Topic{}
	err := ts.db.pg.Bun.NewSelect().Model(&topics).Where("owner_id = ?", owner).Order("id").Scan(ctx)
	return topics, postgres.TranslateError(err)
}

// Rows are the owner's topics with how much they are used.
func (ts Topics) Rows(ctx context.Context, owner int64) ([]TopicRow, error) {
	rows := []TopicRow{}
	err := ts.db.pg.Bun.NewSelect().TableExpr("topics AS topic").ColumnExpr("topic.*").
		ColumnExpr("(SELECT count(*) FROM clients WHERE owner_id = topic.owner_id AND "+HasPreferences+" AND topic.id = ANY(left_topics)) AS left").
		ColumnExpr("(SELECT count(*) FROM mailings WHERE topic_id = topic.id AND deleted_at IS NULL AND status <> 'finished') AS mailings").
		Where("topic.owner_id = ?", owner).OrderExpr("topic.id").Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Get is one topic of the owner.
func (ts Topics) Get(ctx context.Context, owner, id int64) (t domain.Topic, err error) {
	err = ts.db.pg.Bun.NewSelect().Model(&t).Where("id = ? AND owner_id = ?", id, owner).Scan(ctx)
	return t, postgres.TranslateError(err)
}

// Create saves a new topic of the owner.
func (ts Topics) Create(ctx context.Context, owner int64, form domain.TopicForm) (t domain.Topic, err error) {
	t.OwnerID = owner
	err = ts.change(ctx, owner, func(tx Tx, topics []domain.Topic) error {
		if err := t.Change(form, topics); err != nil {
			return err
		}
		_, err := tx.NewInsert().Model(&t).Exec(ctx)
		return err
	})
	return t, err
}

// Update lets change work on a topic and the owner's others, and saves what it made of it.
func (ts Topics) Update(ctx context.Context, owner, id int64, change func(t *domain.Topic, others []domain.Topic) error) (t domain.Topic, err error) {
	if t, err = ts.Get(ctx, owner, id); err != nil {
		return t, err // without a lock on anybody
	}
	err = ts.change(ctx, owner, func(tx Tx, topics []domain.Topic) error {
		place := slices.IndexFunc(topics, func(one domain.Topic) bool { return one.ID == id })
		if place < 0 {
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		t = topics[place]
		if err := change(&t, slices.Delete(topics, place, place+1)); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Model(&t).WherePK().Exec(ctx)
		return err
	})
	return t, err
}

// Delete deletes a topic that no mailing is of which may still send: whoever left it would get its emails again.
func (ts Topics) Delete(ctx context.Context, owner, id int64) error {
	if _, err := ts.Get(ctx, owner, id); err != nil {
		return err // without a lock on anybody
	}
	return ts.change(ctx, owner, func(tx Tx, topics []domain.Topic) error {
		place := slices.IndexFunc(topics, func(one domain.Topic) bool { return one.ID == id })
		if place < 0 {
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		}
		var names []string
		err := tx.NewSelect().Table("mailings").Column("name").
			Where("topic_id = ? AND deleted_at IS NULL AND status <> 'finished'", id).Order("id").Limit(1).Scan(ctx, &names)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return domain.Errorf(domain.Conflict, "", "topics.in_use", "Name", names[0])
		}
		_, err = tx.NewDelete().Model(&topics[place]).WherePK().Exec(ctx)
		return err
	})
}

// change lets do work on the owner's topics, which nobody else changes meanwhile.
func (ts Topics) change(ctx context.Context, owner int64, do func(Tx, []domain.Topic) error) error {
	return ts.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.NewRaw("SELECT id FROM users WHERE id = ? FOR NO KEY UPDATE", owner).Exec(ctx); err != nil {
			return err
		}
		topics := []domain.Topic{}
		if err := tx.NewSelect().Model(&topics).Where("owner_id = ?", owner).Order("id").Scan(ctx); err != nil {
			return err
		}
		return do(tx, topics)
	})
}

// checkTopic refuses a topic that is not the owner's, and keeps it from being deleted before the mailing is saved.
func checkTopic(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if m.TopicID == 0 {
		return nil
	}
	own, err := tx.NewSelect().TableExpr("topics").Where("id = ? AND owner_id = ?", m.TopicID, m.OwnerID).For("KEY SHARE").Exists(ctx)
	if err == nil && !own {
		err = domain.Errorf(domain.Invalid, "topic", "topics.unknown")
	}
	return err
}
