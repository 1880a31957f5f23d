package db

import (
	"context"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Columns are those that the owner has chosen for the list of clients, beside those of fields.
func (cs Clients) Columns(ctx context.Context, owner int64) ([]string, error) {
	var chosen []string
	err := cs.db.pg.Bun.NewSelect().ColumnExpr("(SELECT columns FROM client_lists WHERE owner_id = ?)", owner).Scan(ctx, pgdialect.Array(&chosen))
	return domain.ClientColumns(chosen), postgres.TranslateError(err)
}

// ChooseColumns keeps them, and which of the owner's fields have one.
func (cs Clients) ChooseColumns(ctx context.Context, owner int64, columns []string, fields []int64) error {
	return cs.db.Fields().change(ctx, owner, func(tx Tx, _ []domain.Field) error {
		_, err := tx.NewRaw(`INSERT INTO client_lists (owner_id, columns) VALUES (?, ?) ON CONFLICT (owner_id) DO UPDATE SET columns = excluded.columns`,
			owner, pgdialect.Array(domain.ClientColumns(append([]string{}, columns...)))).Exec(ctx)
		if err == nil {
			_, err = tx.NewUpdate().Table("fields").Set("listed = id IN (?)", bun.List(append(fields, 0))).Where("owner_id = ?", owner).Exec(ctx)
		}
		return err
	})
}

// LastEmails are when the clients were sent what was delivered last, by their ids; who got none is not in it.
func (cs Clients) LastEmails(ctx context.Context, clients []domain.Client) (map[int64]time.Time, error) {
	last, ids := map[int64]time.Time{}, []int64{0}
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	var rows []struct {
		ClientID       int64
		LastAcceptedAt time.Time
	}
	err := cs.db.pg.Bun.NewSelect().Table("client_results").Column("client_id", "last_accepted_at").
		Where("client_id IN (?) AND last_accepted_at IS NOT NULL", bun.List(ids)).Scan(ctx, &rows)
	for _, row := range rows {
		last[row.ClientID] = row.LastAcceptedAt
	}
	return last, postgres.TranslateError(err)
}

// Expect has the clients of large owners who were here lately ready when they ask.
func (cs Clients) Expect() { cs.db.index.Start() }

// AskLastEmails has the results of ended runs counted for the owner's list, a few at once, the others behind it.
func (cs Clients) AskLastEmails(ctx context.Context, owner int64) (pending bool, err error) {
	_, err = cs.db.pg.Bun.NewRaw(`INSERT INTO client_lists AS kept (owner_id, results_asked_at) VALUES (?, now()) ON CONFLICT (owner_id) DO UPDATE
		SET results_asked_at = now() WHERE kept.results_asked_at IS NULL OR kept.results_asked_at < now() - interval '1 day'`, owner).Exec(ctx)
	if err != nil {
		return false, postgres.TranslateError(err)
	}
	return cs.db.Segments().catchUp(ctx, owner, domain.Selection{Tests: []domain.Test{{Where: domain.OfLastAccepted}}})
}
