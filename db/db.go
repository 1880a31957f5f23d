// Package db keeps: it and what lies below it are the only packages that speak SQL.
package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"skychimp/db/clientindex"
	"skychimp/db/postgres"
)

// DB is the database as pages see it: each noun has a small type of its own.
type DB struct {
	pg *postgres.DB

	cache   cache
	clients clientCount
	index   *clientindex.Index
	views   views
}

// Tx is a transaction of the database.
type Tx = postgres.Tx

// Open prepares the database; it connects on first use, so an unreachable server shows then.
func Open(url string) (*DB, error) {
	pg, err := postgres.Open(url)
	if err != nil {
		return nil, err
	}
	return &DB{pg: pg, index: clientindex.New(pg)}, nil
}

// Close stops what was started, writes the views down and gives all connections back.
func (db *DB) Close() {
	db.views.close()
	db.cache.close()
	db.index.Close()
	db.pg.Close()
}

// Postgres is the connection itself, for what sends, for the queue and for tests. Pages have no use for it.
func (db *DB) Postgres() *postgres.DB { return db.pg }

// Alive fails when the database is away.
func (db *DB) Alive() error { return db.pg.Alive() }

// Ready fails when the database or the queue in it cannot be used, and tells whether emails stand still.
func (db *DB) Ready(ctx context.Context) (still bool, err error) { return db.pg.Ready(ctx) }

// Queue is the queue of jobs, to look at.
func (db *DB) Queue() *river.Client[pgx.Tx] { return db.pg.Queue }
