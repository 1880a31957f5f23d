package home

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"home/help":       helpView{},
		"home/invitation": struct{}{},
		"home/page":       homeView{},
		"home/numbers":    homeView{},
		"home/sample":     struct{}{},
	})
}
