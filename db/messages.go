package db

import (
	"context"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Messages are what is sent: subject and body.
type Messages struct{ db *DB }

// Messages of this database.
func (db *DB) Messages() Messages { return Messages{db} }

// MessageRow is a message in a list.
type MessageRow struct {
	domain.Message
	Mailings int // that use it
}

// List is one page of the owner's messages whose subject or body has query in it, the
// newest first, and the number of all that match.
func (ms Messages) List(ctx context.Context, owner int64, query string, page Page) ([]MessageRow, int, error) {
	return ms.Sorted(ctx, owner, query, "", page)
}

// MessageSorts are what a list of messages can be sorted by, besides its age: SQL by name.
func MessageSorts() map[string]string {
	return map[string]string{
		"subject": "lower(message.subject)", "changed": "message.updated_at DESC",
		"used": usedBy + " DESC",
	}
}

// Sorted is List sorted by one of MessageSorts.
func (ms Messages) Sorted(ctx context.Context, owner int64, query, sort string, page Page) ([]MessageRow, int, error) {
	rows := []MessageRow{}
	found := ms.db.pg.Bun.NewSelect().TableExpr("messages AS message").Column("message.id").Where("message.owner_id = ?", owner)
	if query = strings.TrimSpace(clean(query)); query != "" {
		like := "%" + escapeLike(query) + "%"
		found.Where("(message.subject ILIKE ? OR message.body ILIKE ?)", like, like)
	}
	total, err := countOf(ctx, ms.db, found)
	if err != nil || total == 0 {
		return rows, 0, err
	}
	by, sorted := MessageSorts()[sort]
	if sorted {
		by += ", message.id DESC"
		found.OrderExpr(by).Limit(PageSize).Offset(int64(pageStart(page.Number, total)))
	} else {
		by, found = "message.id DESC", page.newest(found, total, "message.id")
	}
	err = ms.db.pg.Bun.NewSelect().TableExpr("messages AS message").ColumnExpr(messageColumns).
		Where("message.id IN (?)", found).OrderExpr(by).Scan(ctx, &rows)
	return rows, total, postgres.TranslateError(err)
}

const messageColumns = `message.*, ` + usedBy + ` AS mailings`

// usedBy counts the mailings and series that a message stands in.
const usedBy = `((SELECT count(*) FROM mailings WHERE mailings.owner_id = message.owner_id AND (message_id = message.id OR message.id = ANY(message_ids) OR ` + inTest + `) AND deleted_at IS NULL)
	+ (SELECT count(DISTINCT series_id) FROM series_steps WHERE message_id = message.id))`

// inTest tells that a mailing tries the message.
const inTest = `ab_variants @> jsonb_build_array(jsonb_build_object('MessageID', message.id))`

// Row is one message of the owner as its list shows it.
func (ms Messages) Row(ctx context.Context, owner, id int64) (row MessageRow, err error) {
	err = ms.db.pg.Bun.NewSelect().TableExpr("messages AS message").ColumnExpr(messageColumns).
		Where("message.id = ? AND message.owner_id = ?", id, owner).Scan(ctx, &row)
	return row, postgres.TranslateError(err)
}

// Choices are at most so many of the owner's newest messages whose subject has the query, without their bodies, and the
// chosen one before them; more tells that there are others.
func (ms Messages) Choices(ctx context.Context, owner, chosen int64, query string, most int) (messages []domain.Message, more bool, err error) {
	found := ms.db.pg.Bun.NewSelect().Model(&messages).Column("id", "subject", "updated_at").Where("owner_id = ?", owner)
	if query = strings.TrimSpace(clean(query)); query != "" {
		found.Where("(subject ILIKE ? OR id = ?)", "%"+escapeLike(query)+"%", chosen)
	}
	err = found.OrderExpr("id = ? DESC, id DESC", chosen).Limit(int64(most) + 1).Scan(ctx)
	if more = len(messages) > most; more {
		messages = messages[:most]
	}
	return messages, more, postgres.TranslateError(err)
}

// Subjects are those of some of the owner's messages by their numbers.
func (ms Messages) Subjects(ctx context.Context, owner int64, ids []int64) (subjects map[int64]string, err error) {
	subjects = map[int64]string{}
	var chosen []domain.Message
	if len(ids) > 0 {
		err = ms.db.pg.Bun.NewSelect().Model(&chosen).Column("id", "subject").Where("owner_id = ? AND id IN ?", owner, bun.Tuple(ids)).Scan(ctx)
	}
	for _, one := range chosen {
		subjects[one.ID] = one.Subject
	}
	return subjects, postgres.TranslateError(err)
}

// Get is one message; owner 0 reads anybody's, for managers.
func (ms Messages) Get(ctx context.Context, owner, id int64) (m domain.Message, err error) {
	query := ms.db.pg.Bun.NewSelect().Model(&m).Where("id = ?", id)
	if owner != 0 {
		query.Where("owner_id = ?", owner)
	}
	return m, postgres.TranslateError(query.Scan(ctx))
}

// Create saves a new message of m.OwnerID.
func (ms Messages) Create(ctx context.Context, m *domain.Message) error {
	_, err := ms.db.pg.Bun.NewInsert().Model(m).Exec(ctx)
	return postgres.TranslateError(err)
}

// Copy keeps a copy of a message.
func (ms Messages) Copy(ctx context.Context, owner, id int64) (m domain.Message, err error) {
	if m, err = ms.Get(ctx, owner, id); err != nil {
		return m, err
	}
	m.ID, m.Revision, m.CreatedAt, m.UpdatedAt = 0, 1, time.Time{}, time.Time{}
	return m, ms.Create(ctx, &m)
}

// Update lets change work on the locked message and saves what it made of it.
func (ms Messages) Update(ctx context.Context, owner, id int64, change func(*domain.Message) error) (m domain.Message, err error) {
	err = ms.db.pg.InTx(ctx, func(tx Tx) error {
		if m, err = lockMessage(ctx, tx, owner, id); err != nil {
			return err
		}
		if err := keepVersion(ctx, tx, m); err != nil { // none is kept of a message that was never changed
			return err
		}
		if err := change(&m); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&m).WherePK().Exec(ctx); err != nil {
			return err
		}
		return keepVersion(ctx, tx, m)
	})
	return m, err
}

// Delete deletes a message that no mailing or series uses.
func (ms Messages) Delete(ctx context.Context, owner, id int64) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		m, err := lockMessage(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		var names []string
		err = tx.NewSelect().TableExpr("mailings, (SELECT ?::bigint AS id) AS message", id).Column("name").
			Where("owner_id = ?", owner).
			Where("deleted_at IS NULL AND (message_id = ?0 OR ?0 = ANY(message_ids) OR "+inTest+" OR mailings.id IN (SELECT series_id FROM series_steps WHERE message_id = ?0))", id).Order("name").Limit(1).Scan(ctx, &names)
		if err != nil {
			return err
		}
		if len(names) > 0 {
			return domain.Errorf(domain.Conflict, "", "messages.in_use", "Name", names[0])
		}
		if _, err = tx.NewRaw("DELETE FROM message_drafts WHERE owner_id = ? AND message_id = ?", owner, id).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewDelete().Model(&m).WherePK().Exec(ctx)
		return err
	})
}

func lockMessage(ctx context.Context, tx Tx, owner, id int64) (m domain.Message, err error) {
	err = tx.NewSelect().Model(&m).Where("id = ? AND owner_id = ?", id, owner).For("UPDATE").Scan(ctx)
	return m, err
}

// SendTest queues an email with the message to its owner's own address, filled in as for
// the client, or for nobody (0). TooMany when the owner has had many of them lately.
func (ms Messages) SendTest(ctx context.Context, owner, id, clientID int64, now time.Time) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := lockMessage(ctx, tx, owner, id); err != nil {
			return err
		}
		if clientID != 0 {
			own, err := tx.NewSelect().Table("clients").Where("id = ? AND owner_id = ?", clientID, owner).Exists(ctx)
			if err != nil {
				return err
			}
			if !own {
				return domain.Errorf(domain.NotFound, "", "errors.not_found")
			}
		}
		wait, err := takeQuota(ctx, tx, now, domain.Testing(owner))
		if err != nil {
			return err
		}
		if wait > 0 {
			return domain.Errorf(domain.TooMany, "", "messages.test_too_many", "Minutes", domain.Minutes(wait))
		}
		_, err = tx.NewRaw(`INSERT INTO owner_days AS known (owner_id, day, tests)
			SELECT id, floor(extract(epoch FROM ?::timestamptz - created_at) / 86400), 1 FROM users WHERE id = ?
			ON CONFLICT (owner_id, day) DO UPDATE SET tests = known.tests + 1`, now, owner).Exec(ctx)
		if err != nil {
			return err
		}
		return ms.db.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailTest, UserID: owner, MessageID: id, ClientID: clientID})
	})
}

// KeepDraft keeps what was typed instead of what was kept before.
func (ms Messages) KeepDraft(ctx context.Context, d domain.MessageDraft) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		if d.MessageID != 0 {
			if _, err := lockMessage(ctx, tx, d.OwnerID, d.MessageID); err != nil {
				return err
			}
		}
		_, err := tx.NewInsert().Model(&d).On("CONFLICT (owner_id, message_id) DO UPDATE").
			Set("subject = excluded.subject, preheader = excluded.preheader, body = excluded.body, language = excluded.language, saved_at = now()").Exec(ctx)
		return err
	})
}

// Draft is what was typed into the form of a message, 0 for a new one, and not saved; nil when nothing was.
func (ms Messages) Draft(ctx context.Context, owner, id int64) (*domain.MessageDraft, error) {
	list := []domain.MessageDraft{}
	err := ms.db.pg.Bun.NewSelect().Model(&list).Where("owner_id = ? AND message_id = ?", owner, id).Scan(ctx)
	if err != nil || len(list) == 0 {
		return nil, postgres.TranslateError(err)
	}
	return &list[0], nil
}

// DropDraft forgets it.
func (ms Messages) DropDraft(ctx context.Context, owner, id int64) error {
	_, err := ms.db.pg.Bun.NewRaw("DELETE FROM message_drafts WHERE owner_id = ? AND message_id = ?", owner, id).Exec(ctx)
	return postgres.TranslateError(err)
}
