package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// reviewView is the page mailings/review: what would go out. Its one button launches, or sends now
// what is launched already.
type reviewView struct {
	mailingRow
	Explained     string // what the button will do
	Audience      domain.Audience
	Tags          []string
	Recipients    int64 // after suppression
	Suppressed    int64
	From, ReplyTo string
	Next          []Moment // in the mailing's zone
	Timezone      string
}

// stopView is the page mailings/stop.
type stopView struct {
	mailingRow
	Open int64 // emails of the current run
}

// reviewMailing asks whether the mailing shall go out.
func (s *Site) reviewMailing(c *fiber.Ctx) error {
	m, err := s.ownMailing(c)
	if err != nil {
		return err
	}
	row, err := s.rowOf(c, m)
	if err != nil {
		return err
	}
	if !row.Launch && !row.Run {
		return m.Launch(time.Now())
	}
	recipients, suppressed, err := s.DB.Recipients(c.UserContext(), m)
	if err != nil {
		return err
	}
	user := s.reader(c).User
	view := reviewView{mailingRow: row, Audience: m.Audience, Tags: m.Tags, Recipients: int64(recipients), Suppressed: int64(suppressed),
		From: user.Name, ReplyTo: user.Email, Next: s.upcoming(c, m), Timezone: m.Timezone}
	if row.Launch {
		view.Explained = s.launchWords(c, m, recipients)
	} else {
		view.Explained = s.tn(c, "mailings.run_explained", recipients)
	}
	return s.page(c, fiber.StatusOK, "mailings/review", view)
}

// stopMailingForm asks whether it is meant, for browsers without JavaScript.
func (s *Site) stopMailingForm(c *fiber.Ctx) error {
	m, err := s.ownMailing(c)
	if err != nil {
		return err
	}
	row, err := s.rowOf(c, m)
	if err != nil {
		return err
	}
	if !row.Stop {
		return m.Stop(time.Now())
	}
	last, err := s.lastRun(c, m)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "mailings/stop", stopView{row, s.runRow(c, last).Open()})
}
