package handlers

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"skychimp/domain"
)

var update = flag.Bool("update", false, "rewrite testdata/routes.golden")

// Who may use an address changes only on purpose: go test ./handlers -run Routes -update.
func TestRoutes(t *testing.T) {
	var list strings.Builder
	seen := map[string]bool{}
	for _, r := range new(Site).table() {
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
	visitorOnly := []guard{everyone, visitor, loopback}
	tests := map[domain.Role][]guard{
		"":                 visitorOnly,
		domain.RoleUser:    append([]guard{signedIn, owner, reader}, visitorOnly...),
		domain.RoleManager: append([]guard{signedIn, reader, overseer}, visitorOnly...),
		domain.RoleContent: append([]guard{signedIn, publisher}, visitorOnly...),
		domain.RoleAdmin:   append([]guard{signedIn, owner, reader, overseer, publisher, admin}, visitorOnly...),
	}
	for role, admitted := range tests {
		var user *domain.User
		if role != "" {
			user = &domain.User{Role: role}
		}
		want := map[guard]bool{}
		for _, g := range admitted {
			want[g] = true
		}
		for _, g := range []guard{everyone, visitor, signedIn, owner, reader, overseer, publisher, admin, loopback, "unheard of"} {
			if g.admits(user) != want[g] {
				t.Errorf("%s admits %q: %v", g, role, !want[g])
			}
		}
	}
}
