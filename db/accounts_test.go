package db_test

import (
	"bytes"
	"crypto/sha256"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestSessions(t *testing.T) {
	d, now := dbtest.New(t), time.Now().Truncate(time.Microsecond)
	id := newOwner(t, d, "anna")
	start := func(name string, at time.Time) []byte {
		hash := sha256.Sum256([]byte(name))
		err := d.StartSession(t.Context(), domain.Session{Hash: hash[:], UserID: id, CreatedAt: at, SeenAt: at, ExpiresAt: at.Add(domain.SessionLife)})
		if err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	first, second := start("first", now), start("second", now)
	seen := func(at time.Time) time.Time {
		t.Helper()
		if user, err := d.SessionUser(t.Context(), first, at); err != nil || user.ID != id || user.Email != "anna@owners.example" {
			t.Fatalf("%+v, %v", user, err)
		}
		list, err := d.Sessions(t.Context(), id, at)
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
	refused(t, lastErr(d.SessionUser(t.Context(), second, now.Add(domain.SessionLife))), domain.NotFound, "errors.not_found")
	seen(now.Add(domain.SessionLife)) // was used meanwhile, so it lives on

	if err := d.EndOtherSessions(t.Context(), id, first); err != nil {
		t.Fatal(err)
	}
	refused(t, lastErr(d.SessionUser(t.Context(), second, now)), domain.NotFound, "errors.not_found")
	if err := d.EndSession(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	refused(t, lastErr(d.SessionUser(t.Context(), first, now)), domain.NotFound, "errors.not_found")
}

func TestTokens(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	id := newOwner(t, d, "anna")
	create := func(name string) []byte {
		hash := sha256.Sum256([]byte(name))
		if err := d.CreateToken(t.Context(), hash[:], id, domain.TokenReset, now); err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	use := func(hash []byte, purpose domain.TokenPurpose, at time.Time) error {
		_, err := d.UseToken(t.Context(), hash, purpose, at, func(u *domain.User) error {
			u.Name = "Anna B"
			return nil
		})
		return err
	}
	first, second := create("first"), create("second")
	refused(t, use(first, domain.TokenVerify, now), domain.NotFound, "errors.not_found")
	refused(t, use(first, domain.TokenReset, now.Add(time.Hour)), domain.NotFound, "errors.not_found")
	if _, err := d.Confirm(t.Context(), first, "hash", now); domain.KindOf(err) != domain.NotFound {
		t.Errorf("a link to a new password confirms: %v", err)
	}
	no := domain.Refuse(domain.Blocked, "", "login.blocked")
	if _, err := d.UseToken(t.Context(), first, domain.TokenReset, now, func(*domain.User) error { return no }); err != no {
		t.Errorf("%v, want what change says", err)
	}
	if err := use(first, domain.TokenReset, now); err != nil {
		t.Fatalf("a refusal used it up: %v", err)
	}
	refused(t, use(first, domain.TokenReset, now), domain.NotFound, "errors.not_found")
	refused(t, use(second, domain.TokenReset, now), domain.NotFound, "errors.not_found")
	if user, err := d.User(t.Context(), id); err != nil || user.Name != "Anna B" {
		t.Errorf("%+v, %v", user, err)
	}
}

// Each registration of an address stands on its own until one is confirmed; those whose links ran
// out are deleted by the next.
func TestRegistrations(t *testing.T) {
	d, now := dbtest.New(t), time.Now()
	link := func(name, email string, at time.Time) []byte {
		t.Helper()
		err := d.Register(t.Context(), domain.Registration{Email: email, Name: name, Language: "en", Timezone: "UTC", CreatedAt: at}, at)
		if err != nil {
			t.Fatal(err)
		}
		var id int64
		if err := d.Pool.QueryRow(t.Context(), `SELECT max(id) FROM registrations`).Scan(&id); err != nil {
			t.Fatal(err)
		}
		hash := sha256.Sum256([]byte(name))
		if err := d.CreateToken(t.Context(), hash[:], id, domain.TokenVerify, at); err != nil {
			t.Fatal(err)
		}
		return hash[:]
	}
	first, second := link("first", "anna@x.example", now), link("second", "ANNA@x.example", now)
	if r, err := d.TokenRegistration(t.Context(), first, now); err != nil || r.Name != "first" || r.Email != "anna@x.example" {
		t.Errorf("%+v, %v", r, err)
	}
	refused(t, lastErr(d.Confirm(t.Context(), first, "hash", now.Add(48*time.Hour))), domain.NotFound, "errors.not_found")
	if user, err := d.Confirm(t.Context(), second, "hash", now); err != nil || user.Name != "second" || user.Email != "ANNA@x.example" || user.ID == 0 {
		t.Errorf("%+v, %v", user, err)
	}
	refused(t, lastErr(d.Confirm(t.Context(), first, "other", now)), domain.NotFound, "errors.not_found")
	refused(t, lastErr(d.Confirm(t.Context(), link("third", "anna@X.example", now), "other", now)), domain.NotFound, "errors.not_found")
	err := d.CreateUser(t.Context(), &domain.User{Email: "Anna@X.example", Name: "x", Role: domain.RoleUser, Language: "en", Timezone: "UTC"})
	refused(t, err, domain.Invalid, "users.email_taken")

	link("fourth", "bob@x.example", now.Add(49*time.Hour))
	var left int
	if err := d.Pool.QueryRow(t.Context(), `SELECT count(*) FROM registrations`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d registrations are left, %v", left, err)
	}
}

func lastErr(_ domain.User, err error) error { return err }
