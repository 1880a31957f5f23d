package handlers

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
)

// letters are the letters that wait in the queue, oldest first.
func (w *world) letters(t *testing.T) (list []domain.MailJob) {
	t.Helper()
	rows, err := w.db.Pool.Query(t.Context(), "SELECT args::text FROM river_job WHERE kind = 'mail' ORDER BY id")
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

// link is the secret of a link as its letter carries it.
func (w *world) link(t *testing.T, user int64, purpose domain.TokenPurpose, at time.Time) string {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	hash := sha256.Sum256(secret)
	if err := w.db.CreateToken(t.Context(), hash[:], user, purpose, at); err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(secret)
}

// landing is where a user comes to without another wish.
func landing(user domain.User) string {
	s := new(Site)
	s.routes = s.table()
	return s.landing(&user)
}

func TestRegisterVerifyAndSignIn(t *testing.T) {
	w := newWorld(t)
	b := w.visitor(t).with("Accept-Language", "ru-RU, en;q=0.5")
	b.get("/register").is(t, 200, `<html lang="ru">`, "Создайте аккаунт")
	b.post("/register", "name", "Анна", "email", " anna@People.Example ", "password", password, "timezone", "Asia/Omsk").leads(t, "/register/sent")
	b.get("/register/sent").is(t, 200, "anna@people.example")

	user, err := w.db.UserByEmail(t.Context(), "ANNA@people.example")
	if err != nil || user.Verified() || user.Language != "ru" || user.Timezone != "Asia/Omsk" || user.Role != domain.RoleUser {
		t.Fatalf("registered %+v, %v", user, err)
	}
	want := []domain.MailJob{{Letter: domain.MailVerify, UserID: user.ID}}
	if got := w.letters(t); !reflect.DeepEqual(got, want) {
		t.Fatalf("letters %+v, want %+v", got, want)
	}

	b.post("/login", "email", user.Email, "password", password).is(t, 403, "/verify/resend", user.Email)
	b.get("/account").leads(t, "/login?next=%2Faccount")

	path := "/verify/" + w.link(t, user.ID, domain.TokenVerify, time.Now())
	b.get(path).is(t, 200, user.Email, `method="post"`)
	b.get(path).is(t, 200) // looking changes nothing
	b.post(path).leads(t, landing(user))
	b.get("/account").is(t, 200, "Анна")
	b.get("/login").is(t, 303)
	b.post(path).is(t, 410)
	b.get(path).is(t, 410, "/verify/resend")

	b.post("/logout").leads(t, "/")
	b.get("/account").is(t, 303)
	b.post("/login", "email", user.Email, "password", password, "next", "/account?x=1").leads(t, "/account?x=1")
	b.post("/login", "email", user.Email, "password", password, "next", "//evil.example").leads(t, landing(user))
	b.get("/account").is(t, 200)
}

func TestRegisterRefusesAndKeeps(t *testing.T) {
	w := newWorld(t)
	tests := []struct {
		name, email, password string
		field, text           string
	}{
		{"", "a@b.example", password, "name", "Enter your name."},
		{"Anna", "", password, "email", "Enter an email address."},
		{"Anna", "anna", password, "email", "full email address"},
		{"Anna", "a@b.example", "short", "password", "at least 10"},
		{"Anna", "a@b.example", "12345678901", "password", "add some words"},
	}
	for _, test := range tests {
		got := w.visitor(t).post("/register", "name", test.name, "email", test.email, "password", test.password)
		got.is(t, 422, test.text, fmt.Sprintf("value=%q", test.email), fmt.Sprintf("value=%q", test.name))
		described := regexp.MustCompile(`<input id="field-` + test.field + `"[^>]*aria-invalid="true"[^>]*aria-describedby="field-` + test.field + `-problem`)
		if !described.MatchString(got.body) {
			t.Errorf("%s is not marked in %s", test.field, got.body)
		}
		if strings.Contains(got.body, test.password) {
			t.Error("the password came back")
		}
	}
	if n := len(w.letters(t)); n != 0 {
		t.Errorf("%d letters", n)
	}
}

// A stranger can't find out who has an account: answers are equal byte by byte, and each makes
// one letter.
func TestStrangersLearnNothing(t *testing.T) {
	w := newWorld(t)
	known := w.user(t, "known", domain.RoleUser)
	number := regexp.MustCompile(`(unknown|known)\d*@people\.example`)
	tests := []struct {
		path   string
		letter domain.MailKind
		values []string
	}{
		{"/register", domain.MailKnown, []string{"name", "Anna", "password", password}},
		{"/password/forgot", domain.MailReset, nil},
		{"/verify/resend", domain.MailKnown, nil},
	}
	for i, test := range tests {
		show := func(email string) string {
			b := w.visitor(t)
			posted := b.post(test.path, append(test.values, "email", email)...)
			return fmt.Sprint(posted.StatusCode, posted.Header.Get("Location"), number.ReplaceAllString(b.get(posted.Header.Get("Location")).body, "X"))
		}
		a, b := show(known.Email), show(fmt.Sprintf("unknown%d@people.example", i))
		if a != b {
			t.Errorf("%s: the answers differ:\n%s\n%s", test.path, a, b)
		}
		letters := w.letters(t)
		if len(letters) != 2*i+2 || letters[2*i].Letter != test.letter || letters[2*i].UserID != known.ID {
			t.Errorf("%s: letters %+v", test.path, letters)
		}
	}
	if user, err := w.db.User(t.Context(), known.ID); err != nil || user.Name != "known" || user.PasswordHash != known.PasswordHash {
		t.Errorf("registering again changed %+v, %v", user, err)
	}
	wrong := w.visitor(t).post("/login", "email", known.Email, "password", "wrong password").is(t, 422)
	nobody := w.visitor(t).post("/login", "email", "unknown@people.example", "password", "wrong password").is(t, 422)
	if number.ReplaceAllString(wrong.body, "X") != number.ReplaceAllString(nobody.body, "X") {
		t.Error("signing in tells which addresses exist")
	}
}

func TestResetPassword(t *testing.T) {
	w := newWorld(t)
	user := w.user(t, "anna", domain.RoleUser)
	b, elsewhere := w.visitor(t), w.as(t, user)
	b.post("/password/forgot", "email", "nonsense").is(t, 422, `aria-invalid="true"`)
	b.post("/password/forgot", "email", user.Email).leads(t, "/password/sent")
	b.get("/password/reset/"+w.link(t, user.ID, domain.TokenReset, time.Now().Add(-61*time.Minute))).is(t, 410)
	b.get("/password/reset/"+w.link(t, user.ID, domain.TokenVerify, time.Now())).is(t, 410)

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
	w := newWorld(t)
	user := w.user(t, "anna", domain.RoleUser)
	b, elsewhere := w.as(t, user), w.as(t, user)
	b.post("/account", "name", "Anna", "language", "ru", "timezone", "Nowhere/Land").is(t, 422, `value="Nowhere/Land"`, `aria-invalid="true"`)
	b.post("/account", "name", "Anna B", "language", "ru", "timezone", "Asia/Omsk").leads(t, "/account")
	b.get("/account").is(t, 200, `<html lang="ru">`, "Anna B", "Сохранено.", `title="Asia/Omsk"`)
	b.post("/account", "timezone", "UTC").leads(t, "/account") // the rest stays
	if got, err := w.db.User(t.Context(), user.ID); err != nil || got.Name != "Anna B" || got.Language != "ru" || got.Timezone != "UTC" {
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
	if _, err := w.db.User(t.Context(), user.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("still there: %v", err)
	}
	w.as(t, w.user(t, "root", domain.RoleAdmin)).post("/account", "_method", "DELETE", "current", password, "sure", "yes").is(t, 409)
}

func TestBlockedUser(t *testing.T) {
	w := newWorld(t)
	user, manager := w.user(t, "anna", domain.RoleUser), w.user(t, "boss", domain.RoleManager)
	b := w.as(t, user)
	b.get("/account").is(t, 200)
	path := "/verify/" + w.link(t, user.ID, domain.TokenVerify, time.Now())
	if _, err := w.db.UpdateUser(t.Context(), user.ID, func(u *domain.User) error {
		return u.Block(manager, "Sends <spam>", time.Now())
	}); err != nil {
		t.Fatal(err)
	}
	b.get("/account").leads(t, "/login?next=%2Faccount")
	b.post("/login", "email", user.Email, "password", "wrong password").is(t, 422)
	b.post("/login", "email", user.Email, "password", password).is(t, 403, "Sends &lt;spam&gt;")
	b.post(path).is(t, 403, "Sends &lt;spam&gt;")
	if _, err := w.db.UpdateUser(t.Context(), user.ID, func(u *domain.User) error { return u.Unblock(manager) }); err != nil {
		t.Fatal(err)
	}
	b.get("/account").is(t, 303) // his sessions ended for good
	b.post("/login", "email", user.Email, "password", password).is(t, 303)
}

func TestTooManyTries(t *testing.T) {
	w := newWorld(t)
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
	for range 10 {
		b.post("/password/forgot", "email", user.Email).is(t, 303)
	}
	b.post("/password/forgot", "email", user.Email).is(t, 429)
	for range 300 {
		if b.post("/verify/resend", "email", "").StatusCode == 429 {
			return
		}
	}
	t.Error("an address may send as many forms as it likes")
}
