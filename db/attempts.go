package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Attempts are what was handed to mail servers, and what they answered.
type Attempts struct{ db *DB }

// Attempts of this database.
func (db *DB) Attempts() Attempts { return Attempts{db} }

// AttemptFilter narrows the list of attempts. OwnerID 0 is everybody's, for managers; a zero
// MailingID or RunID and an empty Status take all. Page counts from 1.
type AttemptFilter struct {
	OwnerID, MailingID, RunID, ClientID int64
	Status                              domain.AttemptStatus
	Page                                Page
}

// AttemptRow is an attempt in a list.
type AttemptRow struct {
	domain.Attempt
	MailingID   int64
	MailingName string
}

// maxAttemptPage is how far the list is counted to a page; from one to the next it goes on.
const maxAttemptPage = 1000

// List is one page of attempts, the newest run first and the last of a run first; more
// tells whether another page follows. They are not counted: with millions of them that would
// take longer than reading a page.
func (a Attempts) List(ctx context.Context, filter AttemptFilter) (rows []AttemptRow, more bool, err error) {
	row, back := filter.Page.beside(3)
	start, direction := int64(0), " DESC"
	if back {
		direction = " ASC"
	}
	if row == nil {
		start = offset(min(filter.Page.Number, maxAttemptPage))
	}
	// What pages are counted by stands in the index.
	of := a.db.pg.Bun.NewSelect().TableExpr("attempts").Column("seq", "at").Where("run_id = run.id").
		OrderExpr("seq" + direction + ", at" + direction).Limit(start + PageSize + 1)
	page := a.db.pg.Bun.NewSelect().TableExpr("runs AS run").ColumnExpr("run.id AS run_id, run.mailing_id, found.seq, found.at").
		Join("JOIN LATERAL (?) AS found ON TRUE", of).
		OrderExpr("run.id" + direction + ", found.seq" + direction + ", found.at" + direction).Offset(start).Limit(PageSize + 1)
	if row != nil { // of its own run what stands beyond it, of those beyond all
		runs, rest := "run.id <= ?", "(seq, at) < (CASE run.id WHEN ? THEN ? ELSE 2147483647 END, ?::timestamptz)"
		if back {
			runs, rest = "run.id >= ?", "(seq, at) > (CASE run.id WHEN ? THEN ? ELSE 0 END, ?::timestamptz)"
		}
		page.Where(runs, row[0])
		of.Where(rest, row[0], row[1], time.UnixMicro(row[2]))
	}
	if filter.Status != "" {
		of.Where("status = ?", clean(string(filter.Status)))
		if filter.Status != domain.Accepted {
			of.Where("status <> ?", domain.Accepted) // lets Postgres use attempts_trouble
		}
	}
	if filter.ClientID != 0 {
		of.Where("seq = (SELECT seq FROM deliveries WHERE run_id = run.id AND client_id = ?)", filter.ClientID)
	}
	for column, value := range map[string]int64{
		"run.owner_id": filter.OwnerID, "run.mailing_id": filter.MailingID, "run.id": filter.RunID,
	} {
		if value != 0 {
			page.Where("? = ?", bun.Ident(column), value)
		}
	}
	rows = []AttemptRow{}
	err = a.db.pg.Bun.NewSelect().TableExpr("(?) AS page", page).
		ColumnExpr("attempt.*, page.mailing_id, mailing.name AS mailing_name").
		Join("JOIN attempts AS attempt ON (attempt.run_id, attempt.seq, attempt.at) = (page.run_id, page.seq, page.at)").
		Join("JOIN mailings AS mailing ON mailing.id = page.mailing_id").
		OrderExpr("page.run_id DESC, page.seq DESC, page.at DESC").Scan(ctx, &rows)
	if err != nil {
		return nil, false, postgres.TranslateError(err)
	}
	rows, more = cutPage(rows, back)
	return rows, more, nil
}

// DeliveryRow is a delivery in the list of its run.
type DeliveryRow struct {
	domain.Delivery
	Skipped string               // why its client got nothing by their own choice, "" else
	Status  domain.AttemptStatus // of the last attempt
	Code    int
	Answer  string // the server's words
	Class   domain.Class
}

// Deliveries is one page of a run's deliveries in their order; more tells whether another
// page follows. outcome "" takes all. The caller has made sure who may see the run.
func (r Runs) Deliveries(ctx context.Context, run int64, outcome domain.Outcome, page Page) (rows []DeliveryRow, more bool, err error) {
	rows = []DeliveryRow{}
	part := r.db.pg.Bun.NewSelect().TableExpr("deliveries").Where("run_id = ?", run)
	if outcome == "" {
		page = Page{After: Cursor{offset(page.Number)}} // they are numbered from 1, without gaps
	} else {
		part.Where("outcome = ?", clean(string(outcome)))
	}
	_, back := page.beside(1)
	part = page.oldest(part, Uncounted, "seq").Limit(PageSize + 1)
	err = r.db.pg.Bun.NewSelect().TableExpr("(?) AS delivery", part).
		ColumnExpr("delivery.run_id, delivery.seq, delivery.client_id, delivery.email, delivery.outcome, delivery.tries, delivery.skipped").
		ColumnExpr("coalesce(last.code, 0) AS code, coalesce(last.answer, '') AS answer").
		ColumnExpr("coalesce(last.status, '') AS status, coalesce(last.class, '') AS class").
		Join(`LEFT JOIN LATERAL (SELECT code, answer, status, class FROM attempts
			WHERE run_id = delivery.run_id AND seq = delivery.seq ORDER BY at DESC LIMIT 1) AS last ON TRUE`).
		OrderExpr("delivery.seq").Scan(ctx, &rows)
	if err != nil {
		return nil, false, postgres.TranslateError(err)
	}
	rows, more = cutPage(rows, back)
	return rows, more, nil
}

// cutPage takes the row that was asked for beyond the page from it, and tells whether more follow it.
func cutPage[T any](rows []T, back bool) (page []T, more bool) {
	switch {
	case len(rows) <= PageSize:
		return rows, back
	case back: // the one too many is the first
		return rows[1:], true
	}
	return rows[:PageSize], true
}

// Event is something that happened to a client: an attempt, a delivery that was not tried or still waits, an email
// that came back, or one that it opened or clicked in for the first time.
type Event struct {
	What             string // attempt, delivery, return or visit
	At               time.Time
	RunID, MailingID int64
	MailingName      string
	Word             string // the attempt's status, the delivery's outcome, the return's kind; opened or clicked
	N                int    // of the attempt
	Code             int
	Answer           string // of a click the link
	Class            domain.Class
}

// The bounds of a timeline: the owner's newest runs, and what happened last.
const (
	timelineRuns   = 1000
	timelineEvents = 100
)

// Timeline is what happened to a client, the newest first.
func (a Attempts) Timeline(ctx context.Context, client domain.Client) ([]Event, error) {
	events := []Event{}
	err := a.db.pg.Bun.NewRaw(`WITH latest AS (
			SELECT id, mailing_id, created_at FROM runs WHERE owner_id = ?0 AND status <> 'missed' ORDER BY id DESC LIMIT ?2
		), own AS (
			SELECT latest.id, latest.mailing_id, latest.created_at, d.seq, d.outcome FROM latest
			JOIN deliveries AS d ON d.run_id = latest.id AND d.client_id = ?1
		), events AS (
			SELECT 'attempt' AS what, attempt.at, own.id, own.mailing_id, attempt.status AS word, attempt.n, attempt.code, attempt.answer, attempt.class
			FROM own JOIN attempts AS attempt ON attempt.run_id = own.id AND attempt.seq = own.seq
			UNION ALL SELECT 'delivery', created_at, id, mailing_id, outcome, 0, 0, '', '' FROM own
			WHERE outcome IN ('suppressed', 'cancelled', 'expired', 'queued')
			UNION ALL SELECT 'return', r.at, own.id, own.mailing_id, r.kind, 0, r.code, r.answer, ''
			FROM own JOIN returns AS r ON r.run_id = own.id AND r.seq = own.seq
			UNION ALL SELECT 'visit', v.first_at, own.id, own.mailing_id, CASE v.n WHEN 0 THEN 'opened' ELSE 'clicked' END, 0, 0, coalesce(link.url, ''), ''
			FROM own JOIN visits AS v ON v.run_id = own.id AND v.seq = own.seq AND v.first_at IS NOT NULL
			LEFT JOIN run_links AS link ON link.run_id = v.run_id AND link.n = v.n
			ORDER BY at DESC LIMIT ?3
		)
		SELECT what, at, events.id AS run_id, mailing_id, mailing.name AS mailing_name, word, n, code, answer, coalesce(class, '') AS class
		FROM events JOIN mailings AS mailing ON mailing.id = mailing_id ORDER BY at DESC`,
		client.OwnerID, client.ID, timelineRuns, timelineEvents).Scan(ctx, &events)
	return events, postgres.TranslateError(err)
}
