package domain

import (
	"slices"
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

// weekdayOf gives mon for a Monday.
func weekdayOf(date time.Time) Weekday { return Weekdays()[(int(date.Weekday())+6)%7] }

// Days are those on which a mailing goes out. The zero Days are all.
type Days struct {
	Weekdays     []Weekday `bun:",array,nullzero,default:'{}'"` // none: all seven
	SkipHolidays string    // ISO 3166 code of the country, small letters, whose public holidays are none; empty: all days are
}

// pass tells to pass over the date of a wall clock.
func (d Days) pass(wall time.Time) bool {
	return len(d.Weekdays) > 0 && !slices.Contains(d.Weekdays, weekdayOf(wall)) || d.SkipHolidays != "" && Holiday(d.SkipHolidays, wall)
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

// change takes what was typed.
func (d *Days) change(p *ValidationErrors, weekdays []string, country string, every Periodicity, start time.Time) {
	*d = Days{Weekdays: []Weekday{}, SkipHolidays: country}
	for _, one := range Weekdays() {
		if slices.Contains(weekdays, string(one)) {
			d.Weekdays = append(d.Weekdays, one)
		}
	}
	if slices.ContainsFunc(weekdays, func(one string) bool { return !slices.Contains(Weekdays(), Weekday(one)) }) {
		p.Add("weekdays", "mailings.weekday_unknown")
	}
	if len(d.Weekdays) == len(Weekdays()) {
		d.Weekdays = []Weekday{}
	}
	if country != "" && !slices.Contains(HolidayCountries(), country) {
		p.Add("skip_holidays", "mailings.country_unknown")
	}
	if !start.IsZero() {
		d.checkStart(p, every, start)
	}
}

// checkStart refuses days on which a mailing that begins at start never goes out.
func (d Days) checkStart(p *ValidationErrors, every Periodicity, start time.Time) {
	never := len(d.Weekdays) > 0 && !slices.Contains(d.Weekdays, weekdayOf(start))
	switch {
	case never && every == Weekly:
		p.Add("weekdays", "mailings.weekday_never")
	case never && every == Once:
		p.Add("weekdays", "mailings.weekday_of_start")
	case every == Once && d.SkipHolidays != "" && Holiday(d.SkipHolidays, start):
		p.Add("skip_holidays", "mailings.holiday_start")
	}
}
