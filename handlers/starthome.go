package handlers

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
)

// startHomeView is the page start/home: what runs, what comes, what has been. Its block
// start/now is asked for again while something runs.
type startHomeView struct {
	Name    string
	Results runChart
	Growth  clientChart
	Running []runRow
	Next    []startNext
	Last    []runRow
}

// startNext is the next run of a mailing.
type startNext struct {
	ID   int64
	Name string
	At   Moment
}

// startRows is how many lines of each kind the page has.
const startRows = 5

func (s *Site) startHome(c *fiber.Ctx) error {
	ctx, user := c.UserContext(), s.reader(c).User
	view := startHomeView{Name: user.Name}
	open, err := s.DB.RunsUnderWay(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, one := range open {
		view.Running = append(view.Running, s.runRow(c, one))
	}
	if isHTMX(c) { // which asks while something runs; at the end everything on the page is new
		if len(open) == 0 {
			c.Set("HX-Refresh", "true")
		}
		return s.block(c, fiber.StatusOK, "start/now", view)
	}
	next, err := s.DB.NextMailings(ctx, user.ID, startRows)
	if err != nil {
		return err
	}
	for _, m := range next {
		at := s.moment(c, m.NextRunAt)
		at.Text = s.day(c, m.NextRunAt.In(s.reader(c).Zone))
		view.Next = append(view.Next, startNext{m.ID, m.Name, at})
	}
	last, err := s.DB.LatestRuns(ctx, user.ID, chartRuns)
	if err != nil {
		return err
	}
	rows := make([]runRow, len(last))
	for i, one := range last {
		rows[i] = s.runRow(c, one)
	}
	view.Last = rows[:min(len(rows), startRows)]
	view.Results = newRunChart(rows)
	view.Results.Numbers = true
	_, total, err := s.DB.Clients(ctx, user.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	if view.Growth, err = s.clientChart(c, total); err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "start/home", view)
}
