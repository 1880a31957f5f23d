package mailings

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// forecastView is the page mailings/forecast: what goes out up to a day when nobody changes anything.
type forecastView struct {
	Until, Least, Most string // days as in the address
	Zone               string
	Problem            string
	Cap                string // the owner's weekly limit, in words
	Runs               int64
	Emails             int64
	Rows               []forecastRow
	More               int // runs that are not shown
}

type forecastRow struct {
	Path       string
	Name       string
	Subject    string // where the mailing takes several messages in turn
	At         web.Moment
	Recipients int64
	Capped     []string // what of the recipients waits or is left out by the owner's weekly limit
}

const (
	forecastDays = 90  // by default
	forecastMost = 366 // days
	forecastRows = 500
)

// Forecast shows the runs up to the day of the parameter until, with those who would get them today.
func (c *Calendar) Forecast(r *web.Request) error {
	now := time.Now().In(r.Viewer.Zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, r.Viewer.Zone)
	most := today.AddDate(0, 0, forecastMost)
	view := forecastView{Least: today.Format(time.DateOnly), Most: most.Format(time.DateOnly), Zone: r.Viewer.Zone.String(), Until: r.Query("until")}
	until := today.AddDate(0, 0, forecastDays)
	if view.Until == "" {
		view.Until = until.Format(time.DateOnly)
	} else if day, err := time.ParseInLocation(time.DateOnly, view.Until, r.Viewer.Zone); err == nil && !day.Before(today) && !day.After(most) {
		until = day
	} else {
		view.Problem = r.Viewer.T("mailings.forecast_until_invalid", "Least", view.Least, "Most", view.Most)
	}
	mailings, err := c.Mailings.DB.Mailings().Next(r.UserContext(), r.Viewer.User.ID, calendarMailings)
	if err != nil {
		return err
	}
	expected, err := c.expectedRows(r, now, until.AddDate(0, 0, 1))
	if err != nil {
		return err
	}
	if err := c.forecast(r, &view, domain.Ahead(mailings, now, until.AddDate(0, 0, 1)), expected); err != nil {
		return err
	}
	status := fiber.StatusOK
	if view.Problem != "" {
		status = fiber.StatusUnprocessableEntity
	}
	return r.Page(status, "mailings/forecast", view)
}

// forecast fills in the runs of mailings, and what series send by step and day.
func (c *Calendar) forecast(r *web.Request, view *forecastView, slots []domain.Slot, expected []expectedRow) error {
	recipients, overlaps, err := c.Mailings.DB.Mailings().Audiences().Recipients(r.UserContext(), r.Viewer.User.ID, domain.MailingsOf(slots))
	if err != nil {
		return err
	}
	subjects, err := c.Mailings.subjectsOf(r, domain.MailingsOf(slots))
	if err != nil {
		return err
	}
	most := r.Viewer.User.WeeklyCap
	waiting, leftOut := overlaps.Capped(slots, most)
	if most > 0 {
		view.Cap = r.Viewer.T("mailings.forecast_cap", "Most", r.Viewer.TN("mailings.weekly_cap", most))
	}
	view.Runs = int64(len(slots) + len(expected))
	view.More = max(0, int(view.Runs)-forecastRows)
	add := func(path, name, subject string, at time.Time, emails int64, capped ...string) {
		view.Emails += emails
		if len(view.Rows) < forecastRows {
			moment := r.Viewer.Moment(at)
			moment.Text = r.Viewer.Day(at.In(r.Viewer.Zone))
			view.Rows = append(view.Rows, forecastRow{path, name, subject, moment, emails, capped})
		}
	}
	for i, slot := range slots {
		m, capped := slot.Mailing, []string(nil)
		if waiting[i] > 0 {
			capped = append(capped, r.Viewer.TN("mailings.forecast_waits", int(waiting[i])))
		}
		if leftOut[i] > 0 {
			capped = append(capped, r.Viewer.TN("mailings.forecast_left_out", int(leftOut[i])))
		}
		for len(expected) > 0 && expected[0].at.Before(slot.At) {
			add(expected[0].Path, expected[0].Name, "", expected[0].at, expected[0].Emails)
			expected = expected[1:]
		}
		add(Path(m.ID), m.Name, subjects[m.ID][slot.No], slot.At, recipients[m.ID]-leftOut[i], capped...)
	}
	for _, one := range expected {
		add(one.Path, one.Name, "", one.at, one.Emails)
	}
	return nil
}
