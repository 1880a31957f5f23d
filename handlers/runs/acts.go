package runs

import (
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/db/tracking"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
)

// AskCancel asks for confirmation.
func (h *Runs) AskCancel(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err == nil {
		cancelled := run.Run
		err = cancelled.Cancel()
	}
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "runs/cancel", h.Row(r, run))
}

// Cancel ends one run; the calendar goes on.
func (h *Runs) Cancel(r *web.Request) error {
	run, err := h.DB.Runs().Cancel(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	return r.Done(fmt.Sprint("/runs/", run.ID), "runs.cancelled_done")
}

// againChoice is one button that sends a run's message again.
type againChoice struct {
	Who   domain.Again
	Label string // with how many clients that are
	Many  bool   // more than a mailing to picked clients can have
}

// againChoices are those that would send to anybody.
func (h *Runs) againChoices(r *web.Request, run domain.Run) (list []againChoice, err error) {
	choices := []domain.Again{domain.AgainJoinedSince}
	if run.Accepted < run.Planned {
		choices = []domain.Again{domain.AgainNotAccepted, domain.AgainJoinedSince}
	}
	if run.TrackClicks {
		choices = append(choices, domain.AgainNotClicked)
	}
	if run.TrackOpens {
		choices = append(choices, domain.AgainNotOpened)
	}
	counts, err := h.DB.Runs().AgainCounts(r.UserContext(), run, choices...)
	for _, who := range choices {
		one := againChoice{Who: who, Label: r.Viewer.TN("runs.again_"+string(who), int(counts[who])), Many: counts[who] > db.AgainMost}
		if one.Many {
			one.Label = r.Viewer.T("runs.again_many_"+string(who), "Max", db.AgainMost)
		}
		if counts[who] > 0 {
			list = append(list, one)
		}
	}
	return list, err
}

// Again makes a mailing to those who did not get the run's message, and shows what it would send.
func (h *Runs) Again(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	who := domain.Again(r.FormValue("who"))
	if err := run.MayRepeat(who); err != nil {
		return err
	}
	name := r.Viewer.T("runs.again_name_"+string(who), "Name", run.MailingName)
	m, err := h.DB.Runs().Again(r.UserContext(), r.Viewer.User.ID, run.ID, who, name, time.Now())
	if err != nil {
		return err
	}
	return r.Done(fmt.Sprintf("/mailings/%d/review", m.ID), "runs.again_made")
}

// Email is the email as it went out, as its owner would have got it, for a frame that runs nothing.
func (h *Runs) Email(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	if run.Status == domain.RunMissed {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	owner, err := h.DB.Users().Get(r.UserContext(), run.OwnerID)
	if err != nil {
		return err
	}
	compiled, to, err := h.Messages.EmailOf(r, owner, run.Run)
	if err != nil {
		return err
	}
	page := email.Shown(compiled.HTML(to), "light")
	if run.TrackClicks {
		links, err := tracking.New(h.DB).RunLinks(r.UserContext(), run.ID)
		if err != nil {
			return err
		}
		clicks, campaign := map[string]int64{}, ""
		for _, one := range links {
			clicks[one.URL] = one.Clients
		}
		if run.UTM {
			campaign = run.UTMCampaign
		}
		page = email.WithClicks(page, campaign, clicks)
	}
	return messages.ShowEmail(r, page)
}
