package db

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"skychimp/db/clientindex"
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

// Audiences are who an owner's mailings write to, taken together.
type Audiences struct{ db *DB }

// Audiences of these mailings.
func (ms Mailings) Audiences() Audiences { return Audiences(ms) }

// overlapsMost is of how many segments the clients are counted; mailings of others seem to share nobody.
const overlapsMost = 20

// Overlaps tells how many clients who get emails the owner's mailings share, by their sets of tags.
func (a Audiences) Overlaps(ctx context.Context, owner int64, mailings []domain.Mailing) (domain.Overlaps, error) {
	list, err := a.alikes(ctx, owner, mailings)
	if err != nil {
		return domain.Overlaps{}, err
	}
	return a.overlaps(ctx, owner, list)
}

// Recipients are how many each of the owner's mailings, as Next gives them, would write to now, by its number, and how
// many they share.
func (a Audiences) Recipients(ctx context.Context, owner int64, mailings []domain.Mailing) (counts map[int64]int64, o domain.Overlaps, err error) {
	list, err := a.alikes(ctx, owner, mailings)
	if err != nil {
		return nil, o, err
	}
	if o, err = a.overlaps(ctx, owner, list); err != nil {
		return nil, o, err
	}
	skipped, err := a.skippedOf(ctx, owner, mailings, list)
	if err != nil {
		return nil, o, err
	}
	counts = map[int64]int64{}
	for _, m := range mailings {
		if m.AgainOf == 0 && (m.Audience != domain.AudienceSegment || standsFor(list, m.ID) != nil) {
			n := o.Of(m, m) - skipped[m.ID]
			counts[m.ID] = n - m.Holdout.Expected(n)
			continue
		}
		if m, err = a.db.Mailings().Get(ctx, owner, m.ID); err != nil {
			return nil, o, err
		}
		n, _, err := a.db.Mailings().RecipientCount(ctx, m)
		if err != nil {
			return nil, o, err
		}
		counts[m.ID] = int64(n) - m.Holdout.Expected(int64(n))
	}
	return counts, o, nil
}

// skippedOf counts, by mailing, those who get nothing by their own preferences: where anybody has some.
func (a Audiences) skippedOf(ctx context.Context, owner int64, mailings []domain.Mailing, list []alike) (map[int64]int64, error) {
	some, err := a.db.pg.Bun.NewSelect().Table("clients").Where("owner_id = ? AND "+HasPreferences, owner).Exists(ctx)
	if err != nil || !some {
		return nil, postgres.TranslateError(err)
	}
	var all *bun.SelectQuery
	for _, m := range mailings {
		if one := standsFor(list, m.ID); one != nil {
			m.Selection = one.Selection
		}
		query := Audience(a.db.Mailings().skipping(m), m).ColumnExpr("?::bigint AS mailing_id, count(*) AS clients", m.ID)
		if all == nil {
			all = query
		} else {
			all = all.UnionAll(query)
		}
	}
	var rows []struct{ MailingID, Clients int64 }
	skipped := map[int64]int64{}
	if all != nil {
		err = all.Scan(ctx, &rows)
	}
	for _, one := range rows {
		skipped[one.MailingID] = one.Clients
	}
	return skipped, postgres.TranslateError(err)
}

// alike are mailings that pick the same clients: one of them stands for all.
type alike struct {
	domain.Mailing
	ids []int64
}

// standsFor is the one that stands for a mailing, nil: none does.
func standsFor(list []alike, id int64) *alike {
	at := slices.IndexFunc(list, func(one alike) bool { return slices.Contains(one.ids, id) })
	if at < 0 {
		return nil
	}
	return &list[at]
}

// alikes are the mailings that pick clients, one by one or by a segment.
func (a Audiences) alikes(ctx context.Context, owner int64, mailings []domain.Mailing) (list []alike, err error) {
	segments, wanted := map[[2]int64]int{}, []int64{}
	for _, m := range mailings {
		key := [2]int64{m.SegmentID, m.AgainOf}
		at, known := segments[key]
		switch {
		case m.Audience == domain.AudiencePicked:
			list = append(list, alike{m, []int64{m.ID}})
		case m.Audience == domain.AudienceSegment && known:
			list[at].ids = append(list[at].ids, m.ID)
		case m.Audience == domain.AudienceSegment && len(segments) < overlapsMost:
			segments[key], wanted = len(list), append(wanted, m.SegmentID)
			list = append(list, alike{m, []int64{m.ID}})
		}
	}
	if len(wanted) == 0 {
		return list, nil
	}
	selections, err := a.db.Segments().selections(ctx, owner, wanted)
	for _, at := range segments {
		if chosen, known := selections[list[at].SegmentID]; known {
			list[at].Selection = &chosen
		}
	}
	return list, err
}

// overlaps are Overlaps of those that pick, and of all others.
func (a Audiences) overlaps(ctx context.Context, owner int64, list []alike) (domain.Overlaps, error) {
	sets := []domain.TagSet{}
	err := a.db.pg.Bun.NewRaw(`SELECT lower(tags::text)::text[] AS tags, sum(clients)::bigint AS clients FROM tag_counts WHERE owner_id = ? AND NOT suppressed GROUP BY 1`, owner).
		Scan(ctx, &sets)
	if err != nil || len(list) == 0 {
		return domain.NewOverlaps(sets), postgres.TranslateError(err)
	}
	picked, ok, err := a.keptSets(ctx, owner, list)
	if err == nil && !ok {
		picked, err = a.askedSets(ctx, owner, list)
	}
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
		named := domain.TagSet{Tags: set.Tags, Clients: set.Clients}
		for _, at := range set.Picks {
			named.Picks = append(named.Picks, list[at].ids...)
		}
		sets = append(sets, named)
	}
	return domain.NewOverlaps(sets), nil
}

// keptSets are asked of what is kept of clients in memory; Picks are places in the list. Who had the message of a run before
// is not kept there.
func (a Audiences) keptSets(ctx context.Context, owner int64, list []alike) (sets []domain.TagSet, ok bool, err error) {
	choices, places, picking := make([]clientindex.Choice, len(list)), map[int64]int{}, []int64{}
	for i, one := range list {
		if one.Audience == domain.AudiencePicked {
			places[one.ID], picking = i, append(picking, one.ID)
		} else if choices[i].Selection = one.Selection; one.AgainOf != 0 {
			return nil, false, nil
		}
	}
	rows, err := a.db.pg.Pool.Query(ctx, `SELECT mailing_id, array_agg(client_id) FROM mailing_clients WHERE mailing_id = ANY($1) GROUP BY mailing_id`, picking)
	if err != nil {
		return nil, false, err
	}
	var mailing int64
	var ids []int64
	_, err = pgx.ForEachRow(rows, []any{&mailing, &ids}, func() error {
		choices[places[mailing]].IDs, ids = ids, nil
		return nil
	})
	if err != nil {
		return nil, false, err
	}
	groups, ok := a.db.index.Groups(ctx, owner, choices)
	for _, one := range groups {
		set := domain.TagSet{Tags: one.Tags, Clients: one.Clients}
		for _, at := range one.Choices {
			set.Picks = append(set.Picks, int64(at))
		}
		sets = append(sets, set)
	}
	return sets, ok, nil
}

// askedSets are keptSets by SQL.
func (a Audiences) askedSets(ctx context.Context, owner int64, list []alike) (sets []domain.TagSet, err error) {
	var all *bun.SelectQuery
	for i, one := range list {
		clients := a.db.pg.Bun.NewSelect().ColumnExpr("?::bigint AS at", i)
		if one.Audience == domain.AudiencePicked {
			clients.TableExpr("mailing_clients").Column("client_id").Where("mailing_id = ?", one.ID)
		} else {
			Audience(clients.TableExpr("clients AS client").ColumnExpr("client.id AS client_id"), one.Mailing).Where("client.suppressed_at IS NULL")
		}
		if all == nil {
			all = clients
		} else {
			all = all.UnionAll(clients)
		}
	}
	by := a.db.pg.Bun.NewSelect().TableExpr("(?) AS picked", all).ColumnExpr("client_id, array_agg(at ORDER BY at) AS picks").Group("client_id")
	err = a.db.pg.Bun.NewSelect().TableExpr("(?) AS by_client", by).Join("JOIN clients AS client ON client.id = by_client.client_id").
		Where("client.owner_id = ? AND client.suppressed_at IS NULL", owner).
		ColumnExpr("picks, lower(client.tags::text)::text[] AS tags, count(*) AS clients").GroupExpr("1, 2").Scan(ctx, &sets)
	return sets, err
}
