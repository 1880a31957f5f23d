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
		"account/email":         &changeForm{},
		"account/email-confirm": confirmView{},
		"account/login":         loginView{},
		"account/forgot":        emailForm{},
		"account/reset":         passwordForm{},
		"account/forgot-sent":   sentView{},
		"account/resend-form":   emailForm{},
		"account/verify":        passwordForm{},
		"account/dead-link":     deadLinkView{},
		"account/register":      registerView{},
		"account/inbox-hint":    sentView{},
		"account/resend":        emailForm{},
		"account/register-sent": sentView{},
	})
}
