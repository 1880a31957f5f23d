package domain

import (
	"strings"
	"time"
	"unicode/utf8"
)

// ConsentKind is how a client has agreed.
type ConsentKind string

// The kinds of consent. What an import says stands with the import.
const (
	ConsentForm  ConsentKind = "form"  // by a form, confirmed from the mailbox
	ConsentTyped ConsentKind = "typed" // as the owner says
)

// Consent is that a client has agreed to emails.
type Consent struct {
	ID          int64 `bun:",pk,autoincrement"`
	OwnerID     int64
	ClientID    int64
	Kind        ConsentKind
	FormID      int64     `bun:",nullzero"`
	AgreementID int64     `bun:",nullzero"`
	Topics      []string  `bun:",array"` // that were chosen, by their names of then
	Source      string    // in the owner's words
	Page        string    // where the form stood
	IP          string    `bun:"ip"`           // shortened, of the sign-up
	ConfirmedIP string    `bun:"confirmed_ip"` // shortened, of the confirmation
	SignedUpAt  time.Time `bun:",nullzero"`
	At          time.Time // confirmed, or the day that the owner names
	CreatedAt   time.Time `bun:",nullzero,default:now()"`
}

// ConsentInput is what an owner says about how clients have agreed, and on which day.
type ConsentInput struct{ Source, On string }

const maxConsentSource = 500

// Given tells whether anything was said.
func (in ConsentInput) Given() bool {
	return strings.TrimSpace(in.Source) != "" || strings.TrimSpace(in.On) != ""
}

// Read is what was said: in words, and as the beginning of that day in UTC.
func (in ConsentInput) Read(now time.Time) (source string, on time.Time, err error) {
	var p ValidationErrors
	source = strings.Join(strings.Fields(in.Source), " ")
	switch {
	case source == "":
		p.Add("consent_source", "forms.source_required")
	case utf8.RuneCountInString(source) > maxConsentSource || hasHidden(source):
		p.Add("consent_source", "forms.text_long", "Max", maxConsentSource)
	}
	day, ok := parseDate(strings.TrimSpace(in.On))
	if on, _ = time.Parse(time.DateOnly, day); !ok || on.After(now.Add(14*time.Hour)) || on.Year() < 1990 {
		p.Add("consent_on", "forms.on_form")
	}
	return source, on, p.Err()
}

// TypedConsent is what an owner says of one client.
func TypedConsent(in ConsentInput, owner int64, now time.Time) (c Consent, err error) {
	c = Consent{OwnerID: owner, Kind: ConsentTyped, Topics: []string{}, CreatedAt: now}
	c.Source, c.At, err = in.Read(now)
	return c, err
}
