package db_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func emailsOf(clients []domain.Client) []string {
	emails := []string{}
	for _, c := range clients {
		emails = append(emails, c.Email)
	}
	return emails
}

func TestClientsSearch(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	for _, form := range []domain.ClientForm{
		{Email: "Ivan.Petrov@x.org", FullName: "Иван Петров", Comment: "Любит ЁЛКИ", Tags: "VIP, новости"},
		{Email: "smith@y.org", FullName: "John Smith", Comment: "100% sure_thing\nsecond line", Tags: "vip"},
		{Email: "eve@z.org"},
	} {
		dbtest.NewClient(t, d, ann, form)
	}
	dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "smith@y.org", FullName: "Иван", Tags: "vip,secret"})
	tests := []struct {
		name   string
		filter db.ClientFilter
		want   []string
	}{
		{"everybody, newest first", db.ClientFilter{}, []string{"eve@z.org", "smith@y.org", "Ivan.Petrov@x.org"}},
		{"part of the address", db.ClientFilter{Query: "TROV@X"}, []string{"Ivan.Petrov@x.org"}},
		{"Cyrillic in another case", db.ClientFilter{Query: "ИВАН"}, []string{"Ivan.Petrov@x.org"}},
		{"comment, in another case", db.ClientFilter{Query: "ёлки"}, []string{"Ivan.Petrov@x.org"}},
		{"words in any order", db.ClientFilter{Query: " smith  john "}, []string{"smith@y.org"}},
		{"two letters", db.ClientFilter{Query: "hn"}, []string{"smith@y.org"}},
		{"a percent sign is a letter", db.ClientFilter{Query: "0%"}, []string{"smith@y.org"}},
		{"and only a letter", db.ClientFilter{Query: "%"}, []string{"smith@y.org"}},
		{"an underscore too", db.ClientFilter{Query: "_thing"}, []string{"smith@y.org"}},
		{"a backslash too", db.ClientFilter{Query: `\`}, []string{}},
		{"a quote", db.ClientFilter{Query: `' OR 1=1 --`}, []string{}},
		{"a question mark", db.ClientFilter{Query: `?`}, []string{}},
		{"no text at all", db.ClientFilter{Query: "\x00 \xff"}, []string{"eve@z.org", "smith@y.org", "Ivan.Petrov@x.org"}},
		{"nothing found", db.ClientFilter{Query: "zzz"}, []string{}},
		{"a tag in any case", db.ClientFilter{Tag: "Vip"}, []string{"smith@y.org", "Ivan.Petrov@x.org"}},
		{"a Cyrillic tag", db.ClientFilter{Tag: "НОВОСТИ"}, []string{"Ivan.Petrov@x.org"}},
		{"half a tag", db.ClientFilter{Tag: "vi"}, []string{}},
		{"two tags in one", db.ClientFilter{Tag: "vip,новости"}, []string{}},
		{"somebody else's tag", db.ClientFilter{Tag: "secret"}, []string{}},
		{"tag and text", db.ClientFilter{Tag: "vip", Query: "john"}, []string{"smith@y.org"}},
		{"beyond the last page", db.ClientFilter{Page: db.PageOf(1 << 60)}, []string{"eve@z.org", "smith@y.org", "Ivan.Petrov@x.org"}},
		{"before the first page", db.ClientFilter{Page: db.PageOf(-5), Query: "eve"}, []string{"eve@z.org"}},
	}
	for _, tt := range tests {
		clients, total, err := d.Clients().List(t.Context(), ann, tt.filter)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if !slices.Equal(emailsOf(clients), tt.want) || total != len(tt.want) {
			t.Errorf("%s: %q of %d, want %q", tt.name, emailsOf(clients), total, tt.want)
		}
	}
	tags, err := d.Clients().Tags(t.Context(), ann)
	if want := []db.TagCount{{"VIP", 2}, {"новости", 1}}; err != nil || len(tags) != 2 || tags[1] != want[1] || tags[0].Clients != 2 {
		t.Errorf("tags %v, %v, want %v", tags, err, want)
	}
}

func TestClientsPages(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	const all = 2*db.PageSize + 3
	clients := []domain.Client{}
	for i := range all {
		clients = append(clients, domain.Client{Email: fmt.Sprintf("c%02d@x.org", i), Tags: []string{"t"}})
	}
	if created, err := d.Clients().CreateMany(t.Context(), owner, clients); err != nil || created != all {
		t.Fatal(created, err)
	}
	for _, filter := range []db.ClientFilter{{}, {Query: "x.org"}, {Tag: "t"}} {
		seen := []string{}
		for filter.Page = db.PageOf(1); filter.Page.Number <= 3; filter.Page.Number++ {
			rows, total, err := d.Clients().List(t.Context(), owner, filter)
			if err != nil || total != all {
				t.Fatalf("%+v: total %d, %v", filter, total, err)
			}
			seen = append(seen, emailsOf(rows)...)
		}
		if len(seen) != all || seen[0] != "c52@x.org" || !slices.IsSortedFunc(seen, func(a, b string) int { return -cmpText(a, b) }) {
			t.Errorf("%+v: %d seen: %q", filter, len(seen), seen)
		}
		last, _, err := d.Clients().List(t.Context(), owner, db.ClientFilter{Query: filter.Query, Tag: filter.Tag, Page: db.PageOf(99)})
		if err != nil || !slices.Equal(emailsOf(last), []string{"c02@x.org", "c01@x.org", "c00@x.org"}) {
			t.Errorf("%+v: page 99 is %q, %v", filter, emailsOf(last), err)
		}
	}
}

func cmpText(a, b string) int {
	if a < b {
		return -1
	}
	return 1
}

func TestClientsSearchStops(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	_, err := d.Postgres().Pool.Exec(t.Context(), `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || i || '@x.org' FROM generate_series(1, $2) AS i`,
		owner, db.SearchMax+50)
	if err != nil {
		t.Fatal(err)
	}
	rows, total, err := d.Clients().List(t.Context(), owner, db.ClientFilter{Query: "x.org", Page: db.PageOf(1000)})
	if err != nil || total != db.SearchMax+1 || len(rows) != db.PageSize {
		t.Errorf("%d rows of %d, %v", len(rows), total, err)
	}
}

func TestClientOwners(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	c := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "c@x.org", FullName: "C", Tags: "t"})
	ctx := t.Context()
	for name, try := range map[string]func(owner, id int64) error{
		"Client": func(owner, id int64) error { _, err := d.Clients().Get(ctx, owner, id); return err },
		"UpdateClient": func(owner, id int64) error {
			_, err := d.Clients().Update(ctx, owner, id, func(c *domain.Client) error { c.FullName = "stolen"; return nil })
			return err
		},
		"DeleteClient": func(owner, id int64) error { return d.Clients().Delete(ctx, owner, id) },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Refused(t, try(bob, c.ID), domain.NotFound, "errors.not_found")
			dbtest.Refused(t, try(ann, c.ID+1000), domain.NotFound, "errors.not_found")
			dbtest.Refused(t, try(0, c.ID), domain.NotFound, "errors.not_found")
		})
	}
	if rows, total, err := d.Clients().List(ctx, bob, db.ClientFilter{}); err != nil || total != 0 || len(rows) != 0 {
		t.Errorf("Clients of bob: %d, %v", total, err)
	}
	if tags, err := d.Clients().Tags(ctx, bob); err != nil || len(tags) != 0 {
		t.Errorf("Tags of bob: %v, %v", tags, err)
	}
	if rows, err := d.Clients().After(ctx, bob, db.ClientFilter{}, domain.Client{}); err != nil || len(rows) != 0 {
		t.Errorf("ClientsAfter of bob: %d, %v", len(rows), err)
	}
	if got, err := d.Clients().Get(ctx, ann, c.ID); err != nil || got.FullName != "C" || got.CreatedAt.IsZero() || !slices.Equal(got.Tags, []string{"t"}) {
		t.Errorf("afterwards: %+v, %v", got, err)
	}
}

func TestClientEmailTaken(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "One@x.org"})
	two := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "two@x.org"})
	dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "one@x.org"}) // another owner's is no hindrance
	err := d.Clients().Create(t.Context(), &domain.Client{OwnerID: ann, Email: "oNE@x.org", Tags: []string{}})
	dbtest.Refused(t, err, domain.Invalid, "clients.email_taken")
	_, err = d.Clients().Update(t.Context(), ann, two.ID, func(c *domain.Client) error {
		return c.Change(domain.ClientForm{Email: "one@X.org"})
	})
	dbtest.Refused(t, err, domain.Invalid, "clients.email_taken")
	got, err := d.Clients().Update(t.Context(), ann, two.ID, func(c *domain.Client) error {
		return c.Change(domain.ClientForm{Email: "TWO@x.org", FullName: "Two", Tags: "a,b"})
	})
	if err != nil || got.Email != "TWO@x.org" || got.FullName != "Two" {
		t.Errorf("own address in another case: %+v, %v", got, err)
	}
	created, err := d.Clients().CreateMany(t.Context(), ann, []domain.Client{
		{Email: "three@x.org", Tags: []string{}}, {Email: "ONE@x.org", Tags: []string{}}, {Email: "Three@x.org", Tags: []string{}}})
	if err != nil || created != 1 {
		t.Errorf("one of three is new: %d, %v", created, err)
	}
	boom := fmt.Errorf("rule says no")
	if _, err := d.Clients().Update(t.Context(), ann, two.ID, func(c *domain.Client) error { c.FullName = "X"; return boom }); err != boom {
		t.Errorf("error of the rule: %v", err)
	}
	if got, err := d.Clients().Get(t.Context(), ann, two.ID); err != nil || got.FullName != "Two" {
		t.Errorf("after a refused change: %+v, %v", got, err)
	}
}

func TestUnsubscribe(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "c@x.org"})
	heard := dbtest.Listen(t, d, "suppressed")
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: c.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if got := heard(); got != fmt.Sprintf(`{"client_id":%d}`, c.ID) {
		t.Errorf("announced %q, want %d", got, c.ID)
	}
	first, err := d.Clients().Get(t.Context(), owner, c.ID)
	if err != nil || !first.Suppressed() || first.SuppressedReason != domain.Unsubscribed {
		t.Fatalf("%+v, %v", first, err)
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: c.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if again, err := d.Clients().Get(t.Context(), owner, c.ID); err != nil || !again.SuppressedAt.Equal(first.SuppressedAt) {
		t.Errorf("twice moves the date: %v, %v", again.SuppressedAt, err)
	}
	if s, err := d.Preferences().Get(t.Context(), c.ID); err != nil || s.Email != "c@x.org" || s.OwnerName != "ann" ||
		s.OwnerLanguage != "en" || s.SuppressedReason != domain.Unsubscribed {
		t.Errorf("%+v, %v", s, err)
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: c.ID + 1000}, ""); err != nil {
		t.Errorf("a deleted client: %v", err)
	}
	_, err = d.Preferences().Get(t.Context(), c.ID+1000)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
}

// A bounce is the address's fault, an unsubscription the person's word: it outweighs.
func TestUnsubscribeAfterBounce(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "c@x.org"})
	if _, err := d.Clients().Update(t.Context(), owner, c.ID, func(c *domain.Client) error {
		c.SuppressedAt, c.SuppressedReason = time.Now(), domain.Bounced
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: c.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if got, err := d.Clients().Get(t.Context(), owner, c.ID); err != nil || got.SuppressedReason != domain.Unsubscribed {
		t.Errorf("%q, %v", got.SuppressedReason, err)
	}
}

// Who unsubscribed stays so when the owner deletes the client and brings it in again.
func TestUnsubscribedStay(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	gone := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "gone@x.org"})
	kept := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "kept@x.org"})
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: gone.ID}, ""); err != nil {
		t.Fatal(err)
	}
	heard := dbtest.Listen(t, d, "suppressed")
	for _, id := range []int64{gone.ID, kept.ID} {
		if err := d.Clients().Delete(t.Context(), ann, id); err != nil {
			t.Fatal(err)
		}
		if got := heard(); got != fmt.Sprintf(`{"client_id":%d}`, id) {
			t.Errorf("announced %q, want %d", got, id)
		}
	}
	dbtest.Refused(t, d.Clients().Delete(t.Context(), ann, gone.ID), domain.NotFound, "errors.not_found")
	check := func(owner, id int64, suppressed bool) {
		t.Helper()
		if c, err := d.Clients().Get(t.Context(), owner, id); err != nil || c.Suppressed() != suppressed {
			t.Errorf("%s: suppressed %v, %v", c.Email, c.Suppressed(), err)
		}
	}
	check(ann, dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "kept@x.org"}).ID, false)
	check(bob, dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "gone@x.org"}).ID, false)
	if _, err := d.Clients().CreateMany(t.Context(), ann, []domain.Client{{Email: "GONE@x.org", Tags: []string{}}}); err != nil {
		t.Fatal(err)
	}
	rows, _, err := d.Clients().List(t.Context(), ann, db.ClientFilter{Query: "gone"})
	if err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	check(ann, rows[0].ID, true)
	if err := d.Clients().Delete(t.Context(), ann, rows[0].ID); err != nil {
		t.Fatal(err)
	}
	other := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "other@x.org"})
	if _, err := d.Clients().Update(t.Context(), ann, other.ID, func(c *domain.Client) error {
		return c.Change(domain.ClientForm{Email: "gone@x.org"})
	}); err != nil {
		t.Fatal(err)
	}
	check(ann, other.ID, true)
}

func TestDeletedClientKeepsHistory(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "c@x.org"})
	_, err := d.Postgres().Pool.Exec(t.Context(), `
		WITH m AS (INSERT INTO mailings (owner_id, name, audience, start_local, timezone, periodicity)
			VALUES ($1, 'm', 'all', now(), 'UTC', 'once') RETURNING id),
		r AS (INSERT INTO runs (mailing_id, owner_id, scheduled_at, status) SELECT id, $1, now(), 'done' FROM m RETURNING id)
		INSERT INTO deliveries (run_id, seq, client_id, email, outcome) SELECT id, 1, $2, 'c@x.org', 'accepted' FROM r`, owner, c.ID)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Clients().Delete(t.Context(), owner, c.ID); err != nil {
		t.Fatal(err)
	}
	var kept int
	if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM deliveries WHERE client_id = $1`, c.ID).Scan(&kept); err != nil || kept != 1 {
		t.Errorf("%d deliveries kept, %v", kept, err)
	}
}

func TestClientsAfter(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	const all = 2500
	_, err := d.Postgres().Pool.Exec(t.Context(), `INSERT INTO clients (owner_id, email, created_at)
		SELECT $1, 'c' || i || '@x.org', date_trunc('day', now()) - i % 7 * interval '1.000001 s' FROM generate_series(1, $2) AS i`, owner, all)
	if err != nil {
		t.Fatal(err)
	}
	seen, batches := map[int64]bool{}, 0
	for last := (domain.Client{}); ; {
		rows, err := d.Clients().After(t.Context(), owner, db.ClientFilter{}, last)
		if err != nil {
			t.Fatal(err)
		}
		if len(rows) == 0 {
			break
		}
		for _, c := range rows {
			seen[c.ID] = true
		}
		batches, last = batches+1, rows[len(rows)-1]
	}
	if len(seen) != all || batches != 3 {
		t.Errorf("%d of %d clients in %d batches", len(seen), all, batches)
	}
}

// Pages of the list by name follow each other from the client beside them as they do by their numbers.
func TestListByName(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	for i := range 60 {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: fmt.Sprintf("c%d@example.com", i), FullName: []string{"Ann", "bob", "", "Яна"}[i%4]})
	}
	list := func(page db.Page) []domain.Client {
		t.Helper()
		clients, total, err := d.Clients().List(t.Context(), owner, db.ClientFilter{Sort: db.SortName, Page: page})
		if err != nil || total != 60 {
			t.Fatal(total, err)
		}
		return clients
	}
	first, second, third := list(db.PageOf(1)), list(db.PageOf(2)), list(db.PageOf(3))
	if got := list(db.Page{Number: 2, After: db.Cursor{first[24].ID}}); !reflect.DeepEqual(got, second) {
		t.Error("the second page differs behind the first")
	}
	if got := list(db.Page{Number: 2, Before: db.Cursor{third[0].ID}}); !reflect.DeepEqual(got, second) {
		t.Error("the second page differs before the third")
	}
	if got := list(db.Page{Number: 2, After: db.Cursor{1 << 40}}); !reflect.DeepEqual(got, second) {
		t.Error("beside a client that is gone the page is not counted to")
	}
}
