package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// completed is what becomes of the emails in r: the deliveries, the retries and the counts of the
// batches follow. A delivery that has its outcome keeps it, so
// doing it again changes nothing; of one that another instance has taken over, only an
// acceptance still counts.
const completed = `, ended AS (
		UPDATE deliveries AS d SET outcome = r.outcome, tries = r.n
		FROM r JOIN batches AS batch ON batch.run_id = r.run_id AND batch.first_seq = r.first_seq
		WHERE d.run_id = r.run_id AND d.seq = r.seq AND d.outcome = 'queued'
		  AND (batch.instance_id = r.instance OR r.outcome = 'accepted')
		RETURNING d.run_id, d.seq, r.first_seq, d.outcome, r.retry_at
	), retried AS (
		INSERT INTO retries (run_id, seq, due_at) SELECT run_id, seq, retry_at FROM ended WHERE outcome = 'deferred'
		ON CONFLICT (run_id, seq) DO UPDATE SET due_at = excluded.due_at
	)
	UPDATE batches SET open = batches.open - part.ended, done = batches.open - part.ended <= 0,
		instance_id = CASE WHEN batches.open - part.ended <= 0 THEN NULL ELSE batches.instance_id END,
		accepted = batches.accepted + part.accepted, failed = batches.failed + part.failed,
		suppressed = batches.suppressed + part.suppressed
	FROM (SELECT run_id, first_seq, count(*) AS ended,
			count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
			count(*) FILTER (WHERE outcome = 'failed') AS failed,
			count(*) FILTER (WHERE outcome = 'suppressed') AS suppressed
		FROM ended WHERE outcome <> 'queued' GROUP BY run_id, first_seq) AS part
	WHERE batches.run_id = part.run_id AND batches.first_seq = part.first_seq`

// Complete tells the deliveries what their recorded attempts came to, all or none; to do it again
// changes nothing. Nobody waits for it, so it takes many results at once.
func (b Batches) Complete(ctx context.Context, results []Result) error {
	return postgres.TranslateError(pgx.BeginFunc(ctx, b.pg.Pool, func(tx pgx.Tx) error { return complete(ctx, tx, results) }))
}

// complete is all that follows from results, suppressions too, for those who live and for the dead.
func complete(ctx context.Context, tx pgx.Tx, results []Result) error {
	var c outcomeColumns
	for _, one := range results {
		c.add(one)
	}
	_, err := tx.Exec(ctx, statement.Complete.SQL(`WITH r AS (
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::smallint[], $6::text[], $7::timestamptz[])
			AS r (instance, run_id, first_seq, seq, n, outcome, retry_at)
	)`+completed), postgres.Prepared, c.instances, c.runs, c.batches, c.seqs, c.ns, c.outcomes, c.retries)
	if err != nil || len(c.suppressed) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced', suppressed_run = dead.run_id
		FROM unnest($1::bigint[], $2::bigint[]) AS dead (id, run_id)
		WHERE clients.id = dead.id AND suppressed_at IS NULL`, c.suppressed, c.suppressedRuns)
	return err
}

// reconcile does what instances that died had no time for: it completes the attempts that they
// recorded in the batches they hold. What they never recorded stays queued.
func reconcile(ctx context.Context, tx pgx.Tx, dead []int64) error {
	rows, err := tx.Query(ctx, `SELECT DISTINCT ON (d.run_id, d.seq) batch.instance_id, d.run_id, d.seq, d.client_id, d.tries,
			(SELECT min(at) FROM attempts WHERE run_id = d.run_id AND seq = d.seq),
			attempt.n, attempt.status, attempt.code, attempt.answer, now(),
			EXISTS (SELECT FROM attempts WHERE run_id = d.run_id AND seq = d.seq AND at < attempt.at AND status = 'unknown')
		FROM batches AS batch JOIN deliveries AS d ON d.run_id = batch.run_id AND d.seq BETWEEN batch.first_seq AND batch.first_seq + $2::int - 1
		JOIN attempts AS attempt ON attempt.run_id = d.run_id AND attempt.seq = d.seq AND attempt.n > d.tries
		WHERE batch.instance_id = ANY($1) AND d.outcome = 'queued'
		ORDER BY d.run_id, d.seq, attempt.status <> 'accepted', attempt.at DESC`, dead, domain.BatchSize)
	if err != nil {
		return err
	}
	results, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Result, err error) {
		var h domain.History
		err = row.Scan(&r.Instance, &r.RunID, &r.Seq, &r.ClientID, &h.Tries, &h.Since, &r.N, &h.Recorded, &r.Code, &r.Answer, &h.Now, &h.Unanswered)
		// Who was refused for good was so at RCPT or later, and what an answer means is the same at those stages.
		r.Follow(domain.Dispose(domain.NewAnswer(domain.StageRcpt, r.Code, r.Answer), h))
		return r, err
	})
	if err != nil || len(results) == 0 {
		return err
	}
	return complete(ctx, tx, results)
}

// outcomeColumns are results turned for unnest.
type outcomeColumns struct {
	instances, runs            []int64
	batches, seqs              []int32
	suppressed, suppressedRuns []int64
	ns                         []int16
	outcomes                   []string
	retries                    []time.Time // of those that are not deferred: of no meaning
}

func (c *outcomeColumns) add(r Result) {
	c.instances = append(c.instances, r.Instance)
	c.runs = append(c.runs, r.RunID)
	c.batches = append(c.batches, int32(domain.BatchOf(r.Seq)))
	c.seqs = append(c.seqs, int32(r.Seq))
	c.ns = append(c.ns, int16(r.N))
	c.outcomes = append(c.outcomes, string(r.Outcome))
	c.retries = append(c.retries, r.RetryAt)
	if r.Suppress {
		c.suppressed, c.suppressedRuns = append(c.suppressed, r.ClientID), append(c.suppressedRuns, r.RunID)
	}
}
