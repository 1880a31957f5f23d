package db_test

import (
	"fmt"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestMessages(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	dbtest.NewMessage(t, d, bob, "Привет", "чужое")
	for i := range db.PageSize + 2 {
		dbtest.NewMessage(t, d, ann, fmt.Sprintf("Message %02d", i), "body")
	}
	hello := dbtest.NewMessage(t, d, ann, "Привет, {{name}}", "100% скидка")
	tests := []struct {
		query       string
		page        int
		rows, total int
		first       string
	}{
		{"", 1, db.PageSize, db.PageSize + 3, hello.Subject},
		{"", 2, 3, db.PageSize + 3, "Message 02"},
		{"", 99, 3, db.PageSize + 3, "Message 02"},
		{"ПРИВЕТ", 1, 1, 1, hello.Subject},
		{" скидка ", 1, 1, 1, hello.Subject},
		{"0%", 1, 1, 1, hello.Subject},
		{"чужое", 1, 0, 0, ""},
		{"_", 1, 0, 0, ""},
		{"\x00", -1, db.PageSize, db.PageSize + 3, hello.Subject},
	}
	for _, tt := range tests {
		rows, total, err := d.Messages().List(t.Context(), ann, tt.query, db.PageOf(tt.page))
		if err != nil || len(rows) != tt.rows || total != tt.total || len(rows) > 0 && rows[0].Subject != tt.first {
			t.Errorf("%q page %d: %d rows of %d, %v", tt.query, tt.page, len(rows), total, err)
		}
	}
}

func TestMessageOwners(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	m, ctx := dbtest.NewMessage(t, d, ann, "Hello", "body"), t.Context()
	for name, try := range map[string]func(owner, id int64) error{
		"MessageRow": func(owner, id int64) error { _, err := d.Messages().Row(ctx, owner, id); return err },
		"Message":    func(owner, id int64) error { _, err := d.Messages().Get(ctx, owner, id); return err },
		"UpdateMessage": func(owner, id int64) error {
			_, err := d.Messages().Update(ctx, owner, id, func(m *domain.Message) error { m.Subject = "stolen"; return nil })
			return err
		},
		"DeleteMessage": func(owner, id int64) error { return d.Messages().Delete(ctx, owner, id) },
		"TestMessage":   func(owner, id int64) error { return d.Messages().SendTest(ctx, owner, id, 0, time.Now()) },
	} {
		t.Run(name, func(t *testing.T) {
			dbtest.Refused(t, try(bob, m.ID), domain.NotFound, "errors.not_found")
			dbtest.Refused(t, try(ann, m.ID+1000), domain.NotFound, "errors.not_found")
		})
	}
	if got, err := d.Messages().Get(ctx, 0, m.ID); err != nil || got.Subject != "Hello" {
		t.Errorf("for a manager: %+v, %v", got, err)
	}
	dbtest.Refused(t, d.Messages().Delete(ctx, 0, m.ID), domain.NotFound, "errors.not_found")
}

func TestUpdateMessage(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	m := dbtest.NewMessage(t, d, owner, "Hello", "body")
	at := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	_, err := d.Messages().Update(t.Context(), owner, m.ID, func(m *domain.Message) error {
		m.Change(domain.MessageForm{Subject: "Bye", Body: "new"}, at)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := d.Messages().Get(t.Context(), owner, m.ID)
	if err != nil || got.Subject != "Bye" || got.Body != "new" || got.Revision != 2 || !got.UpdatedAt.Equal(at) || got.CreatedAt.IsZero() {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDeleteMessageInUse(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	m := dbtest.NewMessage(t, d, owner, "Hello", "body")
	mailing := domain.Mailing{OwnerID: owner, MessageID: m.ID, Name: "Spring", Audience: domain.AudienceAll, Tags: []string{},
		StartLocal: time.Now(), Timezone: "UTC", Periodicity: domain.Once}
	if err := d.Mailings().Create(t.Context(), &mailing); err != nil {
		t.Fatal(err)
	}
	err := d.Messages().Delete(t.Context(), owner, m.ID)
	dbtest.Refused(t, err, domain.Conflict, "messages.in_use")
	if name := err.(*domain.Error).Args["Name"]; name != "Spring" {
		t.Errorf("in use by %v", name)
	}
	if rows, _, err := d.Messages().List(t.Context(), owner, "", db.PageOf(1)); err != nil || rows[0].Mailings != 1 {
		t.Errorf("%+v, %v", rows, err)
	}
	if err := d.Mailings().Delete(t.Context(), owner, mailing.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	if rows, _, err := d.Messages().List(t.Context(), owner, "", db.PageOf(1)); err != nil || rows[0].Mailings != 0 {
		t.Errorf("%+v, %v", rows, err)
	}
	if err := d.Messages().Delete(t.Context(), owner, m.ID); err != nil {
		t.Fatal(err)
	}
	_, err = d.Messages().Get(t.Context(), owner, m.ID)
	dbtest.Refused(t, err, domain.NotFound, "errors.not_found")
}

func TestTestMessage(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	m := dbtest.NewMessage(t, d, ann, "Hello", "body")
	mine := dbtest.NewClient(t, d, ann, domain.ClientForm{Email: "c@x.org"})
	foreign := dbtest.NewClient(t, d, bob, domain.ClientForm{Email: "c@x.org"})
	dbtest.Refused(t, d.Messages().SendTest(t.Context(), ann, m.ID, foreign.ID, time.Now()), domain.NotFound, "errors.not_found")
	if err := d.Messages().SendTest(t.Context(), ann, m.ID, mine.ID, time.Now()); err != nil {
		t.Fatal(err)
	}
	var jobs int
	var args string
	err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*), min(args::text) FROM river_job WHERE kind = 'mail'`).Scan(&jobs, &args)
	want := fmt.Sprintf(`{"email": "test", "user_id": %d, "client_id": %d, "message_id": %d}`, ann, mine.ID, m.ID)
	if err != nil || jobs != 1 || args != want {
		t.Errorf("%d jobs, %s, want %s (%v)", jobs, args, want, err)
	}
}

func TestMessageChoices(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	first, second := dbtest.NewMessage(t, d, ann, "first", "body"), dbtest.NewMessage(t, d, ann, "second", "body")
	theirs := dbtest.NewMessage(t, d, bob, "theirs", "body")
	for chosen, want := range map[int64]string{0: "second first", first.ID: "first second", second.ID: "second first", theirs.ID: "second first"} {
		list, more, err := d.Messages().Choices(t.Context(), ann, chosen, "", 8)
		if err != nil || more || len(list) != 2 || list[0].Subject+" "+list[1].Subject != want || list[0].Body != "" {
			t.Errorf("chosen %d: %v %+v, want %s", chosen, err, list, want)
		}
	}
	if list, _, err := d.Messages().Choices(t.Context(), ann, first.ID, "SECOND", 8); err != nil || len(list) != 2 || list[0].ID != first.ID {
		t.Errorf("the search finds %+v, %v", list, err)
	}
	if list, _, err := d.Messages().Choices(t.Context(), ann, 0, "SEC%", 8); err != nil || len(list) != 0 {
		t.Errorf("a wildcard finds %+v, %v", list, err)
	}
}
