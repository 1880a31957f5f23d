package imports

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"imports/bad":      []badRow{},
		"imports/check":    importCheck{},
		"imports/list":     importsView{},
		"imports/progress": importView{},
		"imports/result":   importView{},
		"imports/show":     importView{},
		"imports/status":   importRow{},
	})
}
