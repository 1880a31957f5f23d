package handlers

import (
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"skychimp/static"
	"skychimp/templates"
)

// views are all pages and blocks with what they show. A page's title shows the same.
func views() map[string]any {
	return map[string]any{
		"account/page":        accountView{},
		"account/leave":       accountView{},
		"account/password":    accountView{},
		"account/profile":     accountView{},
		"account/sessions":    accountView{},
		"errors/page":         errorView{},
		"frame":               frameView{},
		"home/page":           homeView{},
		"login/form":          loginView{},
		"login/unverified":    unverifiedView{},
		"password/forgot":     forgotView{},
		"password/reset":      resetView{},
		"password/sent":       sentView{},
		"register/confirm":    confirmView{},
		"register/dead":       deadLinkView{},
		"register/form":       registerView{},
		"register/inbox":      sentView{},
		"register/resend":     "",
		"register/sent":       sentView{},
		"ui/area":             templates.Field{},
		"ui/check":            templates.Field{},
		"ui/field":            templates.Field{},
		"ui/field.attributes": templates.Field{},
		"ui/field.notes":      templates.Field{},
		"ui/form-problem":     templates.Problems{},
		"ui/method":           "",
		"ui/pager":            pagerView{},
		"ui/select":           templates.Select{},
		"ui/time":             Moment{},
	}
}

// Every name that a template uses exists in the struct that its handler hands over.
func TestViews(t *testing.T) {
	files, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := templates.New(files)
	if err != nil {
		t.Fatal(err)
	}
	known := views()
	for _, one := range set.Template("en", "frame").Templates() {
		if one.Tree == nil || strings.TrimSpace(one.Tree.Root.String()) == "" {
			continue // a file of blocks
		}
		view, ok := known[strings.TrimSuffix(one.Name(), ".title")]
		if !ok {
			t.Errorf("%s is missing in views", one.Name())
			continue
		}
		if err := templatecheck.CheckHTMLStrict(one, view); err != nil {
			t.Errorf("%s: %v", one.Name(), err)
		}
	}
	for name := range known {
		if set.Template("en", name) == nil {
			t.Errorf("%s stands in views, but is no template", name)
		}
	}
}
