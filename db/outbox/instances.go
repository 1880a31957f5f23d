package outbox

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/domain"
)

// ErrFenced tells an instance that another one took it for dead and has taken its batches over.
var ErrFenced = errors.New("another process has taken this one's work over")

// Instance is this process in the table of those that send. Its connection holds a session
// advisory lock, which Postgres frees within milliseconds of the process's death, and hears
// what the others notify.
type Instance struct {
	ID   int64
	conn *pgx.Conn
}

// Register enters this process. ID 0 makes a new entry, another one takes up the entry again
// after its connection was lost, and gives ErrFenced when the entry is gone.
func (is Instances) Register(ctx context.Context, id int64) (*Instance, error) {
	conn, err := pgx.ConnectConfig(ctx, is.pg.Pool.Config().ConnConfig)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	i := &Instance{ID: id, conn: conn}
	if err := i.enter(ctx); err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, postgres.TranslateError(err)
	}
	return i, nil
}

func (i *Instance) enter(ctx context.Context) error {
	if i.ID == 0 {
		// The lock comes first, or a reaper could see the row without it.
		err := i.conn.QueryRow(ctx, `WITH next AS MATERIALIZED (
				SELECT nextval(pg_get_serial_sequence('instances', 'id')) AS id
			), locked AS MATERIALIZED (SELECT id, pg_advisory_lock(1, id::int) FROM next)
			INSERT INTO instances (id) SELECT id FROM locked RETURNING id`).Scan(&i.ID)
		if err != nil {
			return err
		}
	} else {
		// Postgres may not know yet that the former connection is dead, and keep its lock.
		_, err := i.conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE "+db.InstanceLock+" AND objid = $1::bigint", i.ID)
		if err != nil {
			return err
		}
		if _, err := i.conn.Exec(ctx, "SELECT pg_advisory_lock(1, $1::int)", i.ID); err != nil {
			return err
		}
		if err := i.beat(ctx, i.conn, false); err != nil {
			return err
		}
	}
	return postgres.Listen(ctx, i.conn, postgres.ChannelRuns, postgres.ChannelSuppressed, postgres.ChannelSeries)
}

// RunsChanged, ClientSuppressed and SeriesDue are what an instance is told.
type (
	RunsChanged      = postgres.RunsChanged
	ClientSuppressed = postgres.ClientSuppressed
	SeriesDue        = postgres.SeriesDue
)

// WaitForNotification waits for what others tell: RunsChanged, ClientSuppressed, SeriesDue or nil.
func (i *Instance) WaitForNotification(ctx context.Context) (postgres.Notification, error) {
	n, err := postgres.WaitForNotification(ctx, i.conn, 8*time.Second)
	return n, postgres.TranslateError(err)
}

// Close drops the connection and its lock; the entry stays.
func (i *Instance) Close(ctx context.Context) { _ = i.conn.Close(ctx) }

// Heartbeat shows that the instance lives, and whether it has emails to send that stand still, or gives
// ErrFenced.
func (is Instances) Heartbeat(ctx context.Context, i *Instance, still bool) error {
	return postgres.TranslateError(i.beat(ctx, is.pg.Pool, still))
}

func (i *Instance) beat(ctx context.Context, conn interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, still bool) error {
	var id int64
	err := conn.QueryRow(ctx, `UPDATE instances SET seen_at = now(), still_since = CASE WHEN $2 THEN coalesce(still_since, now()) END
		WHERE id = $1 RETURNING id`, i.ID, still).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrFenced
	}
	return err
}

// Deregister ends the entry: whatever it still holds is anybody's.
func (is Instances) Deregister(ctx context.Context, i *Instance) error {
	_, err := is.Evict(ctx, []int64{i.ID})
	return err
}

// Evict shuts dead instances out, settles what they recorded, frees their batches, has their jobs of
// the queue worked again and lets another one lead the queue, whose own terms would leave mailings
// that are due waiting for 20 seconds; it says how many batches.
func (is Instances) Evict(ctx context.Context, dead []int64) (int64, error) {
	var freed int64
	err := pgx.BeginFunc(ctx, is.pg.Pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "DELETE FROM instances WHERE id = ANY($1)", dead); err != nil {
			return err
		}
		if err := reconcile(ctx, tx, dead); err != nil {
			return err
		}
		// The others hear of it, when this process is about to end.
		err := tx.QueryRow(ctx, `WITH freed AS (UPDATE batches SET instance_id = NULL WHERE instance_id = ANY($1) RETURNING 1),
			counted AS (SELECT count(*) AS n FROM freed)
			SELECT n, CASE WHEN n > 0 THEN `+postgres.NotifyRuns+`::text END FROM counted`, dead).Scan(&freed, nil)
		if err != nil {
			return err
		}
		names := make([]string, len(dead))
		for i, id := range dead {
			names[i] = domain.QueueClient(id)
		}
		_, err = tx.Exec(ctx, `WITH again AS (UPDATE river_job SET state = 'available', scheduled_at = now()
			WHERE state = 'running' AND attempted_by[array_upper(attempted_by, 1)] = ANY($1)
			RETURNING queue)
			SELECT pg_notify(current_schema() || '.river_insert', json_build_object('queue', queue)::text) FROM again GROUP BY queue`, names)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `WITH gone AS (DELETE FROM river_leader WHERE leader_id = ANY($1) RETURNING leader_id)
			SELECT pg_notify(current_schema() || '.river_leadership',
				json_build_object('leader_id', leader_id, 'action', 'resigned')::text) FROM gone`, names)
		return err
	})
	return freed, postgres.TranslateError(err)
}
