package account

import (
	"testing"

	"skychimp/handlers/web/webtest"
)

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	webtest.Views(t, map[string]any{
		"account/page":          accountView{},
		"account/leave":         accountView{},
		"account/password":      accountView{},
		"account/profile":       accountView{},
		"account/sessions":      accountView{},
		"account/login":         loginView{},
		"account/forgot":        forgotView{},
		"account/reset":         resetView{},
		"account/forgot-sent":   sentView{},
		"account/resend-form":   resendForm{},
		"account/verify":        confirmView{},
		"account/dead-link":     deadLinkView{},
		"account/register":      registerView{},
		"account/inbox-hint":    sentView{},
		"account/resend":        resendForm{},
		"account/register-sent": sentView{},
	})
}
