// Package checks answers whether the installation can deliver.
package checks

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain/emailauth"
	"skychimp/handlers/web"
)

// Checks answers whether the installation can deliver.
type Checks struct {
	Look func(context.Context) []emailauth.Line
}

// checkView is the page checks/show.
type checkView struct {
	Lines  []lineView
	Failed bool
}

type lineView struct {
	Level       emailauth.Level
	About, Says string
}

// Show looks now.
func (h *Checks) Show(r *web.Request) error {
	lines := h.Look(r.UserContext())
	view := checkView{Failed: emailauth.FailedLines(lines)}
	for _, one := range lines {
		view.Lines = append(view.Lines, lineView{one.Level, one.About, r.Viewer.T(one.Key, one.Args...)})
	}
	return r.Page(fiber.StatusOK, "checks/show", view)
}
