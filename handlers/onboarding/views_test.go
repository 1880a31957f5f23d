package onboarding

import (
	"testing"

	"skychimp/domain"
	"skychimp/handlers/imports"
	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"onboarding/plan":     planView{},
		"onboarding/clients":  imports.BulkAddView{},
		"onboarding/overview": overviewView{},
		"onboarding/email":    emailView{},
		"onboarding/now":      overviewView{},
		"onboarding/steps":    domain.StepClients,
		"onboarding/subject":  "",
	})
}
