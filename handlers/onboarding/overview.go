package onboarding

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/handlers/runs"
	"skychimp/handlers/web"
)

// overviewView is the page onboarding/overview: what runs, what comes, what has been. Its block
// start/now is asked for again while something runs.
type overviewView struct {
	Name    string
	Results web.Chart
	Growth  web.Chart
	Running []runs.Row
	Next    []nextRun
	Last    []runs.Row
	NoOwn   bool // writes from no address of their own yet
}

// nextRun is the next run of a mailing.
type nextRun struct {
	ID   int64
	Name string
	At   web.Moment
}

// startRows is how many lines of each kind the page has.
const overviewRows = 5

func (h *Onboarding) showOverview(r *web.Request) error {
	ctx, user := r.UserContext(), r.Viewer.User
	view := overviewView{Name: user.Name}
	open, err := h.DB.Runs().Ongoing(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, one := range open {
		view.Running = append(view.Running, h.Runs.Row(r, one))
	}
	if r.HTMX() { // which asks while something runs; at the end everything on the page is new
		if len(open) == 0 {
			r.Set("HX-Refresh", "true")
		}
		return r.Block(fiber.StatusOK, "onboarding/now", view)
	}
	next, err := h.DB.Mailings().Next(ctx, user.ID, overviewRows)
	if err != nil {
		return err
	}
	for _, m := range next {
		at := r.Viewer.Moment(m.NextRunAt)
		at.Text = r.Viewer.Day(m.NextRunAt.In(r.Viewer.Zone))
		view.Next = append(view.Next, nextRun{m.ID, m.Name, at})
	}
	last, err := h.DB.Runs().Latest(ctx, user.ID, runs.ChartRuns)
	if err != nil {
		return err
	}
	rows := make([]runs.Row, len(last))
	for i, one := range last {
		rows[i] = h.Runs.Row(r, one)
	}
	view.Last = rows[:min(len(rows), overviewRows)]
	view.Results = runs.Chart(r, rows)
	_, total, err := h.DB.Clients().List(ctx, user.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	own, err := h.DB.Senders().List(ctx, user.ID)
	if err != nil {
		return err
	}
	view.NoOwn = len(own) == 0
	if view.Growth, err = h.Clients.Chart(r, total); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "onboarding/overview", view)
}
