package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// CalendarRun is a run as a calendar shows it.
type CalendarRun struct {
	ID, MailingID             int64
	Name                      string // of the mailing
	ScheduledAt               time.Time
	Status                    domain.RunStatus
	Planned, Accepted, Failed int64
}

// calendarRuns are at most shown of one span of time, the latest.
const calendarRuns = 2000

// Between are the owner's runs between two times, in their order.
func (r Runs) Between(ctx context.Context, owner int64, from, to time.Time) ([]CalendarRun, error) {
	rows := []CalendarRun{}
	err := r.db.pg.Bun.NewSelect().TableExpr("runs AS run").Join("JOIN mailings AS mailing ON mailing.id = run.mailing_id").Join(liveCounts).
		ColumnExpr("run.id, run.mailing_id, mailing.name, run.scheduled_at, run.status, run.planned").
		ColumnExpr("run.accepted + coalesce(live.accepted, 0) AS accepted, run.failed + coalesce(live.failed, 0) AS failed").
		Where("run.owner_id = ? AND run.scheduled_at >= ? AND run.scheduled_at < ?", owner, from, to).
		OrderExpr("run.scheduled_at DESC, run.id DESC").Limit(calendarRuns).Scan(ctx, &rows)
	slices.Reverse(rows)
	return rows, postgres.TranslateError(err)
}

// Notify has owners told of what goes out within a day, each date once.
func (ms Mailings) Notify(ctx context.Context, now time.Time) error {
	ids, err := ms.db.pg.IDs(ctx, `SELECT mailing.id FROM mailings AS mailing JOIN users AS owner ON owner.id = mailing.owner_id
		WHERE mailing.status = 'running' AND mailing.disabled_at IS NULL AND mailing.deleted_at IS NULL AND mailing.paused_at IS NULL
		  AND mailing.next_run_at > $1 AND mailing.next_run_at <= $2 AND (mailing.noticed_until IS NULL OR mailing.noticed_until < mailing.next_run_at)
		  AND mailing.launched_at <= mailing.next_run_at - $2::timestamptz + $1::timestamptz AND owner.blocked_at IS NULL AND NOT owner.no_notices
		ORDER BY mailing.next_run_at LIMIT 1000`, now, now.Add(domain.NoticeAhead))
	for _, id := range ids {
		err = errors.Join(err, ms.notify(ctx, id, now))
	}
	return err
}

func (ms Mailings) notify(ctx context.Context, id int64, now time.Time) error {
	return ms.db.pg.InTx(ctx, func(tx Tx) error {
		m, err := LockMailing(ctx, tx, id, "UPDATE SKIP LOCKED")
		if domain.KindOf(err) == domain.NotFound {
			return nil // it is being planned or changed: the next tick asks again
		}
		if err != nil {
			return err
		}
		date, ok := m.TakeNotice(now)
		if !ok {
			return nil
		}
		if _, err := tx.NewUpdate().Model(&m).Column("noticed_until").WherePK().Exec(ctx); err != nil {
			return err
		}
		return ms.db.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailNotice, UserID: m.OwnerID, MailingID: id, OccurrenceNo: date.No})
	})
}

// overlapsMost is of how many segments the clients are counted; mailings of others seem to share nobody.
const overlapsMost = 20

// Overlaps tells how many clients who get emails the owner's mailings share, by their sets of tags.
func (ms Mailings) Overlaps(ctx context.Context, owner int64, mailings []domain.Mailing) (domain.Overlaps, error) {
	sets := []domain.TagSet{}
	err := ms.db.pg.Bun.NewRaw(`SELECT tags, sum(clients)::bigint AS clients FROM tag_counts WHERE owner_id = ? AND NOT suppressed GROUP BY tags`, owner).Scan(ctx, &sets)
	if err != nil {
		return domain.Overlaps{}, postgres.TranslateError(err)
	}
	picked, err := ms.pickedSets(ctx, owner, mailings)
	if err != nil {
		return domain.Overlaps{}, postgres.TranslateError(err)
	}
	places := map[string]int{}
	for i, set := range sets {
		places[strings.Join(set.Tags, "\n")] = i
	}
	for _, set := range picked {
		if i, known := places[strings.Join(set.Tags, "\n")]; known {
			sets[i].Clients -= set.Clients
		}
	}
	return domain.NewOverlaps(append(sets, picked...)), nil
}

// pickedSets are the clients whom mailings pick, one by one or by a segment, by which mailings do and by their tags.
func (ms Mailings) pickedSets(ctx context.Context, owner int64, mailings []domain.Mailing) (sets []domain.TagSet, err error) {
	picking := []int64{0} // no mailing
	alike := map[[2]int64][]int64{}
	var chosen *bun.SelectQuery
	for _, m := range mailings {
		switch m.Audience {
		case domain.AudiencePicked:
			picking = append(picking, m.ID)
		case domain.AudienceSegment:
			key := [2]int64{m.SegmentID, m.AgainOf}
			if _, known := alike[key]; !known && len(alike) < overlapsMost {
				if err := ms.resolve(ctx, &m); err != nil {
					return nil, err
				}
				clients := Audience(ms.db.pg.Bun.NewSelect().TableExpr("clients AS client"), m).Where("client.suppressed_at IS NULL").
					ColumnExpr("?::bigint AS mailing_id, client.id AS client_id", m.ID)
				if chosen == nil {
					chosen = clients
				} else {
					chosen = chosen.UnionAll(clients)
				}
			} else if !known {
				continue
			}
			alike[key] = append(alike[key], m.ID)
		}
	}
	if len(picking) == 1 && chosen == nil {
		return nil, nil
	}
	all := ms.db.pg.Bun.NewSelect().TableExpr("mailing_clients").Column("mailing_id", "client_id").Where("mailing_id IN ?", bun.Tuple(picking))
	if chosen != nil {
		all = all.UnionAll(chosen)
	}
	by := ms.db.pg.Bun.NewSelect().TableExpr("(?) AS picked", all).ColumnExpr("client_id, array_agg(mailing_id ORDER BY mailing_id) AS picks").Group("client_id")
	err = ms.db.pg.Bun.NewSelect().TableExpr("(?) AS by_client", by).Join("JOIN clients AS client ON client.id = by_client.client_id").
		Where("client.owner_id = ? AND client.suppressed_at IS NULL", owner).
		ColumnExpr("picks, client.tags, count(*) AS clients").Group("picks", "client.tags").Scan(ctx, &sets)
	for i := range sets { // one mailing stands for all of its segment
		for _, same := range alike {
			if slices.Contains(sets[i].Picks, same[0]) {
				sets[i].Picks = append(sets[i].Picks, same[1:]...)
			}
		}
	}
	return sets, err
}
