package outbox

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/holdout"
	"skychimp/db/postgres"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/domain/abtest"
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
	split := (*abtest.Split)(nil)
	if run.PlanCursor != nil {
		split = run.PlanCursor.Split
	}
	run.PlanCursor = &domain.PlanCursor{Split: split, Audience: m.Audience, Tags: m.Tags, Selection: m.Selection, AgainOf: m.AgainOf, Waves: run.Waves, ZoneField: m.ZoneField}
	if m.Holdout.On() {
		run.PlanCursor.Holdout = &m.Holdout
	}
	if !m.Important {
		run.PlanCursor.Hold = run.HoldUntil(m, run.ScheduledAt)
	}
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
	var mailing, step int64
	err = p.pg.Pool.QueryRow(ctx, `SELECT mailing_id, coalesce(step_id, 0) FROM runs WHERE id = $1`, id).Scan(&mailing, &step)
	if errors.Is(err, pgx.ErrNoRows) {
		return run, false, nil // its owner was deleted
	} else if err != nil {
		return run, false, postgres.TranslateError(err)
	}
	if step != 0 {
		return p.continueStep(ctx, mailing, id)
	}
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

// planPart inserts the next deliveries of the run, up to limit, and the batches that fetch them. Those that wait come
// behind those to send now, and are retries that have not been tried. Clients who get nothing are counted too, at the
// end of the part, where no batch reaches.
func planPart(ctx context.Context, tx postgres.Tx, run *domain.Run, m domain.Mailing, limit int) error {
	limits, err := lockLimits(ctx, tx, run)
	if err != nil {
		return err
	}
	part := db.Audience(tx.NewSelect().TableExpr("clients AS client"), m).
		Column("client.id", "client.created_at", "client.email").
		ColumnExpr("client.frequency IS NOT NULL AS sparing").
		Where("(client.created_at, client.id) > (?, ?) AND client.id <= ?", run.PlanCursor.CreatedAt, run.PlanCursor.ClientID, run.PlanCursor.Newest).
		OrderExpr("client.created_at, client.id").Limit(int64(limit))
	last, keep := run.PlanCursor, turns
	if last.Holdout == nil {
		part.ColumnExpr(db.SkipReason+" AS skipped", run.TopicID, run.ScheduledAt)
	} else {
		part.ColumnExpr(holdout.SkipReason+" AS skipped", run.TopicID, run.ScheduledAt, []byte(last.Holdout.Seed), last.Holdout.Bound())
		keep += ", " + holdout.Enrol
	}
	narrowTo(part, run.PlanCursor.Split)
	var planned, queued, waiting int64
	var skipped, held domain.Skipped
	if limits.cap == 0 && last.Waves == nil {
		err = tx.NewRaw(`WITH part AS MATERIALIZED (?0), planned AS (
				INSERT INTO deliveries (run_id, seq, client_id, email, outcome, skipped)
				SELECT ?1, ?2 + row_number() OVER (ORDER BY skipped IS NOT NULL, created_at, id), id, email,
					CASE WHEN skipped IS NULL THEN ?3 ELSE ?4 END, skipped FROM part
				RETURNING outcome, skipped
			), `+keep+`
			SELECT counted.*, (SELECT coalesce(jsonb_object_agg(skipped, n), '{}')
					FROM (SELECT skipped, count(*) AS n FROM planned WHERE skipped IS NOT NULL GROUP BY skipped) AS by_reason), `+lastOfPart+`
			FROM (SELECT count(*), count(*) FILTER (WHERE outcome = ?3) FROM planned) AS counted `+joinLast,
			part, run.ID, run.Planned, domain.OutcomeQueued, domain.OutcomeSuppressed, limits.sparing, run.ScheduledAt).
			Scan(ctx, &planned, &queued, &skipped, &last.CreatedAt, &last.ClientID)
	} else {
		err = planWaiting(tx, part, keep, run, limits).Scan(ctx, &planned, &queued, &waiting, &skipped, &held, &last.CreatedAt, &last.ClientID)
	}
	if err != nil {
		return err
	}
	_, err = tx.NewRaw(`INSERT INTO batches (run_id, first_seq, open, done)
		SELECT ?0, ?3 + first, greatest(0, least(?1, ?2 - first + 1)), first > ?2 FROM generate_series(1, ?4, ?1) AS first`,
		run.ID, domain.BatchSize, queued, run.Planned, queued+waiting).Exec(ctx)
	if err != nil {
		return err
	}
	run.Planned += planned
	run.Suppressed += planned - queued - waiting
	run.Skipped.Add(skipped)
	run.Held.Add(held)
	if planned < int64(limit) {
		run.PlanCursor = nil
	}
	_, err = tx.NewUpdate().Model(run).Column("planned", "suppressed", "skipped", "held", "plan_cursor").WherePK().Exec(ctx)
	return err
}

const (
	// turns keeps when those had their email who want one a week or a month.
	turns = `turns AS (
				UPDATE clients SET last_run_id = ?1, last_run_at = ?6 FROM part
				WHERE ?5 AND part.sparing AND part.skipped IS NULL AND clients.id = part.id
			)`
	lastOfPart = `coalesce(last.created_at, 'epoch'), coalesce(last.id, 0)`
	joinLast   = `LEFT JOIN (SELECT created_at, id FROM part ORDER BY created_at DESC, id DESC LIMIT 1) AS last ON TRUE`
)

// planWaiting plans a part of which some emails wait: for the hour of their client, or until there is room in the
// client's week, which it has seven days after the cap-th of its latest emails.
func planWaiting(tx postgres.Tx, part *bun.SelectQuery, keep string, run *domain.Run, limits limits) *bun.RawQuery {
	part = part.ColumnExpr("client.fields ->> ? AS zone", strconv.FormatInt(run.PlanCursor.ZoneField, 10))
	var zones []string
	var waves []time.Time
	for zone, at := range run.PlanCursor.Waves {
		zones, waves = append(zones, zone), append(waves, at)
	}
	return tx.NewRaw(`WITH part AS MATERIALIZED (?0), waved AS MATERIALIZED (
			SELECT part.*, greatest(?6, coalesce(wave.at, everywhere.at)) AS wave FROM part
			LEFT JOIN unnest(?7::text[], ?8::timestamptz[]) AS wave (zone, at) ON wave.zone = part.zone
			LEFT JOIN unnest(?7::text[], ?8::timestamptz[]) AS everywhere (zone, at) ON everywhere.zone = ''
		), recent AS MATERIALIZED (
			SELECT waved.id, array_agg(coalesce(d.due_at, other.scheduled_at) ORDER BY coalesce(d.due_at, other.scheduled_at) DESC) AS times
			FROM waved JOIN runs AS other ON other.owner_id = ?9 AND other.id <> ?1 AND other.created_at > ?6::timestamptz - interval '15 days'
			JOIN deliveries AS d ON d.run_id = other.id AND d.client_id = waved.id AND d.outcome IN ('accepted', 'queued', 'deferred')
			WHERE ?10::int > 0 AND waved.skipped IS NULL GROUP BY waved.id
		), room AS MATERIALIZED (
			SELECT waved.*, greatest(wave, recent.times[?10::int] + interval '7 days') AS due FROM waved LEFT JOIN recent ON recent.id = waved.id
		), decided AS MATERIALIZED (
			SELECT id, email, created_at, due, CASE WHEN skipped IS NOT NULL THEN skipped WHEN due > wave THEN ?11 WHEN due > ?12 THEN ?13 END AS why,
				CASE WHEN skipped IS NOT NULL OR due > wave AND due > ?14::timestamptz + (wave - ?6::timestamptz) THEN ?4 WHEN due > ?12 THEN ?15 ELSE ?3 END AS outcome
			FROM room
		), numbered AS MATERIALIZED (
			SELECT *, ?2 + row_number() OVER (ORDER BY outcome = ?4, outcome = ?15, CASE WHEN outcome = ?15 THEN due END, created_at, id) AS seq FROM decided
		), planned AS (
			INSERT INTO deliveries (run_id, seq, client_id, email, outcome, skipped, due_at)
			SELECT ?1, seq, id, email, outcome, why, CASE WHEN outcome = ?15 THEN due END FROM numbered RETURNING outcome, skipped
		), retried AS (
			INSERT INTO retries (run_id, seq, due_at) SELECT ?1, seq, due FROM numbered WHERE outcome = ?15
		), `+keep+`
		SELECT counted.*, (SELECT coalesce(jsonb_object_agg(skipped, n), '{}')
				FROM (SELECT skipped, count(*) AS n FROM planned WHERE outcome = ?4 GROUP BY skipped) AS by_reason),
			(SELECT coalesce(jsonb_object_agg(skipped, n), '{}')
				FROM (SELECT skipped, count(*) AS n FROM planned WHERE outcome = ?15 GROUP BY skipped) AS by_wait), `+lastOfPart+`
		FROM (SELECT count(*), count(*) FILTER (WHERE outcome = ?3), count(*) FILTER (WHERE outcome = ?15) FROM planned) AS counted `+joinLast,
		part, run.ID, run.Planned, domain.OutcomeQueued, domain.OutcomeSuppressed, limits.sparing, run.ScheduledAt, pgdialect.Array(zones), pgdialect.Array(waves),
		run.OwnerID, limits.cap, domain.SkippedCap, run.CreatedAt, domain.HeldZone, run.PlanCursor.Hold, domain.OutcomeDeferred)
}

// limits are what bounds the emails to one client.
type limits struct {
	sparing bool // some want one email a week or a month
	cap     int  // of the owner, 0: none
}

// lockLimits reports whether any of the owner's clients wants one email a week or a month, and how many a week the owner
// allows. Runs are planned one after the other then: two at once would both find that it is a client's turn.
func lockLimits(ctx context.Context, tx postgres.Tx, run *domain.Run) (l limits, err error) {
	l, err = ownerLimits(ctx, tx, run.OwnerID)
	if run.PlanCursor.Hold.IsZero() {
		l.cap = 0 // an important mailing goes out all the same, and counts for the others
	}
	return l, err
}

func ownerLimits(ctx context.Context, tx postgres.Tx, owner int64) (l limits, err error) {
	err = tx.NewRaw(`SELECT EXISTS (SELECT FROM clients WHERE owner_id = ?0 AND `+db.HasPreferences+` AND frequency IS NOT NULL), weekly_cap FROM users WHERE id = ?0`,
		owner).Scan(ctx, &l.sparing, &l.cap)
	if err == nil && (l.sparing || l.cap > 0) {
		_, err = tx.NewRaw(`SELECT pg_advisory_xact_lock(3, hashint8(?))`, owner).Exec(ctx)
	}
	return l, err
}
