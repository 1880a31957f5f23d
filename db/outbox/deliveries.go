package outbox

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// open tells that emails of the run may leave at this moment.
const open = `(run.window_end IS NULL OR run.window_end > now()) AND (run.closes_at IS NULL OR run.opens_at <= now() AND run.closes_at > now())`

// OpenRun is a run with something left to fetch.
type OpenRun struct {
	ID, OwnerID int64
	OwnerSince  time.Time // when the account was made
}

// Open are the runs that may be sent now and have free batches, the oldest first.
func (r Runs) Open(ctx context.Context) ([]OpenRun, error) {
	rows, err := r.pg.Pool.Query(ctx, `SELECT run.id, run.owner_id, owner.created_at FROM runs AS run
		JOIN users AS owner ON owner.id = run.owner_id
		WHERE run.status = 'running' AND `+open+` AND NOT `+db.OnHold+`
		  AND EXISTS (SELECT FROM batches WHERE run_id = run.id AND instance_id IS NULL AND NOT done) ORDER BY run.id`, postgres.Prepared)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	open, err := pgx.CollectRows(rows, pgx.RowToStructByPos[OpenRun])
	return open, postgres.TranslateError(err)
}

// HeldRun is what a run that is being sent has come to. A halted one must not be sent any further.
type HeldRun struct {
	ID        int64
	Halted    bool
	WindowEnd *time.Time // nil: none
}

// Held tells of each of the runs, of those that are gone too.
func (r Runs) Held(ctx context.Context, runs []int64) ([]HeldRun, error) {
	rows, err := r.pg.Pool.Query(ctx, `SELECT wanted, run.id IS NULL OR run.status <> 'running' OR NOT (`+open+`) OR `+db.OnHold+`, least(run.window_end, run.closes_at)
		FROM unnest($1::bigint[]) AS wanted LEFT JOIN runs AS run ON run.id = wanted`, postgres.Prepared, runs)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	held, err := pgx.CollectRows(rows, pgx.RowToStructByPos[HeldRun])
	return held, postgres.TranslateError(err)
}

// Delivery is one delivery that an instance holds, with the client as it is at this moment.
type Delivery struct {
	FirstSeq   int // of its batch
	Seq        int
	ClientID   int64
	Email      string
	Tries      int
	Name       string
	FirstName  string // as corrected; both empty: as domain.GuessName says
	LastName   string
	Comment    string
	Fields     domain.FieldValues
	Suppressed bool // unsubscribed, paused, left the topic, bounced or erased since the run was planned
}

// Fetch takes up to n free batches of a run for the instance and returns their queued emails,
// batch by batch; none when there is nothing to take, or when the run or the instance has been
// shut out.
func (b Batches) Fetch(ctx context.Context, instance, run int64, n int) ([]Delivery, error) {
	// The lock on the instance keeps Evict from missing a batch that is fetched meanwhile. OFFSET 0 keeps
	// Postgres, which does not know n, from reading all deliveries and clients for it.
	rows, err := b.pg.Pool.Query(ctx, statement.Fetch.SQL(`WITH self AS MATERIALIZED (
			SELECT id FROM instances WHERE id = $1 FOR KEY SHARE
		), picked AS (
			SELECT batch.run_id, batch.first_seq, run.topic_id FROM self, batches AS batch JOIN runs AS run ON run.id = batch.run_id
			WHERE batch.run_id = $2 AND batch.instance_id IS NULL AND NOT batch.done
			  AND run.status = 'running' AND `+open+` AND NOT `+db.OnHold+`
			ORDER BY batch.first_seq LIMIT $4 FOR UPDATE OF batch SKIP LOCKED
		), held AS (
			UPDATE batches SET instance_id = $1 FROM picked
			WHERE batches.run_id = picked.run_id AND batches.first_seq = picked.first_seq RETURNING batches.*, picked.topic_id
		)
		SELECT held.first_seq, coalesce(d.seq, 0), coalesce(d.client_id, 0), coalesce(d.email, ''), coalesce(d.tries, 0),
			coalesce(client.full_name, ''), coalesce(client.first_name, ''), coalesce(client.last_name, ''), coalesce(client.comment, ''),
			client.fields, coalesce(client.suppressed, true)
		FROM held LEFT JOIN LATERAL (SELECT * FROM deliveries WHERE run_id = held.run_id
			AND seq BETWEEN held.first_seq AND held.first_seq + $3::int - 1 AND outcome = 'queued' OFFSET 0) AS d ON true
		LEFT JOIN LATERAL (SELECT full_name, first_name, last_name, comment, nullif(fields, '{}') AS fields,
				suppressed_at IS NOT NULL OR coalesce(paused_until > now(), false) OR coalesce(held.topic_id = ANY(left_topics), false) AS suppressed FROM clients
			WHERE id = d.client_id OFFSET 0) AS client ON true
		ORDER BY held.first_seq, d.seq`), postgres.Prepared, instance, run, domain.BatchSize, n)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	emails, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Delivery])
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	var empty []int32
	emails = slices.DeleteFunc(emails, func(e Delivery) bool {
		if e.Seq == 0 {
			empty = append(empty, int32(e.FirstSeq))
		}
		return e.Seq == 0
	})
	if len(empty) > 0 {
		// Nothing is queued in them after all: late acceptances of a former instance_id came first.
		_, err = b.pg.Pool.Exec(ctx, `UPDATE batches SET open = 0, done = true, instance_id = NULL
			WHERE instance_id = $1 AND run_id = $2 AND first_seq = ANY($3)`, instance, run, empty)
	}
	return emails, postgres.TranslateError(err)
}

// Release gives batches of a run back: what they still have queued is anybody's again.
func (b Batches) Release(ctx context.Context, instance, run int64, firstSeqs []int32) error {
	_, err := b.pg.Pool.Exec(ctx, `UPDATE batches SET instance_id = NULL
		WHERE instance_id = $1 AND run_id = $2 AND first_seq = ANY($3)`, instance, run, firstSeqs)
	return postgres.TranslateError(err)
}

// ReleaseLost gives back all batches of the instance but those that it knows of (runs and firstSeqs
// are pairs), and says how many there were.
func (b Batches) ReleaseLost(ctx context.Context, instance int64, runs []int64, firstSeqs []int32) (int64, error) {
	tag, err := b.pg.Pool.Exec(ctx, `UPDATE batches SET instance_id = NULL WHERE instance_id = $1
		AND (run_id, first_seq) NOT IN (SELECT * FROM unnest($2::bigint[], $3::int[]))`, postgres.Prepared, instance, runs, firstSeqs)
	return tag.RowsAffected(), postgres.TranslateError(err)
}

// ReopenRetries queues the deferred deliveries whose time has come and opens their batches
// again. A batch that is still being sent keeps its retries waiting. One instance at a time
// does it; the others find nothing to do.
func (b Batches) ReopenRetries(ctx context.Context, now time.Time) error {
	return postgres.TranslateError(pgx.BeginFunc(ctx, b.pg.Pool, func(tx pgx.Tx) error {
		var mine bool
		err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock(2, 0)").Scan(&mine)
		if err != nil || !mine {
			return err
		}
		_, err = tx.Exec(ctx, `WITH due AS (
				SELECT retry.run_id, retry.seq, batch.first_seq FROM retries AS retry
				JOIN runs AS run ON run.id = retry.run_id AND run.status = 'running'
				JOIN batches AS batch ON batch.run_id = retry.run_id
					AND batch.first_seq = (retry.seq - 1) / $2 * $2 + 1 AND batch.done
				WHERE retry.due_at <= $1 ORDER BY retry.due_at LIMIT 10000
			), gone AS (
				DELETE FROM retries USING due WHERE retries.run_id = due.run_id AND retries.seq = due.seq
			), queued AS (
				UPDATE deliveries AS d SET outcome = 'queued' FROM due
				WHERE d.run_id = due.run_id AND d.seq = due.seq AND d.outcome = 'deferred'
				RETURNING due.run_id, due.first_seq
			), opened AS (
				UPDATE batches SET open = n, done = false, instance_id = NULL
				FROM (SELECT run_id, first_seq, count(*) AS n FROM queued GROUP BY run_id, first_seq) AS part
				WHERE batches.run_id = part.run_id AND batches.first_seq = part.first_seq RETURNING 1
			) SELECT `+postgres.NotifyRuns+` FROM opened LIMIT 1`, now, domain.BatchSize)
		return err
	}))
}

// UnknownTries counts the attempts of a delivery that never got an answer after the end of data.
func (r Runs) UnknownTries(ctx context.Context, run int64, seq int) (int, error) {
	var n int
	err := r.pg.Pool.QueryRow(ctx, `SELECT count(*) FROM attempts
		WHERE run_id = $1 AND seq = $2 AND status = 'unknown'`, run, seq).Scan(&n)
	return n, postgres.TranslateError(err)
}

// FirstTry is when a delivery was attempted first, nil: it never was.
func (r Runs) FirstTry(ctx context.Context, run int64, seq int) (at *time.Time, err error) {
	err = r.pg.Pool.QueryRow(ctx, `SELECT min(at) FROM attempts WHERE run_id = $1 AND seq = $2`, run, seq).Scan(&at)
	return at, postgres.TranslateError(err)
}
