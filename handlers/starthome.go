package handlers

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
)

// startHomeView is the page start/home: what runs, what comes, what has been. Its block
// start/now is asked for again while something runs.
type startHomeView struct {
	Name    string
	Clients string // how many, in words
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
	for _, one := range last[:min(len(last), startRows)] {
		view.Last = append(view.Last, s.runRow(c, one))
	}
	_, total, err := s.DB.Clients(ctx, user.ID, db.ClientFilter{})
	if err != nil {
		return err
	}
	view.Clients = s.tn(c, "clients.found", total)
	if isHTMX(c) {
		return s.block(c, fiber.StatusOK, "start/now", view)
	}
	return s.page(c, fiber.StatusOK, "start/home", view)
}
