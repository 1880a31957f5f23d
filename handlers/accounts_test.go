package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// emails are the emails that wait in the queue, oldest first.
func (w *env) mailJobs(t *testing.T) (list []domain.MailJob) {
	t.Helper()
	rows, err := w.db.Postgres().Pool.Query(t.Context(), "SELECT args::text FROM river_job WHERE kind = 'mail' ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var args string
		var job domain.MailJob
		if err := rows.Scan(&args); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(args), &job); err != nil {
			t.Fatal(err)
		}
		list = append(list, job)
	}
	if rows.Err() != nil {
		t.Fatal(rows.Err())
	}
	return list
}

// link is the secret of a link as its email carries it.
func (w *env) link(t *testing.T, user int64, purpose domain.TokenPurpose, at time.Time) string {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	hash := sha256.Sum256(secret)
	if err := w.db.Tokens().Create(t.Context(), hash[:], user, purpose, at); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(secret)
}

// landing is where a user comes to without another wish.
func landing(user domain.User) string {
	for _, item := range nav() {
		for _, r := range routes(nouns{}) {
			if r.Method == "GET" && r.Path == item.Path && r.Guard.Admits(&user) && r.Guard != web.Loopback {
				return item.Path
			}
		}
	}
	return "/"
}

// register sends the form of a stranger and is the registration that it made.
func (w *env) register(t *testing.T, name, email string) domain.Registration {
	t.Helper()
	w.visitor(t).post("/register", "name", name, "email", email).leads(t, "/register/sent")
	var newest int64 // its email may have been one too many for the mailbox
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT max(id) FROM registrations`).Scan(&newest); err != nil {
		t.Fatal(err)
	}
	registration, err := w.db.Registrations().Get(t.Context(), newest)
	if err != nil {
		t.Fatal(err)
	}
	return registration
}

func TestRegisterVerifyAndSignIn(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t).with("Accept-Language", "ru-RU, en;q=0.5")
	if got := b.get("/register").is(t, 200, `<html lang="ru">`, "Создайте аккаунт"); strings.Contains(got.body, `name="password"`) {
		t.Error("the form of a stranger asks for a password")
	}
	b.post("/register", "name", "Анна", "email", " anna@People.Example ", "timezone", "Asia/Omsk").leads(t, "/register/sent")
	b.get("/register/sent").is(t, 200, "anna@people.example")

	emails := w.mailJobs(t)
	if len(emails) != 1 || emails[0].Email != domain.MailVerify || emails[0].UserID != 0 {
		t.Fatalf("emails %+v", emails)
	}
	registration, err := w.db.Registrations().Get(t.Context(), emails[0].RegistrationID)
	if err != nil || registration.Language != "ru" || registration.Timezone != "Asia/Omsk" {
		t.Fatalf("registered %+v, %v", registration, err)
	}
	if _, err := w.db.Users().ByEmail(t.Context(), registration.Email); domain.KindOf(err) != domain.NotFound {
		t.Fatalf("an account before the mailbox is confirmed: %v", err)
	}

	path := "/verify/" + w.link(t, registration.ID, domain.TokenVerify, time.Now())
	b.get(path).is(t, 200, registration.Email, "Анна", `method="post"`, `name="password"`)
	b.get(path).is(t, 200) // looking changes nothing
	for _, wrong := range []struct{ password, text string }{{"", "не меньше 10"}, {"short", "не меньше 10"}, {"12345678901", "Добавьте слова"}} {
		got := b.post(path, "password", wrong.password).is(t, 422, wrong.text, `aria-invalid="true"`, `aria-describedby="field-password-problem`)
		if wrong.password != "" && strings.Contains(got.body, wrong.password) {
			t.Error("the password came back")
		}
	}
	b.get("/account").leads(t, "/login?next=%2Faccount")
	b.post(path, "password", password).leads(t, landing(domain.User{Role: domain.RoleUser}))
	user, err := w.db.Users().ByEmail(t.Context(), "ANNA@people.example")
	if err != nil || user.Name != "Анна" || user.Language != "ru" || user.Timezone != "Asia/Omsk" || user.Role != domain.RoleUser {
		t.Fatalf("confirmed %+v, %v", user, err)
	}
	b.get("/account").is(t, 200, "Анна")
	b.get("/login").is(t, 303)
	b.post(path, "password", "another password").is(t, 410)
	b.get(path).is(t, 410, "/verify/resend")

	b.post("/logout").leads(t, "/")
	b.get("/account").is(t, 303)
	b.post("/login", "email", user.Email, "password", password, "next", "/account?x=1").leads(t, "/account?x=1")
	b.post("/login", "email", user.Email, "password", password, "next", "//evil.example").leads(t, landing(user))
	b.get("/account").is(t, 200)
}

// A stranger registers the victim's address, before and after the victim, with another password.
// Whoever opens a link, which only the mailbox has, chooses the password; each link makes what its
// own registration said, and the first that is used ends the others.
func TestRegistrationIsNotTakenOver(t *testing.T) {
	for used, name := range []string{"Mallory", "Victim", "Mallory again"} {
		t.Run(name, func(t *testing.T) {
			w := newEnv(t)
			stranger := w.visitor(t)
			var paths []string
			for i, one := range []string{"Mallory", "Victim", "Mallory again"} {
				email := []string{"victim@people.example", "Victim@people.example", "VICTIM@people.example"}[i]
				paths = append(paths, "/verify/"+w.link(t, w.register(t, one, email).ID, domain.TokenVerify, time.Now()))
			}
			stranger.post("/login", "email", "victim@people.example", "password", "the stranger's own").is(t, 422)
			for i, one := range []string{"Mallory", "Victim", "Mallory again"} {
				w.visitor(t).get(paths[i]).is(t, 200, one+".")
			}
			victim := w.visitor(t)
			victim.post(paths[used], "password", password).is(t, 303)
			victim.get("/account").is(t, 200, `value="`+name+`"`)
			for _, path := range paths {
				stranger.get(path).is(t, 410)
				stranger.post(path, "password", "the stranger's own").is(t, 410)
			}
			stranger.post("/login", "email", "victim@people.example", "password", "the stranger's own").is(t, 422)
			stranger.get("/account").is(t, 303)
			// And over the account: nothing of it changes.
			over := w.register(t, "Mallory", "victim@people.example")
			stranger.post("/verify/"+w.link(t, over.ID, domain.TokenVerify, time.Now()), "password", "the stranger's own").is(t, 410)
			w.visitor(t).post("/login", "email", "victim@people.example", "password", password).is(t, 303)
		})
	}
}

// Of links that are used at the same moment, one makes the account.
func TestLinksUsedAtOnce(t *testing.T) {
	w := newEnv(t)
	var paths []string
	for range 6 {
		paths = append(paths, "/verify/"+w.link(t, w.register(t, "Anna", "anna@people.example").ID, domain.TokenVerify, time.Now()))
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	statuses := make(chan int, len(paths))
	for i, path := range paths {
		b := w.visitor(t)
		wg.Go(func() { statuses <- b.post(path, "password", fmt.Sprint("a long password ", i)).StatusCode })
	}
	made := 0
	for range paths {
		switch status := <-statuses; status {
		case 303:
			made++
		case 410:
		default:
			t.Errorf("status %d", status)
		}
	}
	if made != 1 {
		t.Errorf("%d accounts", made)
	}
}

func TestRegisterRefusesAndKeeps(t *testing.T) {
	w := newEnv(t)
	tests := []struct{ name, email, field, text string }{
		{"", "a@b.example", "name", "Enter your name."},
		{"Anna", "", "email", "Enter an email address."},
		{"Anna", "anna", "email", "full email address"},
	}
	for _, test := range tests {
		got := w.visitor(t).post("/register", "name", test.name, "email", test.email)
		got.is(t, 422, test.text, fmt.Sprintf("value=%q", test.email), fmt.Sprintf("value=%q", test.name))
		described := regexp.MustCompile(`<input id="field-` + test.field + `"[^>]*aria-invalid="true"[^>]*aria-describedby="field-` + test.field + `-problem`)
		if !described.MatchString(got.body) {
			t.Errorf("%s is not marked in %s", test.field, got.body)
		}
	}
	if n := len(w.mailJobs(t)); n != 0 {
		t.Errorf("%d emails", n)
	}
}

// A stranger can't find out who has an account: answers are equal byte by byte, and each makes one
// job. For an unknown address it sends nothing.
func TestStrangersLearnNothing(t *testing.T) {
	w := newEnv(t)
	known := w.user(t, "known", domain.RoleUser)
	number := regexp.MustCompile(`(unknown|known)\d*@people\.example`)
	tests := []struct {
		path   string
		email  domain.MailKind
		values []string
	}{
		{"/register", domain.MailVerify, []string{"name", "Anna"}},
		{"/password/forgot", domain.MailReset, nil},
		{"/verify/resend", domain.MailKnown, nil},
	}
	for i, test := range tests {
		if err := w.db.Quotas().Forget(t.Context(), domain.Invitation(known.Email)); err != nil {
			t.Fatal(err)
		}
		show := func(email string) string {
			b := w.visitor(t)
			posted := b.post(test.path, append(test.values, "email", email)...)
			return fmt.Sprint(posted.StatusCode, posted.Header.Get("Location"), number.ReplaceAllString(b.get(posted.Header.Get("Location")).body, "X"))
		}
		a, b := show(known.Email), show(fmt.Sprintf("unknown%d@people.example", i))
		if a != b {
			t.Errorf("%s: the answers differ:\n%s\n%s", test.path, a, b)
		}
		emails := w.mailJobs(t)
		if len(emails) != 2*i+2 || emails[2*i].Email != test.email || emails[2*i].UserID != known.ID && i > 0 || emails[2*i+1].UserID != 0 {
			t.Errorf("%s: emails %+v", test.path, emails)
		}
	}
	if user, err := w.db.Users().Get(t.Context(), known.ID); err != nil || user.Name != "known" || user.PasswordHash != known.PasswordHash {
		t.Errorf("registering again changed %+v, %v", user, err)
	}
	wrong := w.visitor(t).post("/login", "email", known.Email, "password", "wrong password").is(t, 422)
	nobody := w.visitor(t).post("/login", "email", "unknown@people.example", "password", "wrong password").is(t, 422)
	if number.ReplaceAllString(wrong.body, "X") != number.ReplaceAllString(nobody.body, "X") {
		t.Error("signing in tells which addresses exist")
	}
}

func TestResetPassword(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "anna", domain.RoleUser)
	b, elsewhere := w.visitor(t), w.as(t, user)
	b.post("/password/forgot", "email", "nonsense").is(t, 422, `aria-invalid="true"`)
	b.post("/password/forgot", "email", user.Email).leads(t, "/password/sent")
	b.get("/password/reset/"+w.link(t, user.ID, domain.TokenReset, time.Now().Add(-61*time.Minute))).is(t, 410)
	b.get("/password/reset/"+w.link(t, w.register(t, "Bob", "bob@people.example").ID, domain.TokenVerify, time.Now())).is(t, 410)

	path, other := "/password/reset/"+w.link(t, user.ID, domain.TokenReset, time.Now()), "/password/reset/"+w.link(t, user.ID, domain.TokenReset, time.Now())
	b.get(path).is(t, 200, user.Email)
	b.post(path, "password", "short").is(t, 422, `aria-invalid="true"`)
	elsewhere.get("/account").is(t, 200)
	b.post(path, "password", "a new long password").leads(t, "/login")
	b.get("/login").is(t, 200, "Password changed.")
	b.post(path, "password", "a new long password").is(t, 410)
	b.post(other, "password", "a new long password").is(t, 410)
	elsewhere.get("/account").is(t, 303)
	b.post("/login", "email", user.Email, "password", password).is(t, 422)
	b.post("/login", "email", user.Email, "password", "a new long password").leads(t, landing(user))
}

func TestAccount(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "anna", domain.RoleUser)
	b, elsewhere := w.as(t, user), w.as(t, user)
	b.post("/account", "name", "Anna", "language", "ru", "timezone", "Nowhere/Land").is(t, 422, `value="Nowhere/Land"`, `aria-invalid="true"`)
	b.post("/account", "name", "Anna B", "language", "ru", "timezone", "Asia/Omsk").leads(t, "/account")
	b.get("/account").is(t, 200, `<html lang="ru">`, "Anna B", "Сохранено.", `title="Asia/Omsk"`)
	b.post("/account", "timezone", "UTC").leads(t, "/account") // the rest stays
	if got, err := w.db.Users().Get(t.Context(), user.ID); err != nil || got.Name != "Anna B" || got.Language != "ru" || got.Timezone != "UTC" {
		t.Fatalf("saved %+v, %v", got, err)
	}
	b.post("/language", "language", "en", "next", "/account").leads(t, "/account")
	b.get("/account").is(t, 200, `<html lang="en">`)

	b.post("/account/sessions/end").leads(t, "/account")
	elsewhere.get("/account").is(t, 303)
	elsewhere = w.as(t, user)
	b.post("/account/password", "current", "wrong", "password", "a new long password").is(t, 422, "not your current password")
	elsewhere.get("/account").is(t, 200)
	b.post("/account/password", "current", password, "password", "a new long password").leads(t, "/account")
	b.get("/account").is(t, 200)
	elsewhere.get("/account").is(t, 303)

	var export map[string][]map[string]any
	got := b.get("/account/export.json").is(t, 200)
	if err := json.Unmarshal([]byte(got.body), &export); err != nil || export["account"][0]["email"] != user.Email || export["clients"] == nil {
		t.Errorf("export %v: %s", err, got.body)
	}
	if strings.Contains(got.body, "argon2") {
		t.Error("the export holds the password's hash")
	}
	b.post("/account", "_method", "DELETE", "current", "a new long password").is(t, 422, `name="sure"`, `aria-invalid="true"`)
	b.post("/account", "_method", "DELETE", "current", "a new long password", "sure", "yes").leads(t, "/")
	b.get("/account").is(t, 303)
	if _, err := w.db.Users().Get(t.Context(), user.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("still there: %v", err)
	}
	w.as(t, w.user(t, "root", domain.RoleAdmin)).post("/account", "_method", "DELETE", "current", password, "sure", "yes").is(t, 409)
}

func TestBlockedUser(t *testing.T) {
	w := newEnv(t)
	user, manager := w.user(t, "anna", domain.RoleUser), w.user(t, "boss", domain.RoleManager)
	b := w.as(t, user)
	b.get("/account").is(t, 200)
	if _, err := w.db.Users().Update(t.Context(), user.ID, func(u *domain.User) error {
		return u.Block(manager, "Sends <spam>", time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	b.get("/account").leads(t, "/login?next=%2Faccount")
	b.post("/login", "email", user.Email, "password", "wrong password").is(t, 422)
	b.post("/login", "email", user.Email, "password", password).is(t, 403, "Sends &lt;spam&gt;")
	if _, err := w.db.Users().Update(t.Context(), user.ID, func(u *domain.User) error { return u.Unblock(manager) }); err != nil {
		t.Fatal(err)
	}
	b.get("/account").is(t, 303) // the sessions ended for good
	b.post("/login", "email", user.Email, "password", password).is(t, 303)
}

func TestTooManyTries(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "anna", domain.RoleUser)
	b := w.visitor(t)
	for range 9 {
		b.post("/login", "email", user.Email, "password", "wrong password").is(t, 422)
	}
	b.post("/login", "email", user.Email, "password", password).is(t, 303) // success starts the count anew
	for range 10 {
		b.post("/login", "email", strings.ToUpper(user.Email), "password", "wrong password").is(t, 422)
	}
	if after := b.post("/login", "email", user.Email, "password", password).is(t, 429).Header.Get("Retry-After"); after == "" || after == "0" {
		t.Errorf("Retry-After: %q", after)
	}
	for range 300 {
		if b.post("/verify/resend", "email", "").StatusCode == 429 {
			return
		}
	}
	t.Error("an address may send as many forms as it likes")
}
