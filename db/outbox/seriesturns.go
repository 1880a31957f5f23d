package outbox

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/holdout"
	"skychimp/db/series"
	"skychimp/db/statement"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// turnOf is one client whose step is due, and what becomes of it.
type turnOf struct {
	ClientID    int64
	Email       string
	Passed      []int64 `bun:",array"`
	Zone        string
	Skipped     *string // as of db.SkipReason
	Open        bool    // the step before is still under way
	Goal        bool    // has the tag that ends the series
	Sparing     bool
	PausedUntil *time.Time
	RoomAt      *time.Time // when there is room in its week, where the owner allows only so many
	FreeAt      *time.Time // when one who wants few emails may get another

	next   int64
	due    *time.Time
	left   string
	gets   bool
	locked bool
}

// receivers counts those who get the email.
func receivers(who []turnOf) (n int) {
	for _, one := range who {
		if one.gets {
			n++
		}
	}
	return n
}

// turn locks those whose step is due, at most limit, and says what becomes of each: who gets it, who has to wait, and who
// has left. With more than that left it is full, and those who get it are whole batches: no batch is of two parts. Who is in
// the run already, with this address or another, has to wait for the next.
func (p *seriesPlan) turn(ctx context.Context, step rules.Step, until time.Time, run int64, limit int) (who []turnOf, full bool, err error) {
	limits, err := ownerLimits(ctx, p.tx, p.OwnerID)
	if err != nil {
		return nil, false, err
	}
	query := p.tx.NewSelect().TableExpr(`(SELECT client_id, passed, due_at, run_id FROM series_clients WHERE series_id = ? AND next_step_id = ? AND due_at > 'epoch' AND due_at <= ?
			ORDER BY due_at, client_id LIMIT ? FOR NO KEY UPDATE SKIP LOCKED) AS due`, p.ID, step.ID, until, limit).
		Join("JOIN clients AS client ON client.id = due.client_id").Join("JOIN users AS owner ON owner.id = client.owner_id").
		ColumnExpr("client.id AS client_id, client.email, due.passed, "+clientZone+" AS zone").
		ColumnExpr(db.SkipReason+" AS skipped", p.Mailing.TopicID, p.now).
		ColumnExpr("? <> '' AND has_tag(client.tags, ?) AS goal", p.GoalTag, p.GoalTag).
		ColumnExpr("EXISTS (SELECT FROM deliveries WHERE run_id = due.run_id AND client_id = client.id AND outcome IN ('queued', 'deferred')) AS open").
		ColumnExpr("client.frequency IS NOT NULL AS sparing, client.paused_until").
		ColumnExpr("client.last_run_at + CASE client.frequency WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END AS free_at").
		OrderExpr("due.due_at, client.id")
	if limits.cap > 0 { // seven days after the cap-th of the latest emails there is room again
		query.ColumnExpr(`(SELECT coalesce(d.due_at, other.scheduled_at) + interval '7 days' FROM runs AS other
			JOIN deliveries AS d ON d.run_id = other.id AND d.client_id = client.id AND d.outcome IN ('accepted', 'queued', 'deferred')
			WHERE other.owner_id = ? AND other.created_at > ?::timestamptz - interval '15 days' ORDER BY 1 DESC OFFSET ? LIMIT 1) AS room_at`, p.OwnerID, p.now, limits.cap-1)
	}
	if err := query.Scan(ctx, &who); err != nil {
		return nil, false, err
	}
	full = len(who) == limit
	if run != 0 && len(who) > 0 {
		if who, err = p.without(ctx, run, who); err != nil {
			return nil, false, err
		}
	}
	if limits.sparing {
		if err := p.lockSparing(ctx, who); err != nil {
			return nil, false, err
		}
	}
	for i := range who {
		p.decide(step, &who[i])
	}
	if gets := receivers(who); full && gets%domain.BatchSize != 0 {
		who = wholeBatches(who, gets/domain.BatchSize*domain.BatchSize)
	}
	return who, full, nil
}

// wholeBatches leaves out those who would get the email after the first n: they come with the next part.
func wholeBatches(who []turnOf, n int) (kept []turnOf) {
	for _, one := range who {
		if one.gets {
			if n == 0 {
				continue
			}
			n--
		}
		kept = append(kept, one)
	}
	return kept
}

// without leaves out who has a delivery in the run, or whose address has.
func (p *seriesPlan) without(ctx context.Context, run int64, who []turnOf) (kept []turnOf, err error) {
	ids, emails := make([]int64, len(who)), make([]string, len(who))
	for i, one := range who {
		ids[i], emails[i] = one.ClientID, one.Email
	}
	rows, err := p.tx.Pgx.Query(ctx, `SELECT client_id FROM unnest($2::bigint[], $3::text[]) AS one (client_id, email)
		WHERE EXISTS (SELECT FROM deliveries AS d WHERE d.run_id = $1 AND d.client_id = one.client_id)
		   OR EXISTS (SELECT FROM deliveries AS d WHERE d.run_id = $1 AND lower(d.email) = lower(one.email))`, run, ids, emails)
	if err != nil {
		return nil, err
	}
	in, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil || len(in) == 0 {
		return who, err
	}
	had := map[int64]bool{}
	for _, id := range in {
		had[id] = true
	}
	for _, one := range who {
		if !had[one.ClientID] {
			kept = append(kept, one)
		}
	}
	return kept, nil
}

// lockSparing locks the clients whose turn has to be remembered. One that somebody else is changing is left for later: who
// changes clients locks them before their place in a series, and must not wait for this.
func (p *seriesPlan) lockSparing(ctx context.Context, who []turnOf) error {
	var ids []int64
	for _, one := range who {
		if one.Sparing {
			ids = append(ids, one.ClientID)
		}
	}
	rows, err := p.tx.Pgx.Query(ctx, `SELECT id FROM clients WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED`, ids)
	if err != nil {
		return err
	}
	free, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	locked := map[int64]bool{}
	for _, id := range free {
		locked[id] = true
	}
	for i := range who {
		who[i].locked = who[i].Sparing && !locked[who[i].ClientID]
	}
	return err
}

// lookAgain is when somebody is looked at again whom another transaction had locked, or whose email of the step before is
// still under way.
const lookAgain = 5 * time.Second

// decide says what becomes of a client whose step is due. Who has paused, or wants few emails, waits with its step; who gets
// no emails any more, has left the topic or has reached the goal leaves.
func (p *seriesPlan) decide(step rules.Step, one *turnOf) {
	wait := func(until time.Time) {
		due := step.NotBefore(until, series.Zone(one.Zone))
		one.next, one.due = step.ID, &due
	}
	reason := ""
	if one.Skipped != nil {
		reason = *one.Skipped
	}
	switch {
	case one.Goal:
		one.left = rules.LeftGoal
	case reason == domain.SkippedPaused && one.PausedUntil != nil:
		wait(*one.PausedUntil)
	case reason == domain.SkippedFrequency && one.FreeAt != nil:
		wait(rules.Later(*one.FreeAt, p.now.Add(time.Hour)))
	case reason != "":
		one.left = reason
	case one.RoomAt != nil && one.RoomAt.After(p.now):
		wait(*one.RoomAt)
	case one.locked || one.Open:
		due := p.now.Add(lookAgain)
		one.next, one.due = step.ID, &due
	case len(one.Passed) == 0 && p.Mailing.Holdout.LeavesOut(one.ClientID):
		one.left = rules.LeftHoldout
	default:
		one.gets = true
		next := p.Next(step.Position, append(one.Passed, step.ID))
		if next == nil {
			one.left = rules.LeftFinished
			return
		}
		due := next.Due(p.now, series.Zone(one.Zone))
		one.next, one.due = next.ID, &due
	}
}

// advance inserts the deliveries of those who get the email, with their batches, and moves all of them on.
func (p *seriesPlan) advance(ctx context.Context, step rules.Step, run *domain.Run, who []turnOf) error {
	var c turnColumns
	for _, one := range who {
		c.add(one)
	}
	if err := p.enrol(ctx, who); err != nil {
		return err
	}
	gets := int64(receivers(who))
	_, err := p.tx.Pgx.Exec(ctx, statement.Step.SQL(`WITH r AS MATERIALIZED (
			SELECT * FROM unnest($1::bigint[], $2::text[], $3::boolean[], $4::boolean[], $5::bigint[], $6::timestamptz[], $7::text[]) WITH ORDINALITY
				AS r (client_id, email, gets, sparing, next, due, left_reason, n)
		), planned AS (
			INSERT INTO deliveries (run_id, seq, client_id, email, outcome)
			SELECT $8, $9 + row_number() OVER (ORDER BY n), client_id, email, 'queued' FROM r WHERE gets
		), batched AS (
			INSERT INTO batches (run_id, first_seq, open)
			SELECT $8, $9 + first, least($13, $10 - first + 1) FROM generate_series(1, $10::bigint, $13::bigint) AS first
		), turns AS (
			UPDATE clients SET last_run_id = $8, last_run_at = $11 FROM r WHERE r.gets AND r.sparing AND clients.id = r.client_id
		)
		UPDATE series_clients AS sc SET next_step_id = r.next, due_at = r.due,
			passed = CASE WHEN r.gets THEN sc.passed || $12::bigint ELSE sc.passed END, since = CASE WHEN r.gets THEN $11 ELSE sc.since END,
			run_id = CASE WHEN r.gets THEN $8 ELSE sc.run_id END,
			left_at = CASE WHEN r.left_reason <> '' THEN $11::timestamptz END, left_reason = r.left_reason
		FROM r WHERE sc.series_id = $14 AND sc.client_id = r.client_id`),
		c.ids, c.emails, c.gets, c.sparing, c.next, c.due, c.left, run.ID, run.Planned, gets, p.now, step.ID, int64(domain.BatchSize), p.ID)
	if err != nil || run.ID == 0 {
		return err
	}
	run.Planned += gets
	_, err = p.tx.NewUpdate().Model(run).Column("planned", "plan_cursor").WherePK().Exec(ctx)
	return err
}

// enrol keeps who begins the series and who is left out of it, where some are.
func (p *seriesPlan) enrol(ctx context.Context, who []turnOf) error {
	var got, left []int64
	for _, one := range who {
		switch {
		case one.left == rules.LeftHoldout:
			left = append(left, one.ClientID)
		case one.gets && len(one.Passed) == 0:
			got = append(got, one.ClientID)
		}
	}
	if !p.Mailing.Holdout.On() {
		return nil
	}
	_, err := p.tx.Pgx.Exec(ctx, holdout.EnrolThese, p.ID, got, left)
	return err
}

// turnColumns are turns turned for unnest.
type turnColumns struct {
	ids, next     []int64
	emails, left  []string
	gets, sparing []bool
	due           []*time.Time
}

func (c *turnColumns) add(one turnOf) {
	c.ids, c.emails, c.gets, c.sparing = append(c.ids, one.ClientID), append(c.emails, one.Email), append(c.gets, one.gets), append(c.sparing, one.Sparing)
	c.next, c.due, c.left = append(c.next, one.next), append(c.due, one.due), append(c.left, one.left)
}
