package onboarding

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/handlers/clients"
	"skychimp/handlers/runs"
	"skychimp/handlers/web"
)

// startHomeView is the page onboarding/overview: what runs, what comes, what has been. Its block
// start/now is asked for again while something runs.
type startHomeView struct {
	Name    string
	Results runs.Chart
	Growth  clients.Chart
	Running []runs.Row
	Next    []startNext
	Last    []runs.Row
}

// startNext is the next run of a mailing.
type startNext struct {
	ID   int64
	Name string
	At   web.Moment
}

// startRows is how many lines of each kind the page has.
const startRows = 5

func (h *Onboarding) startHome(r *web.Request) error {
	ctx, user := r.UserContext(), r.Viewer.User
	view := startHomeView{Name: user.Name}
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
	next, err := h.DB.Mailings().Next(ctx, user.ID, startRows)
	if err != nil {
		return err
	}
	for _, m := range next {
		at := r.Moment(m.NextRunAt)
		at.Text = r.Day(m.NextRunAt.In(r.Viewer.Zone))
		view.Next = append(view.Next, startNext{m.ID, m.Name, at})
	}
	last, err := h.DB.Runs().Latest(ctx, user.ID, web.ChartBars)
	if err != nil {
		return err
	}
	rows := make([]runs.Row, len(last))
	for i, one := range last {
		rows[i] = h.Runs.Row(r, one)
	}
	view.Last = rows[:min(len(rows), startRows)]
	view.Results = runs.NewChart(rows)
	view.Results.Numbers = true
	_, total, err := h.DB.Clients().List(ctx, user.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	if view.Growth, err = h.Clients.Chart(r, total); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "onboarding/overview", view)
}
