package db

import (
	"context"
	"crypto/rand"
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

// changed makes every instance forget what it has cached of the named thing (`stats`, `posts`)
// when the transaction commits: the payload names the version that all of them go on with.
func changed(ctx context.Context, tx bun.IDB, what string) error {
	return notify(ctx, tx, "cache", what+" "+rand.Text())
}

// offset is where a page of a list starts; page counts from 1.
func offset(page int) int64 { return PageSize * int64(max(page, 1)-1) }
