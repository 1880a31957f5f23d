package handlers

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/domain"
)

// An admin makes, confirms and deletes accounts on a page, as the command line does.
func TestAdminMakesAccounts(t *testing.T) {
	w := newEnv(t)
	admin := w.user(t, "ada", domain.RoleAdmin)
	b := w.as(t, admin)
	b.get("/admin/users").is(t, 200, `href="/admin/users/new"`)
	b.get("/admin/users/new").is(t, 200, `name="email"`, `name="password"`)
	b.post("/admin/users", "email", "nobody", "role", "king", "password", "short").is(t, 422, `value="nobody"`, `id="field-email-problem"`, `id="field-role-problem"`, `id="field-password-problem"`)
	b.post("/admin/users", "email", "ada@people.example", "role", "user").is(t, 422, `id="field-email-problem"`)

	b.post("/admin/users", "email", "Max@People.example", "role", "manager").leads(t, "/admin/users")
	made := firstMatch(t, `shown only this once: ([A-Z0-9]{20})`, b.get("/admin/users").is(t, 200, "Max@people.example").body)
	if strings.Contains(b.get("/admin/users").body, made) {
		t.Error("the password is shown again")
	}
	w.visitor(t).post("/login", "email", "max@people.example", "password", made).leads(t, "/attempts")
	b.post("/admin/users", "email", "una@people.example", "name", "Una", "role", "user", "password", password).leads(t, "/admin/users")
	w.visitor(t).post("/login", "email", "una@people.example", "password", password).leads(t, "/start")

	una, err := w.db.Users().ByEmail(t.Context(), "una@people.example")
	if err != nil || una.Role != domain.RoleUser || una.Name != "Una" {
		t.Fatal(una, err)
	}
	path := fmt.Sprint("/admin/users/", una.ID)
	b.htmx().post(path+"/verify").is(t, 200, fmt.Sprintf(`id="user-%d"`, una.ID))
	w.client(t, una.ID, "c@example.com")
	b.get(path+"/delete").is(t, 200, "una@people.example", "1 clients")
	b.post(path, "_method", "DELETE").leads(t, "/admin/users")
	b.post(path, "_method", "DELETE").is(t, 404)
	b.post(fmt.Sprint("/admin/users/", admin.ID), "_method", "DELETE").is(t, 403)
	b.get("/admin/audit").is(t, 200, "User created", "User deleted", "erased:")
}

// River's screen stands in a page of ours, which nobody else may frame.
func TestQueueInsideOurFrame(t *testing.T) {
	w := newEnv(t)
	b := w.as(t, w.user(t, "ada", domain.RoleAdmin))
	b.get("/admin/jobs").is(t, 200, `<iframe class="jobs" src="/admin/jobs/"`, `href="/admin/users"`)
	screen := b.get("/admin/jobs/").is(t, 200, "<div id=\"root\"")
	if policy := screen.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "frame-ancestors 'self'") || screen.Header.Get("X-Frame-Options") != "SAMEORIGIN" {
		t.Error(policy, screen.Header.Get("X-Frame-Options"))
	}
	b.get("/admin/settings").is(t, 200, "Settings")
}
