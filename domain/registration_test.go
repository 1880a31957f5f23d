package domain

import (
	"testing"
	"time"
)

func TestRegistration(t *testing.T) {
	var r Registration
	err := r.Change(UserForm{Name: " Ann ", Email: " Ann@X.org ", Language: "ru", Timezone: "Europe/Moscow"})
	if err != nil || r.Name != "Ann" || r.Email != "Ann@x.org" {
		t.Fatalf("%+v, %v", r, err)
	}
	now := time.Now()
	want := User{Email: "Ann@x.org", Name: "Ann", PasswordHash: "hash", Role: RoleUser, Language: "ru", Timezone: "Europe/Moscow", VerifiedAt: now}
	if got := r.User("hash", now); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	err = r.Change(UserForm{Name: "A\nB", Email: "ann"})
	if want := "name: account.name_control; email: clients.email_invalid"; text(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}
