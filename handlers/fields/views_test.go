package fields

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"fields/delete": deleteView{},
		"fields/edit":   fieldForm{},
		"fields/form":   fieldForm{},
		"fields/list":   fieldsView{},
		"fields/row":    fieldRow{},
	})
}
