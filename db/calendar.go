package db

import (
	"context"

	"skychimp/db/postgres"

	"github.com/uptrace/bun"

	"skychimp/domain"
)

// Overlaps tells how many clients who get emails the owner's mailings share, by their sets of tags.
func (ms Mailings) Overlaps(ctx context.Context, owner int64, mailings []domain.Mailing) (domain.Overlaps, error) {
	o := domain.Overlaps{Picked: map[[2]int64]int64{}}
	picked := []int64{0} // no mailing
	for _, m := range mailings {
		if m.Audience == domain.AudiencePicked {
			picked = append(picked, m.ID)
		}
	}
	err := ms.db.pg.Bun.NewRaw(`SELECT 0 AS mailing_id, tags, sum(clients)::bigint AS clients FROM tag_counts WHERE owner_id = ?0 AND NOT suppressed GROUP BY tags
		UNION ALL SELECT mailing_id, tags, count(*) FROM mailing_clients JOIN clients ON clients.id = client_id
		WHERE mailing_id IN ?1 AND owner_id = ?0 AND suppressed_at IS NULL GROUP BY mailing_id, tags`, owner, bun.Tuple(picked)).Scan(ctx, &o.Sets)
	if err != nil || len(picked) < 3 {
		return o, postgres.TranslateError(err)
	}
	var both []struct{ One, Other, Clients int64 }
	err = ms.db.pg.Bun.NewRaw(`SELECT one.mailing_id AS one, other.mailing_id AS other, count(*) AS clients
		FROM mailing_clients AS one JOIN mailing_clients AS other ON other.client_id = one.client_id AND other.mailing_id > one.mailing_id
		JOIN clients ON clients.id = one.client_id AND suppressed_at IS NULL
		WHERE one.mailing_id IN ?0 AND other.mailing_id IN ?0 GROUP BY 1, 2`, bun.Tuple(picked)).Scan(ctx, &both)
	for _, pair := range both {
		o.Picked[[2]int64{pair.One, pair.Other}] = pair.Clients
	}
	return o, postgres.TranslateError(err)
}
