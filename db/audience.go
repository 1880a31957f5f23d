package db

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Audience narrows clients or, unless they are picked, their sets (as `client`) to those the mailing writes to.
func Audience(query *bun.SelectQuery, m domain.Mailing) *bun.SelectQuery {
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

// RecipientCount counts whom the mailing, saved or not, would write to now, and how many of its
// audience get nothing because they are suppressed.
func (ms Mailings) RecipientCount(ctx context.Context, m domain.Mailing) (recipients, suppressed int, err error) {
	query := ms.db.pg.Bun.NewSelect()
	if m.Audience == domain.AudiencePicked {
		query.TableExpr("(SELECT suppressed_at IS NOT NULL AS suppressed, 1 AS clients FROM clients WHERE id IN ? AND owner_id = ?) AS client",
			bun.Tuple(m.ClientIDs), m.OwnerID)
	} else {
		Audience(query.TableExpr("tag_counts AS client"), m)
	}
	err = query.ColumnExpr("coalesce(sum(clients) FILTER (WHERE NOT suppressed), 0)::bigint").
		ColumnExpr("coalesce(sum(clients) FILTER (WHERE suppressed), 0)::bigint").Scan(ctx, &recipients, &suppressed)
	return recipients, suppressed, postgres.TranslateError(err)
}
