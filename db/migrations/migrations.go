// Package migrations holds the schema as pairs of SQL files, applied in the order of their names.
package migrations

import "embed"

// Files are the migrations: <version>_<name>.tx.up.sql and .tx.down.sql.
//
//go:embed *.sql
var Files embed.FS
