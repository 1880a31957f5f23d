package dbtest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"skychimp/db"
	"skychimp/domain"
)

// Monday is when the mailings of these tests start: 6 January 2031, at 9:00 UTC, daily.
var Monday = time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)

// NewOwner keeps a user who keeps clients.
func NewOwner(t testing.TB, d *db.DB, name string) int64 {
	t.Helper()
	user := domain.User{Email: name + "@owners.example", Name: name, Role: domain.RoleUser, Language: "en", Timezone: "UTC"}
	if err := d.Users().Create(t.Context(), &user); err != nil {
		t.Fatal(err)
	}
	return user.ID
}

// NewClient keeps a client.
func NewClient(t testing.TB, d *db.DB, owner int64, form domain.ClientForm) domain.Client {
	t.Helper()
	c := domain.Client{OwnerID: owner}
	if err := c.Change(form); err != nil {
		t.Fatal(err)
	}
	if err := d.Clients().Create(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// NewClients gives an owner n clients, c001@x.example and so on.
func NewClients(t testing.TB, d *db.DB, owner int64, n int) []int64 {
	t.Helper()
	clients := make([]domain.Client, n)
	for i := range clients {
		clients[i] = domain.Client{OwnerID: owner, Email: fmt.Sprintf("c%03d@x.example", i+1), FullName: fmt.Sprintf("C %d", i+1), Tags: []string{}}
	}
	if created, err := d.Clients().CreateMany(t.Context(), owner, clients); err != nil || created != n {
		t.Fatal(created, err)
	}
	return Numbers(t, d, "SELECT id FROM clients WHERE owner_id = $1 ORDER BY id", owner)
}

// NewMessage keeps a message.
func NewMessage(t testing.TB, d *db.DB, owner int64, subject, body string) domain.Message {
	t.Helper()
	m := domain.Message{OwnerID: owner}
	m.Change(domain.MessageForm{Subject: subject, Body: body}, time.Now())
	if err := d.Messages().Create(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// NewMailing keeps a daily mailing to all, changed by change.
func NewMailing(t testing.TB, d *db.DB, owner int64, change func(*domain.MailingForm)) domain.Mailing {
	t.Helper()
	form := domain.MailingForm{Name: "News", Audience: "all", StartAt: "2031-01-06T09:00", Timezone: "UTC", Periodicity: "daily"}
	if change != nil {
		change(&form)
	}
	if form.MessageID == 0 {
		form.MessageID = NewMessage(t, d, owner, "Hello, {{name}}", "Text").ID
	}
	m := domain.Mailing{OwnerID: owner}
	if err := m.Change(form, Monday.AddDate(0, 0, -2)); err != nil {
		t.Fatal(err)
	}
	if err := d.Mailings().Create(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Launch starts a mailing the day before its first run.
func Launch(m *domain.Mailing) error { return m.Launch(Monday.AddDate(0, 0, -1)) }

// Stop finishes it the day after.
func Stop(m *domain.Mailing) error { return m.Stop(Monday.AddDate(0, 0, 1)) }

// Disable is what a manager does.
func Disable(m *domain.Mailing) error {
	return m.Disable(domain.User{Role: domain.RoleManager}, "spam", Monday)
}

// NewLaunched keeps a mailing that is running.
func NewLaunched(t testing.TB, d *db.DB, owner int64, change func(*domain.MailingForm)) domain.Mailing {
	t.Helper()
	m := NewMailing(t, d, owner, change)
	return UpdateMailing(t, d, m.ID, Launch)
}

// UpdateMailing changes a mailing.
func UpdateMailing(t testing.TB, d *db.DB, id int64, change func(*domain.Mailing) error) domain.Mailing {
	t.Helper()
	m, err := d.Mailings().Update(t.Context(), 0, id, change)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Suppress unsubscribes clients.
func Suppress(t testing.TB, d *db.DB, clients ...int64) {
	t.Helper()
	Exec(t, d, "UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE id = ANY($1)", clients)
}

// Numbers are the rows of a query with one column.
func Numbers(t testing.TB, d *db.DB, query string, args ...any) []int64 {
	t.Helper()
	rows, err := d.Postgres().Pool.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var list []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}

// Number is the only column of the only row.
func Number(t testing.TB, d *db.DB, query string, args ...any) int64 {
	t.Helper()
	return Numbers(t, d, query, args...)[0]
}

// Exec runs a statement.
func Exec(t testing.TB, d *db.DB, query string, args ...any) {
	t.Helper()
	if _, err := d.Postgres().Pool.Exec(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// Eventually waits up to a second: that is what the cache promises.
func Eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Second {
			t.Fatalf("waited a second for %s", what)
		}
	}
}

// Listen hears a channel; the function waits for the next announcement.
func Listen(t *testing.T, d *db.DB, channel string) func() string {
	t.Helper()
	conn, err := pgx.ConnectConfig(t.Context(), d.Postgres().Pool.Config().ConnConfig.Copy())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	if _, err := conn.Exec(t.Context(), "LISTEN "+channel); err != nil {
		t.Fatal(err)
	}
	return func() string {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return n.Payload
	}
}

// Same compares what is printed.
func Same(t testing.TB, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Must takes a value without its error.
func Must[T any](t testing.TB) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

// Refused makes sure that err is the refusal with the key.
func Refused(t *testing.T, err error, kind domain.Kind, key string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", key)
	}
	one, ok := err.(*domain.Error)
	if !ok || one.Kind != kind || one.Key != key {
		t.Fatalf("error %v, want %s", err, key)
	}
}
