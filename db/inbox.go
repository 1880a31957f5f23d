package db

import (
	"bytes"
	"context"
	"mime"
	"net/mail"
	"strings"
	"time"

	"skychimp/db/postgres"

	"github.com/jackc/pgx/v5"
)

// Inbox is what the dev inbox took.
type Inbox struct{ db *DB }

// Inbox of this database.
func (db *DB) Inbox() Inbox { return Inbox{db} }

// InboxEmail is an email that the dev inbox took. Raw is empty in lists.
type InboxEmail struct {
	ID         int64 `bun:",pk"`
	Sender     string
	Recipient  string
	Subject    string
	Raw        []byte
	ReceivedAt time.Time
}

// inboxKept is how many emails the dev inbox keeps; what is older goes now and then.
const inboxKept, inboxSweep = 5000, 500

// Save keeps an email for the dev inbox, without waiting for the disk.
func (i Inbox) Save(ctx context.Context, from, to string, raw []byte) error {
	return postgres.TranslateError(pgx.BeginFunc(ctx, i.db.pg.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off"); err != nil {
			return err
		}
		var id int64
		err := tx.QueryRow(ctx, `INSERT INTO inbox_emails (sender, recipient, subject, raw) VALUES ($1, $2, $3, $4)
			RETURNING id`, from, to, subjectOf(raw), raw).Scan(&id)
		if err != nil || id%inboxSweep != 0 {
			return err
		}
		_, err = tx.Exec(ctx, "DELETE FROM inbox_emails WHERE id <= $1", id-inboxKept)
		return err
	}))
}

// subjectOf decodes the subject; what cannot be decoded stays as it came.
func subjectOf(raw []byte) string {
	message, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	subject := message.Header.Get("Subject")
	if decoded, err := new(mime.WordDecoder).DecodeHeader(subject); err == nil {
		subject = decoded
	}
	return strings.ToValidUTF8(strings.ReplaceAll(subject, "\x00", ""), "?")
}

// List is one page of the dev inbox, newest first, and the number of all that match:
// query is looked for in recipients and subjects.
func (i Inbox) List(ctx context.Context, query string, page int) ([]InboxEmail, int, error) {
	emails := []InboxEmail{}
	found := i.db.pg.Bun.NewSelect().Model(&emails).ExcludeColumn("raw")
	if query != "" {
		like := "%" + escapeLike(clean(query)) + "%"
		found.Where("recipient ILIKE ? OR subject ILIKE ?", like, like)
	}
	total, err := found.Count(ctx)
	if err != nil || total == 0 {
		return emails, 0, postgres.TranslateError(err)
	}
	err = found.OrderExpr("id DESC").Limit(PageSize).Offset(int64(pageStart(page, int(total)))).Scan(ctx)
	return emails, int(total), postgres.TranslateError(err)
}

// Get is one email with its bytes.
func (i Inbox) Get(ctx context.Context, id int64) (InboxEmail, error) {
	var email InboxEmail
	err := i.db.pg.Bun.NewSelect().Model(&email).Where("id = ?", id).Scan(ctx)
	return email, postgres.TranslateError(err)
}
