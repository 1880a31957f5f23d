package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// settled is what becomes of the letters in r: the deliveries, the retries and the counts of the
// blocks follow. A delivery that has its outcome keeps it, so
// doing it again changes nothing; of one that another instance has taken over, only an
// acceptance still counts.
const settled = `, ended AS (
		UPDATE deliveries AS d SET outcome = r.outcome, tries = r.n
		FROM r JOIN blocks AS block ON block.run_id = r.run_id AND block.first_seq = r.first_seq
		WHERE d.run_id = r.run_id AND d.seq = r.seq AND d.outcome = 'queued'
		  AND (block.holder = r.instance OR r.outcome = 'accepted')
		RETURNING d.run_id, d.seq, r.first_seq, d.outcome, r.retry_at
	), retried AS (
		INSERT INTO retries (run_id, seq, due_at) SELECT run_id, seq, retry_at FROM ended WHERE outcome = 'deferred'
		ON CONFLICT (run_id, seq) DO UPDATE SET due_at = excluded.due_at
	)
	UPDATE blocks SET open = blocks.open - part.ended, done = blocks.open - part.ended <= 0,
		holder = CASE WHEN blocks.open - part.ended <= 0 THEN NULL ELSE blocks.holder END,
		accepted = blocks.accepted + part.accepted, failed = blocks.failed + part.failed,
		suppressed = blocks.suppressed + part.suppressed
	FROM (SELECT run_id, first_seq, count(*) AS ended,
			count(*) FILTER (WHERE outcome = 'accepted') AS accepted,
			count(*) FILTER (WHERE outcome = 'failed') AS failed,
			count(*) FILTER (WHERE outcome = 'suppressed') AS suppressed
		FROM ended WHERE outcome <> 'queued' GROUP BY run_id, first_seq) AS part
	WHERE blocks.run_id = part.run_id AND blocks.first_seq = part.first_seq`

// Complete tells the deliveries what their recorded attempts came to, all or none; to do it again
// changes nothing. Nobody waits for it, so it takes many results at once.
func (b Batches) Complete(ctx context.Context, results []Result) error {
	return postgres.TranslateError(pgx.BeginFunc(ctx, b.pg.Pool, func(tx pgx.Tx) error { return settle(ctx, tx, results) }))
}

// settle is all that follows from results, the bounces too, for those who live and for the dead.
func settle(ctx context.Context, tx pgx.Tx, results []Result) error {
	var c outcomeColumns
	for _, one := range results {
		c.add(one)
	}
	_, err := tx.Exec(ctx, statement.Complete.SQL(`WITH r AS (
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::int[], $5::smallint[], $6::text[], $7::timestamptz[])
			AS r (instance, run_id, first_seq, seq, n, outcome, retry_at)
	)`+settled), postgres.Prepared, c.instances, c.runs, c.blocks, c.seqs, c.ns, c.outcomes, c.retries)
	if err != nil || len(c.bounced) == 0 {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced'
		WHERE id = ANY($1) AND suppressed_at IS NULL`, c.bounced)
	return err
}

// reconcile does what instances that died had no time for: it settles the attempts that they
// recorded in the blocks they hold. What they never recorded stays queued. Who was refused without
// being dead is tried again: whether it was the last of a row that would have been taken back, only
// the dead knew.
func reconcile(ctx context.Context, tx pgx.Tx, dead []int64) error {
	rows, err := tx.Query(ctx, `SELECT DISTINCT ON (d.run_id, d.seq) block.holder, d.run_id, d.seq, d.client_id,
			attempt.n, attempt.status, attempt.code, attempt.answer, now() + $2::interval
		FROM blocks AS block
		JOIN deliveries AS d ON d.run_id = block.run_id AND d.seq BETWEEN block.first_seq AND block.first_seq + $3::int - 1
		JOIN attempts AS attempt ON attempt.run_id = d.run_id AND attempt.seq = d.seq AND attempt.n > d.tries
		WHERE block.holder = ANY($1) AND d.outcome = 'queued'
		ORDER BY d.run_id, d.seq, attempt.status <> 'accepted', attempt.at DESC`, dead, domain.RetryAfter(1, 0), domain.BlockSize)
	if err != nil {
		return err
	}
	results, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r Result, err error) {
		err = row.Scan(&r.Instance, &r.RunID, &r.Seq, &r.ClientID, &r.N, &r.Status, &r.Code, &r.Answer, &r.RetryAt)
		if r.Outcome = domain.OutcomeAccepted; r.Status != domain.Accepted {
			if r.Outcome = domain.OutcomeFailed; !r.bounced() {
				r.Outcome = domain.OutcomeDeferred
			}
		}
		return r, err
	})
	if err != nil || len(results) == 0 {
		return err
	}
	return settle(ctx, tx, results)
}

// outcomeColumns are results turned for unnest.
type outcomeColumns struct {
	instances, runs, bounced []int64
	blocks, seqs             []int32
	ns                       []int16
	outcomes                 []string
	retries                  []time.Time // of those that are not deferred: of no meaning
}

func (c *outcomeColumns) add(r Result) {
	c.instances = append(c.instances, r.Instance)
	c.runs = append(c.runs, r.RunID)
	c.blocks = append(c.blocks, int32(domain.BlockOf(r.Seq)))
	c.seqs = append(c.seqs, int32(r.Seq))
	c.ns = append(c.ns, int16(r.N))
	c.outcomes = append(c.outcomes, string(r.Outcome))
	c.retries = append(c.retries, r.RetryAt)
	if r.bounced() {
		c.bounced = append(c.bounced, r.ClientID)
	}
}
