package mailings

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"mailings/turned":          mailingForm{},
		"mailings/abtest":          mailingForm{},
		"mailings/test":            testView{},
		"mailings/acts":            mailingView{},
		"mailings/created":         createdMailing{},
		"mailings/delete":          mailingRow{},
		"mailings/edit":            mailingForm{},
		"mailings/edit-row":        mailingForm{},
		"mailings/ended":           mailingView{},
		"mailings/fields":          mailingForm{},
		"mailings/form":            mailingForm{},
		"mailings/list":            mailingsView{},
		"mailings/messages":        messagePicker{},
		"mailings/new":             mailingForm{},
		"mailings/picker":          picker{},
		"mailings/throughput":      throughput{},
		"mailings/progress":        mailingProgress{},
		"mailings/recipient-count": recipientCount{},
		"mailings/question":        reviewView{},
		"mailings/results":         mailingsView{},
		"mailings/review":          reviewView{},
		"mailings/recall":          recallView{},
		"mailings/rotation":        rotationForm{},
		"mailings/row":             mailingRow{},
		"mailings/runs":            mailingView{},
		"mailings/show":            mailingView{},
		"mailings/status":          mailingRow{},
		"mailings/stop":            stopView{},
		"mailings/tracking":        mailingForm{},
		"mailings/turns":           turns{},
		"mailings/calendar-day":    calendarDay{},
		"mailings/calendar":        calendarView{},
		"mailings/crowd":           crowdView{},
		"mailings/date":            dateView{},
		"mailings/date.title":      dateView{},
		"mailings/day":             dayView{},
		"mailings/day.title":       dayView{},
		"mailings/forecast":        forecastView{},
		"mailings/forecast.title":  forecastView{},
	})
}
