package handlers

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/db/dbtest"
)

// What is done to many is counted before, done, and taken back.
func TestBulk(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	var ids []string
	for i, tags := range []string{"VIP, news", "news", "", "other"} {
		b.post("/clients", "email", fmt.Sprintf("c%d@example.com", i), "full_name", "C", "tags", tags).leads(t, "/clients")
		ids = append(ids, fmt.Sprint(dbtest.Number(t, w.db, "SELECT max(id) FROM clients")))
	}
	theirs := fmt.Sprint(w.client(t, bob.ID, "c0@example.com").ID)
	all := `SELECT string_agg(email || array_to_string(tags, '+') || suppressed_reason, ' ' ORDER BY id) FROM clients WHERE owner_id = $1`
	stored := func(want string) {
		t.Helper()
		var got string
		if err := w.db.Postgres().Pool.QueryRow(t.Context(), all, user.ID).Scan(&got); err != nil || strings.ReplaceAll(got, "@example.com", "") != want {
			t.Errorf("%q, %v, want %q", got, err, want)
		}
	}
	before := "c0VIP+news c1news c2 c3other"
	stored(before)
	b.get("/clients").is(t, 200, `action="/clients/bulk"`, `form="bulk" name="ids" value="`+ids[0]+`"`, `name="all" value="yes"`)
	for _, one := range []struct {
		form []string
		asks string
		did  string
		then string
	}{
		{[]string{"do", "tag", "tags", "vip", "ids", ids[0], "ids", ids[1], "ids", theirs}, "Add the tags vip to 2 clients?", "Tags added to 1 client.", "c0VIP+news c1news+vip c2 c3other"},
		{[]string{"do", "tag", "tag", "x", "ids", ids[2]}, "Add the tags x to 1 client?", "Tags added to 1 client", "c0VIP+news c1news c2x c3other"},
		{[]string{"do", "untag", "tags", "NEWS, vip", "all", "yes"}, "from 4 clients?", "Tags removed from 2 clients", "c0 c1 c2 c3other"},
		{[]string{"do", "suppress", "all", "yes", "tag", "news"}, "Stop emails to 2 clients?", "2 clients get no more emails.", "c0VIP+newsstopped c1newsstopped c2 c3other"},
		{[]string{"do", "delete", "all", "yes", "q", "c1"}, "Delete 1 client?", "1 client is deleted.", "c0VIP+news c2 c3other"},
		{[]string{"do", "delete", "all", "yes"}, "Delete 4 clients?", "4 clients are deleted.", ""},
	} {
		b.post("/clients/bulk", one.form...).is(t, 200, one.asks, `name="confirm"`)
		stored(before)
		act := b.post("/clients/bulk", append(one.form, "confirm", "yes")...).is(t, 303).Header.Get("Location")
		b.get(act).is(t, 200, one.did, "Undo")
		if one.then != "" {
			stored(one.then)
		} else if n := dbtest.Number(t, w.db, "SELECT count(*) FROM clients WHERE owner_id = $1", user.ID); n != 0 {
			t.Errorf("%d clients are left", n)
		}
		b.post(act+"/undo").leads(t, act)
		stored(before)
		b.get(act).is(t, 200, "everything is as before")
		b.post(act+"/undo").is(t, 409, "already been undone")
	}
	if n := dbtest.Number(t, w.db, "SELECT (SELECT count(*) FROM bulk_clients) + (SELECT count(*) FROM deleted_clients) + (SELECT sum(clients) FROM tag_counts WHERE owner_id = $1) - 4", user.ID); n != 0 {
		t.Errorf("%d rows are left over", n)
	}
	// Into a series come those who get emails and were not in it; undoing lets out whom nothing was sent to.
	for id, owner := range map[int64]int64{901: user.ID, 902: bob.ID} {
		dbtest.Exec(t, w.db, insertSeries(`'running', now(), NULL`), id, owner)
	}
	inside := func() int64 {
		return dbtest.Number(t, w.db, "SELECT count(*) FROM series_clients WHERE series_id = 901")
	}
	b.get("/clients").is(t, 200, `value="series:901"`, "Add to the series")
	into := []string{"do", "series:901", "all", "yes"}
	b.post("/clients/bulk", into...).is(t, 200, "Add 5 clients to the series?")
	act := b.post("/clients/bulk", append(into, "confirm", "yes")...).is(t, 303).Header.Get("Location")
	b.get(act).is(t, 200, "4 clients came into the series.")
	if n := inside(); n != 5 {
		t.Errorf("%d clients in the series", n)
	}
	b.post(act+"/undo").leads(t, act)
	if n := inside(); n != 1 {
		t.Errorf("%d clients are left in the series", n)
	}
	b.post("/clients/bulk", "do", "series:902", "all", "yes").is(t, 404)
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/clients/bulk", "do", "nonsense", "ids", ids[0]).is(t, 422, "Choose what to do.")
		b.post("/clients/bulk", "do", "tag", "ids", ids[0]).is(t, 422, "Enter a tag.")
		b.post("/clients/bulk", "do", "delete").is(t, 422, "Select at least one client.")
		b.post("/clients/bulk", "do", "delete", "ids", theirs).is(t, 422, "Select at least one client.")
		b.post("/clients/bulk", "do", "delete", "all", "yes", "segment", "999").is(t, 404)
	}
	if n := dbtest.Number(t, w.db, "SELECT count(*) FROM clients WHERE owner_id = $1", bob.ID); n != 2 {
		t.Error("somebody else's client is gone")
	}
}

// Many are left to the queue, in parts; whoever unsubscribes after the deletion stays so when it is undone, and whoever is erased does not come back.
func TestBulkOfMany(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	dbtest.Exec(t, w.db, `INSERT INTO clients (owner_id, email, tags) SELECT $1, 'c' || i || '@example.com', '{a}' FROM generate_series(1, 10500) AS i`, user.ID)
	act := b.post("/clients/bulk", "do", "delete", "all", "yes", "tag", "A", "confirm", "yes").is(t, 303).Header.Get("Location")
	b.get(act).is(t, 200, "Working on it", `hx-trigger="every 1s"`, `max="10500"`)
	b.post(act+"/undo").is(t, 409, "finished yet")
	id := dbtest.Number(t, w.db, "SELECT id FROM bulk_acts")
	if err := w.db.Bulk().Work(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	b.get(act).is(t, 200, "10,500 clients are deleted.")
	dbtest.Exec(t, w.db, `INSERT INTO optouts SELECT owner_id, email_hash, now() FROM deleted_clients ORDER BY id LIMIT 1`)
	link := linkTo("preferences", dbtest.Number(t, w.db, `SELECT max(id) FROM deleted_clients`), 0)
	w.visitor(t).post(link, "do", "erase", "sure", "yes").is(t, 303) // and who is erased does not come back
	b.post(act+"/undo").is(t, 303)
	if err := w.db.Bulk().Work(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if n := dbtest.Number(t, w.db, "SELECT count(*) * 10 + count(suppressed_at) FROM clients WHERE owner_id = $1", user.ID); n != 104_991 {
		t.Errorf("%d", n)
	}
	dbtest.Exec(t, w.db, "UPDATE bulk_acts SET created_at = now() - interval '25 hours'")
	if err := w.db.Bulk().Sweep(t.Context()); err != nil || dbtest.Number(t, w.db, "SELECT count(*) FROM bulk_acts") != 0 {
		t.Error("it is kept", err)
	}
}
