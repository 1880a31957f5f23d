package db_test

import (
	"bytes"
	"crypto/sha256"
	"os"
	"path/filepath"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestSessions(t *testing.T) {
	d, now := dbtest.New(t), time.Now().Truncate(time.Microsecond)
	id := dbtest.NewOwner(t, d, "anna")
	start := func(name string, at time.Time) []byte {
		hash := sha256.Sum256([]byte(name))
		err := d.Sessions().Start(t.Context(), domain.Session{Hash: hash[:], UserID: id, CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(domain.SessionLife)})
		if err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	first, second := start("first", now), start("second", now)
	seen := func(at time.Time) time.Time {
		t.Helper()
		if user, err := d.Sessions().User(t.Context(), first, at); err != nil || user.ID != id || user.Email != "anna@owners.example" {
			t.Fatalf("%+v, %v", user, err)
		}
		list, err := d.Sessions().List(t.Context(), id, at)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			if bytes.Equal(one.Hash, first) {
				return one.SeenAt
			}
		}
		return time.Time{}
	}
	if at := seen(now.Add(59 * time.Second)); !at.Equal(now) {
		t.Errorf("a use within a minute was noted: %s", at)
	}
	late := now.Add(20 * 24 * time.Hour)
	if at := seen(late); !at.Equal(late) {
		t.Errorf("a use was not noted: %s", at)
	}
	dbtest.Refused(t, lastErr(d.Sessions().User(t.Context(), second, now.Add(domain.SessionLife))), domain.NotFound, "errors.not_found")
	seen(now.Add(domain.SessionLife)) // was used meanwhile, so it lives on

	if err := d.Sessions().EndOthers(t.Context(), id, first); err != nil {
		t.Fatal(err)
	}
	dbtest.Refused(t, lastErr(d.Sessions().User(t.Context(), second, now)), domain.NotFound, "errors.not_found")
	if err := d.Sessions().End(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	dbtest.Refused(t, lastErr(d.Sessions().User(t.Context(), first, now)), domain.NotFound, "errors.not_found")
}

func TestTokens(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	id := dbtest.NewOwner(t, d, "anna")
	create := func(name string) []byte {
		hash := sha256.Sum256([]byte(name))
		if err := d.Tokens().Create(t.Context(), hash[:], id, domain.TokenReset, now); err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	use := func(hash []byte, purpose domain.TokenPurpose, at time.Time) error {
		_, err := d.Tokens().Use(t.Context(), hash, purpose, at, func(u *domain.User) error {
			u.Name = "Anna B"
			return nil
		})
		return err
	}
	first, second := create("first"), create("second")
	dbtest.Refused(t, use(first, domain.TokenVerify, now), domain.NotFound, "errors.not_found")
	dbtest.Refused(t, use(first, domain.TokenReset, now.Add(time.Hour)), domain.NotFound, "errors.not_found")
	if _, err := d.Registrations().Confirm(t.Context(), first, "hash", now); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a link to a new password confirms: %v", err)
	}
	no := domain.Errorf(domain.Blocked, "", "account.login_blocked")
	if _, err := d.Tokens().Use(t.Context(), first, domain.TokenReset, now, func(*domain.User) error { return no }); err != no {
		t.Errorf("%v, want what change says", err)
	}
	if err := use(first, domain.TokenReset, now); err != nil {
		t.Fatalf("a refusal used it up: %v", err)
	}
	dbtest.Refused(t, use(first, domain.TokenReset, now), domain.NotFound, "errors.not_found")
	dbtest.Refused(t, use(second, domain.TokenReset, now), domain.NotFound, "errors.not_found")
	if user, err := d.Users().Get(t.Context(), id); err != nil || user.Name != "Anna B" {
		t.Errorf("%+v, %v", user, err)
	}
}

// Each registration of an address stands on its own until one is confirmed; those whose links ran
// out are deleted by the next.
func TestRegistrations(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	link := func(name, email string, at time.Time) []byte {
		t.Helper()
		err := d.Registrations().Create(t.Context(), domain.Registration{Email: email, Name: name, Language: "en", Timezone: "UTC", CreatedAt: at}, at)
		if err != nil {
			t.Fatal(err)
		}
		var id int64
		if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT max(id) FROM registrations`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256([]byte(name))
		if err := d.Tokens().Create(t.Context(), hash[:], id, domain.TokenVerify, at); err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	first, second := link("first", "anna@x.example", now), link("second", "ANNA@x.example", now)
	if r, err := d.Registrations().ByToken(t.Context(), first, now); err != nil || r.Name != "first" || r.Email != "anna@x.example" {
		t.Errorf("%+v, %v", r, err)
	}
	dbtest.Refused(t, lastErr(d.Registrations().Confirm(t.Context(), first, "hash", now.Add(48*time.Hour))), domain.NotFound, "errors.not_found")
	if user, err := d.Registrations().Confirm(t.Context(), second, "hash", now); err != nil || user.Name != "second" || user.Email != "ANNA@x.example" || user.ID == 0 {
		t.Errorf("%+v, %v", user, err)
	}
	dbtest.Refused(t, lastErr(d.Registrations().Confirm(t.Context(), first, "other", now)), domain.NotFound, "errors.not_found")
	dbtest.Refused(t, lastErr(d.Registrations().Confirm(t.Context(), link("third", "anna@X.example", now), "other", now)), domain.NotFound, "errors.not_found")
	err := d.Users().Create(t.Context(), &domain.User{Email: "Anna@X.example", Name: "x", Role: domain.RoleUser, Language: "en", Timezone: "UTC"})
	dbtest.Refused(t, err, domain.Invalid, "account.email_taken")

	link("fourth", "bob@x.example", now.Add(49*time.Hour))
	if err := d.Registrations().Prune(t.Context(), now.Add(49*time.Hour)); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := d.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM registrations`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d registrations are left, %v", left, err)
	}
}

// Whoever waits for the confirmation when the schema moves keeps waiting, without the password, which a
// stranger may have chosen; the link they got works.
func TestRegistrationsMigration(t *testing.T) {
	d := dbtest.New(t)
	move := func(direction string) {
		t.Helper()
		names, err := filepath.Glob("migrations/*_registrations.tx." + direction + ".sql")
		if err != nil || len(names) != 1 {
			t.Fatal(names, err)
		}
		statements, err := os.ReadFile(names[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.Postgres().Pool.Exec(t.Context(), string(statements)); err != nil {
			t.Fatal(err)
		}
	}
	move("down")
	hash := sha256.Sum256([]byte("link"))
	for _, statement := range []string{
		`INSERT INTO users (id, email, name, password_hash, role, verified_at) VALUES (7, 'anna@x.example', 'Anna', 'her own', 'user', now())`,
		`INSERT INTO users (id, email, name, password_hash, role) VALUES (8, 'bob@x.example', 'Bob', 'of a stranger', 'manager')`,
		`INSERT INTO tokens (hash, user_id, purpose, expires_at) VALUES ('x', 8, 'reset', now() + interval '1 day'), ('y', 7, 'reset', now() + interval '1 day')`,
	} {
		if _, err := d.Postgres().Pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	_, err := d.Postgres().Pool.Exec(t.Context(), `INSERT INTO tokens (hash, user_id, purpose, expires_at) VALUES ($1, 8, 'verify', now() + interval '1 day')`, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	move("up")
	dbtest.Refused(t, lastErr(d.Users().ByEmail(t.Context(), "bob@x.example")), domain.NotFound, "errors.not_found")
	if user, err := d.Tokens().User(t.Context(), []byte("y"), domain.TokenReset, time.Now()); err != nil || user.PasswordHash != "her own" {
		t.Errorf("%+v, %v", user, err)
	}
	if user, err := d.Registrations().Confirm(t.Context(), hash[:], "his own", time.Now()); err != nil || user.Name != "Bob" || user.Role != domain.RoleUser || user.PasswordHash != "his own" {
		t.Errorf("%+v, %v", user, err)
	}
	if err := d.Registrations().Create(t.Context(), domain.Registration{Email: "c@x.example", Name: "C", Language: "en", Timezone: "UTC"}, time.Now()); err != nil {
		t.Error(err)
	}
}

func lastErr(_ domain.User, err error) error { return err }
