package handlers

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web"
)

var update = flag.Bool("update", false, "rewrite testdata/routes.golden")

// Who may use an address changes only on purpose: go test ./handlers -run Routes -update.
func TestRoutes(t *testing.T) {
	var list strings.Builder
	seen := map[string]bool{}
	for _, r := range routes(nouns{}) {
		line := fmt.Sprintf("%-6s %-40s %s\n", r.Method, r.Path, r.Guard)
		if seen[r.Method+r.Path] {
			t.Errorf("%s %s stands there twice", r.Method, r.Path)
		}
		seen[r.Method+r.Path] = true
		list.WriteString(line)
	}
	const golden = "testdata/routes.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(list.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if list.String() != string(want) {
		t.Errorf("routes changed; when on purpose, run with -update. Now:\n%s", list.String())
	}
}

func TestGuards(t *testing.T) {
	visitorOnly := []web.Guard{web.Everyone, web.Visitor, web.Loopback}
	tests := map[domain.Role][]web.Guard{
		"":                 visitorOnly,
		domain.RoleUser:    append([]web.Guard{web.SignedIn, web.Owner, web.OwnerOrOverseer}, visitorOnly...),
		domain.RoleManager: append([]web.Guard{web.SignedIn, web.OwnerOrOverseer, web.Overseer}, visitorOnly...),
		domain.RoleContent: append([]web.Guard{web.SignedIn, web.Publisher}, visitorOnly...),
		domain.RoleAdmin:   append([]web.Guard{web.SignedIn, web.Owner, web.OwnerOrOverseer, web.Overseer, web.Publisher, web.Admin}, visitorOnly...),
	}
	for role, admitted := range tests {
		var user *domain.User
		if role != "" {
			user = &domain.User{Role: role}
		}
		want := map[web.Guard]bool{}
		for _, g := range admitted {
			want[g] = true
		}
		for _, g := range []web.Guard{web.Everyone, web.Visitor, web.SignedIn, web.Owner, web.OwnerOrOverseer, web.Overseer, web.Publisher, web.Admin, web.Loopback, "unheard of"} {
			if g.Admits(user) != want[g] {
				t.Errorf("%s admits %q: %v", g, role, !want[g])
			}
		}
	}
}
