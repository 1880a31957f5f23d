package web

import (
	"strconv"
	"time"
)

// Wall writes a wall clock in the viewer's language, "" for none.
func (r *Request) Wall(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return r.T("time.moment", "Day", at.Day(), "Month", r.T("time.month_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// Day writes a wall clock with its weekday, and with the year when that is not this one.
func (r *Request) Day(at time.Time) string {
	key := "time.day"
	if at.Year() != time.Now().Year() {
		key = "time.day_year"
	}
	return r.T(key, "Weekday", r.weekday(at), "Day", at.Day(),
		"Month", r.T("time.long_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// Date writes a day without its weekday.
func (r *Request) Date(at time.Time) string {
	return r.T("time.date", "Day", at.Day(), "Month", r.T("time.long_"+at.Format("01")))
}

// DayMonth writes a day of this year or so.
func (r *Request) DayMonth(at time.Time) string {
	return r.T("time.day_month", "Weekday", r.weekday(at), "Day", at.Day(), "Month", r.T("time.long_"+at.Format("01")))
}

func (r *Request) weekday(at time.Time) string {
	return r.T("time.weekday_" + strconv.Itoa(int(at.Weekday())))
}

// Span writes a length of time in its largest whole unit.
func (r *Request) Span(length time.Duration) string {
	switch {
	case length >= 2*time.Hour:
		return r.TN("time.hours", int(length.Round(time.Hour)/time.Hour))
	case length >= 2*time.Minute:
		return r.TN("time.minutes", int(length.Round(time.Minute)/time.Minute))
	}
	return r.TN("time.seconds", int(length/time.Second))
}

// Moment is a point in time for the block ui/time.
type Moment struct {
	UTC, Text, Zone string
}

// Moment writes a point in time in the viewer's zone and language.
func (r *Request) Moment(at time.Time) Moment {
	if at.IsZero() {
		return Moment{}
	}
	to := r.Viewer
	local := at.In(to.Zone)
	text := r.Site.Say(to.Lang, "time.moment",
		"Day", local.Day(), "Month", r.Site.Say(to.Lang, "time.month_"+local.Format("01")),
		"Year", local.Format("2006"), "Clock", local.Format("15:04"))
	return Moment{UTC: at.UTC().Format(time.RFC3339), Text: text, Zone: to.Zone.String()}
}
