// Package onboarding leads an owner to the first mailing, and is the dashboard afterwards.
package onboarding

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/clients"
	"skychimp/handlers/imports"
	"skychimp/handlers/messages"
	"skychimp/handlers/runs"
	"skychimp/handlers/web"
)

// Onboarding is the start page of an owner.
type Onboarding struct {
	DB       *db.DB
	Clients  *clients.Clients
	Imports  *imports.Imports
	Messages *messages.Messages
	Runs     *runs.Runs
}

// Show is the start page of an owner: the next step to the first mailing, and
// afterwards the dashboard.
func (h *Onboarding) Show(r *web.Request) error {
	start, err := h.DB.Onboarding().Get(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	switch start.Step() {
	case domain.StepClients:
		return r.Page(fiber.StatusOK, "onboarding/clients", imports.BulkAddView{})
	case domain.StepEmail:
		if r.Browser().Typed().Reopen() {
			return h.showEmail(r, nil, readForm(r))
		}
		view := h.emailOf(r, start)
		var typed *domain.MessageDraft
		if view.Kept, typed, err = h.Messages.StartDraft(r, start.Message.ID); err != nil {
			return err
		}
		if typed != nil {
			view.Subject, view.Draft, view.Example, view.Typed = typed.Subject, messages.OpenDraft(typed.Body), "", true
		}
		return h.showEmail(r, nil, view)
	}
	return h.showOverview(r)
}

// AddClients takes the first clients.
func (h *Onboarding) AddClients(r *web.Request) error {
	return h.Imports.TakeBulk(r, "onboarding/clients", "/start")
}
