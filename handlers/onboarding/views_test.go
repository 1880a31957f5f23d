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
		"onboarding/act":      startAct{},
		"onboarding/clients":  imports.PastedView{},
		"onboarding/overview": startHomeView{},
		"onboarding/letter":   startLetterView{},
		"onboarding/now":      startHomeView{},
		"onboarding/steps":    domain.StepClients,
		"onboarding/subject":  "",
	})
}
