package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/domain"
)

// OpenRun is a run with something left to claim.
type OpenRun struct {
	ID, OwnerID int64
}

// OpenRuns are the runs that may be sent now and have free blocks, the oldest first.
func (db *DB) OpenRuns(ctx context.Context) ([]OpenRun, error) {
	rows, err := db.Pool.Query(ctx, `SELECT id, owner_id FROM runs
		WHERE status = 'running' AND (window_end IS NULL OR window_end > now())
		  AND EXISTS (SELECT FROM blocks WHERE run_id = id AND holder IS NULL AND NOT done) ORDER BY id`)
	if err != nil {
		return nil, explain(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenRun])
	return open, explain(err)
}

// Halted are those of the runs that must not be sent any further.
func (db *DB) Halted(ctx context.Context, runs []int64) ([]int64, error) {
	return ids(ctx, db, `SELECT wanted FROM unnest($1::bigint[]) AS wanted WHERE NOT EXISTS (
		SELECT FROM runs WHERE id = wanted AND status = 'running' AND (window_end IS NULL OR window_end > now()))`, runs)
}

// Letter is one delivery that an instance holds, with the client as it is at this moment.
type Letter struct {
	FirstSeq   int // of its block
	Seq        int
	ClientID   int64
	Email      string
	Tries      int
	Name       string
	Comment    string
	Suppressed bool // unsubscribed, bounced or erased since the run was planned
}

// Claim takes the next free block of a run for the instance and returns its queued letters;
// none when there is nothing to take, or when the run or the instance has been shut out.
func (db *DB) Claim(ctx context.Context, instance, run int64) ([]Letter, error) {
	// The lock on the instance keeps Bury from missing a block that is claimed meanwhile.
	rows, err := db.Pool.Query(ctx, `WITH self AS MATERIALIZED (
			SELECT id FROM instances WHERE id = $1 FOR KEY SHARE
		), picked AS (
			SELECT block.run_id, block.first_seq FROM self, blocks AS block JOIN runs AS run ON run.id = block.run_id
			WHERE block.run_id = $2 AND block.holder IS NULL AND NOT block.done
			  AND run.status = 'running' AND (run.window_end IS NULL OR run.window_end > now())
			ORDER BY block.first_seq LIMIT 1 FOR UPDATE OF block SKIP LOCKED
		), held AS (
			UPDATE blocks SET holder = $1 FROM picked
			WHERE blocks.run_id = picked.run_id AND blocks.first_seq = picked.first_seq RETURNING blocks.*
		)
		SELECT held.first_seq, coalesce(d.seq, 0), coalesce(d.client_id, 0), coalesce(d.email, ''), coalesce(d.tries, 0),
			coalesce(client.full_name, ''), coalesce(client.comment, ''),
			client.id IS NULL OR client.suppressed_at IS NOT NULL
		FROM held LEFT JOIN deliveries AS d ON d.run_id = held.run_id
			AND d.seq BETWEEN held.first_seq AND held.first_seq + $3::int - 1 AND d.outcome = 'queued'
		LEFT JOIN clients AS client ON client.id = d.client_id
		ORDER BY d.seq`, instance, run, domain.BlockSize)
	if err != nil {
		return nil, explain(err)
	}
	letters, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Letter])
	if err == nil && len(letters) == 1 && letters[0].Seq == 0 {
		// Nothing is queued in it after all: a late acceptance of a former holder came first.
		_, err = db.Pool.Exec(ctx, `UPDATE blocks SET open = 0, done = true, holder = NULL
			WHERE holder = $1 AND run_id = $2 AND first_seq = $3`, instance, run, letters[0].FirstSeq)
		letters = nil
	}
	return letters, explain(err)
}

// Release gives blocks of a run back: what they still have queued is anybody's again.
func (db *DB) Release(ctx context.Context, instance, run int64, firstSeqs []int32) error {
	_, err := db.Pool.Exec(ctx, `UPDATE blocks SET holder = NULL
		WHERE holder = $1 AND run_id = $2 AND first_seq = ANY($3)`, instance, run, firstSeqs)
	return explain(err)
}

// Result is what became of one letter. Status is empty when no attempt was made (the client
// was suppressed). RetryAt is set when the outcome is deferred; queued stays to be sent.
type Result struct {
	Instance int64 // that claimed the letter
	RunID    int64
	Seq      int
	ClientID int64
	Email    string
	N        int // which attempt this was, from 1
	At       time.Time
	Status   domain.Verdict
	Code     int
	Answer   string
	Outcome  domain.Outcome
	RetryAt  time.Time
	Bounced  bool // the address is dead: its client gets no more letters
}

const recordStatement = `WITH r AS (
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::bigint[], $5::text[], $6::smallint[], $7::timestamptz[],
			$8::text[], $9::smallint[], $10::text[], $11::text[], $12::timestamptz[])
			AS r (instance, run_id, seq, client_id, email, n, at, status, code, answer, outcome, retry_at)
	), ended AS (
		UPDATE deliveries AS d SET outcome = r.outcome, tries = r.n
		FROM r JOIN blocks AS block ON block.run_id = r.run_id AND block.first_seq = (r.seq - 1) / $13 * $13 + 1
		WHERE d.run_id = r.run_id AND d.seq = r.seq AND d.outcome = 'queued'
		  AND (block.holder = r.instance OR r.outcome = 'accepted')
		RETURNING d.run_id, d.seq, block.first_seq, d.outcome, r.retry_at
	), tried AS (
		INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
		SELECT run_id, seq, client_id, email, n, at, status, code, answer FROM r WHERE status <> ''
		ON CONFLICT DO NOTHING
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

// Record makes the results durable, all or none, on a connection of the recorder's own; to do
// it again, when the connection broke before the answer, changes nothing. Every
// attempt is written whoever holds the block, because it happened; of a delivery that another
// instance has taken over, only an acceptance still counts.
func (db *DB) Record(ctx context.Context, conn *pgx.Conn, results []Result) error {
	var c columns
	for _, one := range results {
		c.add(one)
	}
	send := func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, recordStatement, c.arguments()...)
		if err != nil || len(c.bounced) == 0 {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced'
			WHERE id = ANY($1) AND suppressed_at IS NULL`, c.bounced)
		return err
	}
	if len(c.bounced) == 0 { // one statement is a transaction by itself, and one round trip
		_, err := conn.Exec(ctx, recordStatement, c.arguments()...)
		return explain(err)
	}
	return explain(pgx.BeginFunc(ctx, conn, send))
}

// columns are results turned for unnest.
type columns struct {
	instances, runs, clients, bounced   []int64
	seqs                                []int32
	ns, codes                           []int16
	emails, statuses, answers, outcomes []string
	ats                                 []time.Time
	retries                             []*time.Time
}

func (c *columns) add(r Result) {
	c.instances = append(c.instances, r.Instance)
	c.runs = append(c.runs, r.RunID)
	c.seqs = append(c.seqs, int32(r.Seq))
	c.clients = append(c.clients, r.ClientID)
	c.emails = append(c.emails, r.Email)
	c.ns = append(c.ns, int16(r.N))
	c.ats = append(c.ats, r.At)
	c.statuses = append(c.statuses, string(r.Status))
	c.codes = append(c.codes, int16(r.Code))
	c.answers = append(c.answers, r.Answer)
	c.outcomes = append(c.outcomes, string(r.Outcome))
	if r.Bounced {
		c.bounced = append(c.bounced, r.ClientID)
	}
	if r.RetryAt.IsZero() {
		c.retries = append(c.retries, nil)
	} else {
		c.retries = append(c.retries, &r.RetryAt)
	}
}

func (c *columns) arguments() []any {
	return []any{c.instances, c.runs, c.seqs, c.clients, c.emails, c.ns, c.ats,
		c.statuses, c.codes, c.answers, c.outcomes, c.retries, domain.BlockSize}
}

// ReopenRetries queues the deferred deliveries whose time has come and opens their blocks
// again. A block that is still being sent keeps its retries waiting. One instance at a time
// does it; the others find nothing to do.
func (db *DB) ReopenRetries(ctx context.Context, now time.Time) error {
	return explain(pgx.BeginFunc(ctx, db.Pool, func(tx pgx.Tx) error {
		var mine bool
		err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(2, 0)").Scan(&mine)
		if err != nil || !mine {
			return err
		}
		_, err = tx.Exec(ctx, `WITH due AS (
				SELECT retry.run_id, retry.seq, block.first_seq FROM retries AS retry
				JOIN runs AS run ON run.id = retry.run_id AND run.status = 'running'
				JOIN blocks AS block ON block.run_id = retry.run_id
					AND block.first_seq = (retry.seq - 1) / $2 * $2 + 1 AND block.done
				WHERE retry.due_at <= $1 ORDER BY retry.due_at LIMIT 10000
			), gone AS (
				DELETE FROM retries USING due WHERE retries.run_id = due.run_id AND retries.seq = due.seq
			), queued AS (
				UPDATE deliveries AS d SET outcome = 'queued' FROM due
				WHERE d.run_id = due.run_id AND d.seq = due.seq AND d.outcome = 'deferred'
				RETURNING due.run_id, due.first_seq
			)
			UPDATE blocks SET open = n, done = false, holder = NULL
			FROM (SELECT run_id, first_seq, count(*) AS n FROM queued GROUP BY run_id, first_seq) AS part
			WHERE blocks.run_id = part.run_id AND blocks.first_seq = part.first_seq`, now, domain.BlockSize)
		return err
	}))
}

// UnknownTries counts the attempts of a delivery that never got an answer after the dot.
func (db *DB) UnknownTries(ctx context.Context, run int64, seq int) (int, error) {
	var n int
	err := db.Pool.QueryRow(ctx, `SELECT count(*) FROM attempts
		WHERE run_id = $1 AND seq = $2 AND status = 'unknown'`, run, seq).Scan(&n)
	return n, explain(err)
}
