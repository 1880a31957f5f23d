package sums

import (
	"context"
	"time"

	"skychimp/db/postgres"
)

// Pulse is how the processes and the database are.
type Pulse struct {
	LastTick  time.Time `bun:",nullzero"` // when what is due was looked for last
	Leader    string
	LeaderAt  time.Time  `bun:",nullzero"`
	OldestDue time.Time  `bun:",nullzero"` // of what should have been planned or tried already
	Bytes     int64      // of the database
	Instances []Instance `bun:"-"`
	Queues    []Queue    `bun:"-"`
	Tables    []Table    `bun:"-"`
	Sizes     []Size     `bun:"-"` // by day, the newest last
}

// Instance is a process that sends.
type Instance struct {
	ID     int64
	SeenAt time.Time
	Still  time.Time `bun:",nullzero"` // since when it has stood still with emails to send
	Holds  int64     // batches
}

// Queue is what waits in a queue of jobs.
type Queue struct {
	Queue                       string
	Waiting, Running, Retryable int64
}

// Table is a large table.
type Table struct {
	Name  string
	Bytes int64
	Rows  int64 // about
}

// Size is how large the database was on a day.
type Size struct {
	Day   time.Time
	Bytes int64
}

// Pulse as of now.
func (s Sums) Pulse(ctx context.Context) (p Pulse, err error) {
	err = s.pg.Bun.NewRaw(`SELECT (SELECT max(attempted_at) FROM river_job WHERE kind = 'plan' AND state IN ('completed', 'running')) AS last_tick,
		leader.leader_id AS leader, leader.elected_at AS leader_at, pg_database_size(current_database()) AS bytes,
		least((SELECT min(next_run_at) FROM mailings AS m JOIN users AS owner ON owner.id = m.owner_id AND owner.blocked_at IS NULL
				WHERE m.status = 'running' AND m.disabled_at IS NULL AND m.deleted_at IS NULL AND next_run_at < now()),
			(SELECT min(due_at) FROM retries WHERE due_at < now())) AS oldest_due
		FROM (SELECT 1) AS one LEFT JOIN river_leader AS leader ON leader.expires_at > now()`).Scan(ctx, &p)
	for _, ask := range []struct {
		into  any
		query string
	}{
		{&p.Instances, `SELECT id, seen_at, still_since AS still, (SELECT count(*) FROM batches WHERE instance_id = instances.id) AS holds FROM instances ORDER BY id`},
		{&p.Queues, `SELECT queue, count(*) FILTER (WHERE state IN ('available', 'scheduled', 'pending')) AS waiting, count(*) FILTER (WHERE state = 'running') AS running,
			count(*) FILTER (WHERE state = 'retryable') AS retryable FROM river_job WHERE state IN ('available', 'scheduled', 'pending', 'running', 'retryable') GROUP BY queue ORDER BY queue`},
		{&p.Tables, `SELECT relname AS name, pg_total_relation_size(oid) AS bytes, greatest(reltuples, 0)::bigint AS rows FROM pg_class
			WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY pg_total_relation_size(oid) DESC LIMIT 8`},
		{&p.Sizes, `SELECT day, bytes FROM (SELECT day, bytes FROM size_days ORDER BY day DESC LIMIT 90) AS latest ORDER BY day`},
	} {
		if err == nil {
			err = s.pg.Bun.NewRaw(ask.query).Scan(ctx, ask.into)
		}
	}
	return p, postgres.TranslateError(err)
}

// noteSize keeps how large the database is today.
func (s Sums) noteSize(ctx context.Context) error {
	_, err := s.pg.Pool.Exec(ctx, `INSERT INTO size_days (day, bytes) VALUES (current_date, pg_database_size(current_database()))
		ON CONFLICT (day) DO UPDATE SET bytes = excluded.bytes`)
	return postgres.TranslateError(err)
}
