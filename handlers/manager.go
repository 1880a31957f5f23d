package handlers

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/templates"
)

// toggle is the block manager/toggle, by which a manager stops a mailing or a user, and the page
// manager/why, which asks for the reason.
type toggle struct {
	Noun     string // mailing or user
	ID       int64
	Name     string
	On       bool // disabled, blocked
	Reason   string
	Since    Moment
	Focus    bool // this very switch was used
	Typed    string
	Problems templates.Problems
}

// Mark is the id of the row, as in "mailing-7".
func (t toggle) Mark() string { return t.Noun + "-" + strconv.FormatInt(t.ID, 10) }

// List, Stop and Lift are the addresses of the list, and of the act and its opposite.
func (t toggle) List() string { return "/manager/" + t.Noun + "s" }

func (t toggle) Stop() string { return t.act(map[string]string{"mailing": "disable", "user": "block"}) }

func (t toggle) Lift() string {
	return t.act(map[string]string{"mailing": "enable", "user": "unblock"})
}

func (t toggle) act(verbs map[string]string) string {
	return t.List() + "/" + strconv.FormatInt(t.ID, 10) + "/" + verbs[t.Noun]
}

// whyNot asks for the reason again; htmx puts the form into the dialog that is open.
func (s *Site) whyNot(c *fiber.Ctx, t toggle, problems templates.Problems) error {
	t.Typed, t.Problems = c.FormValue("reason"), problems
	if isHTMX(c) {
		c.Set("HX-Retarget", "#why-"+t.Mark())
		c.Set("HX-Reswap", "innerHTML")
		return s.block(c, fiber.StatusUnprocessableEntity, "manager/why-form", t)
	}
	return s.page(c, fiber.StatusUnprocessableEntity, "manager/why", t)
}
