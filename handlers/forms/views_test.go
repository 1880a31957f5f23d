package forms

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"forms/ask":     askView{},
		"forms/consent": consentView{},
		"forms/dead":    noticeView{},
		"forms/delete":  deleteView{},
		"forms/done":    noticeView{},
		"forms/edit":    formForm{},
		"forms/fields":  formForm{},
		"forms/list":    formsView{},
		"forms/new":     formForm{},
		"forms/paste":   pasteView{},
		"forms/proof":   consentView{},
		"forms/proofs":  consentView{},
		"forms/row":     formRow{},
		"forms/sent":    noticeView{},
		"forms/show":    formView{},
		"forms/visit":   visitView{},
	})
}
