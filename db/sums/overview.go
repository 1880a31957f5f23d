package sums

import (
	"cmp"
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/result"
)

// Owner is what a manager sees of one.
type Owner struct {
	ID          int64
	Name, Email string
	Role        domain.Role
	BlockedAt   time.Time `bun:",nullzero"`
	Reason      string
	LastSignIn  time.Time `bun:",nullzero"`
	Mailings    int64
	Clients     int64
	result.Watched
}

// Overview is what a manager sees of everybody.
type Overview struct {
	Days   map[time.Time]result.Counts
	Owners []Owner // who need a look first, then by their emails
	Users  int64
	Counts result.Counts // of the days that count
}

const (
	ownersMost = 100
	lookDays   = 7 // that signs are looked for in
)

// Overview of the last days, with the period for its chart.
func (s Sums) Overview(ctx context.Context, p result.Period) (o Overview, err error) {
	var days []struct {
		Day time.Time
		result.Counts
	}
	o.Days = map[time.Time]result.Counts{}
	err = s.from("all_hours", Filter{Period: p}).Column("day").Group("day").Scan(ctx, &days)
	since := p.To.AddDate(0, 0, 1-lookDays)
	for _, one := range days {
		at := time.Date(one.Day.Year(), one.Day.Month(), one.Day.Day(), 0, 0, 0, 0, time.UTC)
		o.Days[at] = one.Counts
		if !at.Before(since) {
			o.Counts.Add(one.Counts)
		}
	}
	if err == nil {
		err = s.pg.Bun.NewRaw(`SELECT count(*) FROM users`).Scan(ctx, &o.Users)
	}
	if err == nil {
		o.Owners, err = s.owners(ctx, result.Period{From: since, To: p.To})
	}
	return o, postgres.TranslateError(err)
}

// grown are the owners of whose lists a day brought many, with that day: what a list has gained on it and had before.
const grown = `SELECT DISTINCT ON (owner_id) owner_id, gained AS list_gained,
		(SELECT coalesce(sum(clients), 0) FROM tag_counts WHERE owner_id = day.owner_id AND NOT suppressed)
		- (SELECT coalesce(sum(CASE WHEN kind IN ('typed', 'import', 'form') THEN n ELSE -n END), 0) FROM client_days WHERE owner_id = day.owner_id AND day >= day.day) AS list_before
	FROM (SELECT owner_id, day, sum(n) AS gained FROM client_days WHERE day BETWEEN ?0 AND ?1 AND kind IN ('typed', 'import', 'form')
		GROUP BY 1, 2 HAVING sum(n) >= 500) AS day ORDER BY owner_id, gained DESC`

// owners are those of whom a manager should know.
func (s Sums) owners(ctx context.Context, p result.Period) (list []Owner, err error) {
	err = s.pg.Bun.NewRaw(`WITH sent AS (
			SELECT owner_id, `+countColumns+` FROM owner_sums WHERE whole = 'day' AND first BETWEEN ?0 AND ?1 GROUP BY owner_id
		), grown AS (`+grown+`), waiting AS (
			SELECT DISTINCT owner_id FROM runs WHERE status IN ('running', 'paused', 'stopping') AND reason = ?2
		), worth AS (
			SELECT owner_id FROM grown UNION SELECT owner_id FROM waiting UNION (SELECT owner_id FROM sent ORDER BY
				complained > 1 AND 1000 * complained > accepted DESC, accepted + failed >= 100 AND 20 * failed > accepted + failed DESC, accepted DESC LIMIT ?3)
		)
		SELECT owner.id, owner.name, owner.email, owner.role, owner.blocked_at, owner.blocked_reason AS reason, owner.last_sign_in_at AS last_sign_in,
			(SELECT count(*) FROM mailings WHERE owner_id = owner.id AND deleted_at IS NULL) AS mailings,
			(SELECT coalesce(sum(clients), 0)::bigint FROM tag_counts WHERE owner_id = owner.id) AS clients,
			coalesce(planned, 0) AS planned, coalesce(accepted, 0) AS accepted, coalesce(failed, 0) AS failed, coalesce(bounced, 0) AS bounced,
			coalesce(complained, 0) AS complained, coalesce(unsubscribed, 0) AS unsubscribed,
			coalesce(list_gained, 0)::bigint AS list_gained, coalesce(list_before, 0)::bigint AS list_before, waiting.owner_id IS NOT NULL AS at_quota
		FROM worth JOIN users AS owner ON owner.id = worth.owner_id LEFT JOIN sent ON sent.owner_id = owner.id
		LEFT JOIN grown ON grown.owner_id = owner.id LEFT JOIN waiting ON waiting.owner_id = owner.id`,
		p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), domain.ReasonWarmUp, ownersMost).Scan(ctx, &list)
	slices.SortFunc(list, func(a, b Owner) int {
		return cmp.Or(cmp.Compare(b.Weight(), a.Weight()), cmp.Compare(b.Accepted, a.Accepted), cmp.Compare(a.ID, b.ID))
	})
	return list[:min(len(list), ownersMost)], err
}

// Worst are the mailings of the last days that need a look: the most complaints and refusals first.
func (s Sums) Worst(ctx context.Context, p result.Period) (list []Mailing, err error) {
	p.From = p.To.AddDate(0, 0, 1-lookDays)
	few := Filter{Period: p}
	found := few.choose(s.pg.Bun.NewSelect().TableExpr("mailing_days AS d").Column("mailing_id"), "day", p).Group("mailing_id").
		Having("sum(complained) > 1 AND 1000 * sum(complained) > sum(accepted) OR sum(accepted + failed) >= 100 AND 20 * sum(failed) > sum(accepted + failed)").
		OrderExpr("sum(complained) DESC, sum(failed) DESC").Limit(20)
	err = s.pg.Bun.NewSelect().With("counted", s.from("mailing_days", few).Column("mailing_id").Group("mailing_id").Where("mailing_id IN (?)", found)).
		TableExpr("counted").ColumnExpr("m.id, m.name, m.disabled_at, m.disabled_reason AS reason, owner.name AS owner_name, "+countedColumns).
		Join("JOIN mailings AS m ON m.id = counted.mailing_id").Join("JOIN users AS owner ON owner.id = m.owner_id").
		OrderExpr("complained DESC, failed DESC, m.id").Scan(ctx, &list)
	return list, postgres.TranslateError(err)
}
