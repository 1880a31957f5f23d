package handlers

import (
	"fmt"
	"regexp"
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
	w.visitor(t).post("/login", "email", "max@people.example", "password", made).leads(t, "/manager")
	b.post("/admin/users", "email", "una@people.example", "name", "Una", "role", "user", "password", password).leads(t, "/admin/users")
	w.visitor(t).post("/login", "email", "una@people.example", "password", password).leads(t, "/start")

	una, err := w.db.Users().ByEmail(t.Context(), "una@people.example")
	if err != nil || una.Role != domain.RoleUser || una.Name != "Una" {
		t.Fatal(una, err)
	}
	path := fmt.Sprint("/admin/users/", una.ID)
	b.htmx().post(path+"/verify").is(t, 200, fmt.Sprintf(`id="user-%d"`, una.ID))
	w.client(t, una.ID, "c@example.com")
	b.get(path+"/delete").is(t, 200, "una@people.example", "clients (1)")
	b.post(path, "_method", "DELETE").leads(t, "/admin/users")
	b.post(path, "_method", "DELETE").is(t, 404)
	b.post(fmt.Sprint("/admin/users/", admin.ID), "_method", "DELETE").is(t, 403)
	b.get("/admin/audit").is(t, 200, "User created", "User deleted", "erased:")
}

// Who has registered and not confirmed the mailbox is listed, once each, and an admin can take the address for confirmed.
func TestAdminConfirmsRegistrations(t *testing.T) {
	w := newEnv(t)
	admin := w.user(t, "ada", domain.RoleAdmin)
	b := w.as(t, admin)
	if b.get("/admin/users").is(t, 200); strings.Contains(b.get("/admin/users").body, "Waiting for confirmation") {
		t.Error("nobody waits")
	}
	for range 2 {
		w.visitor(t).post("/register", "name", "Zoe <b>", "email", "zoe@people.example").is(t, 303)
	}
	w.visitor(t).post("/register", "name", "Ada", "email", "ada@people.example").is(t, 303) // has an account
	page := b.get("/admin/users").is(t, 200, "Waiting for confirmation", "1 person has registered", "Zoe &lt;b&gt;", "zoe@people.example")
	id := firstMatch(t, `action="/admin/users/(\d+)/verify"`, page.body)
	path := "/admin/users/" + id
	if strings.Count(page.body, "/verify") != 1 {
		t.Error(page.body)
	}
	b.get("/admin/users?q=nobody").is(t, 200, "No users found")
	b.htmx().get("/admin/users?q=zoe").is(t, 200, "Waiting for confirmation")
	w.as(t, w.user(t, "max", domain.RoleManager)).post(path+"/verify").is(t, 403)

	b.post(path+"/verify").leads(t, "/admin/users")
	made := firstMatch(t, `shown only this once: ([A-Z0-9]{20})`, b.get("/admin/users").is(t, 200, `id="user-`+id+`"`).body)
	w.visitor(t).post("/login", "email", "zoe@people.example", "password", made).leads(t, "/start")
	if page := b.get("/admin/users").body; strings.Contains(page, "Waiting for confirmation") || strings.Contains(page, made) {
		t.Error("she still waits, or the password is shown again")
	}
	b.post(path+"/verify").leads(t, "/admin/users") // an account already
	b.post("/admin/users/9999/verify").is(t, 404)
	b.get("/admin/audit").is(t, 200, "Email confirmed by an admin")
}

// Lists of everybody's mailings and users are sorted by their columns.
func TestManagersSort(t *testing.T) {
	w := newEnv(t)
	b := w.as(t, w.user(t, "mia", domain.RoleManager))
	for i, name := range []string{"cora", "abby", "bert"} {
		user, _ := w.owner(t, name)
		for n := range i + 1 {
			w.client(t, user.ID, fmt.Sprintf("%s%d@example.com", name, n))
		}
		_, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO mailings (owner_id, name, audience, start_local, timezone, periodicity, status, next_run_at)
			VALUES ($1, $2, 'all', '2031-01-06 09:00', 'UTC', 'weekly', 'created', '2031-01-06 09:00'::timestamptz - $3 * interval '1 day')`, user.ID, "Mailing of "+name, i)
		if err != nil {
			t.Fatal(err)
		}
	}
	row := regexp.MustCompile(`(?s)<tr id="[^"]*">\s*<td class="wide">(?:<a [^>]*>)?([^<]+)`)
	for path, want := range map[string]string{
		"/manager/mailings?sort=name":          "Mailing of abby, Mailing of bert, Mailing of cora",
		"/manager/mailings?sort=owner":         "Mailing of abby, Mailing of bert, Mailing of cora",
		"/manager/mailings?sort=next":          "Mailing of bert, Mailing of abby, Mailing of cora",
		"/manager/mailings?sort=x":             "Mailing of bert, Mailing of abby, Mailing of cora",
		"/manager/users?sort=name":             "abby, bert, cora, mia",
		"/manager/users?sort=clients":          "bert, abby, cora, mia",
		"/manager/users?sort=mailings":         "bert, abby, cora, mia",
		"/manager/users?sort=name&page=9":      "abby, bert, cora, mia",
		"/manager/users?sort=clients&q=people": "bert, abby, cora, mia",
		"/manager/users?sort=last":             "",
	} {
		page := b.get(path).is(t, 200, `class="sort"`)
		var names []string
		for _, found := range row.FindAllStringSubmatch(page.body, -1) {
			names = append(names, strings.TrimSpace(found[1]))
		}
		if got := strings.Join(names, ", "); want != "" && !strings.EqualFold(got, want) {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	w.as(t, w.user(t, "ida", domain.RoleAdmin)).htmx().get("/admin/users?sort=name").is(t, 200, `aria-sort="ascending"`, "sort=last")
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
