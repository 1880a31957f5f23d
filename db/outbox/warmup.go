package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// WarmUp is how far the account of an owner has come. Days that are over are counted once, by whoever asks
// first, and kept.
func (b Batches) WarmUp(ctx context.Context, owner int64, created, now time.Time) (w domain.WarmUp, err error) {
	today := domain.OwnerDayOf(created, now)
	if err := b.countDays(ctx, owner, created, today); err != nil {
		return w, err
	}
	err = b.pg.Pool.QueryRow(ctx, `SELECT lifted_at IS NOT NULL, (SELECT count(*) FROM runs AS run JOIN attempts AS attempt ON attempt.run_id = run.id
			WHERE run.owner_id = $1 AND (run.closed_at IS NULL OR run.closed_at > $2) AND attempt.at > $2)
		+ (SELECT coalesce(sum(batch.open), 0) FROM runs AS run JOIN batches AS batch ON batch.run_id = run.id
			WHERE run.owner_id = $1 AND batch.instance_id IS NOT NULL)
		+ coalesce((SELECT tests FROM owner_days WHERE owner_id = $1 AND day = $3), 0)
		FROM users WHERE id = $1`, owner, domain.OwnerDayBegins(created, today), today).Scan(&w.Lifted, &w.Today)
	if err != nil {
		return w, postgres.TranslateError(err)
	}
	rows, err := b.pg.Pool.Query(ctx, `SELECT day, sent, failed, bounced, complained FROM owner_days
		WHERE owner_id = $1 AND sent > 0 AND day < $2`, owner, today)
	if err != nil {
		return w, postgres.TranslateError(err)
	}
	w.Days, err = pgx.CollectRows(rows, pgx.RowToStructByPos[domain.OwnerDay])
	return w, postgres.TranslateError(err)
}

// countDays counts the days before today that nobody has counted: yesterday by its attempts, those before,
// when no program asked, by the runs that ended in them.
func (b Batches) countDays(ctx context.Context, owner int64, created time.Time, today int) error {
	var last int
	err := b.pg.Pool.QueryRow(ctx, `SELECT coalesce(max(day), -1) FROM owner_days WHERE owner_id = $1 AND counted`, owner).Scan(&last)
	if err != nil || last >= today-1 {
		return postgres.TranslateError(err)
	}
	_, err = b.pg.Pool.Exec(ctx, `WITH counted AS (
			SELECT floor(extract(epoch FROM run.closed_at - $2::timestamptz) / 86400)::int AS day, run.accepted + run.failed AS sent, run.failed AS failed
			FROM runs AS run WHERE run.owner_id = $1 AND run.closed_at >= $3 AND run.closed_at < $4
			UNION ALL SELECT $5::int, count(*) FILTER (WHERE attempt.status IN ('accepted', 'failed')), count(*) FILTER (WHERE attempt.status = 'failed')
			FROM runs AS run JOIN attempts AS attempt ON attempt.run_id = run.id
			WHERE run.owner_id = $1 AND (run.closed_at IS NULL OR run.closed_at >= $4) AND attempt.at >= $4 AND attempt.at < $6
		) INSERT INTO owner_days AS known (owner_id, day, sent, failed, counted)
		SELECT $1, day, sum(sent), sum(failed), true FROM counted GROUP BY day
		ON CONFLICT (owner_id, day) DO UPDATE SET sent = excluded.sent, failed = excluded.failed, counted = true WHERE NOT known.counted`,
		owner, created, domain.OwnerDayBegins(created, last+1), domain.OwnerDayBegins(created, today-1), today-1,
		domain.OwnerDayBegins(created, today))
	return postgres.TranslateError(err)
}
