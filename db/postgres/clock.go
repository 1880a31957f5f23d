package postgres

import (
	"context"
	"time"
)

// Clock asks for the database's time, which all processes share, and how far this process's clock is
// ahead of it: 0 where the answer took too long to tell the two apart.
func (db *DB) Clock(ctx context.Context) (now time.Time, ahead time.Duration, err error) {
	asked := time.Now()
	if err := db.Pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return now, 0, TranslateError(err)
	}
	return now, Ahead(asked, now), nil
}

// Ahead is how far this process's clock is ahead of the database's, which said now when it was asked: 0 where
// the answer took too long to tell the two apart.
func Ahead(asked, now time.Time) time.Duration {
	half := time.Since(asked) / 2
	ahead := asked.Add(half).Sub(now)
	if ahead.Abs() <= half {
		return 0
	}
	return ahead
}

// Clock is the database's time of this moment, not of the beginning of the transaction.
func (tx Tx) Clock(ctx context.Context) (now time.Time, err error) {
	err = tx.Pgx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now, err
}
