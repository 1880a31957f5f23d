// Package webtest checks what all rooms of the site have to keep.
package webtest

import (
	"strings"
	"testing"

	"github.com/jba/templatecheck"

	"skychimp/static"
	"skychimp/templates"
)

// Views checks that every name that a template uses exists in the struct that its handler hands
// over. views are a room's pages and blocks with what they show, none left out; a page's title
// shows the same.
func Views(t *testing.T, views map[string]any) {
	t.Helper()
	files, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	set, err := templates.New(files)
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for name := range views {
		folders[folder(name)] = true
		if set.Template("en", name) == nil {
			t.Errorf("%s stands in the views, but is no template", name)
		}
	}
	for _, one := range set.Template("en", "frame").Templates() {
		if !folders[folder(one.Name())] || one.Tree == nil || strings.TrimSpace(one.Tree.Root.String()) == "" {
			continue // another room's, or a file of blocks
		}
		view, ok := views[strings.TrimSuffix(strings.TrimSuffix(one.Name(), ".title"), ".head")]
		if !ok {
			t.Errorf("%s is missing in the views", one.Name())
			continue
		}
		if err := templatecheck.CheckHTMLStrict(one, view); err != nil {
			t.Errorf("%s: %v", one.Name(), err)
		}
	}
}

func folder(name string) string {
	folder, _, _ := strings.Cut(name, "/")
	return strings.TrimSuffix(strings.TrimSuffix(folder, ".title"), ".head")
}
