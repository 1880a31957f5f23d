package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// MailingFilter narrows a list. OwnerID 0 is everybody's, for managers; Disabled takes only the
// disabled ones.
type MailingFilter struct {
	OwnerID  int64
	Query    string
	Status   domain.MailingStatus
	Disabled bool
	Page     Page
	Sort     string // one of MailingSorts; "": the newest first
}

// MailingSorts are what a list of mailings can be sorted by, besides its age: SQL by name. Such a list is counted to
// its page, which an owner's mailings are few enough for.
func MailingSorts() map[string]string {
	return map[string]string{
		"name":  "lower(mailing.name)",
		"next":  "mailing.next_run_at NULLS LAST",
		"owner": "(SELECT lower(name) FROM users WHERE id = mailing.owner_id), lower(mailing.name)",
		"last":  "(SELECT max(scheduled_at) FROM runs WHERE mailing_id = mailing.id AND status <> 'missed') DESC NULLS LAST",
	}
}

// MailingRow is a mailing in a list, with the deliveries of all its runs.
type MailingRow struct {
	domain.Mailing
	domain.Counts
	Subject      string // of its message
	OwnerName    string
	OwnerEmail   string
	OwnerBlocked bool
	LastRunAt    time.Time `bun:",nullzero"`

	LastRunID, LastPlanned, LastAccepted, LastFailed int64 // of its latest run; 0: it has none
}

// List is one page of the list, newest first, and the number of all that match.
func (ms Mailings) List(ctx context.Context, filter MailingFilter) ([]MailingRow, int, error) {
	rows := []MailingRow{}
	found := ms.db.pg.Bun.NewSelect().TableExpr("mailings AS mailing").Column("mailing.id").
		Where("mailing.deleted_at IS NULL")
	if filter.OwnerID != 0 { // series have a list of their own; managers oversee both
		found.Where("mailing.owner_id = ? AND mailing.kind = ?", filter.OwnerID, domain.KindMailing)
	}
	if filter.Status != "" {
		found.Where("mailing.status = ?", clean(string(filter.Status)))
	}
	if filter.Disabled {
		found.Where("mailing.disabled_at IS NOT NULL")
	}
	if filter.Query != "" {
		like := "%" + escapeLike(clean(filter.Query)) + "%"
		owners := ms.db.pg.Bun.NewSelect().TableExpr("users").Column("id").
			Where("? AND lower(email || E'\n' || name) LIKE lower(?)", filter.OwnerID == 0, like)
		found.Where("(lower(mailing.name) LIKE lower(?) OR mailing.owner_id IN (?))", like, owners)
	}
	total, err := countOf(ctx, ms.db, found)
	if err != nil || total == 0 {
		return rows, 0, err
	}
	by, sorted := MailingSorts()[filter.Sort]
	if sorted {
		by += ", mailing.id DESC"
		found.OrderExpr(by).Limit(PageSize).Offset(int64(pageStart(filter.Page.Number, total)))
	} else {
		by, found = "mailing.id DESC", filter.Page.newest(found, total, "mailing.id")
	}
	err = ms.rows().Where("mailing.id IN (?)", found).OrderExpr(by).Scan(ctx, &rows)
	return rows, total, postgres.TranslateError(err)
}

// Row is one mailing as a row of the list; for managers.
func (ms Mailings) Row(ctx context.Context, id int64) (row MailingRow, err error) {
	err = ms.rows().Where("mailing.id = ? AND mailing.deleted_at IS NULL", id).Scan(ctx, &row)
	return row, postgres.TranslateError(err)
}

func (ms Mailings) rows() *bun.SelectQuery {
	return ms.db.pg.Bun.NewSelect().TableExpr("mailings AS mailing").
		ColumnExpr("mailing.*, total.*, coalesce(message.subject, '') AS subject").
		ColumnExpr("owner.name AS owner_name, owner.email AS owner_email, owner.blocked_at IS NOT NULL AS owner_blocked").
		Join("JOIN users AS owner ON owner.id = mailing.owner_id").
		Join("LEFT JOIN messages AS message ON message.id = mailing.message_id").
		Join(`JOIN LATERAL (SELECT max(scheduled_at) FILTER (WHERE status <> 'missed') AS last_run_at,
			coalesce(sum(planned), 0)::bigint AS planned, coalesce(sum(expired), 0)::bigint AS expired,
			coalesce(sum(cancelled), 0)::bigint AS cancelled,
			coalesce(sum(run.accepted + coalesce(live.accepted, 0)), 0)::bigint AS accepted,
			coalesce(sum(run.failed + coalesce(live.failed, 0)), 0)::bigint AS failed,
			coalesce(sum(run.suppressed + coalesce(live.suppressed, 0)), 0)::bigint AS suppressed
			FROM runs AS run ` + liveCounts + ` WHERE run.mailing_id = mailing.id) AS total ON TRUE`).
		ColumnExpr("coalesce(latest.id, 0) AS last_run_id, coalesce(latest.planned, 0) AS last_planned").
		ColumnExpr("coalesce(latest.accepted, 0) AS last_accepted, coalesce(latest.failed, 0) AS last_failed").
		Join(`LEFT JOIN LATERAL (SELECT run.id, run.planned, run.accepted + coalesce(live.accepted, 0) AS accepted, run.failed + coalesce(live.failed, 0) AS failed
			FROM runs AS run ` + liveCounts + ` WHERE run.mailing_id = mailing.id AND run.status <> 'missed' ORDER BY run.id DESC LIMIT 1) AS latest ON TRUE`)
}

// Next are the owner's mailings that will send next, the soonest first; of owner 0 everybody's, whose owners may send.
func (ms Mailings) Next(ctx context.Context, owner int64, limit int) ([]domain.Mailing, error) {
	mailings := []domain.Mailing{}
	err := ms.db.pg.Bun.NewSelect().Model(&mailings).Where("deleted_at IS NULL").
		Where("owner_id = ? OR ? AND owner_id NOT IN (SELECT id FROM users WHERE blocked_at IS NOT NULL)", owner, owner == 0).
		Where("status = ? AND disabled_at IS NULL AND next_run_at IS NOT NULL", domain.Running).
		Order("next_run_at", "id").Limit(int64(limit)).Scan(ctx, &mailings)
	return mailings, postgres.TranslateError(err)
}
