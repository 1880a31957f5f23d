package sums

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/result"
)

// Filter says which sums are meant. Owner 0 is everybody, for managers; Mailing 0 is every mailing.
type Filter struct {
	Owner, Mailing int64
	result.Period
}

// Results is all that a page of results shows.
type Results struct {
	Days     map[time.Time]result.Counts
	Mailings []Mailing
	Segments []Named // of the audiences that are no segment, the name is empty
	Domains  []Named // "" are those that have no name
	Weekdays [7]result.Counts
	Hours    [24]result.Counts
}

// Mailing is what one mailing came to.
type Mailing struct {
	ID        int64
	Name      string
	OwnerName string

	DisabledAt time.Time `bun:",nullzero"` // only Worst tells
	Reason     string

	result.Counts
}

// Named are counts by a name.
type Named struct {
	Name string
	Kind domain.Audience
	result.Counts
}

// Total are all of them.
func (r Results) Total() (all result.Counts) {
	for _, one := range r.Days {
		all.Add(one)
	}
	return all
}

const (
	countColumns = `sum(planned)::bigint AS planned, sum(accepted)::bigint AS accepted, sum(deferred)::bigint AS deferred, sum(failed)::bigint AS failed,
	sum(bounced)::bigint AS bounced, sum(complained)::bigint AS complained, sum(unsubscribed)::bigint AS unsubscribed,
	sum(opened)::bigint AS opened, sum(clicked)::bigint AS clicked`
	countedColumns = `counted.planned, counted.accepted, counted.deferred, counted.failed, counted.bounced, counted.complained, counted.unsubscribed,
	counted.opened, counted.clicked`
	rowsMost = 500
)

func (s Sums) from(table string, f Filter) *bun.SelectQuery {
	query := s.pg.Bun.NewSelect().TableExpr(table+" AS d").ColumnExpr(countColumns).Where("d.day BETWEEN ? AND ?", f.From.Format(time.DateOnly), f.To.Format(time.DateOnly))
	if f.Owner != 0 {
		query.Where("d.owner_id = ?", f.Owner)
	}
	if f.Mailing != 0 {
		query.Where("d.mailing_id = ?", f.Mailing)
	}
	return query
}

// Results of a period.
func (s Sums) Results(ctx context.Context, f Filter) (all Results, err error) {
	var hours []struct {
		Day  time.Time
		Hour int
		result.Counts
	}
	all.Days = map[time.Time]result.Counts{}
	err = s.from("mailing_days", f).Column("day", "hour").Group("day", "hour").Scan(ctx, &hours)
	for _, one := range hours {
		at := time.Date(one.Day.Year(), one.Day.Month(), one.Day.Day(), 0, 0, 0, 0, time.UTC)
		day := all.Days[at]
		day.Add(one.Counts)
		all.Days[at] = day
		all.Weekdays[(int(at.Weekday())+6)%7].Add(one.Counts)
		all.Hours[one.Hour].Add(one.Counts)
	}
	if err == nil {
		err = s.pg.Bun.NewSelect().With("counted", s.from("mailing_days", f).Column("mailing_id").Group("mailing_id").OrderExpr("2 DESC, mailing_id").Limit(rowsMost)).
			TableExpr("counted").ColumnExpr("m.id, m.name, owner.name AS owner_name, "+countedColumns).
			Join("JOIN mailings AS m ON m.id = counted.mailing_id").Join("JOIN users AS owner ON owner.id = m.owner_id").
			OrderExpr("accepted DESC, m.id DESC").Scan(ctx, &all.Mailings)
	}
	if err == nil {
		err = s.pg.Bun.NewSelect().With("counted", s.from("mailing_days", f).Column("mailing_id").Group("mailing_id")).
			TableExpr("counted").ColumnExpr("coalesce(segment.name, '') AS name, min(m.audience) AS kind, "+countColumns).
			Join("JOIN mailings AS m ON m.id = counted.mailing_id").Join("LEFT JOIN segments AS segment ON segment.id = m.segment_id").
			GroupExpr("segment.id, segment.name, CASE WHEN segment.id IS NULL THEN m.audience END").OrderExpr("accepted DESC").Limit(rowsMost).Scan(ctx, &all.Segments)
	}
	if err == nil {
		err = s.from("domain_days", f).ColumnExpr("d.domain AS name").Group("d.domain").OrderExpr("1 DESC, d.domain").Limit(rowsMost).Scan(ctx, &all.Domains)
	}
	return all, postgres.TranslateError(err)
}

// Growth is how the clients that get emails became more and fewer.
type Growth struct {
	Now    int64               // how many there are
	After  int64               // how many of them came, or left with a minus, after the period
	Days   map[time.Time]int64 // net
	Kinds  map[string]int64    // gained and lost in the period
	ByKind map[time.Time]map[string]int64
}

// Gained are the kinds that count up; all others count down.
func Gained() []string { return []string{"typed", "import", "form"} }

// Lost are the kinds that count down.
func Lost() []string {
	return []string{string(domain.Unsubscribed), string(domain.Bounced), string(domain.Complained), string(domain.Stopped), "deleted"}
}

// Growth of an owner's list.
func (s Sums) Growth(ctx context.Context, owner int64, p result.Period) (g Growth, err error) {
	g = Growth{Days: map[time.Time]int64{}, Kinds: map[string]int64{}, ByKind: map[time.Time]map[string]int64{}}
	var rows []struct {
		Day  time.Time
		Kind string
		N    int64
	}
	err = s.pg.Bun.NewRaw(`SELECT day, kind, sum(n)::bigint AS n FROM client_days WHERE owner_id = ? AND day >= ? GROUP BY day, kind HAVING sum(n) <> 0`,
		owner, p.From.Format(time.DateOnly)).Scan(ctx, &rows)
	if err == nil {
		err = s.pg.Bun.NewRaw(`SELECT coalesce(sum(clients), 0)::bigint FROM tag_counts WHERE owner_id = ? AND NOT suppressed`, owner).Scan(ctx, &g.Now)
	}
	for _, one := range rows {
		at, net := time.Date(one.Day.Year(), one.Day.Month(), one.Day.Day(), 0, 0, 0, 0, time.UTC), one.N
		if !slices.Contains(Gained(), one.Kind) {
			net = -net
		}
		if at.After(p.To) {
			g.After += net
			continue
		}
		g.Days[at] += net
		g.Kinds[one.Kind] += one.N
		if g.ByKind[at] == nil {
			g.ByKind[at] = map[string]int64{}
		}
		g.ByKind[at][one.Kind] += one.N
	}
	return g, postgres.TranslateError(err)
}

// MailingNames are those of an owner that have been summed, the newest first.
func (s Sums) MailingNames(ctx context.Context, owner int64) (list []Mailing, err error) {
	err = s.pg.Bun.NewRaw(`SELECT id, name FROM mailings WHERE owner_id = ? AND (deleted_at IS NULL OR EXISTS (SELECT FROM runs WHERE mailing_id = mailings.id))
		ORDER BY id DESC LIMIT 200`, owner).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}
