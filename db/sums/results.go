package sums

import (
	"context"
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
	Segments []Named // of the audiences that are no segment, the name is empty, and Kind is "series" for those of series
	Owners   []Named // of everybody alone
	Domains  []Named // "" are those that have no name
	Weekdays [7]result.Counts
	Hours    [24]result.Counts
}

// Mailing is what one mailing came to.
type Mailing struct {
	ID        int64
	Name      string
	OwnerName string
	Series    bool

	DisabledAt time.Time `bun:",nullzero"` // only Worst tells
	Reason     string

	result.Counts
}

// Named are counts by a name.
type Named struct {
	ID   int64 // of an owner
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

// everybody reports whether nothing is left out but by the period.
func (f Filter) everybody() bool { return f.Owner == 0 && f.Mailing == 0 }

// from reads days of one of the tables by day.
func (s Sums) from(table string, f Filter) *bun.SelectQuery {
	return f.choose(s.pg.Bun.NewSelect().TableExpr(table+" AS d").ColumnExpr(countColumns), "day", f.Period)
}

// choose leaves the rows of d that begin in a period and are meant.
func (f Filter) choose(query *bun.SelectQuery, begins string, p result.Period) *bun.SelectQuery {
	query.Where("d.? BETWEEN ? AND ?", bun.Ident(begins), p.From.Format(time.DateOnly), p.To.Format(time.DateOnly))
	switch {
	case f.Owner != 0:
		query.Where("d.owner_id = ?", f.Owner)
	case f.Mailing != 0: // all keys begin with the owner
		query.Where("d.owner_id = (SELECT owner_id FROM mailings WHERE id = ?)", f.Mailing)
	}
	if f.Mailing != 0 {
		query.Where("d.mailing_id = ?", f.Mailing)
	}
	return query
}

// fromMonths reads whole months from a table by month and the days around them from one by day, summed by a column.
func (s Sums) fromMonths(months, days, key string, f Filter) *bun.SelectQuery {
	part := func(table, begins string, p result.Period) *bun.SelectQuery {
		return f.choose(s.pg.Bun.NewSelect().TableExpr(table+" AS d").ColumnExpr("d."+key+", d.planned, d.accepted, d.deferred, d.failed, "+
			"d.bounced, d.complained, d.unsubscribed, d.opened, d.clicked"), begins, p)
	}
	before, whole, after := f.Whole()
	return s.pg.Bun.NewSelect().ColumnExpr(countColumns).GroupExpr("d."+key).
		TableExpr("(?) AS d", part(months, "month", whole).UnionAll(part(days, "day", before)).UnionAll(part(days, "day", after)))
}

// fromWhole is fromMonths of a table that has both.
func (s Sums) fromWhole(table, key string, f Filter) *bun.SelectQuery {
	rows := func(whole string) string {
		return "(SELECT *, first AS " + whole + " FROM " + table + " WHERE whole = '" + whole + "')"
	}
	return s.fromMonths(rows("month"), rows("day"), key, f)
}

// Results of a period. Everybody's are told by owner instead of by mailing and audience: there may be many thousands.
func (s Sums) Results(ctx context.Context, f Filter) (all Results, err error) {
	err = s.hours(ctx, f, &all)
	if err == nil && f.everybody() {
		err = s.pg.Bun.NewSelect().With("counted", s.fromWhole("owner_sums", "owner_id", f).Column("owner_id").OrderExpr("accepted DESC").Limit(rowsMost)).
			TableExpr("counted").ColumnExpr("owner.id, owner.name, "+countedColumns).Join("JOIN users AS owner ON owner.id = counted.owner_id").
			OrderExpr("accepted DESC, owner.id").Scan(ctx, &all.Owners)
	} else if err == nil {
		all.Mailings, all.Segments, err = s.Mailings(ctx, f)
	}
	if err == nil {
		err = s.domains(f).OrderExpr("accepted DESC, name").Limit(rowsMost).Scan(ctx, &all.Domains)
	}
	return all, postgres.TranslateError(err)
}

// hours fills in what is told by day, weekday and hour.
func (s Sums) hours(ctx context.Context, f Filter, all *Results) error {
	var hours []struct {
		Day  time.Time
		Hour int
		result.Counts
	}
	all.Days = map[time.Time]result.Counts{}
	query := s.from("mailing_days", f).Column("day", "hour").Group("day", "hour")
	if f.everybody() {
		query = f.choose(s.pg.Bun.NewSelect().TableExpr("all_hours AS d"), "day", f.Period) // summed already
	}
	err := query.Scan(ctx, &hours)
	for _, one := range hours {
		at := time.Date(one.Day.Year(), one.Day.Month(), one.Day.Day(), 0, 0, 0, 0, time.UTC)
		day := all.Days[at]
		day.Add(one.Counts)
		all.Days[at] = day
		all.Weekdays[(int(at.Weekday())+6)%7].Add(one.Counts)
		all.Hours[one.Hour].Add(one.Counts)
	}
	return err
}

// Mailings of a period, and their audiences.
func (s Sums) Mailings(ctx context.Context, f Filter) (mailings []Mailing, audiences []Named, err error) {
	var rows []struct {
		Mailing
		Of   string
		Kind domain.Audience
	}
	err = s.pg.Bun.NewRaw(`WITH counted AS MATERIALIZED (?0)
		(SELECT m.id, m.name, owner.name AS owner_name, m.kind = 'series' AS series, 'mailing' AS of, '' AS kind, `+countedColumns+`
			FROM (SELECT * FROM counted ORDER BY accepted DESC, mailing_id DESC LIMIT ?1) AS counted
			JOIN mailings AS m ON m.id = counted.mailing_id JOIN users AS owner ON owner.id = m.owner_id)
		UNION ALL (SELECT 0, coalesce(segment.name, ''), '', false, 'segment', min(audience), `+countColumns+`
			FROM counted JOIN (SELECT id, segment_id, CASE kind WHEN 'series' THEN kind ELSE audience END AS audience FROM mailings) AS m ON m.id = counted.mailing_id
			LEFT JOIN segments AS segment ON segment.id = m.segment_id
			GROUP BY segment.id, segment.name, CASE WHEN segment.id IS NULL THEN audience END ORDER BY 8 DESC LIMIT ?1)
		ORDER BY of, accepted DESC, id DESC`, s.fromMonths("mailing_months", "mailing_days", "mailing_id", f).Column("mailing_id"), rowsMost).Scan(ctx, &rows)
	for _, one := range rows {
		if one.Of == "segment" {
			audiences = append(audiences, Named{Name: one.Name, Kind: one.Kind, Counts: one.Counts})
		} else {
			mailings = append(mailings, one.Mailing)
		}
	}
	return mailings, audiences, postgres.TranslateError(err)
}

// domains are the receiving ones.
func (s Sums) domains(f Filter) *bun.SelectQuery {
	switch {
	case f.Mailing != 0:
		return s.from("domain_days", f).ColumnExpr("d.domain AS name").GroupExpr("d.domain")
	case f.Owner != 0:
		return s.fromMonths("domain_months", "domain_days", "domain", f).ColumnExpr("d.domain AS name")
	}
	return s.fromWhole("all_domains", "domain", f).ColumnExpr("d.domain AS name")
}

// MailingNames are those of an owner that have been summed, the newest first.
func (s Sums) MailingNames(ctx context.Context, owner int64) (list []Mailing, err error) {
	err = s.pg.Bun.NewRaw(`SELECT id, name FROM mailings WHERE owner_id = ? AND (deleted_at IS NULL OR EXISTS (SELECT FROM runs WHERE mailing_id = mailings.id))
		ORDER BY id DESC LIMIT 200`, owner).Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}
