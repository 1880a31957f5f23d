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
	Look     func(context.Context) []emailauth.Line
	Settings []Setting
}

// Setting is a variable of the environment as it is in force.
type Setting struct {
	Name, Value string
	Source      Source
}

// Source is where a setting comes from.
type Source string

// The sources.
const (
	FromEnvironment Source = "environment"
	FromDefault     Source = "default"
	Generated       Source = "generated"
	Unset           Source = "unset"
)

// checkView is the page checks/show, and its block checks/lines.
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
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "checks/lines", view)
	}
	return r.Page(fiber.StatusOK, "checks/show", view)
}

// ShowSettings shows the settings in force.
func (h *Checks) ShowSettings(r *web.Request) error {
	return r.Page(fiber.StatusOK, "checks/settings", h.Settings)
}
