package statement_test

import (
	"strings"
	"testing"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/db/statement"
)

func TestOf(t *testing.T) {
	for sql, want := range map[string]statement.Name{
		statement.Fetch.SQL("SELECT 1"): statement.Fetch, "SELECT 1": "", "/* outbox.fetch": "", "SELECT /* outbox.fetch */ 1": "", "": "",
	} {
		if got := statement.Of(sql); got != want {
			t.Errorf("%q has the name %q, want %q", sql, got, want)
		}
	}
}

// bun writes the comment by itself.
func TestOfBun(t *testing.T) {
	query := bun.NewDB(nil, pgdialect.New()).NewUpdate().Table("runs").Set("status = 'done'").Where("true").Comment(string(statement.Close)).String()
	if statement.Of(query) != statement.Close || !strings.Contains(query, `UPDATE "runs"`) {
		t.Error(query)
	}
}
