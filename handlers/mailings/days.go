package mailings

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// weekdayChoice is a day of the week to tick.
type weekdayChoice struct {
	Value, Label string
	Ticked       bool
}

func weekdayChoices(r *web.Request, ticked []string) (list []weekdayChoice) {
	for _, one := range domain.Weekdays() {
		list = append(list, weekdayChoice{string(one), weekdayName(r, one), slices.Contains(ticked, string(one))})
	}
	return list
}

// weekdayName is a name that can stand in a sentence.
func weekdayName(r *web.Request, day domain.Weekday) string {
	return r.Viewer.Weekday(time.Weekday((slices.Index(domain.Weekdays(), day) + 1) % 7))
}

// countryChoices are the countries whose holidays are known, by their names in the viewer's language, and no country.
func countryChoices(r *web.Request) []templates.Option {
	var list []templates.Option
	for _, code := range domain.HolidayCountries() {
		list = append(list, templates.Option{Value: code, Label: countryName(r, code)})
	}
	slices.SortFunc(list, func(a, b templates.Option) int { return cmp.Compare(a.Label, b.Label) })
	return append([]templates.Option{{Label: r.Viewer.T("mailings.holidays_count")}}, list...)
}

func countryName(r *web.Request, code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return display.Regions(language.Make(r.Viewer.Lang)).Name(region)
}

// daysWords say on which days a mailing goes out, "" for all.
func daysWords(r *web.Request, days domain.Days) string {
	var parts []string
	if len(days.Weekdays) > 0 {
		var names []string
		for _, one := range days.Weekdays {
			names = append(names, weekdayName(r, one))
		}
		parts = append(parts, r.Viewer.T("mailings.days_only", "Days", strings.Join(names, ", ")))
	}
	if days.SkipHolidays != "" {
		parts = append(parts, r.Viewer.T("mailings.days_no_holidays", "Country", countryName(r, days.SkipHolidays)))
	}
	return strings.Join(parts, " ")
}
