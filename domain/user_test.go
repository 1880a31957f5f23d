package domain

import (
	"strings"
	"testing"
	"time"
)

func TestCheckPassword(t *testing.T) {
	tests := []struct{ password, email, want string }{
		{"correct horse", "a@x.org", ""},
		{"пароль-из-букв", "a@x.org", ""},
		{"123456789a", "a@x.org", ""},
		{"", "a@x.org", "password: account.password_short"},
		{"ninechars", "a@x.org", "password: account.password_short"},
		{"девятьбук", "a@x.org", "password: account.password_short"},
		{strings.Repeat("x", 200), "a@x.org", ""},
		{strings.Repeat("x", 201), "a@x.org", "password: account.password_long"},
		{"12345678901234", "a@x.org", "password: account.password_digits"},
		{"Longname@x.org", "longname@x.org", "password: account.password_email"},
		{"LONGERNAME", "longername@x.org", "password: account.password_email"},
	}
	for _, tt := range tests {
		var p ValidationErrors
		CheckPassword(&p, tt.password, tt.email)
		if text(p.Err()) != tt.want {
			t.Errorf("%q: %q, want %q", tt.password, text(p.Err()), tt.want)
		}
	}
}

func TestUserChange(t *testing.T) {
	tests := []struct {
		form UserForm
		want string
	}{
		{UserForm{Name: "Ann", Language: "ru", Timezone: "Asia/Tokyo"}, ""},
		{UserForm{Name: "", Language: "de", Timezone: "Mars/Base"},
			"name: account.name_required; language: account.language_unknown; timezone: account.timezone_unknown"},
		{UserForm{Name: strings.Repeat("я", 101), Language: "en", Timezone: ""},
			"name: account.name_long; timezone: account.timezone_unknown"},
		{UserForm{Name: "Ann", Language: "en", Timezone: "Local"}, "timezone: account.timezone_unknown"},
		{UserForm{Name: "Ann", Language: "en", Timezone: "../../etc/passwd"}, "timezone: account.timezone_unknown"},
	}
	for _, tt := range tests {
		var u User
		if err := u.Change(tt.form); text(err) != tt.want {
			t.Errorf("%+v: %q, want %q", tt.form, text(err), tt.want)
		}
	}
}

func TestRoles(t *testing.T) {
	tests := []struct {
		role                               Role
		own, oversee, publish, administers bool
	}{
		{RoleUser, true, false, false, false},
		{RoleManager, false, true, false, false},
		{RoleContent, false, false, true, false},
		{RoleAdmin, true, true, true, true},
		{"", false, false, false, false},
	}
	for _, tt := range tests {
		u := User{Role: tt.role}
		if u.MayOwn() != tt.own || u.MayOversee() != tt.oversee || u.MayPublish() != tt.publish || u.MayAdminister() != tt.administers {
			t.Errorf("%q: own %v, oversee %v, publish %v, administer %v", tt.role, u.MayOwn(), u.MayOversee(), u.MayPublish(), u.MayAdminister())
		}
	}
}

func TestBlock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	manager, admin, user := User{ID: 1, Role: RoleManager}, User{ID: 2, Role: RoleAdmin}, User{ID: 3, Role: RoleUser}
	tests := []struct {
		name      string
		by, whom  User
		reason    string
		unblocked bool // may also be unblocked
		want      string
	}{
		{"a manager a user", manager, user, "spam", true, ""},
		{"an admin a manager", admin, manager, "left", true, ""},
		{"himself", manager, manager, "tired", false, ": staff.block_refused"},
		{"an admin", manager, admin, "revolt", false, ": staff.block_refused"},
		{"a user a user", user, User{ID: 4, Role: RoleUser}, "rival", false, ": staff.block_refused"},
		{"without a reason", manager, user, "  ", true, "reason: staff.reason_required"},
		{"a long reason", manager, user, strings.Repeat("я", 501), true, "reason: staff.reason_long"},
	}
	for _, tt := range tests {
		whom := tt.whom
		err := whom.Block(tt.by, tt.reason, now)
		if got := strings.TrimPrefix(text(err), ": "); got != strings.TrimPrefix(tt.want, ": ") {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
		if whom.Blocked() != (tt.want == "") {
			t.Errorf("%s: blocked is %v", tt.name, whom.Blocked())
		}
		if err := whom.Unblock(tt.by); (err == nil) != tt.unblocked || whom.Blocked() {
			t.Errorf("%s: unblock says %v, blocked is %v", tt.name, err, whom.Blocked())
		}
	}
	blocked := user
	if err := blocked.Block(manager, "first", now); err != nil {
		t.Fatal(err)
	}
	if err := blocked.Block(admin, "second", now.Add(time.Hour)); err != nil || blocked.BlockedReason != "first" || !blocked.BlockedAt.Equal(now) {
		t.Errorf("blocked again: %v, %q at %v", err, blocked.BlockedReason, blocked.BlockedAt)
	}
}

func TestGiveRole(t *testing.T) {
	admin, user := User{ID: 1, Role: RoleAdmin}, User{ID: 2, Role: RoleUser}
	tests := []struct {
		by, whom User
		role     Role
		want     string
	}{
		{admin, user, RoleManager, ""},
		{admin, admin, RoleAdmin, ""},
		{admin, admin, RoleUser, "role: staff.role_own"},
		{admin, user, "king", "role: staff.role_unknown"},
		{user, user, RoleAdmin, "errors.forbidden"},
		{User{ID: 3, Role: RoleManager}, user, RoleManager, "errors.forbidden"},
	}
	for _, tt := range tests {
		whom, before := tt.whom, tt.whom.Role
		if err := whom.GiveRole(tt.by, tt.role); text(err) != tt.want {
			t.Errorf("%s gives %s to %d: %q, want %q", tt.by.Role, tt.role, whom.ID, text(err), tt.want)
		}
		if want := map[bool]Role{true: tt.role, false: before}[tt.want == ""]; whom.Role != want {
			t.Errorf("%s gives %s to %d: role %s, want %s", tt.by.Role, tt.role, whom.ID, whom.Role, want)
		}
	}
}

func TestLocation(t *testing.T) {
	for zone, want := range map[string]string{"Europe/Moscow": "Europe/Moscow", "": "UTC", "Mars/Base": "UTC"} {
		if got := (User{Timezone: zone}).Location().String(); got != want {
			t.Errorf("%q: %s, want %s", zone, got, want)
		}
	}
}

// A name reads as it is stored, for people and mailings alike.
func TestHiddenCharacters(t *testing.T) {
	for name, want := range map[string]bool{
		"Ann": false, "Анна-Мария О’Хара": false, "می\u200cخواهم": false, "👩\u200d🚀": false, "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f": false,
		"a\x00b": true, "a\r\nBcc: b": true, "a\xff": true, "\u202egpj.exe": true, "\u2066a\u2069": true, "Sber\u200bbank": true, "Sber\u00adbank": true,
		"a\u2028b": true, "\ufeffa": true, "a\u2060b": true,
	} {
		var p ValidationErrors
		checkName(&p, name)
		if got := len(p) > 0; got != want {
			t.Errorf("%q is refused: %v", name, got)
		}
	}
}
