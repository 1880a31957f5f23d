// Package sums keeps what came of emails by owner, day, mailing, hour and receiving domain, so that pages of results
// count nothing. A run is summed from its deliveries, apart from sending: while it is open now and then, and once more
// after its end. To sum it again takes back what it had added before, so doing it twice changes nothing.
package sums

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/postgres"
)

// Sums of a database.
type Sums struct{ pg *postgres.DB }

// New is for a database.
func New(d *db.DB) Sums { return Sums{d.Postgres()} }

const (
	workerLock  = 4 // key of the advisory lock: one sums at a time, so that no two wait for each other's days
	mostDomains = 20
	atOnce      = 200
	restFactor  = 20 // summing an open run takes at most a twentieth of the time
	restLeast   = 50 * time.Second
)

// Update sums the runs that have changed: those that are open or have ended since, the newest first, and those that
// something came back for. It goes on until nothing is left or ctx ends.
func (s Sums) Update(ctx context.Context) error {
	for {
		runs, err := s.pg.IDs(ctx, `SELECT id FROM runs WHERE NOT summed AND status <> 'missed' AND (sum_at IS NULL OR sum_at <= now())
			ORDER BY id DESC LIMIT $1`, atOnce)
		if err != nil {
			return err
		}
		marked, err := s.pg.IDs(ctx, `SELECT DISTINCT run_id FROM (SELECT run_id FROM sum_marks ORDER BY id LIMIT 100000) AS marks LIMIT $1`, atOnce)
		for _, run := range runs {
			err = errors.Join(err, s.Sum(ctx, run))
		}
		for _, run := range marked {
			err = errors.Join(err, s.sumEvents(ctx, run))
		}
		if err != nil || ctx.Err() != nil || len(runs) < atOnce && len(marked) < atOnce {
			return errors.Join(err, s.mergeClientDays(ctx), s.noteSize(ctx))
		}
	}
}

// summed is a run whose sums are made.
type summed struct {
	id, owner, mailing int64
	at                 time.Time // when its emails were due
	zone               string
	ended              bool
}

// lock waits for whoever sums, and reads a run; false when there is none. The run's row is not locked: sending changes it.
func lock(ctx context.Context, tx pgx.Tx, id int64) (r summed, ok bool, err error) {
	if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1, 0)", workerLock); err != nil {
		return r, false, err
	}
	r.id = id
	err = tx.QueryRow(ctx, `SELECT run.owner_id, coalesce(run.mailing_id, 0), run.scheduled_at, known_zone(owner.timezone), run.status = 'done'
		FROM runs AS run JOIN users AS owner ON owner.id = run.owner_id WHERE run.id = $1 AND run.status <> 'missed'`, id).
		Scan(&r.owner, &r.mailing, &r.at, &r.zone, &r.ended)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, nil
	}
	return r, err == nil, err
}

// Sum sums a run, with what came back for it.
func (s Sums) Sum(ctx context.Context, run int64) error {
	begun := time.Now()
	return postgres.TranslateError(pgx.BeginFunc(ctx, s.pg.Pool, func(tx pgx.Tx) error {
		r, ok, err := lock(ctx, tx, run)
		if err != nil || !ok {
			return err
		}
		for _, part := range []part{deliveriesPart, eventsPart} {
			if err := part.sum(ctx, tx, r); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM run_refusals WHERE run_id = $1`, run); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, sumRefusals, run); err != nil {
			return err
		}
		rest := max(restLeast, restFactor*time.Since(begun))
		_, err = tx.Exec(ctx, `UPDATE runs SET summed = $2, sum_at = now() + make_interval(secs => $3) WHERE id = $1`, run, r.ended, rest.Seconds())
		return err
	}))
}

// sumEvents sums what came back for a run whose deliveries are summed already. Where the visits were deleted since
// (db/tracking.Prune), the sums stay as they are.
func (s Sums) sumEvents(ctx context.Context, run int64) error {
	return postgres.TranslateError(pgx.BeginFunc(ctx, s.pg.Pool, func(tx pgx.Tx) error {
		r, ok, err := lock(ctx, tx, run)
		if err != nil {
			return err
		}
		// What a mark that is seen here stands for is seen by all statements below.
		if _, err := tx.Exec(ctx, `DELETE FROM sum_marks WHERE run_id = $1`, run); err != nil || !ok {
			return err
		}
		var pruned bool
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM run_readers WHERE run_id = $1 AND visited_at IS NULL AND opened + clicked > 0)`, run).Scan(&pruned)
		if err != nil || pruned {
			return err
		}
		return eventsPart.sum(ctx, tx, r)
	}))
}

// mergeClientDays makes one row of the many that changes have left of a day.
func (s Sums) mergeClientDays(ctx context.Context) error {
	return s.pg.MergeCounts(ctx, "client_days", "n", "owner_id", "day", "kind")
}
