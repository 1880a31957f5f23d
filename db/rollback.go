package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"skychimp/db/postgres"

	"github.com/jackc/pgx/v5"

	"skychimp/db/migrations"
)

// Step is one migration that is taken back.
type Step struct {
	Name string   // empty: none is applied
	Lost []string // with it: tables and columns, and how many rows have them
}

// ErrLiving refuses to take the tables away from programs that use them.
var ErrLiving = errors.New("programs use this database: stop every serve, worker and send first (one that was killed counts for ten seconds more)")

// Rollback takes the newest migration back and says what is lost by it; unless it is meant, it only tries and
// tells. The queue's tables stay.
func (s Schema) Rollback(ctx context.Context, meant bool) (step Step, err error) {
	err = s.alone(ctx, func() error {
		if _, _, err := s.migrators(ctx); err != nil {
			return err
		}
		return s.db.pg.InTx(ctx, func(tx Tx) error {
			var version string
			err := tx.Pgx.QueryRow(ctx, "DELETE FROM bun_migrations WHERE name = (SELECT max(name) FROM bun_migrations) RETURNING name").Scan(&version)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			} else if err != nil {
				return err
			}
			files, err := fs.Glob(migrations.Files, version+"_*.down.sql")
			if err != nil || len(files) == 0 {
				return errors.Join(err, fmt.Errorf("migration %s is of a newer program: take it back with that", version))
			}
			step.Name, _, _ = strings.Cut(files[0], ".")
			down, err := migrations.Files.ReadFile(files[0])
			if err == nil {
				err = noneLiving(ctx, tx.Pgx)
			}
			if err == nil {
				step.Lost, err = lostBy(ctx, tx.Pgx, string(down))
			}
			if err != nil {
				return err
			}
			if !meant {
				return postgres.ErrRollback
			}
			_, err = tx.Pgx.Exec(ctx, string(down))
			return err
		})
	})
	return step, postgres.TranslateError(err)
}

// InstanceTimeout is how long a silent instance that still has its lock counts as living.
const InstanceTimeout = "10 seconds"

// InstanceLock is the condition of the locks in pg_locks that living instances hold; objid is the instance's ID.
const InstanceLock = `locktype = 'advisory' AND classid = 1 AND objsubid = 2 AND granted
	AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`

// noneLiving keeps programs from starting until tx ends, when there are none.
func noneLiving(ctx context.Context, tx pgx.Tx) error {
	var living bool
	_, err := tx.Exec(ctx, "LOCK TABLE instances IN EXCLUSIVE MODE")
	if err == nil {
		err = tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM instances WHERE seen_at > now() - interval '`+InstanceTimeout+`'
			OR EXISTS (SELECT FROM pg_locks WHERE `+InstanceLock+` AND objid = instances.id))`).Scan(&living)
	}
	if err == nil && living {
		err = ErrLiving
	}
	return err
}

// lostBy tries the statements, sees what is gone, and undoes them.
func lostBy(ctx context.Context, tx pgx.Tx, statements string) (lost []string, err error) {
	before, err := columns(ctx, tx)
	if err != nil {
		return nil, err
	}
	try, err := tx.Begin(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := try.Exec(ctx, statements); err != nil {
		return nil, err
	}
	after, err := columns(ctx, tx)
	if err != nil {
		return nil, err
	}
	if err := try.Rollback(ctx); err != nil {
		return nil, err
	}
	for _, table := range slices.Sorted(maps.Keys(before)) {
		what := []string{"table " + table}
		if kept, there := after[table]; there {
			what = nil
			for _, column := range before[table] {
				if !slices.Contains(kept, column) {
					what = append(what, "column "+column+" of table "+table)
				}
			}
		}
		if len(what) == 0 {
			continue
		}
		var rows int64
		if err := tx.QueryRow(ctx, "SELECT count(*) FROM "+pgx.Identifier{table}.Sanitize()).Scan(&rows); err != nil {
			return nil, err
		}
		for _, one := range what {
			lost = append(lost, fmt.Sprintf("%s, %d rows", one, rows))
		}
	}
	return lost, nil
}

// columns are the names of each table's columns.
func columns(ctx context.Context, tx pgx.Tx) (map[string][]string, error) {
	rows, err := tx.Query(ctx, `SELECT relname::text, array_agg(attname::text) FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
		WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped GROUP BY relname`)
	if err != nil {
		return nil, err
	}
	found := map[string][]string{}
	var table string
	var names []string
	_, err = pgx.ForEachRow(rows, []any{&table, &names}, func() error {
		found[table] = slices.Clone(names)
		return nil
	})
	return found, err
}
