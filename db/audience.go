package db

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// twice tells that a client gets the message of the run ?0 already: by another mailing than ?1 that sends it again, or
// by a later run of its own mailing.
const twice = `EXISTS (SELECT FROM runs AS original JOIN mailings AS other ON other.again_of = original.id AND other.id <> ?1 OR other.id = original.mailing_id
	JOIN runs AS later ON later.mailing_id = other.id AND (other.again_of = original.id
		OR later.id > original.id AND later.revision = original.revision AND later.message_id IS NOT DISTINCT FROM original.message_id AND later.step_id IS NOT DISTINCT FROM original.step_id)
	JOIN deliveries AS had ON had.run_id = later.id AND had.client_id = client.id AND had.outcome IN ('accepted', 'queued', 'deferred')
	WHERE original.id = ?0)`

// Audience narrows clients or, unless they are picked, their sets (as `client`) to those the mailing writes to.
func Audience(query *bun.SelectQuery, m domain.Mailing) *bun.SelectQuery {
	query.Where("client.owner_id = ?", m.OwnerID)
	if m.AgainOf != 0 {
		query.Where("NOT "+twice, m.AgainOf, m.ID)
	}
	switch m.Audience {
	case domain.AudienceTags:
		lower := make([]string, len(m.Tags))
		for i, tag := range m.Tags {
			lower[i] = strings.ToLower(tag)
		}
		query.Where("EXISTS (SELECT 1 FROM unnest(client.tags) AS tag WHERE lower(tag) IN ?)", bun.Tuple(lower))
	case domain.AudiencePicked:
		query.Where("client.id IN (SELECT client_id FROM mailing_clients WHERE mailing_id = ?)", m.ID)
	case domain.AudienceSegment:
		if m.Selection == nil {
			return query.Where("FALSE")
		}
		narrowTo(query, m.OwnerID, *m.Selection)
	}
	return query
}

// Resolve asks what the mailing's segment means now, and counts the results that it looks at. Without its segment a
// mailing writes to nobody.
func Resolve(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if err := resolve(ctx, tx, m); err != nil || m.Selection == nil || !m.Selection.Results() {
		return err
	}
	return CountResults(ctx, tx, m.OwnerID)
}

func resolve(ctx context.Context, tx bun.IDB, m *domain.Mailing) error {
	if m.Audience != domain.AudienceSegment || m.SegmentID == 0 || m.Selection != nil {
		return nil
	}
	chosen, err := selectionOf(ctx, tx, m.OwnerID, m.SegmentID)
	switch {
	case domain.KindOf(err) == domain.NotFound:
		return nil
	case err != nil:
		return err
	}
	m.Selection = &chosen
	return nil
}

// resolve does it for a page; of results that take long to count the queue is told.
func (ms Mailings) resolve(ctx context.Context, m *domain.Mailing) error {
	err := resolve(ctx, ms.db.pg.Bun, m)
	if err == nil && m.Selection != nil {
		_, err = ms.db.Segments().catchUp(ctx, m.OwnerID, *m.Selection)
	}
	return err
}

// checkSegment refuses a segment that is not the owner's, and keeps it from being deleted before the mailing is saved.
func checkSegment(ctx context.Context, tx Tx, m *domain.Mailing) error {
	if m.SegmentID == 0 {
		return nil
	}
	_, err := loadSegment(ctx, tx, m.OwnerID, m.SegmentID, "KEY SHARE")
	if domain.KindOf(err) == domain.NotFound {
		return domain.Errorf(domain.Invalid, "segment_id", "segments.unknown")
	}
	return err
}

// RecipientCount counts whom the mailing, saved or not, would write to now, and how many of its
// audience get nothing because they are suppressed.
func (ms Mailings) RecipientCount(ctx context.Context, m domain.Mailing) (recipients, suppressed int, err error) {
	if err := ms.resolve(ctx, &m); err != nil {
		return 0, 0, err
	}
	if m.Selection != nil {
		n, err := ms.db.Segments().count(ctx, m.OwnerID, *m.Selection)
		if err != nil {
			return 0, 0, err
		}
		skipped, err := ms.skipped(ctx, m)
		return int(n.Clients-n.Suppressed) - skipped, int(n.Suppressed) + skipped, err
	}
	query := ms.db.pg.Bun.NewSelect()
	if m.Audience == domain.AudiencePicked {
		query.TableExpr("(SELECT id, suppressed_at IS NOT NULL AS suppressed, 1 AS clients FROM clients WHERE id IN ? AND owner_id = ?) AS client",
			bun.Tuple(m.ClientIDs), m.OwnerID)
		if m.AgainOf != 0 {
			query.Where("NOT "+twice, m.AgainOf, m.ID)
		}
	} else {
		Audience(query.TableExpr("tag_counts AS client"), m)
	}
	err = query.ColumnExpr("coalesce(sum(clients) FILTER (WHERE NOT suppressed), 0)::bigint").
		ColumnExpr("coalesce(sum(clients) FILTER (WHERE suppressed), 0)::bigint").Scan(ctx, &recipients, &suppressed)
	if err != nil {
		return 0, 0, postgres.TranslateError(err)
	}
	skipped, err := ms.skipped(ctx, m)
	return recipients - skipped, suppressed + skipped, err
}

// skipped counts those of the audience who are not suppressed and get nothing by their own preferences.
func (ms Mailings) skipped(ctx context.Context, m domain.Mailing) (n int, err error) {
	query := ms.skipping(m)
	if m.Audience == domain.AudiencePicked {
		query.Where("client.owner_id = ? AND client.id IN ?", m.OwnerID, bun.Tuple(m.ClientIDs))
	} else {
		Audience(query, m)
	}
	err = query.ColumnExpr("count(*)").Scan(ctx, &n)
	return n, postgres.TranslateError(err)
}

// skipping are the owner's clients who are not suppressed and would get nothing of the mailing by their own preferences.
func (ms Mailings) skipping(m domain.Mailing) *bun.SelectQuery {
	return ms.db.pg.Bun.NewSelect().TableExpr("clients AS client").
		Where(HasPreferences+" AND client.suppressed_at IS NULL AND ("+SkipReason+") IS NOT NULL", m.TopicID, time.Now())
}

// Capped are those of a mailing's audience who will have had as many emails within a week as their owner allows: whose email
// waits for room in their week, and whose would wait beyond the next run and is left out.
type Capped struct {
	Most             int // of the owner
	Waiting, LeftOut int64
	Until            time.Time `bun:",nullzero"` // the last of them has room
}

// Capped tells it of a run at a time.
func (ms Mailings) Capped(ctx context.Context, m domain.Mailing, at time.Time) (c Capped, err error) {
	if err = ms.resolve(ctx, &m); err == nil {
		c, err = CappedIn(ctx, ms.db.pg.Bun, m, at)
	}
	return c, postgres.TranslateError(err)
}

// CappedIn is Capped of a mailing whose segment is resolved.
func CappedIn(ctx context.Context, tx bun.IDB, m domain.Mailing, at time.Time) (c Capped, err error) {
	if err := tx.NewSelect().Table("users").ColumnExpr("weekly_cap AS most").Where("id = ?", m.OwnerID).Scan(ctx, &c.Most); err != nil || c.Most == 0 || m.Important {
		return Capped{}, err
	}
	full := tx.NewSelect().TableExpr("runs AS run").Join("JOIN deliveries AS delivery ON delivery.run_id = run.id AND delivery.outcome IN ('accepted', 'queued', 'deferred')").
		Column("delivery.client_id").
		ColumnExpr("(array_agg(coalesce(delivery.due_at, run.scheduled_at) ORDER BY coalesce(delivery.due_at, run.scheduled_at) DESC))[?] + interval '7 days' AS room_at", c.Most).
		Where("run.owner_id = ? AND run.created_at > ?::timestamptz - interval '15 days'", m.OwnerID, at).
		Group("delivery.client_id").Having("count(*) >= ?", c.Most)
	hold := m.HoldUntil(at)
	query := Audience(tx.NewSelect().TableExpr("clients AS client"), m).Join("JOIN (?) AS had ON had.client_id = client.id", full).
		ColumnExpr("count(*) FILTER (WHERE room_at <= ?) AS waiting, count(*) FILTER (WHERE room_at > ?) AS left_out", hold, hold).
		ColumnExpr("max(room_at) FILTER (WHERE room_at <= ?) AS until", hold).
		Where("room_at > ?", at).Where("("+SkipReason+") IS NULL", m.TopicID, at)
	return c, query.Scan(ctx, &c)
}

// LeftOut is how many of an audience get nothing for one reason.
type LeftOut struct {
	Reason  string // as in clients.suppressed_reason or of domain.Skipped
	Clients int64
}

// LeftOut tells why some of the mailing's audience get nothing, the most frequent reason first.
func (ms Mailings) LeftOut(ctx context.Context, m domain.Mailing) (list []LeftOut, err error) {
	if err := ms.resolve(ctx, &m); err != nil {
		return nil, err
	}
	err = Audience(ms.db.pg.Bun.NewSelect().TableExpr("clients AS client"), m).Where("(client.suppressed_at IS NOT NULL OR "+HasPreferences+")").
		ColumnExpr(SkipReason+" AS reason, count(*) AS clients", m.TopicID, time.Now()).Group("reason").Having("count("+SkipReason+") > 0", m.TopicID, time.Now()).
		OrderExpr("clients DESC, reason").Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}

// EmptyValues are the recipients of a mailing who have no value for a placeholder.
type EmptyValues struct {
	First int64 // the newest recipient, 0: there is none
	Empty map[string]int64
}

// withoutValue are the conditions of the placeholders that may be empty.
var withoutValue = map[string]string{"name": "client.full_name = ''", "comment": "client.comment = ''",
	"first_name": "client.full_name = '' AND client.first_name = ''", "last_name": "client.full_name = '' AND client.last_name = ''"}

// EmptyValues counts those of the named placeholders.
func (ms Mailings) EmptyValues(ctx context.Context, m domain.Mailing, names []string) (v EmptyValues, err error) {
	v.Empty = map[string]int64{}
	if err := ms.resolve(ctx, &m); err != nil {
		return v, err
	}
	var first []int64
	err = Audience(ms.db.pg.Bun.NewSelect().TableExpr("clients AS client"), m).Where("client.suppressed_at IS NULL").
		ColumnExpr("client.id").OrderExpr("client.id DESC").Limit(1).Scan(ctx, &first)
	for _, one := range first {
		v.First = one
	}
	conditions := maps.Clone(withoutValue)
	if err == nil {
		var fields []domain.Field
		fields, err = ms.db.Fields().List(ctx, m.OwnerID)
		for _, f := range fields {
			conditions[f.Key] = fmt.Sprintf("NOT jsonb_exists(client.fields, '%d')", f.ID)
		}
	}
	for _, name := range names {
		condition, known := conditions[name]
		if err != nil || !known {
			continue
		}
		var n int64
		n, err = Audience(ms.db.pg.Bun.NewSelect().TableExpr("clients AS client"), m).
			Where("client.suppressed_at IS NULL").Where(condition).Count(ctx)
		v.Empty[name] = n
	}
	return v, postgres.TranslateError(err)
}
