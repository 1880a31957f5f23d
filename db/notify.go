package db

import (
	"context"
	"strings"

	"github.com/uptrace/bun"
)

// notify tells every instance something when the transaction commits.
func notify(ctx context.Context, tx bun.IDB, channel, payload string) error {
	_, err := tx.NewRaw("SELECT pg_notify(?, ?)", channel, payload).Exec(ctx)
	return err
}

// escapeLike makes a text that LIKE takes letter by letter.
func escapeLike(text string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(text)
}

// offset is where a page of a list starts; page counts from 1, and anybody can ask for any.
func offset(page int) int64 { return PageSize * int64(min(max(page, 1), 1<<40)-1) }
