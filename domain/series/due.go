package series

import (
	"slices"
	"time"

	"skychimp/domain"
)

// DateHour is when a step without an hour goes out that is counted from a date: a date has none.
const DateHour = "09:00"

// Due is when a step goes out to somebody in the zone who came in, or got the step before, at since. The wait counts days
// of the calendar; of a step without an hour the hour stays that of since. With an hour it is the first time from since
// on that the clocks show it, on a day that is far enough. Other weekdays than the step's are passed over.
func (s Step) Due(since time.Time, zone *time.Location) time.Time {
	local := since.In(zone)
	wall := wallAt(local, local.Format("15:04:05")).AddDate(0, 0, s.WaitDays)
	if s.At != "" {
		wall = wallAt(wall, s.At)
	} else if s.WaitDays == 0 && s.allows(wall) {
		return since
	}
	due := s.from(wall, zone)
	for due.Before(since) {
		wall = wall.AddDate(0, 0, 1)
		due = s.from(wall, zone)
	}
	return due
}

// DueOn is when the first step goes out to somebody whose day it is.
func (s Step) DueOn(day time.Time, zone *time.Location) time.Time {
	at := s.At
	if at == "" {
		at = DateHour
	}
	return s.from(wallAt(day.AddDate(0, 0, s.WaitDays), at), zone)
}

// NotBefore is when a step that is due goes out to somebody who has to wait until a moment.
func (s Step) NotBefore(until time.Time, zone *time.Location) time.Time {
	s.WaitDays = 0
	return s.Due(until, zone)
}

// from is the wall clock on its day or the first later one that the step allows.
func (s Step) from(wall time.Time, zone *time.Location) time.Time {
	for !s.allows(wall) {
		wall = wall.AddDate(0, 0, 1)
	}
	return domain.Instant(wall, zone)
}

// allows reports whether the step goes out on the weekday.
func (s Step) allows(wall time.Time) bool {
	return len(s.Weekdays) == 0 || slices.Contains(s.Weekdays, domain.WeekdayOf(wall))
}

// wallAt is the wall clock of an hour such as 15:04 on a day.
func wallAt(day time.Time, hour string) time.Time {
	clock, err := time.Parse("15:04:05", hour)
	if err != nil {
		clock, _ = time.Parse("15:04", hour)
	}
	return time.Date(day.Year(), day.Month(), day.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC)
}

// Day is the day of a moment in its zone, without one.
func Day(at time.Time) time.Time {
	return time.Date(at.Year(), at.Month(), at.Day(), 0, 0, 0, 0, time.UTC)
}

// Turns are the days, of those from first to last, on which a series begins for somebody with the date; of one that is not
// yearly at most one. 29 February is the 28th in other years.
func (s Series) Turns(date, first, last time.Time) (days []time.Time) {
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		of := day.AddDate(0, 0, -s.Days)
		if s.Yearly && sameDay(date, of) || !s.Yearly && date.Equal(of) {
			days = append(days, day)
		}
	}
	return days
}

// Dates are what a date has to end with ("-02-28", yearly) or be, to have a turn from first to last.
func (s Series) Dates(first, last time.Time) (dates []string) {
	for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
		of := day.AddDate(0, 0, -s.Days)
		if !s.Yearly {
			dates = append(dates, of.Format(time.DateOnly))
			continue
		}
		dates = append(dates, of.Format("-01-02"))
		if of.Month() == time.February && of.Day() == 28 {
			dates = append(dates, "-02-29")
		}
	}
	return dates
}

// sameDay reports whether the anniversary of a date is on a day.
func sameDay(date, of time.Time) bool {
	month, day := date.Month(), date.Day()
	if leap := time.Date(of.Year(), time.February, 29, 0, 0, 0, 0, time.UTC).Month() == time.February; month == time.February && day == 29 && !leap {
		day = 28
	}
	return of.Month() == month && of.Day() == day
}
