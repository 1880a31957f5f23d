package mailings

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"

	"skychimp/domain"
	"skychimp/domain/digest"
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

// nthChoices are which weekday of a month it is.
func nthChoices(r *web.Request) (list []templates.Option) {
	for _, one := range domain.Nths() {
		list = append(list, templates.Option{Value: one, Label: r.Viewer.T("mailings.nth_pick_" + cmp.Or(one, "none"))})
	}
	return list
}

// digestWords say where the posts of a mailing come from, "" where it has none.
func digestWords(r *web.Request, m domain.Mailing) string {
	if m.Digest.Source == digest.Blog {
		return r.Viewer.T("mailings.digest_blog")
	}
	return m.Digest.Source
}

// everyWords say how often a mailing goes out.
func everyWords(r *web.Request, m domain.Mailing) string {
	if m.Interval > 1 && m.Periodicity != domain.Once {
		return r.Viewer.TN("mailings.each_"+string(m.Periodicity), m.Interval)
	}
	return r.Viewer.T("mailings.every_" + string(m.Periodicity))
}

// nthWords say which day of a month it is.
func nthWords(r *web.Request, days domain.Days, names []string) string {
	switch len(days.Weekdays) {
	case 0:
		return r.Viewer.T("mailings.nth_m_"+days.NthText(), "Day", r.Viewer.T("mailings.nth_day"))
	case 1:
		gender := map[domain.Weekday]string{"wed": "f", "fri": "f", "sat": "f", "sun": "n"}[days.Weekdays[0]]
		return r.Viewer.T("mailings.nth_"+cmp.Or(gender, "m")+"_"+days.NthText(), "Day", names[0])
	}
	return r.Viewer.T("mailings.nth_any_"+days.NthText(), "Days", strings.Join(names, ", "))
}

// daysWords say on which days and in which hours a mailing goes out, "" for all.
func daysWords(r *web.Request, m domain.Mailing) string {
	var parts, names []string
	days := m.Days
	for _, one := range days.Weekdays {
		names = append(names, weekdayName(r, one))
	}
	switch {
	case days.Nth != 0:
		parts = append(parts, nthWords(r, days, names))
	case len(names) > 0:
		parts = append(parts, r.Viewer.T("mailings.days_only", "Days", strings.Join(names, ", ")))
	}
	switch {
	case days.SkipHolidays != "" && days.HolidayMoves:
		parts = append(parts, r.Viewer.T("mailings.days_holidays_move", "Country", countryName(r, days.SkipHolidays)))
	case days.SkipHolidays != "":
		parts = append(parts, r.Viewer.T("mailings.days_no_holidays", "Country", countryName(r, days.SkipHolidays)))
	}
	if m.ZoneOfClient {
		parts = append(parts, r.Viewer.T("mailings.by_client", "Time", m.StartLocal.Format("15:04")))
	}
	switch {
	case m.Window.Expires:
		parts = append(parts, r.Viewer.T("mailings.window_expires", "From", m.Window.From, "To", m.Window.To))
	case !m.Window.None():
		parts = append(parts, r.Viewer.T("mailings.window_waits", "From", m.Window.From, "To", m.Window.To))
	}
	return strings.Join(parts, " ")
}
