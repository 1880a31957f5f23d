package segments

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"segments/condition": conditionRow{},
		"segments/count":     resultView{},
		"segments/delete":    deleteView{},
		"segments/edit":      segmentForm{},
		"segments/form":      segmentForm{},
		"segments/list":      segmentsView{},
		"segments/new":       segmentForm{},
		"segments/row":       segmentRow{},
	})
}
