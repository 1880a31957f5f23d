package outbox

import (
	"context"
	"errors"

	"skychimp/db"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
)

// A run is planned in parts, so that its first emails need not wait for a million rows. Both
// are whole batches, so that no batch is of two parts.
const (
	firstPart = 100 * domain.BatchSize
	nextPart  = 500 * domain.BatchSize
)

// planFirst plans all of a small run, and of a large one the first part.
func planFirst(ctx context.Context, tx postgres.Tx, run *domain.Run, m domain.Mailing) error {
	if err := db.Resolve(ctx, tx, &m); err != nil {
		return err
	}
	run.PlanCursor = &domain.PlanCursor{Audience: m.Audience, Tags: m.Tags, Selection: m.Selection, AgainOf: m.AgainOf}
	err := tx.Pgx.QueryRow(ctx, `SELECT coalesce(max(id), 0) FROM clients`).Scan(&run.PlanCursor.Newest)
	if err != nil {
		return err
	}
	return planPart(ctx, tx, run, m, firstPart)
}

// Continue plans, part by part and one run after the other, what is left of all runs, and gives
// those that are whole now. Several processes may do it at once, and go on where one that died has
// stopped. A run that cannot be planned does not keep the others back.
func (p Plans) Continue(ctx context.Context) (whole []domain.Run, err error) {
	for left := true; left; {
		left = false
		unplanned, failed := p.pg.IDs(ctx, `SELECT id FROM runs WHERE closed_at IS NULL AND plan_cursor IS NOT NULL ORDER BY id`)
		err = errors.Join(err, failed)
		for _, id := range unplanned {
			run, ok, failed := p.continueRun(ctx, id)
			err = errors.Join(err, failed)
			left = left || ok
			if ok && run.PlanCursor == nil {
				whole = append(whole, run)
			}
		}
	}
	return whole, err
}

// continueRun plans the next part of a run; ok is false when there is none any more.
func (p Plans) continueRun(ctx context.Context, id int64) (run domain.Run, ok bool, err error) {
	err = p.pg.InTx(ctx, func(tx postgres.Tx) error {
		// A weaker lock than UPDATE, or retries, which name the run, would wait for it.
		err := tx.NewSelect().Model(&run).Where("id = ? AND plan_cursor IS NOT NULL", id).For("NO KEY UPDATE").
			Comment(string(statement.PlanPart)).Scan(ctx)
		if explained := postgres.TranslateError(err); domain.KindOf(explained) == domain.NotFound {
			return nil
		} else if explained != nil {
			return explained
		}
		ok = true
		m := domain.Mailing{ID: run.MailingID, OwnerID: run.OwnerID, Audience: run.PlanCursor.Audience, Tags: run.PlanCursor.Tags,
			Selection: run.PlanCursor.Selection, AgainOf: run.PlanCursor.AgainOf}
		if err := planPart(ctx, tx, &run, m, nextPart); err != nil {
			return err
		}
		return tx.Notify(ctx, postgres.RunsChanged{})
	})
	return run, ok && err == nil, err
}

// planPart inserts the next deliveries of the run, up to limit, and the batches that fetch them.
// Clients who get nothing are counted too, at the end of the part, where no batch reaches.
func planPart(ctx context.Context, tx postgres.Tx, run *domain.Run, m domain.Mailing, limit int) error {
	sparing, err := lockFrequencies(ctx, tx, run.OwnerID)
	if err != nil {
		return err
	}
	part := db.Audience(tx.NewSelect().TableExpr("clients AS client"), m).
		Column("client.id", "client.created_at", "client.email").
		ColumnExpr("client.frequency IS NOT NULL AS sparing").
		ColumnExpr(db.SkipReason+" AS skipped", run.TopicID, run.ScheduledAt).
		Where("(client.created_at, client.id) > (?, ?) AND client.id <= ?", run.PlanCursor.CreatedAt, run.PlanCursor.ClientID, run.PlanCursor.Newest).
		OrderExpr("client.created_at, client.id").Limit(int64(limit))
	var planned, queued int64
	last := run.PlanCursor
	var skipped domain.Skipped
	err = tx.NewRaw(`WITH part AS MATERIALIZED (?0), planned AS (
			INSERT INTO deliveries (run_id, seq, client_id, email, outcome, skipped)
			SELECT ?1, ?2 + row_number() OVER (ORDER BY skipped IS NOT NULL, created_at, id), id, email,
				CASE WHEN skipped IS NULL THEN ?3 ELSE ?4 END, skipped FROM part
			RETURNING outcome, skipped
		), turns AS (
			UPDATE clients SET last_run_id = ?1, last_run_at = ?6 FROM part
			WHERE ?5 AND part.sparing AND part.skipped IS NULL AND clients.id = part.id
		)
		SELECT counted.*, (SELECT coalesce(jsonb_object_agg(skipped, n), '{}')
				FROM (SELECT skipped, count(*) AS n FROM planned WHERE skipped IS NOT NULL GROUP BY skipped) AS by_reason),
			coalesce(last.created_at, 'epoch'), coalesce(last.id, 0)
		FROM (SELECT count(*), count(*) FILTER (WHERE outcome = ?3) FROM planned) AS counted
		LEFT JOIN (SELECT created_at, id FROM part ORDER BY created_at DESC, id DESC LIMIT 1) AS last ON TRUE`,
		part, run.ID, run.Planned, domain.OutcomeQueued, domain.OutcomeSuppressed, sparing, run.ScheduledAt).
		Scan(ctx, &planned, &queued, &skipped, &last.CreatedAt, &last.ClientID)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`INSERT INTO batches (run_id, first_seq, open)
		SELECT ?0, ?3 + first, least(?1, ?2 - first + 1) FROM generate_series(1, ?2, ?1) AS first`,
		run.ID, domain.BatchSize, queued, run.Planned).Exec(ctx)
	if err != nil {
		return err
	}
	run.Planned += planned
	run.Suppressed += planned - queued
	run.Skipped.Add(skipped)
	if planned < int64(limit) {
		run.PlanCursor = nil
	}
	_, err = tx.NewUpdate().Model(run).Column("planned", "suppressed", "skipped", "plan_cursor").WherePK().Exec(ctx)
	return err
}

// lockFrequencies reports whether any of the owner's clients wants one email a week or a month. Their runs are planned
// one after the other then: two at once would both find that it is a client's turn.
func lockFrequencies(ctx context.Context, tx postgres.Tx, owner int64) (some bool, err error) {
	err = tx.NewRaw(`SELECT EXISTS (SELECT FROM clients WHERE owner_id = ? AND `+db.HasPreferences+` AND frequency IS NOT NULL)`, owner).Scan(ctx, &some)
	if err == nil && some {
		_, err = tx.NewRaw(`SELECT pg_advisory_xact_lock(3, hashint8(?))`, owner).Exec(ctx)
	}
	return some, err
}
