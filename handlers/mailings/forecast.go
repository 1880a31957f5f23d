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
	Runs               int64
	Emails             int64
	Rows               []forecastRow
	More               int // runs that are not shown
}

type forecastRow struct {
	MailingID  int64
	Name       string
	At         web.Moment
	Recipients int64
}

const (
	forecastDays = 90  // by default
	forecastMost = 366 // days
	forecastRows = 500
)

// Forecast shows the runs up to the day of the parameter until, with those who would get them today.
func (h *Mailings) Forecast(r *web.Request) error {
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
	mailings, err := h.DB.Mailings().Next(r.UserContext(), r.Viewer.User.ID, calendarMailings)
	if err != nil {
		return err
	}
	if err := h.forecast(r, &view, domain.Ahead(mailings, now, until.AddDate(0, 0, 1))); err != nil {
		return err
	}
	status := fiber.StatusOK
	if view.Problem != "" {
		status = fiber.StatusUnprocessableEntity
	}
	return r.Page(status, "mailings/forecast", view)
}

// forecast fills in the runs.
func (h *Mailings) forecast(r *web.Request, view *forecastView, slots []domain.Slot) error {
	recipients, err := h.DB.Mailings().RecipientCounts(r.UserContext(), slots)
	if err != nil {
		return err
	}
	view.Runs, view.More = int64(len(slots)), max(0, len(slots)-forecastRows)
	for i, slot := range slots {
		m := slot.Mailing
		view.Emails += int64(recipients[m.ID])
		if i >= forecastRows {
			continue
		}
		moment := r.Viewer.Moment(slot.At)
		moment.Text = r.Viewer.Day(slot.At.In(r.Viewer.Zone))
		view.Rows = append(view.Rows, forecastRow{m.ID, m.Name, moment, int64(recipients[m.ID])})
	}
	return nil
}
