package db

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"skychimp/db/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"skychimp/domain"
)

// Installation is where the database lives, and whether it is on hold.
type Installation struct{ db *DB }

// Installation of this database.
func (db *DB) Installation() Installation { return Installation{db} }

// OnHold, as a condition in SQL, is true while no email of a mailing may leave: somebody asked for it, a program found that the
// database is a copy, or this table says by itself that it was restored from a dump.
const OnHold = `EXISTS (SELECT FROM installation WHERE held_at IS NOT NULL OR relation <> tableoid)`

// ErrOtherSecret refuses a secret that did not sign the links of this database.
var ErrOtherSecret = errors.New("another secret signed the links of this database")

// Hold tells whether emails of mailings are kept back.
func (i Installation) Hold(ctx context.Context) (domain.Hold, error) {
	var hold domain.Hold
	var since *time.Time
	err := i.db.pg.Pool.QueryRow(ctx, `SELECT count(*) > 0, coalesce(bool_or(held_reason = 'copied' OR relation <> tableoid), false), min(held_at)
		FROM installation WHERE held_at IS NOT NULL OR relation <> tableoid`).Scan(&hold.On, &hold.Copied, &since)
	if since != nil {
		hold.Since = *since
	}
	return hold, postgres.TranslateError(err)
}

// Locate compares where the database lives with where it lived, and puts a copy on hold. folder is what
// the private cluster says of its files, "" for another one. A database without a home gets this one.
func (i Installation) Locate(ctx context.Context, folder string) (domain.Hold, error) {
	err := i.lock(ctx, folder, func(tx Tx, here domain.Installation, known []domain.Installation) error {
		if len(known) == 0 {
			return adopt(ctx, tx, here, nil)
		}
		statement := `UPDATE installation SET cluster = coalesce(nullif(cluster, ''), $1), folder = coalesce(nullif(folder, ''), $2)`
		args := []any{here.Cluster, here.Folder}
		if slices.ContainsFunc(known, func(one domain.Installation) bool { return !one.Same(here) }) {
			statement, args = `UPDATE installation SET held_at = coalesce(held_at, now()), held_reason = 'copied'`, nil
		}
		_, err := tx.Pgx.Exec(ctx, statement, args...)
		return err
	})
	if err != nil {
		return domain.Hold{}, err
	}
	return i.Hold(ctx)
}

// RefuseOnHold refuses what would send an email of a mailing.
func RefuseOnHold(ctx context.Context, tx Tx) error {
	var held bool
	err := tx.Pgx.QueryRow(ctx, "SELECT "+OnHold).Scan(&held)
	if err == nil && held {
		err = domain.Errorf(domain.Conflict, "", "mailings.on_hold")
	}
	return err
}

// HoldOn, after Locate, keeps emails of mailings back until HoldOff.
func (i Installation) HoldOn(ctx context.Context) error {
	return i.db.pg.InTx(ctx, func(tx Tx) error {
		_, err := tx.Pgx.Exec(ctx, `UPDATE installation SET held_at = now(), held_reason = 'asked' WHERE held_at IS NULL`)
		if err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{})
	})
}

// HoldOff makes this place the database's home, lets emails leave, and has planned what came due meanwhile.
func (i Installation) HoldOff(ctx context.Context, folder string) error {
	return i.lock(ctx, folder, func(tx Tx, here domain.Installation, _ []domain.Installation) error {
		var secret []byte // of two rows that of the copy, which brought the clients
		err := tx.Pgx.QueryRow(ctx, `SELECT secret FROM installation ORDER BY relation = tableoid, secret LIMIT 1`).Scan(&secret)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		if _, err := tx.Pgx.Exec(ctx, `DELETE FROM installation`); err != nil {
			return err
		}
		if err := adopt(ctx, tx, here, secret); err != nil {
			return err
		}
		if err := tx.Notify(ctx, postgres.RunsChanged{}); err != nil {
			return err
		}
		return i.db.pg.Enqueue(ctx, tx, domain.PlanJob{})
	})
}

// CheckSecret, after Locate, gives ErrOtherSecret unless secret signed the links of this database. It also takes
// the place of old, and of any other one when the operator has lost that.
func (i Installation) CheckSecret(ctx context.Context, secret, old []byte, lost bool) error {
	mine := domain.SecretFingerprint(secret)
	return i.lock(ctx, "", func(tx Tx, _ domain.Installation, _ []domain.Installation) error {
		rows, err := tx.Pgx.Query(ctx, `SELECT secret FROM installation WHERE secret IS NOT NULL`)
		if err != nil {
			return err
		}
		known, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return err
		}
		for _, one := range known {
			moves := lost || len(old) > 0 && bytes.Equal(one, domain.SecretFingerprint(old))
			if !bytes.Equal(one, mine) && !moves {
				return ErrOtherSecret
			}
		}
		_, err = tx.Pgx.Exec(ctx, `UPDATE installation SET secret = $1`, mine)
		return err
	})
}

func adopt(ctx context.Context, tx Tx, here domain.Installation, secret []byte) error {
	_, err := tx.Pgx.Exec(ctx, `INSERT INTO installation (cluster, database, relation, folder, secret) VALUES ($1, $2, $3, $4, $5)`,
		here.Cluster, here.Database, here.Relation, here.Folder, secret)
	return err
}

// lock lets do work on where the database lives and lived; programs take turns.
func (i Installation) lock(ctx context.Context, folder string, do func(tx Tx, here domain.Installation, known []domain.Installation) error) error {
	here := domain.Installation{Folder: folder}
	err := i.db.pg.Pool.QueryRow(ctx, `SELECT system_identifier::text FROM pg_control_system()`).Scan(&here.Cluster)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && (refused.Code[:2] == "42" || refused.Code[:2] == "0A") {
		err = nil // a managed database may not tell
	}
	if err != nil {
		return postgres.TranslateError(err)
	}
	return i.db.pg.InTx(ctx, func(tx Tx) error {
		if _, err := tx.Pgx.Exec(ctx, `LOCK TABLE installation IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		err := tx.Pgx.QueryRow(ctx, `SELECT oid, 'installation'::regclass::oid FROM pg_database WHERE datname = current_database()`).
			Scan(&here.Database, &here.Relation)
		if err != nil {
			return err
		}
		rows, err := tx.Pgx.Query(ctx, `SELECT cluster, database, relation, folder FROM installation`)
		if err != nil {
			return err
		}
		known, err := pgx.CollectRows(rows, pgx.RowToStructByPos[domain.Installation])
		if err != nil {
			return err
		}
		return do(tx, here, known)
	})
}
