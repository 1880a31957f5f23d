package inbox

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"inbox/list":    inboxView{},
		"inbox/results": inboxView{},
		"inbox/show":    inboxEmailView{},
	})
}
