package sums

import (
	"context"
	"time"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Tell has everybody who wants it told of the month that is over, once, from eight in the morning of the first day on.
func (s Sums) Tell(ctx context.Context, now time.Time) error {
	return s.pg.InTx(ctx, func(tx postgres.Tx) error {
		var told []struct {
			UserID int64
			Month  time.Time
		}
		err := tx.NewRaw(`INSERT INTO results_told AS known (user_id, month)
			SELECT id, (date_trunc('month', at) - interval '1 month')::date
			FROM (SELECT id, (?::timestamptz AT TIME ZONE known_zone(timezone)) AS at FROM users
				WHERE monthly_results AND blocked_at IS NULL AND role IN ('user', 'admin')) AS wanting
			WHERE at >= date_trunc('month', at) + interval '8 hours'
			ON CONFLICT (user_id) DO UPDATE SET month = excluded.month WHERE known.month < excluded.month
			RETURNING user_id, month`, now).Scan(ctx, &told)
		for _, one := range told {
			if err == nil {
				err = s.pg.Enqueue(ctx, tx, domain.MailJob{Email: domain.MailMonthly, UserID: one.UserID, Month: one.Month.Format(time.DateOnly)})
			}
		}
		return err
	})
}
