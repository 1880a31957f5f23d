// Package postgres is the connection to the database: the pool, transactions, what errors mean, the
// queue and notifications. Only db, what lies below it and tests reach it.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
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

// DB is one pool of connections, spoken to through bun by the pages and through pgx by the queue and by
// sending.
type DB struct {
	Pool  *pgxpool.Pool
	Bun   *bun.DB
	Queue *river.Client[pgx.Tx] // to put jobs in and to look at; it works none

	pulse     pulse
	addresses atomic.Pointer[addressKey]
}

// Prepared, as the first argument of a statement of the pool, has each connection keep it prepared.
const Prepared = pgx.QueryExecModeCacheStatement

// Open prepares the pool; it connects on first use, so an unreachable server shows then.
func Open(url string) (*DB, error) {
	config, err := poolConfig(url)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL=%q: %w", domain.Redact(url), withoutAddress(err))
	}
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	db := &DB{Pool: pool}
	// Whoever puts jobs in tells each: within a cooldown the second would wait until somebody asks.
	if db.Queue, err = db.NewQueue(&river.Config{FetchCooldown: river.FetchCooldownMin}); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	db.Bun = bun.NewDB(stdlib.OpenDBFromPool(pool), pgdialect.New()).WithQueryHook(&db.pulse)
	return db, nil
}

func poolConfig(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
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
	config.ShouldPing = func(_ context.Context, of pgxpool.ShouldPingParams) bool { return of.IdleDuration > 5*time.Second }
	config.HealthCheckPeriod = 5 * time.Second
	return config, nil
}

// withoutAddress is the cause alone: pgx repeats the whole address before it, with most passwords masked.
func withoutAddress(err error) error {
	if parse, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		_, cause, _ := strings.Cut(parse.Error(), "`: ")
		return errors.New(cause)
	}
	return err
}

// Close gives all connections back.
func (db *DB) Close() {
	_ = db.Bun.Close()
	db.Pool.Close()
}

// Tx is a transaction that bun (through IDB) and River or COPY (through Pgx) share.
type Tx struct {
	bun.IDB
	Pgx pgx.Tx

	db          *DB
	afterCommit *[]func()
}

// AfterCommit has do called when the transaction has committed.
func (tx Tx) AfterCommit(do func()) { *tx.afterCommit = append(*tx.afterCommit, do) }

// ErrRollback undoes a transaction that has not failed, but whose work is not wanted.
var ErrRollback = errors.New("nothing of this is kept")

// InTx runs do in a transaction: committed when do returns nil, else rolled back, in silence for ErrRollback.
func (db *DB) InTx(ctx context.Context, do func(tx Tx) error) error {
	conn, err := db.Bun.Conn(ctx)
	if err != nil {
		return TranslateError(err)
	}
	defer conn.Close()
	var begun pgx.Tx
	err = conn.Raw(func(c any) error {
		begun, err = c.(*stdlib.Conn).Conn().Begin(ctx)
		return err
	})
	if err != nil {
		return TranslateError(err)
	}
	defer func() { _ = begun.Rollback(context.WithoutCancel(ctx)) }()
	var afterCommit []func()
	if err := do(Tx{conn, begun, db, &afterCommit}); errors.Is(err, ErrRollback) {
		return nil
	} else if err != nil {
		return TranslateError(err)
	}
	if err := begun.Commit(ctx); err != nil {
		return TranslateError(err)
	}
	for _, call := range afterCommit {
		call()
	}
	return nil
}

// IDs are the numbers in the only column of a query.
func (db *DB) IDs(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := db.Pool.Query(ctx, query, args...)
	if err != nil {
		return nil, TranslateError(err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	return found, TranslateError(err)
}
