package outbox

import (
	"context"
	"slices"

	"github.com/jackc/pgx/v5"

	"skychimp/db/postgres"
)

// KeepLinks numbers the links of a run, and answers all that have a number: those of the process that came first keep theirs.
func (r Runs) KeepLinks(ctx context.Context, run int64, links []string) (kept []string, err error) {
	err = pgx.BeginFunc(ctx, r.pg.Pool, func(tx pgx.Tx) error {
		// Weaker than UPDATE, or retries, which name the run, would wait.
		if _, err := tx.Exec(ctx, `SELECT FROM runs WHERE id = $1 FOR NO KEY UPDATE`, run); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `SELECT url FROM run_links WHERE run_id = $1 ORDER BY n`, run)
		if err != nil {
			return err
		}
		if kept, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		for _, link := range links {
			if slices.Contains(kept, link) {
				continue
			}
			kept = append(kept, link)
			if _, err := tx.Exec(ctx, `INSERT INTO run_links (run_id, n, url) VALUES ($1, $2, $3)`, run, len(kept), link); err != nil {
				return err
			}
		}
		return nil
	})
	return kept, postgres.TranslateError(err)
}
