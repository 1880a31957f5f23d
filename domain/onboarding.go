package domain

import (
	"cmp"
	"time"
)

// Onboarding is the state of an owner's onboarding: the message and the mailing
// of the first mailing, without an ID when there are none yet.
type Onboarding struct {
	Clients  bool // there is at least one
	Launched bool // some mailing was launched; it may have ended
	Message  Message
	Mailing  Mailing
}

// OnboardingStep is the next step of onboarding.
type OnboardingStep string

// The steps, in their order; at StepHome nothing is left to do.
const (
	StepClients OnboardingStep = "clients"
	StepEmail   OnboardingStep = "letter"
	StepHome    OnboardingStep = "home"
)

// Step is the next one.
func (s Onboarding) Step() OnboardingStep {
	switch {
	case s.Launched:
		return StepHome
	case !s.Clients:
		return StepClients
	}
	return StepEmail
}

// OnboardingForm is when the first mailing goes out: When is `now` or `later`, StartAt in WallFormat.
type OnboardingForm struct {
	When, StartAt, Timezone, Periodicity string
}

// StartNow is the When of a mailing that begins at once.
const StartNow = "now"

// Plan puts the form into the mailing, which goes to all clients; a name and an end that it has
// stay. Its start is not in the past, because a late launch would send at once.
func (f OnboardingForm) Plan(m *Mailing, name string, now time.Time) error {
	if f.When == StartNow {
		if zone, err := LoadZone(f.Timezone); err == nil {
			f.StartAt = now.In(zone).Format(WallFormat)
		}
	}
	form := MailingForm{Name: cmp.Or(m.Name, name), Audience: string(AudienceAll), MessageID: m.MessageID,
		StartAt: f.StartAt, Timezone: f.Timezone, Periodicity: f.Periodicity}
	if !m.EndLocal.IsZero() {
		form.EndAt = m.EndLocal.Format(WallFormat)
	}
	err := m.change(nil, form, now)
	if err == nil && f.When != StartNow && !Instant(m.StartLocal, m.Schedule().Zone).After(now) {
		return ValidationErrors{Errorf(Invalid, "start_at", "onboarding.time_passed")}
	}
	return err
}
