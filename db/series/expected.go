package series

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
	rules "skychimp/domain/series"
)

// Outlook is what goes out of a series if nothing changes.
type Outlook struct {
	Series   rules.Series
	Expected []rules.Expected // in the order of their times
}

// Outlooks of the owner's series that send, up to a time; of owner 0 everybody's, whose owners may send.
func (ss Series) Outlooks(ctx context.Context, owner int64, now, until time.Time) (list []Outlook, err error) {
	var mailings []domain.Mailing
	err = ss.db.Postgres().Bun.NewSelect().Model(&mailings).Where("kind = ? AND deleted_at IS NULL AND status = ?", domain.KindSeries, domain.Running).
		Where("owner_id = ? OR ? AND owner_id NOT IN (SELECT id FROM users WHERE blocked_at IS NOT NULL)", owner, owner == 0).
		Where("disabled_at IS NULL AND paused_at IS NULL").Order("id").Scan(ctx)
	if err != nil || len(mailings) == 0 {
		return nil, postgres.TranslateError(err)
	}
	all, err := ss.loadAll(ctx, mailings)
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	clocks, err := ss.clocksOf(ctx, all)
	if err != nil {
		return nil, err
	}
	waiting, err := ss.waiting(ctx, all, clocks, until)
	for _, s := range all {
		if err != nil {
			break
		}
		one := Outlook{Series: s}
		if one.Expected, err = ss.expected(ctx, s, waiting[s.ID], clocks[s.OwnerID], now, until); len(one.Expected) > 0 {
			list = append(list, one)
		}
	}
	return list, postgres.TranslateError(err)
}

// loadAll reads what mailings have as series.
func (ss Series) loadAll(ctx context.Context, mailings []domain.Mailing) (all []rules.Series, err error) {
	byID, ids := map[int64]domain.Mailing{}, []int64{}
	for _, m := range mailings {
		byID[m.ID], ids = m, append(ids, m.ID)
	}
	var steps []rules.Step
	pg := ss.db.Postgres().Bun
	if err := pg.NewSelect().Model(&all).ModelTableExpr("series AS series").Where("id IN ?", bun.Tuple(ids)).Order("id").Scan(ctx); err != nil {
		return nil, err
	}
	err = pg.NewSelect().Model(&steps).ModelTableExpr("series_steps AS step").Where("series_id IN ?", bun.Tuple(ids)).Order("series_id", "position", "id").Scan(ctx)
	for i := range all {
		all[i].Mailing = byID[all[i].ID]
		for len(steps) > 0 && steps[0].SeriesID == all[i].ID {
			all[i].Steps, steps = append(all[i].Steps, steps[0]), steps[1:]
		}
	}
	return all, err
}

// waiting are those who wait up to a time, by series; of owners whose clients have zones, by zone as well.
func (ss Series) waiting(ctx context.Context, all []rules.Series, clocks map[int64]clocks, until time.Time) (map[int64][]rules.Waiting, error) {
	ids := make([]int64, len(all))
	for i, s := range all {
		ids[i] = s.ID
	}
	var rows []struct {
		SeriesID int64
		rules.Waiting
	}
	err := ss.db.Postgres().Bun.NewRaw(`SELECT series_id, step_id, due_at, sum(clients)::bigint AS clients FROM series_waiting
		WHERE series_id IN ? AND due_at < ? GROUP BY 1, 2, 3 HAVING sum(clients) > 0`, bun.Tuple(ids), until).Scan(ctx, &rows)
	waiting := map[int64][]rules.Waiting{}
	for _, one := range rows {
		waiting[one.SeriesID] = append(waiting[one.SeriesID], one.Waiting)
	}
	for _, s := range all {
		if by := clocks[s.OwnerID]; by.field != "" && err == nil {
			var list []rules.Waiting
			err = ss.db.Postgres().Bun.NewRaw(`SELECT sc.next_step_id AS step_id, date_bin('15 minutes', sc.due_at, 'epoch') AS due_at,
					coalesce(client.fields ->> ?, '') AS zone, count(*) AS clients
				FROM series_clients AS sc JOIN clients AS client ON client.id = sc.client_id
				WHERE sc.series_id = ? AND sc.due_at < ? GROUP BY 1, 2, 3`, by.field, s.ID, until).Scan(ctx, &list)
			waiting[s.ID] = list
		}
	}
	return waiting, err
}

// MergeWaiting makes one row of the many that changes have left of those who wait for a step.
func (ss Series) MergeWaiting(ctx context.Context) error {
	return ss.db.Postgres().MergeCounts(ctx, "series_waiting", "clients", "series_id", "step_id", "due_at")
}

// expected tells what goes out of a series up to a time: to those who are in, and of one that begins with a date to those
// whose day comes. Who will be suppressed, or get a tag, nobody knows.
func (ss Series) expected(ctx context.Context, s rules.Series, waiting []rules.Waiting, clocks clocks, now, until time.Time) ([]rules.Expected, error) {
	if len(s.Steps) == 0 {
		return nil, nil
	}
	if s.Entry == rules.Date && s.FieldID != 0 {
		turns, err := ss.turns(ctx, s, rules.Day(now.In(clocks.zone)).AddDate(0, 0, 1), until, clocks)
		if err != nil {
			return nil, err
		}
		waiting = append(waiting, turns...)
	}
	return s.Expect(waiting, now, until, clocks.zone), nil
}

// clocks are whose hours count: those of the client's zone, where the owner has a field for it, else the owner's.
type clocks struct {
	zone  *time.Location // the owner's
	field string         // number of the field; empty: there is none
}

func (ss Series) clocks(ctx context.Context, owner int64) (clocks, error) {
	all, err := ss.clocksOf(ctx, []rules.Series{{OwnerID: owner}})
	return all[owner], err
}

// clocksOf are the clocks of the owners of series.
func (ss Series) clocksOf(ctx context.Context, all []rules.Series) (map[int64]clocks, error) {
	var owners []int64
	for _, s := range all {
		owners = append(owners, s.OwnerID)
	}
	var rows []struct {
		ID              int64
		Timezone, Field string
	}
	err := ss.db.Postgres().Bun.NewRaw(`SELECT id, timezone, coalesce((SELECT min(id)::text FROM fields WHERE owner_id = users.id AND type = ?), '') AS field
		FROM users WHERE id IN ?`, domain.FieldZone, bun.Tuple(owners)).Scan(ctx, &rows)
	by := map[int64]clocks{}
	for _, one := range rows {
		by[one.ID] = clocks{Zone(one.Timezone), one.Field}
	}
	return by, postgres.TranslateError(err)
}

// ZoneOf is the zone by whose clocks a client of the owner gets series.
func (ss Series) ZoneOf(ctx context.Context, owner int64, client domain.Client) (*time.Location, error) {
	clocks, err := ss.clocks(ctx, owner)
	if err != nil {
		return nil, err
	}
	field, _ := strconv.ParseInt(clocks.field, 10, 64)
	zone, _ := client.Fields[field].(string)
	return clocks.of(zone), nil
}

// by tells clients apart by their zone.
func (c clocks) by(query *bun.SelectQuery) *bun.SelectQuery {
	if c.field == "" {
		return query
	}
	return query.ColumnExpr("coalesce(client.fields ->> ?, '') AS zone", c.field).GroupExpr("zone")
}

// of is the zone of a name that the clocks tell apart.
func (c clocks) of(zone string) *time.Location {
	if zone == "" {
		return c.zone
	}
	return Zone(zone)
}

// Prospect is what a launch sends.
type Prospect struct {
	Qualify  int64            // clients who qualify already
	Expected []rules.Expected // what they get, if they are let in
	Later    []rules.Expected // what those get whose date comes within a year, of a series that begins with one
}

// Prospect of a series that is not launched.
func (ss Series) Prospect(ctx context.Context, s rules.Series, now time.Time) (p Prospect, err error) {
	clocks, err := ss.clocks(ctx, s.OwnerID)
	if err != nil || len(s.Steps) == 0 {
		return p, err
	}
	var waiting []rules.Waiting
	query := ss.db.Postgres().Bun.NewSelect().TableExpr("clients AS client").ColumnExpr("count(*) AS clients").
		Where("NOT EXISTS (SELECT FROM series_clients WHERE series_id = ? AND client_id = client.id)", s.ID).Apply(clocks.by)
	if err := Qualifying(query, s, now, clocks.zone).Scan(ctx, &waiting); err != nil {
		return p, postgres.TranslateError(err)
	}
	today := rules.Day(now.In(clocks.zone))
	for i := range waiting {
		p.Qualify += waiting[i].Clients
		if s.Entry == rules.Date {
			waiting[i].DueAt = s.Steps[0].DueOn(today, clocks.of(waiting[i].Zone))
		}
	}
	end := now.AddDate(100, 0, 0) // all steps
	if p.Qualify > 0 {
		p.Expected = s.Expect(waiting, now, end, clocks.zone)
	}
	if s.Entry == rules.Date && s.FieldID != 0 {
		turns, err := ss.turns(ctx, s, today, now.AddDate(1, 0, 0), clocks)
		if err != nil {
			return p, err
		}
		turns = slices.DeleteFunc(turns, func(one rules.Waiting) bool { return one.DueAt.Before(now) })
		p.Later = s.Expect(turns, now, end, clocks.zone)
	}
	return p, nil
}

// turns are those whose day comes from the first one on, by when they get the first step.
func (ss Series) turns(ctx context.Context, s rules.Series, first, until time.Time, clocks clocks) (waiting []rules.Waiting, err error) {
	var dates []struct {
		Date, Zone string
		Clients    int64
	}
	last := rules.Day(until.In(clocks.zone))
	query := ss.db.Postgres().Bun.NewSelect().TableExpr("clients AS client").ColumnExpr("client.fields->>? AS date, count(*) AS clients", fieldOf(s)).
		Where("client.owner_id = ? AND client.suppressed_at IS NULL", s.OwnerID).GroupExpr("date").Apply(notUnderWay(s)).Apply(clocks.by)
	if s.GoalTag != "" {
		query.Where("NOT has_tag(client.tags, ?)", s.GoalTag)
	}
	Dated(query, s, first, last)
	if err := query.Scan(ctx, &dates); err != nil {
		return nil, postgres.TranslateError(err)
	}
	for _, one := range dates {
		date, err := time.Parse(time.DateOnly, one.Date)
		if err != nil {
			continue
		}
		for _, day := range s.Turns(date, first, last) {
			waiting = append(waiting, rules.Waiting{StepID: s.Steps[0].ID, DueAt: s.Steps[0].DueOn(day, clocks.of(one.Zone)), Zone: one.Zone, Clients: one.Clients})
		}
	}
	return waiting, nil
}

// notUnderWay leaves out who is in the series and, unless it comes each year, who was.
func notUnderWay(s rules.Series) func(*bun.SelectQuery) *bun.SelectQuery {
	return func(query *bun.SelectQuery) *bun.SelectQuery {
		return query.Where("NOT EXISTS (SELECT FROM series_clients WHERE series_id = ? AND client_id = client.id AND (due_at IS NOT NULL OR NOT ?))", s.ID, s.Yearly)
	}
}

// Newest is the client of the owner who came last, 0: there is none.
func (ss Series) Newest(ctx context.Context, owner int64) (int64, error) {
	ids, err := ss.db.Postgres().IDs(ctx, `SELECT id FROM clients WHERE owner_id = $1 ORDER BY created_at DESC, id DESC LIMIT 1`, owner)
	return append(ids, 0)[0], err
}

// SendTests queues an email of each step to the owner's own address, as its client would get it. When the owner has had
// many of them lately it is refused before the first step, or ends where the quota does.
func (ss Series) SendTests(ctx context.Context, s rules.Series, client int64, now time.Time) error {
	sent := 0
	for _, step := range s.Steps {
		if step.MessageID == 0 {
			continue
		}
		if err := ss.db.Messages().SendTest(ctx, s.OwnerID, step.MessageID, client, now); err != nil {
			return err
		}
		sent++
	}
	if sent == 0 {
		return domain.Errorf(domain.Conflict, "", "series.message_required")
	}
	return nil
}
