// Package staff has the pages for managers and admins.
package staff

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"log/slog"

	"skychimp/db"
	"skychimp/handlers/web"
)

// Staff has the pages for managers and admins.
type Staff struct {
	DB        *db.DB
	Passwords *web.Passwords
	screen    fiber.Handler // of the queue
}

// New makes the screen of the queue.
func New(database *db.DB, passwords *web.Passwords, log *slog.Logger) (*Staff, error) {
	screen, err := newJobsScreen(database, log)
	return &Staff{database, passwords, screen}, err
}

// switchView is the block staff/switch, by which a manager stops a mailing or a user, and the page
// page staff/reason, which asks for the reason.
type switchView struct {
	web.Form
	Noun   string // mailing, user, or of a user limit or name
	ID     int64
	Name   string
	On     bool // disabled, blocked, lifted, approved
	Reason string
	Since  web.Moment
	Focus  bool // this very switch was used
	Typed  string
	Alone  bool // its answer is the switch, without the row around it
}

// Mark is the id of the row, as in "mailing-7".
func (t switchView) Mark() string { return t.Noun + "-" + strconv.FormatInt(t.ID, 10) }

// List, Stop and Lift are the paths of the list, of the action and of its opposite.
func (t switchView) List() string {
	if t.Noun == "mailing" {
		return "/manager/mailings"
	}
	return "/manager/users"
}

func (t switchView) Stop() string {
	return t.act(map[string]string{"mailing": "disable", "user": "block", "limit": "lift", "name": "approve"})
}

func (t switchView) Lift() string {
	return t.act(map[string]string{"mailing": "enable", "user": "unblock", "limit": "limit", "name": "hold"})
}

func (t switchView) act(verbs map[string]string) string {
	return t.List() + "/" + strconv.FormatInt(t.ID, 10) + "/" + verbs[t.Noun]
}

// switched answers with the row as it is now. What was refused asks for the reason again; htmx puts
// the form into the dialog that is open.
func (h *Staff) switched(r *web.Request, refusal error, t *switchView, row web.Fragment, done string) error {
	if t.Alone = r.Query("alone") == "yes"; t.Alone {
		row = web.Fragment{Block: "staff/switch", View: t}
	}
	if refusal == nil {
		t.Focus = true
		return r.Saved(t.List(), row, done, "Name", t.Name)
	}
	status, err := r.Refused(refusal, t)
	if err != nil {
		return err
	}
	t.Typed = r.FormValue("reason")
	if r.HTMX() {
		r.Set("HX-Retarget", "#reason-form-"+t.Mark())
		r.Set("HX-Reswap", "innerHTML")
		return r.Block(status, "staff/reason-form", t)
	}
	return r.Page(status, "staff/reason", t)
}
