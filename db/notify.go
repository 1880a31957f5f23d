package db

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
)

// notify tells every instance something when the transaction commits.
func notify(ctx context.Context, tx bun.IDB, channel, payload string) error {
	_, err := tx.NewRaw("SELECT pg_notify(?, ?)", channel, payload).Exec(ctx)
	return err
}

// hear waits for the next notification on a connection that listens. When it has been quiet for long
// it makes sure that the connection has not died without a word.
func hear(ctx context.Context, conn *pgx.Conn) (*pgconn.Notification, error) {
	for {
		quiet, cancel := context.WithTimeout(ctx, 5*time.Second)
		n, err := conn.WaitForNotification(quiet)
		timeout := quiet.Err() != nil && ctx.Err() == nil
		cancel()
		if err == nil || !timeout {
			return n, err
		}
		ping, cancel := context.WithTimeout(ctx, time.Second)
		err = conn.Ping(ping)
		cancel()
		if err != nil {
			return nil, err
		}
	}
}

// escapeLike makes a text that LIKE takes letter by letter.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// offset is where a page of a list starts; page counts from 1, and anybody can ask for any.
func offset(page int) int64 { return PageSize * int64(min(max(page, 1), 1<<40)-1) }
