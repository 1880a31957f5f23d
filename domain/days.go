package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/bg"
	"github.com/rickar/cal/v2/br"
	"github.com/rickar/cal/v2/ca"
	"github.com/rickar/cal/v2/ch"
	"github.com/rickar/cal/v2/cz"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/dk"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/gr"
	"github.com/rickar/cal/v2/hr"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/jp"
	"github.com/rickar/cal/v2/lt"
	"github.com/rickar/cal/v2/lv"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/no"
	"github.com/rickar/cal/v2/nz"
	"github.com/rickar/cal/v2/pl"
	"github.com/rickar/cal/v2/ro"
	"github.com/rickar/cal/v2/ru"
	"github.com/rickar/cal/v2/se"
	"github.com/rickar/cal/v2/si"
	"github.com/rickar/cal/v2/sk"
	"github.com/rickar/cal/v2/ua"
	"github.com/rickar/cal/v2/us"
	"github.com/rickar/cal/v2/za"
)

// Weekday is a day of the week as forms have it.
type Weekday string

// Weekdays are mon to sun, in this order.
func Weekdays() []Weekday { return []Weekday{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// WeekdayOf gives mon for a Monday.
func WeekdayOf(date time.Time) Weekday { return Weekdays()[(int(date.Weekday())+6)%7] }

// Days are those on which a mailing goes out. The zero Days are all.
type Days struct {
	Weekdays     []Weekday `bun:",array,nullzero,default:'{}'"` // none: all seven
	SkipHolidays string    // ISO 3166 code of the country, small letters, whose public holidays are none; empty: all days are
	HolidayMoves bool      // what falls on a holiday goes out on the next of the days; else not at all
	Interval     int       // every so many days, weeks or months; 0: 1
	Nth          int       // of a month: which of its Weekdays it is, from 1, -1 is the last; 0: the day of the start
}

// moveMost is how many days a holiday may move a mailing.
const moveMost = 31

// offWeek tells that a date is on no chosen day of the week. In a month they choose the date itself.
func (d Days) offWeek(date time.Time) bool {
	return d.Nth == 0 && len(d.Weekdays) > 0 && !slices.Contains(d.Weekdays, WeekdayOf(date))
}

func (d Days) holiday(date time.Time) bool {
	return d.SkipHolidays != "" && Holiday(d.SkipHolidays, date)
}

// settle is when a mailing goes out that would at a wall clock; false: not at all. Of two walls the later one never
// settles before the other.
func (d Days) settle(wall time.Time) (time.Time, bool) {
	if d.offWeek(wall) {
		return wall, false
	}
	if !d.holiday(wall) {
		return wall, true
	}
	for n := 1; d.HolidayMoves && n <= moveMost; n++ {
		if moved := wall.AddDate(0, 0, n); !d.offWeek(moved) && !d.holiday(moved) {
			return moved, true
		}
	}
	return wall, false
}

func (d Days) interval() int { return max(1, d.Interval) }

// inMonth is the day of the month that begins with first: the Nth of the weekdays, else the one of that number or the
// last before it.
func (d Days) inMonth(first time.Time, number int) time.Time {
	last := first.AddDate(0, 1, -1)
	if d.Nth == 0 {
		return first.AddDate(0, 0, min(number, last.Day())-1)
	}
	date, step := first, 1
	if d.Nth < 0 {
		date, step = last, -1
	}
	for left := max(1, d.Nth); date.Month() == first.Month(); date = date.AddDate(0, 0, step) {
		if len(d.Weekdays) > 0 && !slices.Contains(d.Weekdays, WeekdayOf(date)) {
			continue
		}
		if left--; left == 0 {
			break
		}
	}
	return date
}

// Holiday tells whether a date is a public holiday in the country, or the day off for one that falls on a weekend.
// What a government moves by decree from year to year is not known.
func Holiday(country string, date time.Time) bool {
	if country == "ru" && date.Month() == time.January && date.Day() <= 8 { // Labour Code of Russia, article 112
		return true
	}
	year, month, day := date.Date()
	is := func(t time.Time) bool {
		return !t.IsZero() && t.Year() == year && t.Month() == month && t.Day() == day
	}
	for _, holiday := range publicHolidays(country) {
		for _, of := range []int{year, year + 1} { // New Year's Day may be observed in the year before
			if actual, observed := holiday.Calc(of); is(actual) || is(observed) {
				return true
			}
		}
	}
	return false
}

// HolidayCountries are the countries whose public holidays are known, by code.
func HolidayCountries() []string {
	return []string{"at", "be", "bg", "br", "ca", "ch", "cz", "de", "dk", "es", "fr", "gb", "gr", "hr", "ie", "it", "jp", "lt", "lv", "nl", "no",
		"nz", "pl", "ro", "ru", "se", "si", "sk", "ua", "us", "za"}
}

func publicHolidays(country string) []*cal.Holiday {
	return map[string][]*cal.Holiday{"at": at.Holidays, "be": be.Holidays, "bg": bg.Holidays, "br": br.Holidays, "ca": ca.Holidays, "ch": ch.Holidays,
		"cz": cz.Holidays, "de": de.Holidays, "dk": dk.Holidays, "es": es.Holidays, "fr": fr.Holidays, "gb": gb.Holidays, "gr": gr.Holidays,
		"hr": hr.Holidays, "ie": ie.Holidays, "it": it.Holidays, "jp": jp.Holidays, "lt": lt.Holidays, "lv": lv.Holidays, "nl": nl.Holidays,
		"no": no.Holidays, "nz": nz.Holidays, "pl": pl.Holidays, "ro": ro.Holidays, "ru": ru.Holidays, "se": se.Holidays, "si": si.Holidays,
		"sk": sk.Holidays, "ua": ua.Holidays, "us": us.Holidays, "za": za.Holidays}[country]
}

// maxInterval is how many days, weeks or months may lie between two runs.
const maxInterval = 99

// Nths are the choices of which of the weekdays of a month it is, as forms have them; "" is the day of the start.
func Nths() []string { return []string{"", "1", "2", "3", "4", "last"} }

// NthText is how forms write which it is.
func (d Days) NthText() string {
	switch {
	case d.Nth < 0:
		return "last"
	case d.Nth == 0:
		return ""
	}
	return strconv.Itoa(d.Nth)
}

// change takes what was typed.
func (d *Days) change(p *ValidationErrors, form MailingForm, every Periodicity, start time.Time) {
	*d = Days{Weekdays: []Weekday{}, SkipHolidays: form.SkipHolidays, HolidayMoves: form.SkipHolidays != "" && form.HolidaysThen == "move", Interval: 1}
	for _, one := range Weekdays() {
		if slices.Contains(form.Weekdays, string(one)) {
			d.Weekdays = append(d.Weekdays, one)
		}
	}
	if slices.ContainsFunc(form.Weekdays, func(one string) bool { return !slices.Contains(Weekdays(), Weekday(one)) }) {
		p.Add("weekdays", "mailings.weekday_unknown")
	}
	if len(d.Weekdays) == len(Weekdays()) {
		d.Weekdays = []Weekday{}
	}
	if form.SkipHolidays != "" && !slices.Contains(HolidayCountries(), form.SkipHolidays) {
		p.Add("skip_holidays", "mailings.country_unknown")
	}
	d.changeRepeat(p, form, every)
	if !start.IsZero() {
		d.checkStart(p, every, start)
	}
}

// changeRepeat takes every how many days, weeks or months it is, and which day of a month.
func (d *Days) changeRepeat(p *ValidationErrors, form MailingForm, every Periodicity) {
	if every == Once {
		return
	}
	if text := strings.TrimSpace(form.Interval); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxInterval {
			p.Add("interval", "mailings.interval_wrong", "Max", maxInterval)
		} else {
			d.Interval = n
		}
	}
	switch {
	case !slices.Contains(Nths(), form.Nth):
		p.Add("nth", "mailings.nth_unknown")
	case form.Nth != "" && every != Monthly:
		p.Add("nth", "mailings.nth_monthly")
	case form.Nth == "last":
		d.Nth = -1
	case form.Nth != "":
		d.Nth = int(form.Nth[0] - '0')
	}
}

// checkStart refuses days on which a mailing that begins at start never goes out.
func (d Days) checkStart(p *ValidationErrors, every Periodicity, start time.Time) {
	never := d.offWeek(start)
	switch {
	case never && (every == Weekly || every == Daily && d.Interval%7 == 0):
		p.Add("weekdays", "mailings.weekday_never")
	case never && every == Once:
		p.Add("weekdays", "mailings.weekday_of_start")
	case every == Once && !d.HolidayMoves && d.holiday(start):
		p.Add("skip_holidays", "mailings.holiday_start")
	}
}
