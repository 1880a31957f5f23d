package web

import (
	"strconv"
	"time"
)

// Wall writes a wall clock in the viewer's language, "" for none.
func (v Viewer) Wall(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return v.T("time.moment", "Day", at.Day(), "Month", v.T("time.month_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// Day writes a wall clock with its weekday, and with the year when that is not this one.
func (v Viewer) Day(at time.Time) string {
	key := "time.day"
	if at.Year() != time.Now().Year() {
		key = "time.day_year"
	}
	return v.T(key, "Weekday", v.Weekday(at.Weekday()), "Day", at.Day(),
		"Month", v.T("time.long_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// Date writes a day without its weekday.
func (v Viewer) Date(at time.Time) string {
	return v.T("time.date", "Day", at.Day(), "Month", v.T("time.long_"+at.Format("01")))
}

// DayMonth writes a day of this year or so.
func (v Viewer) DayMonth(at time.Time) string {
	return v.T("time.day_month", "Weekday", v.Weekday(at.Weekday()), "Day", at.Day(), "Month", v.T("time.long_"+at.Format("01")))
}

// Weekday is the name of a day of the week.
func (v Viewer) Weekday(day time.Weekday) string {
	return v.T("time.weekday_" + strconv.Itoa(int(day)))
}

// Span writes a length of time in its largest whole unit.
func (v Viewer) Span(length time.Duration) string {
	switch {
	case length >= 2*time.Hour:
		return v.TN("time.hours", int(length.Round(time.Hour)/time.Hour))
	case length >= 2*time.Minute:
		return v.TN("time.minutes", int(length.Round(time.Minute)/time.Minute))
	}
	return v.TN("time.seconds", int(length/time.Second))
}

// Moment is a point in time for the block ui/time.
type Moment struct {
	UTC, Text, Zone string
}

// Moment writes a point in time in the viewer's zone and language.
func (v Viewer) Moment(at time.Time) Moment {
	if at.IsZero() {
		return Moment{}
	}
	return Moment{UTC: at.UTC().Format(time.RFC3339), Text: v.Wall(at.In(v.Zone)), Zone: v.Zone.String()}
}
