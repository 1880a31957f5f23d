// Package db keeps: it is the only package that speaks SQL.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/domain"
)

// DB is the database: bun for the pages, the same pool of pgx connections for the queue and
// for sending.
type DB struct {
	bun  *bun.DB
	Pool *pgxpool.Pool

	queue *river.Client[pgx.Tx] // works nothing

	cache   cache
	clients clientCount
	pulse   pulse
	views   views
}

// prepared, as the first argument of a statement of the pool, has each connection keep it prepared.
const prepared = pgx.QueryExecModeCacheStatement

// Open prepares the pool; it connects on first use, so an unreachable server shows then.
func Open(url string) (*DB, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	// bun writes its arguments into the statement: only what sending asks all the time is prepared.
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnConfig.StatementCacheCapacity = 16
	// A plan that was made before a run was planned would read all of its deliveries again and again.
	config.ConnConfig.RuntimeParams["plan_cache_mode"] = "force_custom_plan"
	config.ConnConfig.DescriptionCacheCapacity = 0
	limitDials(&config.ConnConfig.Config)
	// A process that is frozen in a transaction keeps its locks: whoever takes its work over would
	// wait for them as long as it is frozen. Only such a one is idle in a transaction for so long.
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "8s"
	config.MaxConns = max(config.MaxConns, 20)
	config.PingTimeout = 2 * time.Second // a connection that died without a word is not waited for
	config.HealthCheckPeriod = 5 * time.Second
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	db := &DB{Pool: pool}
	if db.queue, err = db.NewQueue(&river.Config{}); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	db.bun = bun.NewDB(stdlib.OpenDBFromPool(pool), pgdialect.New()).WithQueryHook(&db.pulse)
	return db, nil
}

// Close stops what was started, writes the views down and gives all connections back.
func (db *DB) Close() {
	db.views.close()
	db.cache.close()
	_ = db.bun.Close()
	db.Pool.Close()
}

// Tx is a transaction that bun (through IDB) and River or COPY (through Pgx) share.
type Tx struct {
	bun.IDB
	Pgx pgx.Tx

	announced *[]string // see changed
}

// InTx runs do in a transaction: committed when do returns nil, else rolled back.
func (db *DB) InTx(ctx context.Context, do func(tx Tx) error) error {
	conn, err := db.bun.Conn(ctx)
	if err != nil {
		return explain(err)
	}
	defer conn.Close()
	var begun pgx.Tx
	err = conn.Raw(func(c any) error {
		begun, err = c.(*stdlib.Conn).Conn().Begin(ctx)
		return err
	})
	if err != nil {
		return explain(err)
	}
	defer func() { _ = begun.Rollback(context.WithoutCancel(ctx)) }()
	var announced []string
	if err := do(Tx{conn, begun, &announced}); err != nil {
		return explain(err)
	}
	if err := begun.Commit(ctx); err != nil {
		return explain(err)
	}
	for _, announcement := range announced {
		db.cache.hear(announcement)
	}
	return nil
}

// explain turns what the driver says into refusals that a visitor may read; what it does not
// know stays as it is.
func explain(err error) error {
	if err == nil || domain.KindOf(err) != 0 {
		return err
	}
	var server *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.Is(err, sql.ErrNoRows): // pgx.ErrNoRows is one, but not the other way round
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	case errors.As(err, &server):
		// Classes 57P (shutdown, crash, cannot connect now), 08 (connection) and 53 (out of
		// disk, memory or connections): https://www.postgresql.org/docs/15/errcodes-appendix.html
		if class := server.Code[:2]; server.Code[:3] == "57P" || class == "08" || class == "53" {
			return away(err)
		}
	case errors.As(err, &connect), errors.As(err, &network) && !errors.Is(err, context.Canceled):
		return away(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, driver.ErrBadConn), pgconn.SafeToRetry(err):
		return away(err) // a connection of the pool that had died
	}
	return err
}

// away keeps the cause for the log beside the refusal for the visitor.
func away(err error) error {
	return fmt.Errorf("the database is away (%w): %w", domain.Errorf(domain.Unavailable, "", "errors.unavailable"), err)
}

// taken tells whether err is the violation of the named unique index.
func taken(err error, index string) bool {
	var server *pgconn.PgError
	return errors.As(err, &server) && server.Code == "23505" && server.ConstraintName == index
}
