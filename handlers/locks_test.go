package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// behindProxy believes what the test says about where a request comes from.
func behindProxy(c *Config) { c.Proxies = []string{"127.0.0.1"} }

// slowHashes make a password take longer than a request that is refused.
func slowHashes(c *Config) { c.Passwords = web.NewPasswords(web.HashMemory / 4) }

// from is the same browser in another network.
func (b *browser) from(address string) *browser { return b.with("X-Forwarded-For", address) }

// written is how many of the emails that wait have somebody to go to.
func (w *env) written(t *testing.T) (n int) {
	t.Helper()
	for _, job := range w.mailJobs(t) {
		if job.UserID != 0 || job.RegistrationID != 0 {
			n++
		}
	}
	return n
}

// Strangers can't make us write to whom they like, nor often, from however many addresses and through
// whichever of several instances. What they are told never differs.
func TestCannon(t *testing.T) {
	w := newEnv(t)
	w, other := envOn(t, w.db, behindProxy), envOn(t, w.db, behindProxy)
	user := w.user(t, "anna", domain.RoleUser)
	doors := []*browser{w.visitor(t), other.visitor(t)}
	ask := func(i int, address, path, email string) answer {
		return doors[i%2].from(address).post(path, "name", "Mallory", "email", email)
	}
	email := regexp.MustCompile(`[\p{L}&#;+.0-9-]+@[\p{L}.0-9-]+`)
	page := func(a answer, b *browser) string {
		return a.Header.Get("Location") + email.ReplaceAllString(b.get(a.Header.Get("Location")).body, "X")
	}

	// Addresses without an account, one network each.
	for i := range 60 {
		for _, path := range []string{"/password/forgot", "/verify/resend"} {
			ask(i, fmt.Sprintf("10.0.%d.1", i), path, fmt.Sprintf("stranger%d@people.example", i)).is(t, 303)
		}
	}
	if n := w.written(t); n != 0 {
		t.Errorf("%d emails to addresses without an account", n)
	}

	// One mailbox under many names.
	spellings := []string{"victim@пример.рф", "VICTIM@xn--e1afmkfd.xn--p1ai", "victim@ПРИМЕР.РФ"}
	for i := range 45 {
		spellings = append(spellings, fmt.Sprintf("victim+%d@пример.рф", i))
	}
	var first string
	for i, one := range spellings {
		for _, path := range []string{"/register", "/verify/resend"} {
			a := ask(i, fmt.Sprintf("10.1.%d.1", i), path, one).is(t, 303)
			if got := page(a, doors[i%2]); path == "/register" && first == "" {
				first = got
			} else if path == "/register" && got != first {
				t.Fatalf("the answers differ:\n%s\n%s", first, got)
			}
		}
	}
	if n := w.written(t); n != 1 {
		t.Errorf("%d emails to one mailbox within an hour", n)
	}

	// Somebody's account.
	for i := range 20 {
		ask(i, fmt.Sprintf("10.2.%d.1", i), "/password/forgot", strings.ToUpper(user.Email[:1])+user.Email[1:]).is(t, 303)
	}
	if n := w.written(t); n != 1+5 {
		t.Errorf("%d links to a new password within an hour", n-1)
	}

	// Networks: all addresses of a /64 and of a /24 are one.
	before := w.written(t)
	refused := map[int]int{}
	for i := range 40 {
		refused[ask(i, fmt.Sprintf("2001:db8:1:2:%x::%x", i, i), "/register", fmt.Sprintf("six%d@people.example", i)).StatusCode]++
		a := ask(i, fmt.Sprintf("10.3.0.%d", i), "/register", fmt.Sprintf("four%d@people.example", i))
		refused[a.StatusCode]++
		if a.StatusCode == 429 && a.Header.Get("Retry-After") == "" {
			t.Error("429 without Retry-After")
		}
	}
	if refused[303] != 60 || refused[429] != 20 || w.written(t) != before+60 {
		t.Errorf("of two networks: %v, %d emails", refused, w.written(t)-before)
	}

	// All networks together.
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `UPDATE quotas SET used = 999 WHERE used = (SELECT max(used) FROM quotas)`); err != nil {
		t.Fatal(err)
	}
	ask(0, "10.4.0.1", "/register", "last@people.example").is(t, 303)
	ask(1, "10.5.0.1", "/register", "more@people.example").is(t, 429)
	ask(1, "10.5.0.1", "/password/forgot", user.Email).is(t, 303) // people with an account are apart
}

// Strangers who guess an address's password don't lock its owner out: neither where the owner is at
// home, nor in another network, nor of what is done signed in.
func TestLockingOut(t *testing.T) {
	w := newEnv(t)
	w, other := envOn(t, w.db, behindProxy), envOn(t, w.db, behindProxy)
	user := w.user(t, "anna", domain.RoleUser)
	home, work := w.visitor(t).from("10.1.0.1"), w.as(t, user).from("10.2.0.1")
	home.post("/login", "email", user.Email, "password", password).is(t, 303)
	home.post("/logout").is(t, 303)

	stranger := []*browser{w.visitor(t), other.visitor(t)}
	refused := 0
	for i := range 30 { // one network, whatever the address in it
		a := stranger[i%2].from(fmt.Sprintf("10.3.0.%d", i)).post("/login", "email", user.Email, "password", "wrong password")
		if a.StatusCode == 429 {
			refused++
		}
	}
	if refused != 20 {
		t.Errorf("%d of 30 guesses were refused", refused)
	}
	home.post("/login", "email", user.Email, "password", password).is(t, 303)
	w.visitor(t).from("10.4.0.1").post("/login", "email", user.Email, "password", password).is(t, 303)

	refused = 0
	all := domain.Guessing(user.Email, "")[1]
	for range 92 { // as if as many had come
		if _, err := w.db.Quotas().Take(t.Context(), time.Now(), all); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 15 { // many networks
		a := stranger[i%2].from(fmt.Sprintf("10.20.%d.1", i)).post("/login", "email", user.Email, "password", "wrong password")
		if a.StatusCode == 429 {
			refused++
		}
	}
	if refused == 0 {
		t.Error("a hundred networks may guess without end")
	}
	w.visitor(t).from("10.5.0.1").post("/login", "email", user.Email, "password", password).is(t, 429)
	home.post("/logout").is(t, 303)
	for range 9 {
		home.post("/login", "email", user.Email, "password", "mistyped a bit").is(t, 422)
	}
	home.post("/login", "email", user.Email, "password", password).is(t, 303)
	work.post("/account/password", "current", password, "password", "a new long password").leads(t, "/account")

	// The cookie of one user is worth nothing for another, nor is a changed one; nor does it sign in.
	w.user(t, "bob", domain.RoleUser)
	for range 10 {
		stranger[0].from("10.6.0.1").post("/login", "email", "bob@people.example", "password", "wrong password").is(t, 422)
	}
	bob := home.from("10.6.0.1")
	bob.post("/login", "email", "bob@people.example", "password", password).is(t, 429)
	for _, b := range []*browser{home, work} {
		b.post("/logout").is(t, 303)
		b.get("/account").is(t, 303)
	}
	for range 10 {
		home.post("/login", "email", user.Email, "password", "wrong password").is(t, 422)
	}
	home.post("/login", "email", user.Email, "password", "a new long password").is(t, 429)
	work.post("/login", "email", user.Email, "password", "a new long password").is(t, 303)
	cookie := regexp.MustCompile(`device=\S+; max-age=\d+; path=/; HttpOnly; SameSite=Lax`)
	if set := fmt.Sprint(w.as(t, user).post("/account/password", "current", "a new long password", "password", password).Header["Set-Cookie"]); !cookie.MatchString(set) {
		t.Errorf("cookies %s", set)
	}
}

// What is longer than any address has no counter, and no password takes long.
func TestLongKeys(t *testing.T) {
	w := newEnv(t)
	b := w.visitor(t)
	for _, path := range []string{"/login", "/password/forgot", "/register", "/verify/resend"} {
		for _, email := range []string{strings.Repeat("a", 900_000) + "@people.example", "a@" + strings.Repeat("ж", 100_000) + ".рф"} {
			b.post(path, "name", "A", "email", email, "password", password).is(t, 422)
		}
	}
	b.post("/login", "email", "a@people.example", "password", strings.Repeat("a", 900_000)).is(t, 422)
	b.post("/login", "email", "a\x00@people.example", "password", password)
	var rows int
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT count(*) FROM quotas`).Scan(&rows); err != nil || rows > 2 {
		t.Errorf("%d counters, %v", rows, err)
	}
}

// An owner has a mailbox, too, which may be somebody else's meanwhile.
func TestManyTestEmails(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	m := w.message(t, user.ID, "Hello", "Text")
	for range 30 {
		b.post(fmt.Sprintf("/messages/%d/test", m.ID)).is(t, 303)
	}
	if after := b.post(fmt.Sprintf("/messages/%d/test", m.ID)).is(t, 429).Header.Get("Retry-After"); after == "" {
		t.Error("429 without Retry-After")
	}
	if n := w.written(t); n != 30 {
		t.Errorf("%d emails", n)
	}
}

// flood signs in all the time over n connections from one network, until the test ends.
func flood(t testing.TB, w *env, n int, count func(status int, retry string)) (stop func()) {
	t.Helper()
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		b := w.visitor(t).from(fmt.Sprintf("10.66.6.%d", i))
		wg.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-ended:
					return
				default:
				}
				a := b.post("/login", "email", fmt.Sprintf("victim%d-%d@people.example", i, k), "password", "wrong password")
				count(a.StatusCode, a.Header.Get("Retry-After"))
			}
		})
	}
	return sync.OnceFunc(func() { close(ended); wg.Wait() })
}

// While a network signs in over 100 connections at once, others sign in, and what is too much is told so.
func TestSignInFlood(t *testing.T) {
	w := newEnv(t)
	w = envOn(t, w.db, behindProxy, slowHashes)
	user := w.user(t, "anna", domain.RoleUser)
	var mu sync.Mutex
	statuses := map[int]int{}
	full := make(chan bool, 1)
	stop := flood(t, w, 100, func(status int, retry string) {
		mu.Lock()
		defer mu.Unlock()
		statuses[status]++
		if status == http.StatusServiceUnavailable {
			select {
			case full <- retry != "" && retry != "0":
			default:
			}
		}
	})
	defer stop()
	if !<-full {
		t.Error("503 without Retry-After")
	}
	for i := range 5 {
		b := w.visitor(t).from(fmt.Sprintf("10.7.%d.1", i))
		if a := b.post("/login", "email", user.Email, "password", password); a.StatusCode != 303 {
			t.Errorf("status %d: %s", a.StatusCode, w.output)
		}
	}
	stop()
	for status := range statuses {
		if status != 503 && status != 422 && status != 429 {
			t.Errorf("answers %v", statuses)
		}
	}
	w.visitor(t).from("10.66.6.1").post("/login", "email", user.Email, "password", password) // whoever comes later finds it open
	if text := w.output.String(); strings.Contains(text, "database away") {
		t.Error("the log blames the database")
	}
}

// BenchmarkSignInFlood is how long an owner waits to sign in while a network does so over 100 connections.
func BenchmarkSignInFlood(b *testing.B) {
	w := envOn(b, benchmarked(b), behindProxy, func(c *Config) { c.Passwords = web.NewPasswords(web.HashMemory) })
	user := w.user(b, "anna", domain.RoleUser)
	stop := flood(b, w, 100, func(int, string) {})
	defer stop()
	var slowest time.Duration
	for i := 0; b.Loop(); i++ {
		owner := w.visitor(b).from(fmt.Sprintf("10.7.%d.1", i%250))
		begun := time.Now()
		owner.post("/login", "email", user.Email, "password", password).is(b, 303)
		slowest = max(slowest, time.Since(begun))
	}
	b.ReportMetric(slowest.Seconds(), "slowest-s")
}

func benchmarked(b *testing.B) *db.DB { b.Helper(); return newEnv(b).db }

// Secrets in addresses stay out of the log, whatever refuses the request, and out of what the browser tells.
func TestSecretsStayOutOfLogs(t *testing.T) {
	w := newEnv(t)
	const secret = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U"
	for _, beginning := range []string{"/verify/", "/password/reset/", "/unsubscribe/"} {
		for _, path := range []string{beginning + secret, strings.ToUpper(beginning[:3]) + beginning[3:] + secret, "/" + beginning + secret,
			strings.Replace(beginning, "e", "%65", 1) + secret, strings.Replace(beginning, "e", "%2565", 1) + secret, beginning + secret + "/more"} {
			b := w.visitor(t)
			b.get(path)
			b.post(path, "password", "")
			b.do("DELETE", path, nil)
			b.do("PATCH", path, nil)
			b.post(path, "_method", "PUT")
			b.with("Sec-Fetch-Site", "cross-site").post(path)
			b.with("Host", "evil.example").get(path)
			b.with("Content-Encoding", "gzip").post(path)
		}
		a := w.visitor(t).get(beginning + secret)
		if policy := a.Header.Get("Referrer-Policy"); policy != "strict-origin" {
			t.Errorf("%s: the browser tells the address where it goes next (%s)", beginning, policy)
		}
		if !strings.Contains(w.output.String(), "path="+beginning+":token") {
			t.Errorf("%s is not in the log", beginning)
		}
	}
	w.visitor(t).post("/verify/resend")
	if log := w.output.String(); strings.Contains(log, secret) || !strings.Contains(log, "path=/verify/resend") {
		t.Errorf("%s", log)
	}
}

// Links to a new password end with the password and with the address.
func TestResetLinksEnd(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "anna", domain.RoleUser)
	for name, change := range map[string]func(u *domain.User){
		"password": func(u *domain.User) { u.PasswordHash += " " },
		"address":  func(u *domain.User) { u.Email = "anna2@people.example" },
	} {
		path := "/password/reset/" + w.link(t, user.ID, domain.TokenReset, time.Now())
		w.visitor(t).get(path).is(t, 200)
		if _, err := w.db.Users().Update(t.Context(), user.ID, func(u *domain.User) error { change(u); return nil }); err != nil {
			t.Fatal(err)
		}
		w.visitor(t).get(path).is(t, 410)
		if got := w.visitor(t).post(path, "password", "the thief's own").StatusCode; got != 410 {
			t.Errorf("after another %s: %d", name, got)
		}
	}
}

// The test inbox shows links to accounts: only a browser on this machine sees it, and only of a site that
// nobody else can reach.
func TestInboxStaysHere(t *testing.T) {
	w := newEnv(t)
	w.visitor(t).get("/inbox").is(t, 200)
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-IP", "True-Client-IP",
		"CF-Connecting-IP", "CF-Ray", "X-Client-IP", "X-Original-URL", "X-Envoy-Peer-Metadata", "Fastly-Client-IP", "X-Amzn-Trace-Id"} {
		w.visitor(t).with(name, "127.0.0.1").get("/inbox").is(t, 404)
		not(t, w.visitor(t).with(name, "127.0.0.1").get("/login"), `href="/inbox"`)
	}
	public := envOn(t, w.db, func(c *Config) {
		base := *c.BaseURL
		base.Host = "mail.example.com"
		c.BaseURL = &base
	})
	public.visitor(t).get("/inbox").is(t, 404)
	public.visitor(t).with("Host", "mail.example.com").get("/inbox").is(t, 404)
	rebound := envOn(t, w.db, func(c *Config) { c.Addr = "box.example:8080" })
	rebound.visitor(t).with("Host", "box.example").get("/inbox").is(t, 404)
}

// A manager lifts the limit of a new account, with a reason, by script or without, and sees who is at it.
func TestLimitIsLifted(t *testing.T) {
	w := newEnv(t)
	ann, owner := w.owner(t, "ann")
	w.client(t, ann.ID, "c1@example.com")
	m := w.mailing(t, ann.ID)
	w.sent(t, m, domain.OutcomeAccepted)
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `UPDATE runs SET status = 'running', closed_at = NULL, reason = $1`, domain.ReasonWarmUp); err != nil {
		t.Fatal(err)
	}
	var run int64
	if err := w.db.Postgres().Pool.QueryRow(t.Context(), `SELECT id FROM runs`).Scan(&run); err != nil {
		t.Fatal(err)
	}
	ends := fmt.Sprintf(`<time datetime="%s`, ann.CreatedAt.Add(24*time.Hour).UTC().Format("2006-01-02T15:04"))
	owner.get(fmt.Sprint("/runs/", run)).is(t, 200, "daily limit", ends)
	manager := w.as(t, w.user(t, "mia", domain.RoleManager))
	manager.get(fmt.Sprint("/runs/", run)).is(t, 200, "daily limit", ends)
	row, path := fmt.Sprintf(`id="user-%d"`, ann.ID), fmt.Sprintf("/manager/users/%d/", ann.ID)
	manager.get("/manager/users?status=waiting").is(t, 200, row, "At the limit")
	not(t, manager.get("/manager/users?status=waiting&q=mia"), "mia@people.example")

	owner.post(path+"lift", "reason", "mine").is(t, 403)
	manager.htmx().post(path+"lift").is(t, 422, `aria-invalid="true"`, path+"lift")
	manager.get(path+"lift").is(t, 200, `action="`+path+`lift"`)
	manager.htmx().post(path+"lift", "reason", "Known for years <b>").is(t, 200, row, "Known for years &lt;b&gt;", path+"limit", `aria-pressed="true"`)
	if user, err := w.db.Users().Get(t.Context(), ann.ID); err != nil || user.LiftedAt.IsZero() {
		t.Errorf("%+v, %v", user, err)
	}
	manager.post(path+"limit").leads(t, "/manager/users")
	w.logged(t, "mia@people.example limit ann@people.example: ", "mia@people.example lift ann@people.example: Known for years <b>")
}

// Who takes the name of a bank starts no mailing, and no email shows it, until a manager lets it pass.
func TestNamesAreHeld(t *testing.T) {
	w := newEnv(t)
	ann, owner := w.owner(t, "ann")
	w.client(t, ann.ID, "c1@example.com")
	m := w.mailing(t, ann.ID)
	manager := w.as(t, w.user(t, "mia", domain.RoleManager))
	name := "Cлужба безопасности Сбербанка" // with a Latin C
	owner.post("/account", "name", name).leads(t, "/account")
	owner.get("/account").is(t, 200, "A manager has to approve the name")
	for _, path := range []string{pathOf(m) + "/launch", pathOf(m) + "/run"} {
		owner.post(path).is(t, 409, "A manager has to approve the name", "change the name")
		owner.htmx().post(path).is(t, 409)
	}
	not(t, owner.get(pathOf(m)+"/review"), name+" &lt;", name+"</d")
	path := fmt.Sprintf("/manager/users/%d/", ann.ID)
	manager.get("/manager/users").is(t, 200, path+"approve")
	manager.post(path+"approve", "reason", "").is(t, 422)
	manager.htmx().post(path+"approve", "reason", "It is the bank").is(t, 200, "It is the bank", path+"hold")
	owner.post(pathOf(m)+"/launch").is(t, 303)
	owner.post("/account", "name", "Тинькофф").leads(t, "/account") // another name is judged anew
	owner.post(pathOf(m)+"/run").is(t, 409)
	owner.post("/account", "name", "Ann").leads(t, "/account")
	owner.post(pathOf(m)+"/run").is(t, 303)
	w.logged(t, "mia@people.example approve ann@people.example: It is the bank")
}

// A stolen session doesn't move an account to the thief's mailbox: that takes the password and the old mailbox,
// and what is answered tells nothing of other accounts.
func TestEmailChange(t *testing.T) {
	w := newEnv(t)
	ann, other := w.user(t, "ann", domain.RoleUser), w.user(t, "other", domain.RoleUser)
	b := w.as(t, ann)
	ask := func(email string) domain.EmailChange {
		t.Helper()
		b.post("/account/email", "email", email, "current", password).leads(t, "/account/email")
		change, err := w.db.EmailChanges().Of(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		return change
	}
	links := func(change domain.EmailChange) (before, after string) {
		return "/account/email/" + w.link(t, change.ID, domain.TokenOldEmail, time.Now()), "/account/email/" + w.link(t, change.ID, domain.TokenNewEmail, time.Now())
	}
	email := func() string {
		user, err := w.db.Users().Get(t.Context(), ann.ID)
		if err != nil {
			t.Fatal(err)
		}
		return user.Email
	}
	b.get("/account").is(t, 200, `href="/account/email"`)
	b.post("/account/email", "email", "thief@people.example", "current", "not the password").is(t, 422, `aria-invalid="true"`, "thief@people.example")
	b.post("/account/email", "email", "nonsense", "current", password).is(t, 422, `aria-invalid="true"`)
	b.post("/account/email", "email", ann.Email, "current", password).is(t, 422, "already")
	if n := len(w.mailJobs(t)); n != 0 {
		t.Fatalf("%d emails", n)
	}

	thief := ask("thief@people.example")
	if jobs := w.mailJobs(t); len(jobs) != 2 || jobs[0].Email != domain.MailOldEmail || jobs[1].Email != domain.MailNewEmail || jobs[1].EmailChangeID != thief.ID {
		t.Errorf("%+v", jobs)
	}
	_, toThief := links(thief)
	w.visitor(t).get(toThief).is(t, 200, "thief@people.example", `method="post"`)
	w.visitor(t).post(toThief).leads(t, "/login")
	w.visitor(t).post(toThief).is(t, 410)
	b.get("/account/email").is(t, 200, "not confirmed yet", ": confirmed")
	if email() != ann.Email {
		t.Fatal("one mailbox is enough")
	}

	moved := ask("ann2@people.example") // ends what was asked before
	reset := "/password/reset/" + w.link(t, ann.ID, domain.TokenReset, time.Now())
	before, after := links(moved)
	w.visitor(t).post(before).leads(t, "/login")
	if email() != ann.Email {
		t.Fatal("the old mailbox is enough")
	}
	w.visitor(t).post(after).leads(t, "/login")
	if email() != "ann2@people.example" {
		t.Fatal("nothing has changed")
	}
	w.visitor(t).get(reset).is(t, 410)
	w.visitor(t).post("/login", "email", "ann2@people.example", "password", password).is(t, 303)

	// An address that has an account: the same answers, the other account stays.
	taken := ask(other.Email)
	before, after = links(taken)
	w.visitor(t).post(before).leads(t, "/login")
	if w.visitor(t).post(after).StatusCode == 303 || email() != "ann2@people.example" {
		t.Error("two accounts share an address")
	}
	for range 2 {
		ask("more@people.example")
	}
	b.post("/account/email", "email", "more@people.example", "current", password).is(t, 429)
	if n := w.invited(t); n != 4 {
		t.Errorf("%d emails to new addresses: at most one an hour goes to a mailbox", n)
	}
}

// invited is how many emails go to addresses that are to be new ones.
func (w *env) invited(t *testing.T) (n int) {
	t.Helper()
	for _, job := range w.mailJobs(t) {
		if job.Email == domain.MailNewEmail && job.EmailChangeID != 0 {
			n++
		}
	}
	return n
}

// An address with a Cyrillic letter that looks Latin is marked where its owner sees it.
func TestLookAlikeAddresses(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	b.post("/clients", "email", "\u0455ergey@example.com").is(t, 303)
	w.client(t, ann.ID, "sergey@example.com")
	if list := b.get("/clients").is(t, 200); strings.Count(list.body, "Look-alike letters") != 1 {
		t.Errorf("%s", list.body)
	}
	b.htmx().get("/clients?q=ergey").is(t, 200, "Look-alike letters")
}

// Known browsers stay known when SECRET changes, as long as the one of before is named; another one's are worth nothing.
func TestDevicesOutliveSecret(t *testing.T) {
	w := newEnv(t)
	user := w.user(t, "anna", domain.RoleUser)
	w = envOn(t, w.db, behindProxy)
	b := w.visitor(t).from("10.1.0.1")
	b.post("/login", "email", user.Email, "password", password).is(t, 303)
	b.post("/logout").is(t, 303)
	old := b.client.Jar
	for _, quota := range domain.Guessing(user.Email, "10.1.0.0/24") {
		for range quota.Max {
			if _, err := w.db.Quotas().Take(t.Context(), time.Now(), quota); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, test := range []struct {
		before []byte
		want   int
	}{{[]byte(password), 303}, {nil, 429}} {
		next := envOn(t, w.db, behindProxy, func(c *Config) { c.Secret, c.SecretOld = []byte("another secret of thirty-two byte"), test.before })
		from, _ := url.Parse(w.url)
		to, _ := url.Parse(next.url)
		other := next.visitor(t).from("10.1.0.1")
		other.client.Jar.SetCookies(to, old.Cookies(from))
		other.post("/login", "email", user.Email, "password", password).is(t, test.want)
	}
}
