package series

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"series/client":        clientRow{},
		"series/clients":       clientsView{},
		"series/comes":         launchView{},
		"series/delete":        deleteView{},
		"series/edit":          seriesForm{},
		"series/entry-problem": seriesForm{},
		"series/finish":        deleteView{},
		"series/form":          seriesForm{},
		"series/launch":        launchView{},
		"series/list":          listView{},
		"series/now":           nowView{},
		"series/preview":       previewView{},
		"series/prospect":      prospect{},
		"series/preview.title": previewView{},
		"series/new":           seriesForm{},
		"series/results":       clientsView{},
		"series/row":           seriesRow{},
		"series/show":          seriesView{},
		"series/step":          stepForm{},
	})
}
