package mailings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/senders"
	"skychimp/handlers/web"
)

// reviewView is the page mailings/review: what would be sent. Its one button launches, or sends now
// what is launched already.
type reviewView struct {
	mailingRow
	Explained  string // what the button will do
	Audience   domain.Audience
	Tags       []string
	Recipients int64 // after suppression
	Suppressed int64
	SenderID   int64
	Sender     senders.Choice
	Next       []web.Moment // in the mailing's zone
	Timezone   string
}

// stopView is the page mailings/stop.
type stopView struct {
	mailingRow
	Open int64 // emails of the current run
}

// Review shows what would be sent, and asks for confirmation.
func (h *Mailings) Review(r *web.Request) error {
	m, err := h.ownMailing(r)
	if err != nil {
		return err
	}
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	if !row.Launch && !row.Run {
		return m.Launch(time.Now())
	}
	recipients, suppressed, err := h.DB.Mailings().RecipientCount(r.UserContext(), m)
	if err != nil {
		return err
	}
	sender, err := h.Senders.Choice(r, m.SenderID)
	if err != nil {
		return err
	}
	view := reviewView{mailingRow: row, Audience: m.Audience, Tags: m.Tags, Recipients: int64(recipients), Suppressed: int64(suppressed),
		SenderID: m.SenderID, Sender: sender, Next: Upcoming(r, m), Timezone: m.Timezone}
	if row.Launch {
		view.Explained = h.launchWords(r, m, recipients)
	} else {
		view.Explained = r.Viewer.TN("mailings.run_explained", recipients)
	}
	return r.Page(fiber.StatusOK, "mailings/review", view)
}

// AskStop asks for confirmation, for browsers without JavaScript.
func (h *Mailings) AskStop(r *web.Request) error {
	m, err := h.ownMailing(r)
	if err != nil {
		return err
	}
	row, err := h.rowOf(r, m)
	if err != nil {
		return err
	}
	if !row.Stop {
		return m.Stop(time.Now())
	}
	last, err := h.lastRun(r, m)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "mailings/stop", stopView{row, h.Runs.Row(r, last).Open()})
}
