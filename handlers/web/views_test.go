package web

import (
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web/webtest"
	"skychimp/templates"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"ui/revision":         Form{},
		"ui/chart":            Chart{},
		"ui/head":             Head{},
		"ui/menu":             templates.Menu{},
		"ui/menu-end":         nil,
		"ui/save":             "",
		"ui/delete":           "",
		"ui/once":             nil,
		"ui/kept":             keptView{},
		"ui/draft":            draftNote{},
		"ui/draft-kept":       Moment{},
		"errors/page":         errorView{},
		"frame":               frameView{},
		"ui/area":             templates.Field{},
		"ui/brand-head":       domain.Brand{},
		"ui/brand-top":        domain.Brand{},
		"ui/check":            templates.Field{},
		"ui/field":            templates.Field{},
		"ui/field.attributes": templates.Field{},
		"ui/field.notes":      templates.Field{},
		"ui/form-problem":     templates.ValidationErrors{},
		"ui/method":           "",
		"ui/pager":            Pager{},
		"ui/results-pager":    Pager{},
		"ui/search":           templates.Search{},
		"ui/select":           templates.Select{},
		"ui/time":             Moment{},
	})
}
