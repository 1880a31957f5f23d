package clientindex_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/db/clientindex"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// town is an owner with clients that change, who are asked for in memory and in SQL.
type town struct {
	db     *db.DB
	index  *clientindex.Index
	owner  int64
	fields []domain.Field
	rand   *rand.Rand
}

func newTown(t *testing.T, clients int) *town {
	t.Helper()
	d := dbtest.New(t)
	w := &town{db: d, index: clientindex.Sized(d.Postgres(), 0, 64<<20), owner: dbtest.NewOwner(t, d, "ann"), rand: rand.New(rand.NewPCG(1, 2))}
	t.Cleanup(w.index.Close)
	other := dbtest.NewOwner(t, d, "bob")
	for _, f := range []domain.FieldForm{{Label: "City", Type: "text"}, {Label: "Spent", Type: "number"}, {Label: "Born", Type: "date"}, {Label: "Member", Type: "yes_no"}, {Label: "Plan", Type: "choice", Choices: "Gold\nSilver"}} {
		made, err := d.Fields().Create(t.Context(), w.owner, f)
		if err != nil {
			t.Fatal(err)
		}
		w.fields = append(w.fields, made)
	}
	w.exec(t, `INSERT INTO clients (owner_id, email, full_name, comment, tags, created_at, suppressed_at, suppressed_reason, fields)
		SELECT $1, 'C' || i || '@Example' || i % 7 || '.org', (ARRAY['Иван Петров', 'Anna Smith', 'ΣΊΣΥΦΟΣ', ''])[1 + i % 4], CASE i % 5 WHEN 0 THEN 'say "50%_" \' ELSE '' END,
			`+randomTags+`, now() - (i / 3) * interval '7 h', CASE i % 11 WHEN 0 THEN now() END, CASE i % 11 WHEN 0 THEN 'unsubscribed' ELSE '' END, `+w.values()+`
		FROM generate_series(1, $2) AS i`, w.owner, clients)
	w.exec(t, `INSERT INTO client_results (client_id, accepted, last_accepted_at, last_opened_at, last_clicked_at)
		SELECT id, id % 5, now() - (id % 90) * interval '1 day', now() - (id % 70) * interval '1 day', CASE WHEN id % 2 = 0 THEN now() - (id % 50) * interval '1 day' END
		FROM clients WHERE id % 3 = 0`)
	w.exec(t, `INSERT INTO clients (owner_id, email, tags) SELECT $1, i || '@bob.org', '{vip}' FROM generate_series(1, 50) AS i`, other)
	return w
}

const randomTags = `(ARRAY['{}', '{VIP}', '{news,vip}', '{"new year"}', '{Новости}'])[1 + (random() * 4.99)::int % 5]::text[]`

// values are random ones of the fields, in SQL.
func (w *town) values() string {
	return fmt.Sprintf(`jsonb_strip_nulls(jsonb_build_object('%d', (ARRAY['Казань', 'New York', NULL, 'york'])[1 + (random() * 3.99)::int %% 4],
		'%d', CASE WHEN random() < 0.7 THEN (random() * 20)::int / 2.0 END, '%d', CASE WHEN random() < 0.7 THEN (current_date - (random() * 60)::int)::text END,
		'%d', CASE WHEN random() < 0.7 THEN random() < 0.5 END, '%d', (ARRAY['Gold', 'Silver', NULL])[1 + (random() * 2.99)::int %% 3]))`,
		w.fields[0].ID, w.fields[1].ID, w.fields[2].ID, w.fields[3].ID, w.fields[4].ID)
}

func (w *town) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(sql, err)
	}
}

// segment is one of random conditions.
func (w *town) segment(t *testing.T) domain.Segment {
	t.Helper()
	values := map[string][]string{
		"tag": {"vip", "Новости", "new", "e", "zzz"}, "email": {"c5@example5.org", "example3", "C1", "Ё"}, "city": {"казань", "York", "o", "zzz"},
		"spent": {"0", "5", "7,5", "20"}, "late": {"York", "o"}, "points": {"5", "1"}, "member": {"yes", "no"}, "plan": {"gold", "Silver"}, "emails_accepted": {"0", "2", "4"},
		"born": {w.day(0), w.day(20), w.day(70)}, "added_at": {w.day(0), w.day(20), w.day(70)}, "last_accepted_at": {w.day(0), w.day(20), w.day(70)},
		"last_opened_at": {w.day(0), w.day(20), w.day(70)}, "last_clicked_at": {w.day(0), w.day(20), w.day(70)},
	}
	form := domain.SegmentForm{Match: []string{"all", "any"}[w.rand.IntN(2)]}
	traits := domain.Traits(w.fields)
	for range 1 + w.rand.IntN(3) {
		one := traits[w.rand.IntN(len(traits))]
		c := domain.Condition{Where: one.Where, Op: one.Ops()[w.rand.IntN(len(one.Ops()))]}
		switch choices := values[one.Where]; {
		case c.Days():
			c.Value = []string{"1", "20", "50"}[w.rand.IntN(3)]
		case c.HasValue():
			c.Value = choices[w.rand.IntN(len(choices))]
		}
		form.Conditions = append(form.Conditions, c)
	}
	s := domain.Segment{OwnerID: w.owner}
	if err := s.Choose(form, w.fields); err != nil {
		t.Fatal(form, err)
	}
	return s
}

func (w *town) day(ago int) string { return time.Now().AddDate(0, 0, -ago).Format(time.DateOnly) }

// find asks until there is an answer.
func (w *town) find(t *testing.T, q clientindex.Query) clientindex.Found {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(5 * time.Millisecond) {
		if found, ok := w.index.Find(t.Context(), w.owner, q); ok {
			return found
		}
	}
	t.Fatal("no answer")
	return clientindex.Found{}
}

// compare asks in memory and in SQL, where so few clients are always asked for.
func (w *town) compare(t *testing.T) {
	t.Helper()
	s := w.segment(t)
	chosen := s.Selection(w.fields, time.UTC, time.Now())
	found := w.find(t, clientindex.Query{Selection: &chosen})
	want, err := w.db.Segments().Count(t.Context(), s)
	if err != nil || int64(found.Clients) != want.Clients || int64(found.Suppressed) != want.Suppressed {
		t.Errorf("%s %+v: %+v, in SQL %+v, %v", s.Match, s.Conditions, found, want, err)
	}
	w.compareGroups(t, s, chosen)
	now := time.Now()
	moments := []time.Time{now.AddDate(0, 0, -90), now.AddDate(0, 0, -40), now.AddDate(0, 0, -40), now.AddDate(0, 0, -1), now}
	if got, ok := w.index.Added(t.Context(), w.owner, moments); ok {
		if want, err := w.db.Clients().Added(t.Context(), w.owner, moments); err != nil || !slices.Equal(got, want) {
			t.Errorf("added: %v, in SQL %v, %v", got, want, err)
		}
	}
	f := db.ClientFilter{Tag: []string{"", "VIP", "новости", "zzz"}[w.rand.IntN(4)], Query: []string{"", "иван", "ANNA 3", `50%_" \`, "σίσυφος", "z_"}[w.rand.IntN(6)]}
	f.Page = db.PageOf(1 + w.rand.IntN(9))
	q := clientindex.Query{Tag: f.Tag, Words: strings.Fields(f.Query), Rows: db.PageSize}
	q.Start = func(total int) int { return min(f.Page.Number-1, max(0, total-1)/db.PageSize) * db.PageSize }
	if f.Query != "" {
		q.Most = db.SearchMax + 1
	}
	switch order := w.rand.IntN(4); {
	case f.Query != "":
	case order == 0:
		f.Sort, q.ByLast = db.SortLast, true
	case order == 1:
		f.Sort, q.ByName = db.SortName, true
	}
	clients, total, err := w.db.Clients().List(t.Context(), w.owner, f)
	ids := make([]int64, 0, len(clients))
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	found = w.find(t, q)
	if err != nil || found.Clients != total || !slices.Equal(found.IDs, ids) {
		t.Errorf("%+v: %d %v, in SQL %d %v, %v", f, found.Clients, found.IDs, total, ids, err)
	}
	if len(clients) == 0 || f.Query != "" || f.Sort != db.SortAdded {
		return
	}
	last := clients[w.rand.IntN(len(clients))]
	cursor := db.Cursor{last.CreatedAt.UnixMicro(), last.ID}
	f.Page = db.Page{Number: f.Page.Number, After: cursor}
	q.Beside = &clientindex.Row{Added: cursor[0], ID: cursor[1]}
	if w.rand.IntN(2) == 0 {
		f.Page.After, f.Page.Before, q.Beside.Back = nil, cursor, true
	}
	clients, _, err = w.db.Clients().List(t.Context(), w.owner, f)
	found = w.find(t, q)
	slices.Sort(found.IDs)
	ids = ids[:0]
	for _, c := range clients {
		ids = append(ids, c.ID)
	}
	if slices.Sort(ids); err != nil || !slices.Equal(found.IDs, ids) {
		t.Errorf("beside %v of %+v: %v, in SQL %v, %v", cursor, f, found.IDs, ids, err)
	}
}

// change does something to some clients.
func (w *town) change(t *testing.T) {
	t.Helper()
	some := fmt.Sprintf(` WHERE owner_id = %d AND id %% %d = %d`, w.owner, 20+w.rand.IntN(300), w.rand.IntN(20))
	switch w.rand.IntN(8) {
	case 0:
		w.exec(t, `DELETE FROM clients`+some)
	case 1:
		w.exec(t, `INSERT INTO clients (owner_id, email, tags, fields) SELECT $1, 'new' || random() || '@example.org', `+randomTags+`, `+w.values()+` FROM generate_series(1, 7)`, w.owner)
	case 2:
		w.exec(t, `UPDATE clients SET suppressed_at = CASE WHEN suppressed_at IS NULL THEN now() END`+some)
	case 3:
		w.exec(t, `UPDATE clients SET fields = `+w.values()+some)
	case 4:
		w.exec(t, `UPDATE clients SET tags = `+randomTags+`, full_name = (ARRAY['ΣΊΣΥΦΟΣ', 'Анна ' || id, 'anna smith', 'Я'])[1 + id % 4]`+some)
	case 5:
		w.exec(t, `INSERT INTO client_results (client_id, accepted, last_accepted_at) SELECT id, 1, now() FROM clients`+some+` ON CONFLICT (client_id) DO UPDATE SET accepted = client_results.accepted + 1`)
	case 6: // deleted and back, with the number of before
		w.exec(t, `CREATE TABLE away AS SELECT id, owner_id, email, created_at FROM clients`+some)
		w.exec(t, `DELETE FROM clients`+some)
		w.compare(t)
		w.exec(t, `INSERT INTO clients (id, owner_id, email, created_at) SELECT * FROM away`)
		w.exec(t, `DROP TABLE away`)
	case 7: // in a transaction that takes longer than others
		tx, err := w.db.Postgres().Pool.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback(context.Background()) }()
		if _, err := tx.Exec(t.Context(), `UPDATE clients SET tags = '{slow}'`+some); err != nil {
			t.Fatal(err)
		}
		w.exec(t, `INSERT INTO clients (owner_id, email) VALUES ($1, 'meanwhile' || random() || '@example.org')`, w.owner)
		w.compare(t)
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// compareGroups asks who is in a segment, among some clients, and in both, by tags.
func (w *town) compareGroups(t *testing.T, s domain.Segment, chosen domain.Selection) {
	t.Helper()
	groups, ok := w.index.Groups(t.Context(), w.owner, []clientindex.Choice{{Selection: &chosen}, {IDs: dbtest.Numbers(t, w.db, `SELECT id FROM clients WHERE id % 7 = 0`)}})
	if !ok {
		return
	}
	got, want := map[string]int64{}, map[string]int64{}
	for _, one := range groups {
		got[fmt.Sprint(one.Choices, one.Tags)] += one.Clients
	}
	clients, err := w.db.Segments().Sample(t.Context(), s, 1_000_000)
	if err != nil {
		t.Fatal(err)
	}
	in := map[int64]bool{}
	for _, c := range clients {
		in[c.ID] = true
	}
	rows, err := w.db.Postgres().Pool.Query(t.Context(), `SELECT id, lower(tags::text)::text[] FROM clients WHERE owner_id = $1 AND suppressed_at IS NULL`, w.owner)
	if err != nil {
		t.Fatal(err)
	}
	var id int64
	var tags []string
	_, err = pgx.ForEachRow(rows, []any{&id, &tags}, func() error {
		switch {
		case in[id] && id%7 == 0:
			want[fmt.Sprint([]int{0, 1}, tags)]++
		case in[id]:
			want[fmt.Sprint([]int{0}, tags)]++
		case id%7 == 0:
			want[fmt.Sprint([]int{1}, tags)]++
		}
		return nil
	})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%s %+v: %v, in SQL %v, %v", s.Match, s.Conditions, got, want, err)
	}
}

// What is kept in memory answers as the database does, whatever happens to the clients.
func TestIndexAnswersAsSQL(t *testing.T) {
	t.Parallel()
	w := newTown(t, 1500)
	for range 60 {
		w.compare(t)
	}
	for range 60 {
		w.change(t)
		w.compare(t)
	}
	// A field is added, and some have a value of it; nothing is made anew for it.
	for _, f := range []domain.FieldForm{{Label: "Late", Type: "text"}, {Label: "Points", Type: "number"}} {
		made, err := w.db.Fields().Create(t.Context(), w.owner, f)
		if err != nil {
			t.Fatal(err)
		}
		w.exec(t, fmt.Sprintf(`UPDATE clients SET fields = fields || '{"%d": %s}' WHERE owner_id = $1 AND id %% 9 = 0`, made.ID, map[string]string{"text": `"york"`, "number": "5"}[f.Type]), w.owner)
		w.fields = append(w.fields, made)
		chosen := domain.Selection{Tests: []domain.Test{{Field: made.ID, Type: made.Type, Relation: domain.RelMissing, Not: true}}}
		found, ok := w.index.Find(t.Context(), w.owner, clientindex.Query{Selection: &chosen})
		if want := dbtest.Number(t, w.db, `SELECT count(*) FROM clients WHERE owner_id = $1 AND id % 9 = 0`, w.owner); !ok || int64(found.Clients) != want {
			t.Errorf("%s: %t, %d of %d", f.Label, ok, found.Clients, want)
		}
	}
	for range 60 {
		w.change(t)
		w.compare(t)
	}
}

// A table that can't know what has changed says so and is made anew; one of a few clients is not made.
func TestIndexFallsBack(t *testing.T) {
	t.Parallel()
	w := newTown(t, 300)
	everybody := clientindex.Query{Selection: &domain.Selection{}}
	if n := w.find(t, everybody).Clients; n != 300 {
		t.Fatal(n)
	}
	w.exec(t, `UPDATE clients SET tags = '{}'`)
	w.exec(t, `UPDATE client_changes SET at = now() - interval '2 h'`)
	if err := clientindex.Prune(t.Context(), w.db.Postgres()); err != nil {
		t.Fatal(err)
	}
	if _, ok := w.index.Find(t.Context(), w.owner, everybody); ok {
		t.Error("what has changed is forgotten, and nobody minds")
	}
	if n := w.find(t, clientindex.Query{Selection: &domain.Selection{}, Tag: "vip"}).Clients; n != 0 {
		t.Error(n)
	}
	for _, x := range []*clientindex.Index{clientindex.Sized(w.db.Postgres(), 301, 1<<30), clientindex.Sized(w.db.Postgres(), 0, 1<<10)} {
		for range 20 {
			if _, ok := x.Find(t.Context(), w.owner, everybody); ok {
				t.Error("kept all the same")
			}
			time.Sleep(5 * time.Millisecond)
		}
		x.Close()
	}
}
