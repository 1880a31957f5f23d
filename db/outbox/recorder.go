package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// Result is what became of one email. Status is empty when no attempt was made (the client
// was suppressed). RetryAt is set when the outcome is deferred; queued stays to be sent.
type Result struct {
	Instance int64 // that fetched the email
	RunID    int64
	Seq      int
	ClientID int64
	Email    string
	N        int // which attempt this was, from 1
	At       time.Time
	Status   domain.AttemptStatus
	Class    domain.Class // of what was not accepted
	Code     int
	Answer   string
	Outcome  domain.Outcome
	RetryAt  time.Time
	Suppress bool // the address is dead: its client gets no more emails
}

// Follow takes over what a disposition says of the attempt, its delivery and its client.
func (r *Result) Follow(d domain.Disposition) {
	r.Status, r.Outcome, r.RetryAt, r.Suppress = d.Status, d.Outcome, d.RetryAt, d.Suppress
}

// recordStatement is the one statement that emails wait for, so it only adds rows. Unnested side
// by side, few rows cost half of what they cost from one unnest of all, which stores each first.
const recordStatement = `INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer, class)
	SELECT unnest($1::bigint[]), unnest($2::int[]), unnest($3::bigint[]), unnest($4::text[]), unnest($5::smallint[]),
		unnest($6::timestamptz[]), unnest($7::text[]), unnest($8::smallint[]), unnest($9::text[]), unnest($10::text[])`

// Recorder makes attempts durable on a connection of its own, which keeps the statement prepared.
// One goroutine uses it.
type Recorder struct {
	pg      *postgres.DB
	conn    *pgconn.PgConn
	doubted bool // what was recorded last may be there although its commit was never confirmed
	columns attemptColumns
}

// The names under which a connection has the statement prepared.
const recording, recordingAgain = "recording", "recording_again"

// NewRecorder connects when there is something to record.
func (o Outbox) NewRecorder() *Recorder { return &Recorder{pg: o.pg} }

// Close gives the connection back.
func (r *Recorder) Close(ctx context.Context) {
	if r.conn != nil {
		_ = r.conn.Close(context.WithoutCancel(ctx))
		r.conn = nil
	}
}

// Record makes the attempts among the results durable, all or none, whoever holds their batches:
// they happened. What they mean for the deliveries is told by Settle, or found out by Evict when
// this process dies before. After an error it connects anew, and the same results may be
// recorded again.
func (r *Recorder) Record(ctx context.Context, results []Result) error {
	r.columns.clear()
	for _, one := range results {
		if one.Status != "" {
			r.columns.add(one)
		}
	}
	if r.columns[0].rows == 0 {
		return nil
	}
	if r.conn == nil {
		if err := r.connect(ctx); err != nil {
			return err
		}
	}
	prepared := recording
	if r.doubted {
		prepared = recordingAgain
	}
	values, formats := r.columns.parameters()
	_, err := r.conn.ExecPrepared(ctx, prepared, values, formats, nil).Close()
	if r.doubted = err != nil; r.doubted {
		r.Close(ctx)
	}
	return postgres.TranslateError(err)
}

// connect opens a connection outside the pool and prepares the statement.
func (r *Recorder) connect(ctx context.Context) error {
	config := r.pg.Pool.Config().ConnConfig.Copy()
	delete(config.RuntimeParams, "plan_cache_mode") // one plan is enough for an INSERT
	conn, err := pgconn.ConnectConfig(ctx, &config.Config)
	if err != nil {
		return postgres.TranslateError(err)
	}
	r.conn = conn
	record := statement.Record.SQL(recordStatement)
	_, err = conn.Prepare(ctx, recording, record, nil)
	if err == nil {
		_, err = conn.Prepare(ctx, recordingAgain, record+" ON CONFLICT DO NOTHING", nil) // twice as slow
	}
	if err != nil {
		r.Close(ctx)
	}
	return postgres.TranslateError(err)
}
