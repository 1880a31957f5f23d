package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/domain"
)

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

// Recorder makes results durable on a connection of its own, which keeps the statement prepared.
// One goroutine uses it.
type Recorder struct {
	db   *DB
	conn *pgx.Conn
}

// NewRecorder connects when there is something to record.
func (db *DB) NewRecorder() *Recorder { return &Recorder{db: db} }

// Close gives the connection back.
func (r *Recorder) Close(ctx context.Context) {
	if r.conn != nil {
		_ = r.conn.Close(context.WithoutCancel(ctx))
		r.conn = nil
	}
}

// Record makes the results durable, all or none; to do it again, when the connection broke
// before the answer, changes nothing. Every attempt is written whoever holds the block, because
// it happened; of a delivery that another instance has taken over, only an acceptance still
// counts. After an error it connects anew.
func (r *Recorder) Record(ctx context.Context, results []Result) error {
	if r.conn == nil {
		conn, err := r.db.connect(ctx)
		if err != nil {
			return err
		}
		r.conn = conn
	}
	err := r.record(ctx, results)
	if err != nil {
		r.Close(ctx)
	}
	return explain(err)
}

func (r *Recorder) record(ctx context.Context, results []Result) error {
	var c columns
	for _, one := range results {
		c.add(one)
	}
	if len(c.bounced) == 0 { // one statement is a transaction by itself, and one round trip
		_, err := r.conn.Exec(ctx, recordStatement, c.arguments()...)
		return err
	}
	return pgx.BeginFunc(ctx, r.conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, recordStatement, c.arguments()...); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced'
			WHERE id = ANY($1) AND suppressed_at IS NULL`, c.bounced)
		return err
	})
}

// connect opens a connection outside the pool, with prepared statements kept.
func (db *DB) connect(ctx context.Context) (*pgx.Conn, error) {
	config := db.Pool.Config().ConnConfig.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	config.StatementCacheCapacity = 16
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, explain(err)
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
