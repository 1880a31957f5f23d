package domain

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// The first occurrences of a calendar that passes days over.
func TestDays(t *testing.T) {
	workdays := []string{"mon", "tue", "wed", "thu", "fri"}
	for _, c := range []struct {
		name, start, country string
		every                Periodicity
		weekdays             []string
		want, problem        string
	}{
		{"every day", "2031-05-01T09:00", "", Daily, nil, "05-01 05-02 05-03 05-04", ""},
		{"all seven are every day", "2031-05-01T09:00", "", Daily, []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}, "05-01 05-02 05-03 05-04", ""},
		{"workdays, from a Saturday", "2031-05-03T09:00", "", Daily, workdays, "05-05 05-06 05-07 05-08", ""},
		{"workdays without holidays", "2031-05-08T09:00", "ru", Daily, workdays, "05-08 05-12 05-13 05-14", ""},
		{"New Year in Russia", "2030-12-31T09:00", "ru", Daily, nil, "12-31 01-09 01-10 01-11", ""},
		{"a holiday on a Sunday is observed on Monday", "2027-08-01T09:00", "us", Daily, []string{"mon"}, "08-02 08-09 08-16 08-23", ""},
		{"Thanksgiving", "2031-11-20T09:00", "us", Weekly, nil, "11-20 12-04 12-11 12-18", ""},
		{"Easter Monday", "2031-04-07T09:00", "de", Weekly, nil, "04-07 04-21 04-28 05-05", ""},
		{"months whose 1st is a workday", "2031-01-01T09:00", "", Monthly, workdays, "01-01 04-01 05-01 07-01", ""},
		{"once, on a workday", "2031-05-08T09:00", "ru", Once, workdays, "05-08", ""},
		{"once, on a holiday", "2031-05-09T09:00", "ru", Once, nil, "", "skip_holidays"},
		{"once, on a Saturday", "2031-05-10T09:00", "", Once, workdays, "", "weekdays"},
		{"weekly on Saturdays, but only on workdays", "2031-05-10T09:00", "", Weekly, workdays, "", "weekdays"},
		{"no such day", "2031-05-10T09:00", "", Daily, []string{"Mon"}, "05-10 05-11 05-12 05-13", "weekdays"},
		{"no such country", "2031-05-10T09:00", "xx", Daily, nil, "05-10 05-11 05-12 05-13", "skip_holidays"},
	} {
		var m Mailing
		err := m.Change(MailingForm{Name: "News", MessageID: 1, Audience: "all", StartAt: c.start, Timezone: "Europe/Berlin", Periodicity: string(c.every),
			Weekdays: c.weekdays, SkipHolidays: c.country}, time.Now())
		if got := fieldOf(err); got != c.problem {
			t.Errorf("%s: refused for %q, want %q (%v)", c.name, got, c.problem, err)
		}
		var got []string
		for _, one := range m.Schedule().Upcoming(time.Time{}, 4) {
			got = append(got, one.At.In(m.Schedule().Zone).Format("01-02"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

func fieldOf(err error) string {
	if refusals, ok := errors.AsType[ValidationErrors](err); ok {
		return refusals[0].Field
	}
	return ""
}

// Every n-th, chosen days of a month, and holidays that move.
func TestRepeats(t *testing.T) {
	workdays := []string{"mon", "tue", "wed", "thu", "fri"}
	form := func(start string, every Periodicity, change func(*MailingForm)) MailingForm {
		f := MailingForm{Name: "News", MessageID: 1, Audience: "all", StartAt: start, Timezone: "Europe/Berlin", Periodicity: string(every)}
		change(&f)
		return f
	}
	for _, c := range []struct {
		name          string
		form          MailingForm
		want, problem string
	}{
		{"every 2 weeks", form("2031-05-01T09:00", Weekly, func(f *MailingForm) { f.Interval = "2" }), "05-01 05-15 05-29 06-12", ""},
		{"every 3 days", form("2031-05-01T09:00", Daily, func(f *MailingForm) { f.Interval = "3" }), "05-01 05-04 05-07 05-10", ""},
		{"every 3 days, on workdays alone", form("2031-05-01T09:00", Daily, func(f *MailingForm) { f.Interval, f.Weekdays = "3", workdays }), "05-01 05-07 05-13 05-16", ""},
		{"every 3 months from the 31st", form("2031-05-31T09:00", Monthly, func(f *MailingForm) { f.Interval = "3" }), "05-31 08-31 11-30 02-29", ""},
		{"first Monday, from a day behind it", form("2031-05-07T09:00", Monthly, func(f *MailingForm) { f.Nth, f.Weekdays = "1", []string{"mon"} }), "06-02 07-07 08-04 09-01", ""},
		{"last Friday of every 2nd month", form("2031-05-01T09:00", Monthly, func(f *MailingForm) { f.Nth, f.Weekdays, f.Interval = "last", []string{"fri"}, "2" }), "05-30 07-25 09-26 11-28", ""},
		{"last workday", form("2031-05-01T09:00", Monthly, func(f *MailingForm) { f.Nth, f.Weekdays = "last", workdays }), "05-30 06-30 07-31 08-29", ""},
		{"third day", form("2031-05-04T09:00", Monthly, func(f *MailingForm) { f.Nth = "3" }), "06-03 07-03 08-03 09-03", ""},
		{"a holiday moves it", form("2031-05-02T09:00", Weekly, func(f *MailingForm) { f.SkipHolidays, f.HolidaysThen = "ru", "move" }), "05-02 05-10 05-16 05-23", ""},
		{"moved onto the next one", form("2030-12-30T09:00", Daily, func(f *MailingForm) { f.SkipHolidays, f.HolidaysThen = "ru", "move" }), "12-30 12-31 01-09 01-10", ""},
		{"moved to a chosen day", form("2031-05-09T09:00", Daily, func(f *MailingForm) {
			f.SkipHolidays, f.HolidaysThen, f.Weekdays, f.Interval = "ru", "move", workdays, "7"
		}), "05-12 05-16 05-23 05-30", ""},
		{"once, on a holiday that moves it", form("2031-05-09T09:00", Once, func(f *MailingForm) { f.SkipHolidays, f.HolidaysThen = "ru", "move" }), "05-10", ""},
		{"first Monday, moved off a holiday", form("2031-08-01T09:00", Monthly, func(f *MailingForm) {
			f.Nth, f.Weekdays, f.SkipHolidays, f.HolidaysThen = "1", []string{"mon"}, "us", "move"
		}), "08-04 09-02 10-06 11-03", ""},
		{"every New Year that is no holiday", form("2031-01-01T09:00", Monthly, func(f *MailingForm) { f.Interval, f.SkipHolidays = "12", "de" }), "", "start_at"},
		{"every 0 days", form("2031-05-01T09:00", Daily, func(f *MailingForm) { f.Interval = "0" }), "05-01 05-02 05-03 05-04", "interval"},
		{"every few days", form("2031-05-01T09:00", Daily, func(f *MailingForm) { f.Interval = "few" }), "05-01 05-02 05-03 05-04", "interval"},
		{"every 14 days, on a Thursday, on Fridays", form("2031-05-01T09:00", Daily, func(f *MailingForm) { f.Interval, f.Weekdays = "14", []string{"fri"} }), "", "weekdays"},
		{"first Monday of a week", form("2031-05-01T09:00", Weekly, func(f *MailingForm) { f.Nth = "1" }), "05-01 05-08 05-15 05-22", "nth"},
		{"fifth", form("2031-05-01T09:00", Monthly, func(f *MailingForm) { f.Nth = "5" }), "05-01 06-01 07-01 08-01", "nth"},
		{"ends before its first Monday", form("2031-05-07T09:00", Monthly, func(f *MailingForm) { f.Nth, f.Weekdays, f.EndAt = "1", []string{"mon"}, "2031-06-01T09:00" }), "", "start_at"},
	} {
		var m Mailing
		err := m.Change(c.form, time.Now())
		if got := fieldOf(err); got != c.problem {
			t.Errorf("%s: refused for %q, want %q (%v)", c.name, got, c.problem, err)
		}
		var got []string
		s := m.Schedule()
		all := s.Upcoming(time.Time{}, 4)
		for i, one := range all {
			got = append(got, one.At.In(s.Zone).Format("01-02"))
			if at, ok := s.At(one.No); !ok || !at.Equal(one.At) {
				t.Errorf("%s: number %d is at %v", c.name, one.No, at)
			}
			if i > 0 {
				if next, ok := s.Next(all[i-1].At); !ok || next != one {
					t.Errorf("%s: after %v comes %v", c.name, all[i-1], next)
				}
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// What a calendar passes over was not missed, and nothing counts from it.
func TestDaysAreNotMissed(t *testing.T) {
	s := Schedule{Start: time.Date(2031, 5, 2, 9, 0, 0, 0, time.UTC), Zone: time.UTC, Every: Daily, Days: Days{Weekdays: []Weekday{"fri", "mon"}}}
	missed, due, ok := s.Due(0, time.Date(2031, 5, 9, 12, 0, 0, 0, time.UTC))
	numbers := []int{}
	for _, one := range missed {
		numbers = append(numbers, one.No)
	}
	if !ok || due.No != 7 || !slices.Equal(numbers, []int{0, 3}) {
		t.Errorf("missed %v, due %v", numbers, due)
	}
	if _, happens := s.At(1); happens {
		t.Error("Saturday's happens")
	}
}

// Every country on offer has holidays, and no other has.
func TestHolidayCountries(t *testing.T) {
	for _, country := range HolidayCountries() {
		n := 0
		for date := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC); date.Year() == 2031; date = date.AddDate(0, 0, 1) {
			if Holiday(country, date) {
				n++
			}
		}
		if n < 6 || n > 25 || !Holiday(country, time.Date(2031, 12, 25, 0, 0, 0, 0, time.UTC)) && country != "ru" && country != "jp" {
			t.Errorf("%s has %d holidays", country, n)
		}
	}
	if Holiday("", time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Error("no country has holidays")
	}
}

// A copy of one that went out once begins on a day that counts.
func TestCopyOfDays(t *testing.T) {
	m := Mailing{StartLocal: time.Date(2031, 5, 2, 9, 0, 0, 0, time.UTC), Timezone: "UTC", Periodicity: Once, Days: Days{Weekdays: []Weekday{"fri"}}}
	if c := m.Copy("Again", time.Date(2031, 5, 2, 10, 0, 0, 0, time.UTC)); c.StartLocal.Day() != 9 {
		t.Errorf("starts on %v", c.StartLocal)
	}
}
