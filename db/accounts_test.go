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
	create := func(name string, purpose domain.TokenPurpose) []byte {
		hash := sha256.Sum256([]byte(name))
		if err := d.CreateToken(t.Context(), hash[:], id, purpose, now); err != nil {
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
	first, second, reset := create("first", domain.TokenVerify), create("second", domain.TokenVerify), create("reset", domain.TokenReset)
	refused(t, use(first, domain.TokenReset, now), domain.NotFound, "errors.not_found")
	refused(t, use(first, domain.TokenVerify, now.Add(48*time.Hour)), domain.NotFound, "errors.not_found")
	refused(t, use(reset, domain.TokenReset, now.Add(time.Hour)), domain.NotFound, "errors.not_found")
	no := domain.Refuse(domain.Blocked, "", "login.blocked")
	if _, err := d.UseToken(t.Context(), first, domain.TokenVerify, now, func(*domain.User) error { return no }); err != no {
		t.Errorf("%v, want what change says", err)
	}
	if err := use(first, domain.TokenVerify, now); err != nil {
		t.Fatalf("a refusal used it up: %v", err)
	}
	refused(t, use(first, domain.TokenVerify, now), domain.NotFound, "errors.not_found")
	refused(t, use(second, domain.TokenVerify, now), domain.NotFound, "errors.not_found")
	if user, err := d.TokenUser(t.Context(), reset, domain.TokenReset, now); err != nil || user.Name != "Anna B" {
		t.Errorf("%+v, %v", user, err)
	}
}

// An address that waits for its confirmation takes the newest registration; a confirmed one none.
func TestRegisterAgain(t *testing.T) {
	d := dbtest.New(t)
	register := func(email, name string) domain.User {
		t.Helper()
		err := d.Register(t.Context(), domain.User{Email: email, Name: name, PasswordHash: "hash of " + name, Role: domain.RoleUser, Language: "en", Timezone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		user, err := d.UserByEmail(t.Context(), email)
		if err != nil {
			t.Fatal(err)
		}
		return user
	}
	register("anna@x.example", "first")
	user := register("ANNA@x.example", "second")
	if user.Name != "second" || user.PasswordHash != "hash of second" {
		t.Errorf("%+v", user)
	}
	_, err := d.UpdateUser(t.Context(), user.ID, func(u *domain.User) error { u.VerifiedAt = time.Now(); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if again := register("anna@x.example", "third"); again.Name != "second" || again.PasswordHash != "hash of second" || again.ID != user.ID {
		t.Errorf("%+v", again)
	}
	err = d.CreateUser(t.Context(), &domain.User{Email: "Anna@X.example", Name: "x", Role: domain.RoleUser, Language: "en", Timezone: "UTC"})
	refused(t, err, domain.Invalid, "users.email_taken")
}

func lastErr(_ domain.User, err error) error { return err }
