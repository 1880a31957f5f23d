package domain

import (
	"testing"
	"time"
)

func TestStartStep(t *testing.T) {
	for want, s := range map[OnboardingStep]Onboarding{
		StepClients: {Message: Message{ID: 1}},
		StepEmail:   {Clients: true, Mailing: Mailing{ID: 1}},
		StepHome:    {Launched: true}, // even when all clients were deleted since
	} {
		if got := s.Step(); got != want {
			t.Errorf("%+v: %s, want %s", s, got, want)
		}
	}
}

func TestStartPlan(t *testing.T) {
	now := time.Date(2031, 5, 4, 21, 30, 40, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		form  OnboardingForm
		start string // wall clock
		errs  string
	}{
		{"now", OnboardingForm{"now", "", "Asia/Tokyo", "once"}, "2031-05-05T06:30", ""},
		{"now, whatever the date", OnboardingForm{"now", "2031-09-01T10:00", "UTC", "weekly"}, "2031-05-04T21:30", ""},
		{"later", OnboardingForm{"later", "2031-05-05T06:31", "Asia/Tokyo", "once"}, "2031-05-05T06:31", ""},
		{"in the past", OnboardingForm{"later", "2031-05-05T06:30", "Asia/Tokyo", "once"}, "", "start_at: onboarding.time_passed"},
		{"no time", OnboardingForm{"later", "", "UTC", "once"}, "", "start_at: mailings.start_invalid"},
		{"no zone", OnboardingForm{"now", "", "Mars", "often"}, "",
			"start_at: mailings.start_invalid; periodicity: mailings.periodicity_unknown; timezone: mailings.timezone_unknown"},
	} {
		m := Mailing{MessageID: 1, Status: Created}
		err := tt.form.Plan(&m, "First", now)
		if text(err) != tt.errs {
			t.Errorf("%s: %q, want %q", tt.name, text(err), tt.errs)
		}
		if tt.errs == "" && (m.StartLocal.Format(WallFormat) != tt.start || m.Audience != AudienceAll || m.Launch(now) != nil) {
			t.Errorf("%s: %+v", tt.name, m)
		}
	}
}
