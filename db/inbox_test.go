package db_test

import (
	"fmt"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestInboxEmails(t *testing.T) {
	d := dbtest.New(t)
	save := func(to, raw string) {
		t.Helper()
		if err := d.Inbox().Save(t.Context(), "from@x.example", to, []byte(raw)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ raw, subject string }{
		{"Subject: Hello\r\n\r\nText", "Hello"},
		{"Subject: =?utf-8?q?=D0=9F=D1=80=D0=B8=D0=B2=D0=B5=D1=82?=\r\n =?utf-8?b?LCDQvNC40YAh?=\r\n\r\n", "Привет, мир!"},
		{"Subject: =?x-nothing?b?8NLJ18XU?=\r\n\r\n", "=?x-nothing?b?8NLJ18XU?="},
		{"Subject: a\x00b\xff\r\n\r\n", "ab?"},
		{"From: a@b\r\n\r\nno subject", ""},
		{"no header at all", ""},
		{"", ""},
		{"\x00\xff\xfe", ""},
	}
	for i, tt := range tests {
		save(fmt.Sprintf("c%d@x.example", i), tt.raw)
	}
	emails, total, err := d.Inbox().List(t.Context(), "", 1)
	if err != nil || total != len(tests) || len(emails) != len(tests) {
		t.Fatal(err, total)
	}
	for i, tt := range tests {
		listed := emails[len(tests)-1-i]
		if listed.Subject != tt.subject || listed.Sender != "from@x.example" || listed.ReceivedAt.IsZero() || listed.Raw != nil {
			t.Errorf("%q: %+v", tt.raw, listed)
		}
		if email, err := d.Inbox().Get(t.Context(), listed.ID); err != nil || string(email.Raw) != tt.raw || email.Recipient != fmt.Sprintf("c%d@x.example", i) {
			t.Errorf("%q: %v %+v", tt.raw, err, email)
		}
	}
	for query, want := range map[string]int{"C1@X": 1, "привет": 1, "hello": 1, "%": 0, "_": 0, "c\x000": 1, "\xff": len(tests)} {
		if _, total, err := d.Inbox().List(t.Context(), query, 1); err != nil || total != want {
			t.Errorf("%q: %d emails, want %d (%v)", query, total, want, err)
		}
	}
	if _, err := d.Inbox().Get(t.Context(), 1<<40); domain.KindOf(err) != domain.NotFound {
		t.Error(err)
	}
	if emails, _, err := d.Inbox().List(t.Context(), "", 99); err != nil || len(emails) != len(tests) {
		t.Errorf("beyond the last page: %v %d", err, len(emails))
	}
}

func TestInboxKeepsTheNewest(t *testing.T) {
	d := dbtest.New(t)
	dbtest.Exec(t, d, `INSERT INTO inbox_emails (sender, recipient, raw) SELECT 'a', 'b', '' FROM generate_series(1, 5999)`)
	if err := d.Inbox().Save(t.Context(), "a", "newest", []byte{}); err != nil {
		t.Fatal(err)
	}
	if n, first := dbtest.Number(t, d, "SELECT count(*) FROM inbox_emails"), dbtest.Number(t, d, "SELECT min(id) FROM inbox_emails"); n != 5000 || first != 1001 {
		t.Errorf("%d emails from %d", n, first)
	}
}
