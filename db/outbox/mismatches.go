package outbox

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// CountMismatch is the error of a run whose counts do not add up to what was planned.
type CountMismatch struct {
	RunID   int64
	Planned int64
	Counted int64
}

func (u CountMismatch) Error() string {
	return fmt.Sprintf("run %d: planned %d deliveries, counted %d", u.RunID, u.Planned, u.Counted)
}

// CountMismatches checks that no run has lost or made up a delivery. Of a closed run the counts
// have to add up; of one that closed since then, and of every open one, each count is compared
// with the deliveries themselves too, and counted is what both agree on.
func (r Runs) CountMismatches(ctx context.Context, since time.Time) ([]CountMismatch, error) {
	rows, err := r.pg.Pool.Query(ctx, `WITH closed AS (
			SELECT id, planned, accepted + failed + suppressed + expired + cancelled AS counted
			FROM runs WHERE closed_at < $1
		), recent AS (
			SELECT id, planned, least(run.accepted, d.accepted) + least(run.failed, d.failed) + least(run.suppressed, d.suppressed)
				+ least(run.expired, d.expired) + least(run.cancelled, d.cancelled) AS counted
			FROM runs AS run, LATERAL (SELECT count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
					count(*) FILTER (WHERE outcome = 'failed') AS failed, count(*) FILTER (WHERE outcome = 'suppressed') AS suppressed,
					count(*) FILTER (WHERE outcome = 'expired') AS expired, count(*) FILTER (WHERE outcome = 'cancelled') AS cancelled
				FROM deliveries WHERE run_id = run.id) AS d WHERE closed_at >= $1
		), open AS (
			SELECT id, planned, run.suppressed + least(waiting.deferred, sum(d.deferred)) + sum(least(batch.accepted, d.accepted)
				+ least(batch.failed, d.failed) + least(batch.suppressed, d.suppressed) + least(batch.open, d.queued)) AS counted
			FROM runs AS run JOIN batches AS batch ON batch.run_id = run.id,
				LATERAL (SELECT count(*) AS deferred FROM retries WHERE run_id = run.id) AS waiting,
				LATERAL (SELECT count(*) FILTER (WHERE outcome = 'accepted') AS accepted, count(*) FILTER (WHERE outcome = 'failed') AS failed,
					count(*) FILTER (WHERE outcome = 'suppressed') AS suppressed, count(*) FILTER (WHERE outcome = 'queued') AS queued,
					count(*) FILTER (WHERE outcome = 'deferred') AS deferred
				FROM deliveries WHERE run_id = run.id AND seq BETWEEN batch.first_seq AND batch.first_seq + $2::int - 1) AS d
			WHERE closed_at IS NULL GROUP BY id, waiting.deferred
		)
		SELECT id, planned, counted::bigint FROM (TABLE closed UNION ALL TABLE recent UNION ALL TABLE open) AS run
		WHERE planned <> counted ORDER BY id`, since, domain.BatchSize)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[CountMismatch])
	return found, postgres.TranslateError(err)
}
