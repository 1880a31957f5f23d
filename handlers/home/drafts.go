package home

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/handlers/web"
)

// KeepDraft keeps what is being typed into a form, which its page sends by itself; the button "discard" forgets it.
func (h *Home) KeepDraft(r *web.Request) error {
	typed := r.Browser().Typed()
	if r.FormValue("do") == "discard" && !r.HTMX() {
		page, err := typed.DropDraft(r.FormValue("page"))
		if err != nil {
			return err
		}
		return r.Redirect(page)
	}
	at, err := typed.KeepDraft()
	if err != nil || at == nil {
		return err
	}
	return r.Block(fiber.StatusOK, "ui/draft-kept", *at)
}
