package db_test

import (
	"slices"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// fieldOf makes a field of the owner.
func fieldOf(t *testing.T, d *db.DB, owner int64, label, kind, choices string) domain.Field {
	t.Helper()
	f, err := d.Fields().Create(t.Context(), owner, domain.FieldForm{Label: label, Type: kind, Choices: choices})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestSegmentsChoose(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	city, spent := fieldOf(t, d, ann, "City", "text", ""), fieldOf(t, d, ann, "Spent", "number", "")
	born, member := fieldOf(t, d, ann, "Born", "date", ""), fieldOf(t, d, ann, "Member", "yes_no", "")
	plan := fieldOf(t, d, ann, "Plan", "choice", "Gold\nSilver")
	today := time.Now().UTC().Format(time.DateOnly)
	for _, c := range []domain.Client{
		{Email: "a@Example.com", Tags: []string{"VIP", "news"}, Fields: domain.FieldValues{city.ID: "Казань", spent.ID: 100.5, born.ID: "1990-05-31", member.ID: true, plan.ID: "Gold"}},
		{Email: "b@example.com", Tags: []string{"vip"}, Fields: domain.FieldValues{city.ID: "New York", spent.ID: 7.0, born.ID: today, member.ID: false}},
		{Email: "c@example.org", Tags: []string{}, SuppressedAt: time.Now(), SuppressedReason: domain.Unsubscribed},
	} {
		c.OwnerID = ann
		if err := d.Clients().Create(t.Context(), &c); err != nil {
			t.Fatal(err)
		}
	}
	dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "x@example.com", Tags: "vip"})
	if _, err := d.Postgres().Pool.Exec(t.Context(), `UPDATE clients SET created_at = now() - interval '40 days' WHERE email = 'b@example.com'`); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Postgres().Pool.Exec(t.Context(), `INSERT INTO client_results SELECT id, 3, now() - interval '10 days' FROM clients WHERE email = 'a@Example.com'`); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		where, op, value, want string // want: who, by their first letters
	}{
		{"tag", "is", "Vip", "ab"}, {"tag", "is_not", "vip", "c"}, {"tag", "is", "vi", ""}, {"tag", "contains", "EW", "a"}, {"tag", "empty", "", "c"}, {"tag", "not_empty", "", "ab"},
		{"email", "is", "A@example.COM", "a"}, {"email", "is_not", "a@example.com", "bc"}, {"email", "contains", ".ORG", "c"}, {"email", "contains", "%", ""}, {"email", "empty", "", ""},
		{"city", "is", "КАЗАНЬ", "a"}, {"city", "is_not", "казань", "bc"}, {"city", "contains", "york", "b"}, {"city", "contains", "' OR 1=1 --", ""}, {"city", "contains", "?", ""}, {"city", "empty", "", "c"}, {"city", "not_empty", "", "ab"},
		{"spent", "is", "100,5", "a"}, {"spent", "is_not", "7", "ac"}, {"spent", "gt", "7", "a"}, {"spent", "lt", "100.5", "b"}, {"spent", "empty", "", "c"},
		{"born", "is", "31.5.1990", "a"}, {"born", "gt", "1990-05-31", "b"}, {"born", "lt", "1990-06-01", "a"}, {"born", "lt", "1990-05-31", ""}, {"born", "within_days", "1", "b"}, {"born", "not_within_days", "1", "ac"}, {"born", "not_empty", "", "ab"},
		{"member", "is", "yes", "a"}, {"member", "is", "no", "b"}, {"member", "is_not", "yes", "bc"}, {"member", "empty", "", "c"},
		{"plan", "is", "gold", "a"}, {"plan", "is_not", "Gold", "bc"}, {"plan", "empty", "", "bc"},
		{"added_at", "within_days", "30", "ac"}, {"added_at", "not_within_days", "30", "b"}, {"added_at", "is", today, "ac"}, {"added_at", "is_not", today, "b"}, {"added_at", "gt", "2020-01-01", "abc"}, {"added_at", "lt", today, "b"}, {"added_at", "empty", "", ""},
		{"last_accepted_at", "within_days", "30", "a"}, {"last_accepted_at", "within_days", "3", ""}, {"last_accepted_at", "not_within_days", "3", "abc"}, {"last_accepted_at", "not_within_days", "30", "bc"}, {"last_accepted_at", "empty", "", "bc"}, {"last_accepted_at", "not_empty", "", "a"}, {"last_accepted_at", "gt", "2020-01-01", "a"},
		{"emails_accepted", "is", "0", "bc"}, {"emails_accepted", "gt", "2", "a"}, {"emails_accepted", "lt", "3", "bc"}, {"emails_accepted", "is_not", "3", "bc"}, {"emails_accepted", "empty", "", "bc"}, {"emails_accepted", "not_empty", "", "a"},
	} {
		one := domain.Condition{Where: tt.where, Op: domain.Op(tt.op), Value: tt.value}
		wantChosen(t, d, ann, "all", tt.want, one)
		// Beside a condition that nobody and one that everybody meets.
		nobody, everybody := domain.Condition{Where: "email", Op: domain.OpEmpty}, domain.Condition{Where: "email", Op: domain.OpNotEmpty}
		wantChosen(t, d, ann, "any", tt.want, nobody, one)
		wantChosen(t, d, ann, "all", tt.want, one, everybody)
	}
	wantChosen(t, d, ann, "any", "abc", domain.Condition{Where: "tag", Op: domain.OpIs, Value: "vip"}, domain.Condition{Where: "tag", Op: domain.OpEmpty})
	wantChosen(t, d, ann, "all", "a", domain.Condition{Where: "tag", Op: domain.OpIs, Value: "vip"}, domain.Condition{Where: "city", Op: domain.OpIs, Value: "казань"})
	wantChosen(t, d, ann, "all", "abc")
}

// wantChosen counts and lists by the conditions.
func wantChosen(t *testing.T, d *db.DB, owner int64, match, want string, conditions ...domain.Condition) {
	t.Helper()
	fields, err := d.Fields().List(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	s := domain.Segment{OwnerID: owner}
	if err := s.Choose(domain.SegmentForm{Match: match, Conditions: conditions}, fields); err != nil {
		t.Fatal(conditions, err)
	}
	clients, err := d.Segments().Sample(t.Context(), s, 10)
	if err != nil {
		t.Fatal(conditions, err)
	}
	got, suppressed := []byte{}, int64(0)
	for _, one := range clients {
		got = append(got, one.Email[0])
		if one.Suppressed() {
			suppressed++
		}
	}
	slices.Sort(got)
	n, err := d.Segments().Count(t.Context(), s)
	if err != nil || string(got) != want || n.Clients != int64(len(want)) || n.Suppressed != suppressed || n.Pending {
		t.Errorf("%s %v: %q, counted %+v, %v, want %q", match, conditions, got, n, err, want)
	}
}

func TestSegmentsAreKept(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	city := fieldOf(t, d, ann, "City", "text", "")
	form := domain.SegmentForm{Name: "Kazan", Match: "all", Conditions: []domain.Condition{{Where: "city", Op: domain.OpIs, Value: "Kazan"}}}
	s, err := d.Segments().Create(t.Context(), ann, form, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	form.Name = "KAZAN"
	if _, err := d.Segments().Create(t.Context(), ann, form, time.Now()); domain.KindOf(err) != domain.Invalid {
		t.Errorf("a second one of the name: %v", err)
	}
	if _, err := d.Segments().Get(t.Context(), bob, s.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("somebody else's: %v", err)
	}
	if err := d.Segments().Delete(t.Context(), bob, s.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("somebody else deletes it: %v", err)
	}
	if err := d.Fields().Delete(t.Context(), ann, city.ID); domain.KindOf(err) != domain.Conflict {
		t.Errorf("a field in use: %v", err)
	}
	if s, err = d.Segments().Get(t.Context(), ann, s.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Segments().Count(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if rows, err := d.Segments().List(t.Context(), ann); err != nil || len(rows) != 1 || rows[0].Clients == nil || *rows[0].Clients != 0 || rows[0].Mailings != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	if err := d.Segments().Delete(t.Context(), ann, s.ID); err != nil {
		t.Error(err)
	}
	if err := d.Fields().Delete(t.Context(), ann, city.ID); err != nil {
		t.Error(err)
	}
}
