package sums

import (
	"context"
	"slices"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
	"skychimp/domain/result"
)

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
