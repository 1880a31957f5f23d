package domain

import (
	"strings"
	"time"
)

// Registration is what somebody typed into the registration form. The account is made when the mailbox
// is confirmed, by whoever opens the link of the email: its password is chosen there, so that
// nobody can choose one for somebody else's mailbox.
type Registration struct {
	ID                              int64 `bun:",pk,autoincrement"`
	Email, Name, Language, Timezone string
	CreatedAt                       time.Time `bun:",nullzero,default:now()"`
}

// Change applies name, email, language and time zone.
func (r *Registration) Change(form UserForm) error {
	var p ValidationErrors
	r.Name, r.Email = strings.TrimSpace(form.Name), NormalEmail(form.Email)
	r.Language, r.Timezone = form.Language, form.Timezone
	checkName(&p, r.Name)
	checkEmail(&p, "email", r.Email)
	return p.Err()
}

// User is the resulting account; the caller checks and hashes the password.
func (r Registration) User(passwordHash string, now time.Time) User {
	return User{Email: r.Email, Name: r.Name, PasswordHash: passwordHash, Role: RoleUser,
		Language: r.Language, Timezone: r.Timezone, VerifiedAt: now}
}
