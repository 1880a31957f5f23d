package home

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// healthz: the process is up.
func (h *Home) Healthz(r *web.Request) error { return r.SendString("ok") }

// readyz: the database and the queue in it can be used, and emails that could be sent are.
func (h *Home) Readyz(r *web.Request) error {
	still, err := h.DB.Ready(r.UserContext())
	switch {
	case err != nil:
		return err
	case still:
		return r.Status(fiber.StatusServiceUnavailable).SendString(domain.StandstillText)
	}
	return r.SendString("ok")
}
