package db

import (
	"context"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Of a large run so many recipients are looked at, evenly spread: attempts are found by
// recipient, and a million of them would take a second. Their times stand in the index; whether
// they came to trouble tells another. Refusals and delays are few: up to paceTrouble are all counted.
const throughputSample, throughputTrouble, throughputParts = 3000, 20_000, 40

// Throughput counts the attempts of a run by time, in at most paceParts parts of whole seconds. The
// caller has made sure who may see the run.
func (r Runs) Throughput(ctx context.Context, run domain.Run) (domain.Throughput, error) {
	throughput := domain.Throughput{Every: max(1, run.Planned/throughputSample)}
	var trouble int64
	err := r.db.pg.Pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM attempts WHERE run_id = $1 AND status <> 'accepted' LIMIT $2) AS found`,
		run.ID, throughputTrouble+1).Scan(&trouble)
	if err != nil {
		return throughput, postgres.TranslateError(err)
	}
	rows, err := r.db.pg.Pool.Query(ctx, `WITH tries AS MATERIALIZED (
			SELECT attempt.at, coalesce(trouble.status, 'accepted') AS status, $3::bigint AS weight FROM generate_series(1, $2::int, $3::int) AS picked(seq)
				JOIN attempts AS attempt ON attempt.run_id = $1 AND attempt.seq = picked.seq
				LEFT JOIN attempts AS trouble ON trouble.run_id = $1 AND trouble.seq = attempt.seq AND trouble.at = attempt.at AND trouble.status <> 'accepted'
				WHERE trouble.status IS NULL OR NOT $4
			UNION ALL SELECT at, status, 1 FROM attempts WHERE run_id = $1 AND status <> 'accepted' AND $4
		), span AS (
			SELECT min(at) AS first, greatest(1, ceil(extract(epoch FROM max(at) - min(at)) / $5))::bigint AS seconds FROM tries
		) SELECT first, seconds, least($5 - 1, floor(extract(epoch FROM at - first) / seconds))::int AS part, status, sum(weight)::bigint
		FROM tries, span GROUP BY 1, 2, 3, 4 ORDER BY part`, run.ID, run.Planned, throughput.Every, trouble <= throughputTrouble, throughputParts)
	if err != nil {
		return throughput, postgres.TranslateError(err)
	}
	defer rows.Close()
	for rows.Next() {
		var part int
		var seconds, attempts int64
		var status domain.AttemptStatus
		if err := rows.Scan(&throughput.From, &seconds, &part, &status, &attempts); err != nil {
			return throughput, err
		}
		throughput.Step = time.Duration(seconds) * time.Second
		throughput.Add(part, status, attempts)
	}
	return throughput, postgres.TranslateError(rows.Err())
}
