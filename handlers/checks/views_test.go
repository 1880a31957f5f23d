package checks

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{"checks/show": checkView{}, "checks/lines": checkView{}, "checks/settings": []Setting{}, "checks/settings-table": []Setting{}})
}
