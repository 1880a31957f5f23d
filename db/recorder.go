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

// recordStatement is the one statement that letters wait for, so it only adds rows. Unnested side
// by side, few rows cost half of what they cost from one unnest of all, which stores each first.
const recordStatement = `INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
	SELECT unnest($1::bigint[]), unnest($2::int[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::smallint[]),
		unnest($6::timestamptz[]), unnest($7::text[]), unnest($8::smallint[]), unnest($9::text[])`

// Recorder makes attempts durable on a connection of its own, which keeps the statement prepared.
// One goroutine uses it.
type Recorder struct {
	db      *DB
	conn    *pgx.Conn
	doubted bool // what was recorded last may be there although its commit was never confirmed
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

// Record makes the attempts among the results durable, all or none, whoever holds their blocks:
// they happened. What they mean for the deliveries is told by Settle, or found out by Bury when
// this process dies before. After an error it connects anew, and the same results may be
// recorded again.
func (r *Recorder) Record(ctx context.Context, results []Result) error {
	var c attemptColumns
	for _, one := range results {
		if one.Status != "" {
			c.add(one)
		}
	}
	if len(c.runs) == 0 {
		return nil
	}
	if r.conn == nil {
		conn, err := r.db.connect(ctx)
		if err != nil {
			return err
		}
		r.conn = conn
	}
	statement := recordStatement
	if r.doubted {
		statement += " ON CONFLICT DO NOTHING" // twice as slow
	}
	_, err := r.conn.Exec(ctx, statement, c.arguments()...)
	if r.doubted = err != nil; r.doubted {
		r.Close(ctx)
	}
	return explain(err)
}

// connect opens a connection outside the pool, with prepared statements kept.
func (db *DB) connect(ctx context.Context) (*pgx.Conn, error) {
	config := db.Pool.Config().ConnConfig.Copy()
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	config.StatementCacheCapacity = 16
	conn, err := pgx.ConnectConfig(ctx, config)
	return conn, explain(err)
}

// attemptColumns are attempts turned for unnest.
type attemptColumns struct {
	runs, clients             []int64
	seqs                      []int32
	ns, codes                 []int16
	emails, statuses, answers []string
	ats                       []time.Time
}

func (c *attemptColumns) add(r Result) {
	c.runs = append(c.runs, r.RunID)
	c.seqs = append(c.seqs, int32(r.Seq))
	c.clients = append(c.clients, r.ClientID)
	c.emails = append(c.emails, r.Email)
	c.ns = append(c.ns, int16(r.N))
	c.ats = append(c.ats, r.At)
	c.statuses = append(c.statuses, string(r.Status))
	c.codes = append(c.codes, int16(r.Code))
	c.answers = append(c.answers, r.Answer)
}

func (c *attemptColumns) arguments() []any {
	return []any{c.runs, c.seqs, c.clients, c.emails, c.ns, c.ats, c.statuses, c.codes, c.answers}
}
