package db

import (
	"context"
	"fmt"

	"skychimp/db/postgres"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
	"github.com/uptrace/bun/migrate"

	"skychimp/db/migrations"
)

// Schema is the tables and their migrations.
type Schema struct{ db *DB }

// Schema of this database.
func (db *DB) Schema() Schema { return Schema{db} }

// MigrationState says how far the schema is.
type MigrationState struct {
	Applied, Pending []string
}

// Behind tells whether migrations wait.
func (s MigrationState) Behind() bool { return len(s.Pending) > 0 }

// Migrate brings the schema, the queue's included, to the newest version. Two processes that
// migrate at once take turns.
func (s Schema) Migrate(ctx context.Context) (MigrationState, error) {
	err := s.alone(ctx, func() error {
		m, queue, err := s.migrators(ctx)
		if err != nil {
			return err
		}
		if _, err := queue.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
			return fmt.Errorf("migrate the queue: %w", err)
		}
		_, err = m.Migrate(ctx)
		return err
	})
	if err != nil {
		return MigrationState{}, postgres.TranslateError(err)
	}
	return s.Status(ctx)
}

// Status reports the state of the schema.
func (s Schema) Status(ctx context.Context) (MigrationState, error) {
	m, queue, err := s.migrators(ctx)
	if err != nil {
		return MigrationState{}, postgres.TranslateError(err)
	}
	all, err := m.MigrationsWithStatus(ctx)
	if err != nil {
		return MigrationState{}, postgres.TranslateError(err)
	}
	var state MigrationState
	for _, one := range all {
		if one.IsApplied() {
			state.Applied = append(state.Applied, one.Name+"_"+one.Comment)
		} else {
			state.Pending = append(state.Pending, one.Name+"_"+one.Comment)
		}
	}
	checked, err := queue.Validate(ctx, nil)
	if err != nil {
		return MigrationState{}, postgres.TranslateError(err)
	}
	if !checked.OK {
		state.Pending = append(state.Pending, "queue")
	}
	return state, nil
}

func (s Schema) migrators(ctx context.Context) (*migrate.Migrator, *rivermigrate.Migrator[pgx.Tx], error) {
	found := migrate.NewMigrations()
	if err := found.Discover(migrations.Files); err != nil {
		return nil, nil, err
	}
	m := migrate.NewMigrator(s.db.pg.Bun, found, migrate.WithMarkAppliedOnSuccess(true))
	if err := m.Init(ctx); err != nil {
		return nil, nil, err
	}
	queue, err := rivermigrate.New(riverpgxv5.New(s.db.pg.Pool), nil)
	return m, queue, err
}

// alone runs do under an advisory lock of the whole database.
func (s Schema) alone(ctx context.Context, do func() error) error {
	conn, err := s.db.pg.Pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	const key = 0x5C1C // any number that no other lock of ours uses
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1::bigint)", key); err != nil {
		return err
	}
	defer func() { _, _ = conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1::bigint)", key) }()
	return do()
}
