package results

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{"results/show": &resultsView{}, "results/table": table{}, "results/growth": growthView{}, "results/figure": Figure{}, "results/rate": ""})
}
