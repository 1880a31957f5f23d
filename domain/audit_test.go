package domain

import (
	"slices"
	"testing"
	"time"
)

func TestEveryRoleHasItsAct(t *testing.T) {
	for _, role := range Roles() {
		if !slices.Contains(Acts(), ActRole(role)) {
			t.Errorf("%s is not among the acts", ActRole(role))
		}
	}
}

func TestReasonsAreText(t *testing.T) {
	user, m, manager := User{ID: 2, Role: RoleUser}, Mailing{}, User{ID: 1, Role: RoleManager}
	if err := user.Block(manager, " first\r\nsecond\x00 ", time.Now()); err != nil || user.BlockedReason != "first\nsecond" {
		t.Errorf("%q, %v", user.BlockedReason, err)
	}
	if err := m.Disable(manager, "\x00\r ", time.Now()); text(err) != "reason: staff.reason_required" || m.Disabled() {
		t.Errorf("a reason without a letter: %v", err)
	}
}

func TestMayGiveRole(t *testing.T) {
	for role, want := range map[Role]bool{RoleUser: false, RoleManager: false, RoleContent: false, RoleAdmin: true} {
		u := User{ID: 1, Role: role}
		if u.MayGiveRole(User{ID: 2, Role: RoleAdmin}) != want || u.MayGiveRole(u) {
			t.Errorf("%s gives roles: not %v, or to himself", role, want)
		}
	}
}
