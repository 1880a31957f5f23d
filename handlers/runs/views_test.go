package runs

import (
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"runs/abtest":          testView{},
		"runs/cancel":          Row{},
		"runs/bounces":         bouncesView{},
		"runs/bounce-kind":     domain.ReturnKind(""),
		"runs/counts":          runCounts{},
		"runs/outcome":         domain.Outcome(""),
		"runs/show":            runView{},
		"runs/refusals":        refusalsView{},
		"runs/readers":         readersView{},
		"runs/reply":           Reply{},
		"runs/state":           Row{},
		"runs/status":          domain.RunStatus(""),
		"runs/attempts":        attemptsView{},
		"runs/attempt-results": attemptsView{},
		"runs/attempt-status":  domain.AttemptStatus(""),
	})
}
