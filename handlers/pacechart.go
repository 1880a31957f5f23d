package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
)

// paceChart is the block runs/pace: what became of a run's letters over time, a column for
// each part of it.
type paceChart struct {
	Columns  []paceColumn
	Width    int64 // of the drawing, which is chartHeight high
	From, To Moment
	Highest  int64  // attempts of the highest column
	Step     string // how long a column is, in words
	Every    int64  // 1: exact
}

// paceColumn is one part, with what stands in it from the bottom up.
type paceColumn struct {
	At Moment // Text is the clock
	domain.PacePart
	Parts []chartPart
}

// newPaceChart draws nothing for less than two parts: there is nothing to compare.
func newPaceChart(pace domain.Pace) (chart paceChart) {
	if len(pace.Parts) < 2 {
		return chart
	}
	for _, part := range pace.Parts {
		chart.Highest = max(chart.Highest, part.Accepted+part.Deferred+part.Failed)
	}
	for i, part := range pace.Parts {
		column := paceColumn{PacePart: part}
		column.Parts = pile(int64(i*chartStep), chart.Highest, []chartShare{
			{"accepted", part.Accepted}, {"deferred", part.Deferred}, {"failed", part.Failed}})
		chart.Columns = append(chart.Columns, column)
	}
	chart.Width, chart.Every = int64(len(chart.Columns)*chartStep), pace.Every
	return chart
}

// paceOf is the chart of a run, with its times in words.
func (s *Site) paceOf(c *fiber.Ctx, run domain.Run) (paceChart, error) {
	pace, err := s.DB.Pace(c.UserContext(), run)
	if err != nil {
		return paceChart{}, err
	}
	chart := newPaceChart(pace)
	for i := range chart.Columns {
		at := s.moment(c, pace.At(i))
		at.Text = pace.At(i).In(s.reader(c).Zone).Format(time.TimeOnly)
		chart.Columns[i].At = at
	}
	if n := len(chart.Columns); n > 0 {
		chart.From, chart.To = chart.Columns[0].At, chart.Columns[n-1].At
		chart.Step = s.span(c, pace.Step)
	}
	return chart, nil
}

// span writes a length of time in its largest whole unit.
func (s *Site) span(c *fiber.Ctx, length time.Duration) string {
	switch {
	case length >= 2*time.Hour:
		return s.tn(c, "time.hours", int(length.Round(time.Hour)/time.Hour))
	case length >= 2*time.Minute:
		return s.tn(c, "time.minutes", int(length.Round(time.Minute)/time.Minute))
	}
	return s.tn(c, "time.seconds", int(length/time.Second))
}

// mailingPace is the block mailings/pace: the chart of the current or the last run. It is asked for less
// often than the numbers, because it costs more.
type mailingPace struct {
	MailingID int64
	Going     bool
	Chart     paceChart
}

func (s *Site) mailingPace(c *fiber.Ctx, m domain.Mailing, last db.RunRow) (mailingPace, error) {
	pace := mailingPace{MailingID: m.ID, Going: last.ID != 0 && !last.Closed() || aboutToRun(c, m, last.ID)}
	var err error
	if last.ID != 0 {
		pace.Chart, err = s.paceOf(c, last.Run)
	}
	return pace, err
}

// showMailingPace is the chart alone. Status 286 ends htmx's asking.
func (s *Site) showMailingPace(c *fiber.Ctx) error {
	m, err := s.readableMailing(c)
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.redirect(c, mailingPath(m.ID))
	}
	last, err := s.lastRun(c, m)
	if err != nil {
		return err
	}
	pace, err := s.mailingPace(c, m, last)
	if err != nil {
		return err
	}
	status := fiber.StatusOK
	if !pace.Going {
		status = 286
	}
	return s.block(c, status, "mailings/pace", pace)
}
