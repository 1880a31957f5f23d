package db

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/statement"
	"skychimp/domain"
)

// Outbox is what sending asks.
type Outbox struct{ db *DB }

// Outbox of this database.
func (db *DB) Outbox() Outbox { return Outbox{db} }

// DueMailings are the mailings with an occurrence at or before now, one of each owner first,
// so that no owner waits behind another's many.
func (o Outbox) DueMailings(ctx context.Context, now time.Time) ([]int64, error) {
	var ids []int64
	err := o.db.bun.NewRaw(`
		SELECT mailing.id FROM mailings AS mailing JOIN users AS owner ON owner.id = mailing.owner_id
		WHERE mailing.status = 'running' AND mailing.disabled_at IS NULL AND mailing.deleted_at IS NULL
		  AND mailing.next_run_at <= ? AND owner.blocked_at IS NULL
		ORDER BY row_number() OVER (PARTITION BY owner.id ORDER BY mailing.next_run_at, mailing.id), mailing.next_run_at, mailing.id`,
		now).Scan(ctx, &ids)
	return ids, explain(err)
}

// errUndone rolls a transaction back whose work is not wanted.
var errUndone = errors.New("nothing of this is kept")

// Forecast is what a run of the mailing at now would be, without making it.
type Forecast struct {
	Mailing    domain.Mailing
	At         time.Time
	Recipients int64 // after suppression
}

// Forecast tells what PlanRun would do; ok is false when nothing is due.
func (o Outbox) Forecast(ctx context.Context, id int64, now time.Time, force bool) (f Forecast, ok bool, err error) {
	err = o.db.InTx(ctx, func(tx Tx) error {
		var run domain.Run
		if run, f.Mailing, ok, err = o.takeRun(ctx, tx, id, now, force); err != nil || !ok {
			return err
		}
		f.At = run.ScheduledAt
		total, err := audience(tx.NewSelect().TableExpr("clients AS client"), f.Mailing).
			Where("client.suppressed_at IS NULL").Count(ctx)
		if err != nil {
			return err
		}
		f.Recipients = total
		return errUndone
	})
	if errors.Is(err, errUndone) {
		err = nil
	}
	return f, ok, err
}

// RecipientCount counts whom the mailing, saved or not, would write to now, and how many of its
// audience get nothing because they are suppressed.
func (ms Mailings) RecipientCount(ctx context.Context, m domain.Mailing) (recipients, suppressed int, err error) {
	query := ms.db.bun.NewSelect()
	if m.Audience == domain.AudiencePicked {
		query.TableExpr("(SELECT suppressed_at IS NOT NULL AS suppressed, 1 AS clients FROM clients WHERE id IN ? AND owner_id = ?) AS client",
			bun.Tuple(m.ClientIDs), m.OwnerID)
	} else {
		audience(query.TableExpr("client_sets AS client"), m)
	}
	err = query.ColumnExpr("coalesce(sum(clients) FILTER (WHERE NOT suppressed), 0)::bigint").
		ColumnExpr("coalesce(sum(clients) FILTER (WHERE suppressed), 0)::bigint").Scan(ctx, &recipients, &suppressed)
	return recipients, suppressed, explain(err)
}

// Plan takes the due occurrence of a mailing off its calendar and makes its run with its
// deliveries, in one transaction; what a large run has beyond the first part is left to PlanRest.
// force makes a run out of turn. ok is false when nothing is due, or when another process is
// planning the same mailing right now; while the installation is on hold it is refused.
func (o Outbox) Plan(ctx context.Context, id int64, now time.Time, force bool) (run domain.Run, ok bool, err error) {
	err = o.db.InTx(ctx, func(tx Tx) error {
		if err := refuseOnHold(ctx, tx); err != nil {
			return err
		}
		var m domain.Mailing
		if run, m, ok, err = o.takeRun(ctx, tx, id, now, force); err != nil || !ok {
			return err
		}
		if err := planFirst(ctx, tx, &run, m); err != nil {
			return err
		}
		// Whoever is blocked from here on has this run stopped; the lock waits for the commit.
		blocked, err := ownerBlocked(ctx, tx, m.OwnerID, "SHARE")
		if err == nil && blocked {
			err = errUndone
		}
		if err != nil {
			return err
		}
		return notify(ctx, tx, "runs", "")
	})
	if errors.Is(err, errUndone) {
		return run, false, nil
	}
	return run, ok && err == nil, err
}

// takeRun advances the mailing and inserts the rows of its missed runs and of the one to send.
func (o Outbox) takeRun(ctx context.Context, tx Tx, id int64, now time.Time, force bool) (run domain.Run, m domain.Mailing, ok bool, err error) {
	lock := "UPDATE SKIP LOCKED"
	if force {
		lock = "UPDATE" // nobody asks a second time for a run out of turn
	}
	if m, err = loadMailing(ctx, tx, 0, id, lock, withoutPicked); err != nil {
		if domain.KindOf(err) == domain.NotFound {
			err = nil
		}
		return run, m, false, err
	}
	if blocked, err := ownerBlocked(ctx, tx, m.OwnerID, ""); err != nil || blocked {
		return run, m, false, err
	}
	run = domain.Run{MailingID: m.ID, OwnerID: m.OwnerID, Status: domain.RunRunning, WindowEnd: m.EndAt, CreatedAt: now}
	if force {
		no, numbered, err := m.RunNow(now)
		if err != nil {
			return run, m, false, err
		}
		if numbered {
			run.OccurrenceNo = &no
		} else if err := justRan(ctx, tx, m.ID, now); err != nil {
			return run, m, false, err
		}
		run.ScheduledAt, ok = now, true
	} else if m.Status == domain.Running && !m.Disabled() {
		var missed []domain.Occurrence
		var due domain.Occurrence
		missed, due, ok = m.Plan(now)
		if err := insertMissed(ctx, tx, run, missed, now); err != nil {
			return run, m, false, err
		}
		run.OccurrenceNo, run.ScheduledAt = &due.No, due.At
	}
	if _, err := tx.NewUpdate().Model(&m).WherePK().Comment(string(statement.Advance)).Exec(ctx); err != nil || !ok {
		return run, m, false, err
	}
	err = tx.NewSelect().TableExpr("messages").Column("subject", "body", "revision").
		Where("id = ?", m.MessageID).Scan(ctx, &run.Subject, &run.Body, &run.Revision)
	if err != nil {
		return run, m, false, err
	}
	_, err = tx.NewInsert().Model(&run).Exec(ctx)
	return run, m, err == nil, err
}

func ownerBlocked(ctx context.Context, tx Tx, owner int64, lock string) (bool, error) {
	query := tx.NewSelect().TableExpr("users").ColumnExpr("blocked_at IS NOT NULL").Where("id = ?", owner)
	if lock != "" {
		query.For(lock)
	}
	var blocked bool
	err := query.Scan(ctx, &blocked)
	return blocked, err
}

func insertMissed(ctx context.Context, tx Tx, like domain.Run, missed []domain.Occurrence, now time.Time) error {
	if len(missed) == 0 {
		return nil
	}
	runs := make([]domain.Run, len(missed))
	for i, one := range missed {
		runs[i] = like
		runs[i].OccurrenceNo, runs[i].ScheduledAt = &one.No, one.At
		runs[i].Status, runs[i].Reason, runs[i].ClosedAt = domain.RunMissed, domain.ReasonMissed, now
	}
	_, err := tx.NewInsert().Model(&runs).Exec(ctx)
	return err
}

// audience narrows clients or, unless they are picked, their sets (as `client`) to those the mailing writes to.
func audience(query *bun.SelectQuery, m domain.Mailing) *bun.SelectQuery {
	query.Where("client.owner_id = ?", m.OwnerID)
	switch m.Audience {
	case domain.AudienceTags:
		lower := make([]string, len(m.Tags))
		for i, tag := range m.Tags {
			lower[i] = strings.ToLower(tag)
		}
		query.Where("EXISTS (SELECT 1 FROM unnest(client.tags) AS tag WHERE lower(tag) IN ?)", bun.Tuple(lower))
	case domain.AudiencePicked:
		query.Where("client.id IN (SELECT client_id FROM mailing_clients WHERE mailing_id = ?)", m.ID)
	}
	return query
}
