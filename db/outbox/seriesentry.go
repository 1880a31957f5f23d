package outbox

import (
	"context"
	"slices"
	"strconv"
	"time"

	"skychimp/db/series"
	"skychimp/db/statement"
	rules "skychimp/domain/series"
)

// lookEvery is how often the dates of clients are looked at, for series that begin with one.
const lookEvery = time.Hour

// join lets the next of those in who qualified at the launch, or whose day is near.
func (p *seriesPlan) join(ctx context.Context) (did bool, err error) {
	if p.Entry == rules.Date {
		return p.look(ctx)
	}
	if p.JoinTo == 0 {
		return false, nil
	}
	part := series.Qualifying(p.tx.NewSelect().TableExpr("clients AS client"), p.Series, p.now, p.zone).Column("client.id").
		Where("client.id > ? AND client.id <= ?", p.JoinAfter, p.JoinTo).OrderExpr("client.id").Limit(seriesPart)
	var found int
	var last int64
	err = p.tx.NewRaw(`WITH part AS MATERIALIZED (?), entered AS (
			INSERT INTO series_clients (series_id, client_id, how, since) SELECT ?, id, 'launch', ?::timestamptz FROM part ON CONFLICT DO NOTHING
		) SELECT count(*), coalesce(max(id), 0) FROM part`, part, p.ID, p.now).Scan(ctx, &found, &last)
	if err != nil {
		return false, err
	}
	if p.JoinAfter = last; found < seriesPart {
		p.JoinAfter, p.JoinTo = 0, 0
	}
	_, err = p.tx.Pgx.Exec(ctx, `UPDATE series SET join_after = $2, join_to = nullif($3::bigint, 0) WHERE id = $1`, p.ID, p.JoinAfter, p.JoinTo)
	return true, err
}

// look lets those in whose day is near: today or about to begin, wherever they are. A day that a launch found half over counts
// for those only who were let in with it. A yearly turn begins anew for whoever has finished the last one.
func (p *seriesPlan) look(ctx context.Context) (did bool, err error) {
	if p.LookedAt.Add(lookEvery).After(p.now) && p.JoinTo == 0 {
		return false, nil
	}
	today := rules.Day(p.now.In(p.zone))
	first, last := today.AddDate(0, 0, -2), today.AddDate(0, 0, 2)
	var found []struct {
		ID         int64
		Date, Zone string
	}
	query := p.tx.NewSelect().TableExpr("clients AS client").Join("JOIN users AS owner ON owner.id = client.owner_id").
		ColumnExpr("client.id, client.fields->>? AS date, "+clientZone+" AS zone", strconv.FormatInt(p.FieldID, 10)).
		Where("client.owner_id = ? AND client.suppressed_at IS NULL", p.OwnerID).OrderExpr("client.id")
	series.Dated(query, p.Series, first, last)
	if p.FieldID != 0 && len(p.Steps) > 0 {
		if err := query.Scan(ctx, &found); err != nil {
			return false, err
		}
	}
	var ids []int64
	var days, dues []time.Time
	for _, one := range found {
		date, err := time.Parse(time.DateOnly, one.Date)
		if err != nil {
			continue
		}
		zone := series.Zone(one.Zone)
		for _, day := range p.Turns(date, first, last) {
			due := p.Steps[0].DueOn(day, zone)
			over := rules.Step{At: "00:00"}.DueOn(day.AddDate(0, 0, 1), zone)
			if p.now.Before(over) && (p.JoinTo != 0 || !due.Before(p.Mailing.LaunchedAt)) {
				ids, days, dues = append(ids, one.ID), append(days, day), append(dues, due)
			}
		}
	}
	for part := range slices.Chunk(ids, seriesPart) {
		n := len(part)
		_, err := p.tx.Pgx.Exec(ctx, `INSERT INTO series_clients AS sc (series_id, client_id, how, next_step_id, due_at, turn)
			SELECT $1, id, 'date', $2, due, day FROM unnest($3::bigint[], $4::date[], $5::timestamptz[]) AS one (id, day, due)
			ON CONFLICT (series_id, client_id) DO UPDATE SET entered_at = now(), since = now(), passed = '{}', next_step_id = excluded.next_step_id,
				due_at = excluded.due_at, turn = excluded.turn, left_at = NULL, left_reason = ''
			WHERE $6 AND sc.left_reason = 'finished' AND sc.turn < excluded.turn - 180`, p.ID, p.Steps[0].ID, part, days[:n], dues[:n], p.Yearly)
		if err != nil {
			return false, err
		}
		days, dues = days[n:], dues[n:]
	}
	p.JoinTo, p.LookedAt = 0, p.now
	_, err = p.tx.Pgx.Exec(ctx, `UPDATE series SET join_to = NULL, looked_at = $2 WHERE id = $1`, p.ID, p.now)
	return true, err
}

// place works out when the next step of those is due who have come in, or whose step has changed.
func (p *seriesPlan) place(ctx context.Context) (did bool, err error) {
	var waiting []struct {
		ClientID   int64
		NextStepID int64
		Since      time.Time
		Turn       time.Time `bun:",nullzero"`
		Zone       string
		Passed     []int64 `bun:",array"`
	}
	err = p.tx.NewRaw(`SELECT due.*, `+clientZone+` AS zone FROM (
			SELECT sc.client_id, sc.next_step_id, sc.since, sc.turn, sc.passed FROM series_clients AS sc
			WHERE sc.series_id = ?0 AND sc.due_at = 'epoch' AND sc.next_step_id = (SELECT id FROM (SELECT 0 AS id UNION ALL SELECT id FROM series_steps WHERE series_id = ?0) AS step
				WHERE EXISTS (SELECT FROM series_clients WHERE series_id = ?0 AND next_step_id = step.id AND due_at = 'epoch') ORDER BY id LIMIT 1)
			ORDER BY sc.client_id LIMIT ?1 FOR NO KEY UPDATE SKIP LOCKED) AS due
		JOIN clients AS client ON client.id = due.client_id JOIN users AS owner ON owner.id = client.owner_id`, p.ID, seriesPart).Scan(ctx, &waiting)
	if err != nil || len(waiting) == 0 {
		return false, err
	}
	ids, steps, dues := make([]int64, len(waiting)), make([]int64, len(waiting)), make([]time.Time, len(waiting))
	for i, one := range waiting {
		step := p.Step(one.NextStepID)
		if step == nil {
			step = &p.Steps[0]
		}
		since, zone := rules.Later(one.Since, p.Mailing.LaunchedAt), series.Zone(one.Zone)
		ids[i], steps[i], dues[i] = one.ClientID, step.ID, step.Due(since, zone)
		if !one.Turn.IsZero() && len(one.Passed) == 0 {
			dues[i] = step.DueOn(one.Turn, zone)
		}
	}
	_, err = p.tx.Pgx.Exec(ctx, statement.Place.SQL(`UPDATE series_clients AS sc SET next_step_id = r.step, due_at = r.due
		FROM unnest($2::bigint[], $3::bigint[], $4::timestamptz[]) AS r (client_id, step, due) WHERE sc.series_id = $1 AND sc.client_id = r.client_id`),
		p.ID, ids, steps, dues)
	return true, err
}
