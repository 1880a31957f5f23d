// Package abtests keeps what mailings try before most of their recipients get the best of it, and decides which one that is.
package abtests

import (
	"context"
	"errors"
	"time"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/domain/abtest"
)

// Tests are in a database.
type Tests struct{ db *db.DB }

// New is in this one.
func New(d *db.DB) Tests { return Tests{d} }

// Get is one test. The caller has made sure who may see its runs.
func (t Tests) Get(ctx context.Context, id int64) (test abtest.Test, err error) {
	err = t.db.Postgres().Bun.NewRaw(`SELECT id, share, goal, hours, chosen, by_owner, chosen_at, sent_at FROM ab_tests WHERE id = ?`, id).Scan(ctx, &test)
	return test, postgres.TranslateError(err)
}

// Choose decides for the owner which variant the others get.
func (t Tests) Choose(ctx context.Context, owner, test int64, variant int) error {
	return t.choose(ctx, test, variant, owner)
}

// choose gives the rest the email of a variant and lets it go, all in one transaction; by 0 nobody chose.
func (t Tests) choose(ctx context.Context, test int64, variant int, by int64) error {
	return t.db.Postgres().InTx(ctx, func(tx postgres.Tx) error {
		now, err := tx.Clock(ctx)
		if err != nil {
			return err
		}
		var rest, chosen domain.Run
		// Weaker than UPDATE, or retries, which name the run, would wait.
		query := tx.NewSelect().Model(&rest).Where("ab_test_id = ? AND variant = 0", test).For("NO KEY UPDATE")
		if by != 0 {
			query.Where("owner_id = ?", by)
		}
		if err := query.Scan(ctx); err != nil {
			return err
		}
		err = tx.NewSelect().Model(&chosen).Where("ab_test_id = ? AND variant = ? AND variant > 0", test, variant).Scan(ctx)
		if domain.KindOf(postgres.TranslateError(err)) == domain.NotFound {
			return domain.Errorf(domain.Invalid, "variant", "runs.ab_unknown")
		} else if err != nil {
			return err
		}
		m, err := db.LockMailing(ctx, tx, rest.MailingID, "")
		if err != nil {
			return err
		}
		if err := rest.Choose(chosen, m, now); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(&rest).WherePK().Column("undecided", "message_id", "revision", "subject", "preheader", "body", "language",
			"window_end", "opens_at", "closes_at", "status", "reason", "resume_at").Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.Pgx.Exec(ctx, statement.Choose.SQL(`UPDATE ab_tests SET chosen = $2, by_owner = $3, chosen_at = $4 WHERE id = $1`), test, variant, by != 0, now); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{})
	})
}

// waiting are tests with a rest that waits. Those who wait are open runs, which are few.
const waiting = `ab_tests AS test JOIN runs AS rest ON rest.ab_test_id = test.id AND rest.undecided AND rest.status = 'paused' AND rest.window_end > $1`

// Decide chooses for the owners who wanted the best to go out by itself, where the time for it has come. The hours count
// from when the emails of all variants are out, but for those that are tried again.
func (t Tests) Decide(ctx context.Context, now time.Time) error {
	pg := t.db.Postgres()
	_, err := pg.Pool.Exec(ctx, `UPDATE ab_tests SET sent_at = $1 WHERE sent_at IS NULL AND id IN (SELECT test.id FROM `+waiting+`)
		AND NOT EXISTS (SELECT FROM runs AS tried WHERE tried.ab_test_id = ab_tests.id AND tried.variant > 0 AND tried.closed_at IS NULL
			AND (tried.status <> 'running' OR tried.plan_cursor IS NOT NULL OR EXISTS (SELECT FROM batches WHERE run_id = tried.id AND NOT done)))`, now)
	if err != nil {
		return postgres.TranslateError(err)
	}
	due, err := pg.IDs(ctx, `SELECT test.id FROM `+waiting+` WHERE hours > 0 AND sent_at + make_interval(hours => hours) <= $1`, now)
	for _, id := range due {
		failed := t.decide(ctx, id)
		if domain.KindOf(failed) != domain.Conflict { // its owner came first
			err = errors.Join(err, failed)
		}
	}
	return postgres.TranslateError(err)
}

func (t Tests) decide(ctx context.Context, id int64) error {
	test, err := t.Get(ctx, id)
	if err != nil {
		return err
	}
	runs, err := t.db.Runs().OfTest(ctx, id)
	if err != nil {
		return err
	}
	var results []abtest.Result
	for _, run := range runs {
		if run.Variant > 0 {
			results = append(results, run.Result())
		}
	}
	return t.choose(ctx, id, test.Goal.Judge(results).Send, 0)
}
