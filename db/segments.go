package db

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/clientindex"
	"skychimp/db/postgres"
	"skychimp/domain"
)

// Segments are saved conditions that choose clients.
type Segments struct{ db *DB }

// Segments of this database.
func (db *DB) Segments() Segments { return Segments{db} }

// SegmentRow is a segment with what uses it.
type SegmentRow struct {
	domain.Segment
	Mailings int // that can still send
}

// inUse tells where a segment is needed, beside its number.
const inUse = `deleted_at IS NULL AND status <> 'finished'`

// List are the owner's segments by name.
func (ss Segments) List(ctx context.Context, owner int64) ([]SegmentRow, error) {
	rows := []SegmentRow{}
	err := ss.db.pg.Bun.NewSelect().TableExpr("segments AS segment").ColumnExpr("segment.*").
		ColumnExpr("(SELECT count(*) FROM mailings WHERE segment_id = segment.id AND "+inUse+") AS mailings").
		Where("owner_id = ?", owner).OrderExpr("lower(name), id").Scan(ctx, &rows)
	return rows, postgres.TranslateError(err)
}

// Get is one segment of the owner.
func (ss Segments) Get(ctx context.Context, owner, id int64) (s domain.Segment, err error) {
	return loadSegment(ctx, ss.db.pg.Bun, owner, id, "")
}

func loadSegment(ctx context.Context, tx bun.IDB, owner, id int64, lock string) (s domain.Segment, err error) {
	query := tx.NewSelect().Model(&s).Where("id = ? AND owner_id = ?", id, owner)
	if lock != "" {
		query.For(lock)
	}
	return s, postgres.TranslateError(query.Scan(ctx))
}

// Create saves a new segment of the owner.
func (ss Segments) Create(ctx context.Context, owner int64, form domain.SegmentForm, now time.Time) (s domain.Segment, err error) {
	s.OwnerID = owner
	err = ss.db.Fields().change(ctx, owner, func(tx Tx, fields []domain.Field) error {
		n, err := tx.NewSelect().Table("segments").Where("owner_id = ?", owner).Count(ctx)
		if err != nil {
			return err
		}
		if n >= domain.MaxSegments {
			return domain.Errorf(domain.Conflict, "", "segments.many", "Max", domain.MaxSegments)
		}
		if err := s.Change(form, fields, now); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(&s).Exec(ctx)
		return segmentTaken(err)
	})
	return s, err
}

// Update lets change work on the locked segment and saves what it made of it.
func (ss Segments) Update(ctx context.Context, owner, id int64, change func(*domain.Segment, []domain.Field) error) (s domain.Segment, err error) {
	if s, err = ss.Get(ctx, owner, id); err != nil {
		return s, err // without a lock on anybody
	}
	err = ss.db.Fields().change(ctx, owner, func(tx Tx, fields []domain.Field) error {
		if s, err = loadSegment(ctx, tx, owner, id, "UPDATE"); err != nil {
			return err
		}
		before := s
		if err := change(&s, fields); err != nil {
			return err
		}
		if !s.Same(before) {
			s.Clients, s.CountedAt = nil, time.Time{}
		}
		_, err := tx.NewUpdate().Model(&s).WherePK().Exec(ctx)
		return segmentTaken(err)
	})
	return s, err
}

func segmentTaken(err error) error {
	if postgres.IsUniqueViolation(err, "segments_owner_name") {
		return domain.Errorf(domain.Invalid, "name", "segments.name_taken")
	}
	return err
}

// Delete deletes a segment that no mailing needs.
func (ss Segments) Delete(ctx context.Context, owner, id int64) error {
	return ss.db.pg.InTx(ctx, func(tx Tx) error {
		s, err := loadSegment(ctx, tx, owner, id, "UPDATE")
		if err != nil {
			return err
		}
		var names []string
		if err := tx.NewSelect().Table("mailings").Column("name").Where("segment_id = ? AND "+inUse, id).Order("id").Limit(1).Scan(ctx, &names); err != nil {
			return err
		}
		if len(names) > 0 {
			return domain.Errorf(domain.Conflict, "", "segments.in_use", "Mailing", names[0])
		}
		_, err = tx.NewDelete().Model(&s).WherePK().Exec(ctx)
		return err
	})
}

// selectionOf is a segment of the owner as it is asked now, in the owner's time zone.
func selectionOf(ctx context.Context, tx bun.IDB, owner, id int64) (s domain.Selection, err error) {
	segment, err := loadSegment(ctx, tx, owner, id, "")
	if err != nil {
		return s, err
	}
	return ready(ctx, tx, segment)
}

// ready makes the conditions of a segment, saved or not, ready to be asked.
func ready(ctx context.Context, tx bun.IDB, s domain.Segment) (domain.Selection, error) {
	all, err := readyAll(ctx, tx, s.OwnerID, []domain.Segment{s})
	return all[s.ID], err
}

func readyAll(ctx context.Context, tx bun.IDB, owner int64, segments []domain.Segment) (map[int64]domain.Selection, error) {
	fields, zone := []domain.Field{}, ""
	err := tx.NewSelect().Model(&fields).Where("owner_id = ?", owner).Order("id").Scan(ctx)
	if err == nil {
		err = tx.NewSelect().Table("users").Column("timezone").Where("id = ?", owner).Scan(ctx, &zone)
	}
	if err != nil {
		return nil, postgres.TranslateError(err)
	}
	all, location, now := map[int64]domain.Selection{}, domain.Mailing{Timezone: zone}.Schedule().Zone, time.Now()
	for _, s := range segments {
		all[s.ID] = s.Selection(fields, location, now)
	}
	return all, nil
}

// selections are some of the owner's segments as they are asked now; of results that take long to count the queue is told.
func (ss Segments) selections(ctx context.Context, owner int64, ids []int64) (map[int64]domain.Selection, error) {
	var segments []domain.Segment
	if err := ss.db.pg.Bun.NewSelect().Model(&segments).Where("owner_id = ? AND id IN ?", owner, bun.Tuple(ids)).Scan(ctx); err != nil {
		return nil, postgres.TranslateError(err)
	}
	all, err := readyAll(ctx, ss.db.pg.Bun, owner, segments)
	for _, one := range all {
		if err == nil {
			_, err = ss.catchUp(ctx, owner, one)
		}
	}
	return all, err
}

// SegmentCount is how many clients a segment has, and how many of them get no emails.
type SegmentCount struct {
	Clients, Suppressed int64
	Pending             bool // the results of some runs are not counted yet
}

// Count counts the clients of a segment, saved or not, and keeps the number with a saved one.
func (ss Segments) Count(ctx context.Context, s domain.Segment) (n SegmentCount, err error) {
	chosen, err := ready(ctx, ss.db.pg.Bun, s)
	pending := false
	if err == nil {
		pending, err = ss.catchUp(ctx, s.OwnerID, chosen)
	}
	if err == nil {
		n, err = ss.count(ctx, s.OwnerID, chosen)
	}
	n.Pending = pending
	if err == nil && s.ID != 0 && (s.Clients == nil || *s.Clients != n.Clients) {
		_, err = ss.db.pg.Pool.Exec(ctx, `UPDATE segments SET clients = $1, counted_at = now() WHERE id = $2 AND owner_id = $3 AND updated_at = $4`,
			n.Clients, s.ID, s.OwnerID, s.UpdatedAt)
	}
	return n, postgres.TranslateError(err)
}

// count counts tags by their kept counts, everything else in what is kept in memory, or client by client.
func (ss Segments) count(ctx context.Context, owner int64, chosen domain.Selection) (n SegmentCount, err error) {
	if chosen.OnlyTags() {
		query := ss.db.pg.Bun.NewSelect().TableExpr("tag_counts AS client").ColumnExpr("coalesce(sum(clients), 0)::bigint AS clients").
			ColumnExpr("coalesce(sum(clients) FILTER (WHERE suppressed), 0)::bigint AS suppressed")
		err = narrowTo(query.Where("client.owner_id = ?", owner), owner, chosen).Scan(ctx, &n)
		return n, postgres.TranslateError(err)
	}
	if found, ok := ss.db.index.Find(ctx, owner, clientindex.Query{Selection: &chosen}); ok {
		return SegmentCount{Clients: int64(found.Clients), Suppressed: int64(found.Suppressed)}, nil
	}
	// Apart, because the index of the list knows tags and dates but not who is suppressed, and the few of those have their own.
	all := func() *bun.SelectQuery {
		query := ss.db.pg.Bun.NewSelect().TableExpr("clients AS client").Where("client.owner_id = ?", owner)
		return narrowTo(query, owner, chosen)
	}
	if n.Clients, err = all().Count(ctx); err == nil {
		n.Suppressed, err = all().Where("client.suppressed_at IS NOT NULL").Count(ctx)
	}
	return n, postgres.TranslateError(err)
}

// Sample are some clients of a segment, saved or not, the newest first.
func (ss Segments) Sample(ctx context.Context, s domain.Segment, most int) ([]domain.Client, error) {
	clients := []domain.Client{}
	chosen, err := ready(ctx, ss.db.pg.Bun, s)
	if err != nil {
		return nil, err
	}
	query := ss.db.pg.Bun.NewSelect().Model(&clients).Where("client.owner_id = ?", s.OwnerID)
	found, ok := ss.db.index.Find(ctx, s.OwnerID, clientindex.Query{Selection: &chosen, Start: func(int) int { return 0 }, Rows: most})
	if ok {
		query.Where("client.id IN (?)", bun.List(found.IDs))
	}
	err = narrowTo(query, s.OwnerID, chosen).
		OrderExpr("client.created_at DESC, client.id DESC").Limit(int64(most)).Scan(ctx, &clients)
	return clients, postgres.TranslateError(err)
}

// narrowTo narrows the owner's clients, as `client`, to a selection. One that looks at tags alone narrows their
// counts as well.
func narrowTo(query *bun.SelectQuery, owner int64, s domain.Selection) *bun.SelectQuery {
	if s.Results() {
		query.Join("LEFT JOIN client_results AS result ON result.client_id = client.id")
	}
	if len(s.Tests) == 0 {
		return query
	}
	conditions := make([]string, len(s.Tests))
	var values []any
	for i, test := range s.Tests {
		condition, args := conditionOf(test, owner)
		if conditions[i] = condition; test.Not { // no coalesce beside it: an index may know
			conditions[i] = "NOT coalesce(" + condition + ", false)"
		}
		values = append(values, args...)
	}
	between := " AND "
	if s.Any {
		between = " OR "
	}
	return query.Where("("+strings.Join(conditions, between)+")", values...)
}

// conditionOf is a test in SQL, without its opposite; what it says of a client without a value may be NULL.
func conditionOf(t domain.Test, owner int64) (condition string, args []any) {
	switch t.Where {
	case domain.OfTag:
		return tagCondition(t, owner)
	case domain.OfEmail:
		return textCondition(t, "lower(client.email)")
	case domain.OfAdded:
		return momentCondition(t, "client.created_at")
	case domain.OfLastAccepted:
		return momentCondition(t, "result.last_accepted_at")
	case domain.OfLastOpened:
		return momentCondition(t, "result.last_opened_at")
	case domain.OfLastClicked:
		return momentCondition(t, "result.last_clicked_at")
	case domain.OfAccepted:
		if t.Relation == domain.RelMissing {
			return "coalesce(result.accepted, 0) = 0", nil
		}
		return "coalesce(result.accepted, 0)" + sign(t) + "?", []any{t.Number}
	}
	return fieldCondition(t)
}

func sign(t domain.Test) string {
	switch t.Relation {
	case domain.RelAbove:
		return " > "
	case domain.RelBelow:
		return " < "
	}
	return " = "
}

// tagCondition looks the spellings of a tag up once, among the sets of tags that the owner's clients have.
func tagCondition(t domain.Test, owner int64) (string, []any) {
	if t.Relation == domain.RelMissing {
		return "client.tags = '{}'", nil
	}
	named := "lower(tag) = ?"
	if t.Relation == domain.RelContains {
		named = "strpos(lower(tag), ?) > 0"
	}
	return "client.tags && ARRAY(SELECT DISTINCT tag FROM tag_counts AS known, unnest(known.tags) AS tag WHERE known.owner_id = ? AND " + named + ")",
		[]any{owner, t.Text}
}

func textCondition(t domain.Test, column string) (string, []any) {
	switch t.Relation {
	case domain.RelMissing:
		return column + " = ''", nil
	case domain.RelContains:
		return "strpos(" + column + ", ?) > 0", []any{t.Text}
	}
	return column + " = ?", []any{t.Text}
}

func momentCondition(t domain.Test, column string) (string, []any) {
	if t.Relation == domain.RelMissing {
		return column + " IS NULL", nil
	}
	return between(t, column, func(at time.Time) any { return at })
}

// between has the bounds of a test that there are.
func between(t domain.Test, column string, value func(time.Time) any) (condition string, args []any) {
	condition = column + " IS NOT NULL"
	if !t.From.IsZero() {
		condition, args = column+" >= ?", append(args, value(t.From))
	}
	if !t.Until.IsZero() {
		condition, args = condition+" AND "+column+" < ?", append(args, value(t.Until))
	}
	return "(" + condition + ")", args
}

func fieldCondition(t domain.Test) (string, []any) {
	key := strconv.FormatInt(t.Field, 10) // of our own making
	value := "client.fields -> '" + key + "'"
	text := "client.fields ->> '" + key + "'"
	switch {
	case t.Relation == domain.RelMissing:
		return "NOT jsonb_exists(client.fields, '" + key + "')", nil
	case t.Type == domain.FieldNumber:
		return "CASE WHEN jsonb_typeof(" + value + ") = 'number' THEN (" + value + ")::float8" + sign(t) + "? END", []any{t.Number}
	case t.Type == domain.FieldYesNo:
		return value + " = ?::jsonb", []any{strconv.FormatBool(t.Yes)}
	case t.Type == domain.FieldDate:
		return between(t, text, func(at time.Time) any { return at.Format(time.DateOnly) })
	}
	return textCondition(t, "lower("+text+")")
}
