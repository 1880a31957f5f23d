package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// form is a new form of the owner, changed.
func (w *env) form(t *testing.T, owner int64, change func(*domain.FormInput)) domain.Form {
	t.Helper()
	own, err := w.db.Forms().Choices(t.Context(), owner)
	if err != nil {
		t.Fatal(err)
	}
	in := domain.FormInput{Name: "Get our news", Text: "Once a *month*.", Agreement: "I agree to get emails.", Tags: "web"}
	if change != nil {
		change(&in)
	}
	f := domain.Form{OwnerID: owner}
	if err := f.Change(in, own, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Forms().Create(t.Context(), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// trapOf is the trap of a form that was opened a minute ago.
func trapOf(f domain.Form) string {
	return domain.NewTrap([]byte(password), f.Token, time.Now().Add(-time.Minute))
}

// signups are what waits in a form.
func (w *env) signups(t *testing.T, f domain.Form) (list []domain.Signup) {
	t.Helper()
	for _, id := range dbtest.Numbers(t, w.db, `SELECT id FROM signups WHERE form_id = $1 ORDER BY id`, f.ID) {
		s, err := w.db.Signups().Get(t.Context(), f.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	return list
}

// link is what the email to the mailbox of a sign-up would have.
func link(f domain.Form, s domain.Signup) string {
	return "/f/" + f.Token + "/confirm/" + s.Code([]byte(password))
}

func (w *env) mailArgs(t *testing.T) (list []string) {
	t.Helper()
	rows, err := w.db.Postgres().Pool.Query(t.Context(), `SELECT args::text FROM river_job WHERE kind = 'mail' ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var args string
		if err := rows.Scan(&args); err != nil {
			t.Fatal(err)
		}
		list = append(list, args)
	}
	return list
}

func TestFormPages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.exec(t, `INSERT INTO fields (owner_id, key, label, type, choices) VALUES ($1, 'city', 'City', 'text', '{}'), ($1, 'plan', 'Plan', 'choice', '{Gold,Silver}')`, user.ID)
	w.exec(t, `INSERT INTO topics (owner_id, name) VALUES ($1, 'News'), ($1, 'Offers')`, user.ID)
	b.get("/forms").is(t, 200, "<html", "No forms yet", `href="/forms/new"`)
	b.get("/forms/new").is(t, 200, `name="name"`, `name="text"`, `name="tags"`, `name="topics"`, `name="fields" value="city"`, `name="required" value="plan"`, "I agree to get emails from ann.")
	b.post("/forms", "name", "", "agreement", "", "next_url", "http://a.example", "fields", "shoe").is(t, 422, `aria-invalid="true"`, "aria-describedby=", `value="http://a.example"`, "begins with https://", "Choose from your fields.")
	path := b.post("/forms", "name", "Our <b>news</b>", "text", "**Bold** <script>alert(1)</script> [x](javascript:alert(1)) [ours](https://shop.example)", "agreement", "I agree to [this](https://shop.example/privacy).",
		"tags", "web, new", "topics", "News", "topics", "Offers", "fields", "full_name", "fields", "city", "required", "plan", "next_url", "https://shop.example/thanks?a=1").is(t, 303).Header.Get("Location")
	rows, err := w.db.Forms().List(t.Context(), user.ID)
	if err != nil || len(rows) != 1 || path != fmt.Sprint("/forms/", rows[0].ID) {
		t.Fatalf("%v %s %+v", err, path, rows)
	}
	f := rows[0].Form
	shown := b.get(path).is(t, 200, "Our &lt;b&gt;news&lt;/b&gt;", w.url+"/f/"+f.Token, `src="`+path+`/picture"`, `id="form-html"`, "&lt;form action=", "https://shop.example/thanks?a=1",
		"Nobody has signed up yet.", "Full name, City, Plan (Required)")
	if strings.Contains(shown.body, "<script>alert") {
		t.Error("the owner's page runs a script")
	}
	picture := b.get(path+"/picture").is(t, 200, "<strong>Bold</strong>", `href="https://shop.example"`)
	if picture.Header.Get("X-Frame-Options") != "SAMEORIGIN" || !strings.Contains(picture.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'") {
		t.Errorf("the picture: %v", picture.Header)
	}
	edit := b.get(path+"/edit").is(t, 200, `name="_method" value="PUT"`, `name="revision"`, `name="fields" value="city" aria-label="Ask: City" checked`, "https://shop.example/thanks?a=1")
	revision := regexp.MustCompile(`name="revision" value="([^"]+)"`).FindStringSubmatch(edit.body)[1]
	b.post(path, "_method", "PUT", "name", "Other", "agreement", "I agree.", "revision", revision).leads(t, path)
	b.post(path, "_method", "PUT", "name", "Mine", "agreement", "I agree.", "revision", revision).is(t, 409, `value="Mine"`, "Other")
	b.get("/forms").is(t, 200, fmt.Sprintf(`id="form-%d"`, f.ID), "Other")
	if n := dbtest.Number(t, w.db, `SELECT count(*) FROM form_agreements WHERE form_id = $1`, f.ID); n != 2 {
		t.Errorf("%d versions", n)
	}
	b.get(path+"/delete").is(t, 200, "Delete the form “Other”?")
	_, other := w.owner(t, "bob")
	for _, one := range []string{path, path + "/edit", path + "/delete", path + "/picture"} {
		other.get(one).is(t, 404)
	}
	other.post(path, "_method", "PUT", "name", "Mine", "agreement", "x").is(t, 404)
	other.post(path, "_method", "DELETE").is(t, 404)
	b.post(path, "_method", "DELETE").leads(t, "/forms")
	b.get(path).is(t, 404)
	w.visitor(t).get("/f/"+f.Token).is(t, 404)
}

func TestSignUpPage(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	w.exec(t, `INSERT INTO fields (id, owner_id, key, label, type, choices) VALUES (7, $1, 'city', 'City', 'text', '{}')`, user.ID)
	w.exec(t, `INSERT INTO topics (id, owner_id, name) VALUES (5, $1, 'News'), (6, $1, 'Offers')`, user.ID)
	f := w.form(t, user.ID, func(in *domain.FormInput) {
		in.Fields, in.Required, in.Topics, in.Tick = []string{"full_name"}, []string{"city"}, []string{"5", "6"}, true
	})
	path, b := "/f/"+f.Token, w.visitor(t)
	a := b.get(path).is(t, 200, "Get our news", "<em>month</em>", `name="email"`, `name="full_name"`, `name="field.city"`, `name="topics" value="5"`, `name="agree"`, `name="website"`, `name="t"`, `lang="en"`)
	if policy := a.Header.Get("Content-Security-Policy"); strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(a.body, "<script") {
		t.Error("the hosted page has scripts, or stands in frames")
	}
	w.visitor(t).with("Accept-Language", "ru").get(path).is(t, 200, `lang="ru"`, "Подписаться")

	values := []string{"email", "eve@example.com", "full_name", "Eve", "field.city", "Paris", "topics", "5", "agree", "yes"}
	// What a program sends comes back to be sent once more, with its values.
	for name, more := range map[string][]string{"no trap": nil, "forged": {"t", "1.abc"}, "quick": {"t", domain.NewTrap([]byte(password), f.Token, time.Now())}, "bait": {"t", trapOf(f), "website", "http://x"}} {
		again := b.post(path, append(more, values...)...).is(t, 422, "press the button once more", `value="eve@example.com"`, `value="Paris"`)
		if name == "quick" && !strings.Contains(again.body, `value="`+more[1]+`"`) {
			t.Error("the time begins anew")
		}
	}
	if n := dbtest.Number(t, w.db, `SELECT refused FROM form_days WHERE form_id = $1`, f.ID); n != 4 || len(w.signups(t, f)) != 0 {
		t.Errorf("%d refused", n)
	}
	b.post(path, "t", trapOf(f), "email", "a@b.example\r\nBcc: c@d.example", "full_name", "<script>").is(t, 422, `aria-invalid="true"`, "aria-describedby=", "&lt;script&gt;", "Fill this in.", "Choose at least one.", "Tick the box")

	// From another site's page, without a cookie: like any other. Nothing else may come from there.
	elsewhere := w.visitor(t).with("Origin", "https://shop.example").with("Sec-Fetch-Site", "cross-site").with("Referer", "https://shop.example/news?email=x@y.example")
	paste := domain.NewTrap([]byte(password), f.Token, time.Time{})
	elsewhere.post(path, append([]string{"t", paste}, values...)...).leads(t, path+"/sent")
	elsewhere.post("/forms", "name", "x").is(t, 403)
	elsewhere.get(path+"/sent").is(t, 200, "Check your mailbox")
	list := w.signups(t, f)
	if len(list) != 1 || list[0].Page != "https://shop.example/news" || list[0].IP != "127.0.0.0/24" || list[0].FullName != "Eve" || list[0].Fields[7] != "Paris" {
		t.Fatalf("%+v", list)
	}
	// A client gets the same answer as a stranger, and once more changes the values, not the number of emails.
	client := w.client(t, user.ID, "known@example.com")
	first := b.post(path, append([]string{"t", trapOf(f)}, values...)...)
	second := b.post(path, "t", trapOf(f), "email", client.Email, "full_name", "Mallory", "field.city", "Rome", "topics", "6", "agree", "yes")
	if first.StatusCode != second.StatusCode || first.Header.Get("Location") != second.Header.Get("Location") || first.body != second.body {
		t.Error("a visitor can tell who is a client")
	}
	jobs := w.mailArgs(t)
	if len(jobs) != 3 || strings.Contains(strings.Join(jobs, ""), "@") || strings.Count(strings.Join(jobs, ""), "signup_id") != 2 {
		t.Errorf("jobs %v", jobs)
	}
	if log := w.output.String(); strings.Contains(log, "@example.com") || strings.Contains(log, f.Token) {
		t.Error("the log knows who signed up")
	}
	owner.get(fmt.Sprint("/forms/", f.ID)).is(t, 200, "e…@example.com", "k…@example.com", "Waiting")
	owner.post(fmt.Sprint("/forms/", f.ID), "_method", "PUT", "name", "x", "agreement", "y", "closed", "yes").is(t, 303)
	b.get(path).is(t, 410, "This form is closed")
	b.post(path, append([]string{"t", trapOf(f)}, values...)...).is(t, 410, "This form is closed")
}

func TestConfirmSignUp(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	w.exec(t, `INSERT INTO fields (id, owner_id, key, label, type, choices) VALUES (7, $1, 'city', 'City', 'text', '{}')`, user.ID)
	w.exec(t, `INSERT INTO topics (id, owner_id, name) VALUES (5, $1, 'News'), (6, $1, 'Offers')`, user.ID)
	f := w.form(t, user.ID, func(in *domain.FormInput) { in.Fields, in.Topics = []string{"full_name", "city"}, []string{"5", "6"} })
	path, b := "/f/"+f.Token, w.visitor(t)
	known := w.client(t, user.ID, "Known@example.com")
	w.exec(t, `UPDATE clients SET full_name = 'Kate', suppressed_at = now(), suppressed_reason = 'unsubscribed', fields = '{"7": "Oslo"}' WHERE id = $1`, known.ID)
	gone := w.client(t, user.ID, "gone@example.com")
	w.exec(t, `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE id = $1`, gone.ID)
	if err := w.db.Clients().Delete(t.Context(), user.ID, gone.ID); err != nil {
		t.Fatal(err)
	}
	for _, email := range []string{"eve@example.com", "known@example.com", "gone@example.com"} {
		b.with("Referer", w.url+path).post(path, "t", trapOf(f), "email", email, "full_name", "Eve <i>", "field.city", "Paris", "topics", "5").leads(t, path+"/sent")
	}
	list := w.signups(t, f)
	for _, s := range list {
		ask := b.get(link(f, s)+").").is(t, 200, "Confirm your subscription", "Eve &lt;i&gt;", "Paris", "News", `method="post"`)
		if !strings.Contains(ask.Header.Get("X-Frame-Options"), "DENY") {
			t.Error("a page that confirms stands in frames")
		}
	}
	if n := dbtest.Number(t, w.db, `SELECT count(*) FROM clients WHERE owner_id = $1 AND suppressed_at IS NULL`, user.ID); n != 0 {
		t.Fatal("looking at the page confirms")
	}
	for _, s := range list {
		for range 2 {
			b.post(link(f, s)).leads(t, link(f, s))
		}
		b.get(link(f, s)).is(t, 200, "You&#39;re subscribed")
	}
	get := func(email string) (c domain.Client) {
		t.Helper()
		id := dbtest.Number(t, w.db, `SELECT id FROM clients WHERE owner_id = $1 AND lower(email) = $2`, user.ID, email)
		c, err := w.db.Clients().Get(t.Context(), user.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := get("eve@example.com"); c.FullName != "Eve <i>" || c.Fields[7] != "Paris" || len(c.Tags) != 1 || c.Suppressed() {
		t.Errorf("a new client: %+v", c)
	}
	if c := get("known@example.com"); c.ID != known.ID || c.FullName != "Kate" || c.Fields[7] != "Oslo" || strings.Join(c.Tags, " ") != "vip web" || c.Suppressed() {
		t.Errorf("who was there: %+v", c)
	}
	if c := get("gone@example.com"); c.Suppressed() {
		t.Errorf("who had unsubscribed and was deleted: %+v", c)
	}
	if left := dbtest.Numbers(t, w.db, `SELECT unnest(left_topics) FROM clients WHERE owner_id = $1 ORDER BY 1`, user.ID); fmt.Sprint(left) != "[6 6 6]" {
		t.Errorf("topics left: %v", left)
	}
	if n := dbtest.Number(t, w.db, `SELECT count(*) FROM consents WHERE form_id = $1`, f.ID); n != 3 {
		t.Errorf("%d consents", n)
	}
	// Unsubscribed since: the old link brings nobody back.
	if err := w.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: known.ID}, ""); err != nil {
		t.Fatal(err)
	}
	b.post(link(f, list[1]))
	if c := get("known@example.com"); !c.Suppressed() {
		t.Error("a link that was used subscribes again")
	}

	proof := fmt.Sprintf("/clients/%d/consent", known.ID)
	owner.get(fmt.Sprint("/clients/", known.ID)).is(t, 200, proof)
	owner.get(proof).is(t, 200, "Signed up by the form “Get our news”", "I agree to get emails.", "Once a *month*.", w.url+path, "127.0.0.0/24", "1, used since", "Has unsubscribed since.", "News")
	file := owner.get(proof+".html").is(t, 200, "I agree to get emails.", "Known@example.com", "127.0.0.0/24", "Kept by ann.")
	if !strings.HasPrefix(file.Header.Get("Content-Disposition"), "attachment") {
		t.Error("the proof is no file")
	}
	owner.post(proof, "consent_source", "", "consent_on", "tomorrow").is(t, 422, `aria-invalid="true"`, "Say how they agreed.", "Enter a day")
	owner.post(proof, "consent_source", "A card <b>", "consent_on", "2020-02-29").leads(t, proof)
	owner.get(proof).is(t, 200, "A card &lt;b&gt;", "2020-02-29", "Entered by hand")
	_, other := w.owner(t, "bob")
	other.get(proof).is(t, 404)
	other.get(proof+".html").is(t, 404)
	other.post(proof, "consent_source", "x", "consent_on", "2020-02-29").is(t, 404)
	owner.get(fmt.Sprint("/forms/", f.ID)).is(t, 200, "eve@example.com", "Confirmed")

	b.get(path+"/confirm/dead").is(t, 410, "no longer works", path)
	b.post(path+"/confirm/dead").is(t, 410)
	stranger := w.form(t, user.ID, nil)
	b.get("/f/"+stranger.Token+"/confirm/"+list[0].Code([]byte(password))).is(t, 410)
	w.exec(t, `INSERT INTO signups (form_id, owner_id, agreement_id, email, language, sent_at) VALUES ($1, $2, $3, 'late@example.com', 'en', now() - interval '8 days')`, f.ID, user.ID, f.AgreementID)
	late := w.signups(t, f)[3]
	b.get(link(f, late)).is(t, 410)
	b.post(link(f, late)).is(t, 410)
}

// Where to go after confirming: to an address that the owner typed, and the browser is told that it may.
func TestAfterConfirming(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	f := w.form(t, user.ID, func(in *domain.FormInput) {
		in.NextURL, in.Fields = "https://shop.example/thanks?a=1", []string{"full_name"}
	})
	path, b := "/f/"+f.Token, w.visitor(t)
	b.post(path, "t", trapOf(f), "email", "eve@example.com", "full_name", "Rude", "next_url", "https://evil.example").leads(t, path+"/sent")
	s := w.signups(t, f)[0]
	ask := b.get(link(f, s)+"?next=https://evil.example").is(t, 200)
	if policy := ask.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self' https://shop.example;") {
		t.Errorf("policy %s", policy)
	}
	b.post(link(f, s), "do", "bare", "next_url", "https://evil.example").leads(t, "https://shop.example/thanks?a=1")
	c, err := w.db.Clients().Get(t.Context(), user.ID, dbtest.Number(t, w.db, `SELECT id FROM clients WHERE owner_id = $1`, user.ID))
	if err != nil || c.FullName != "" {
		t.Errorf("%v: the stranger's words are kept: %+v", err, c)
	}
	thanks := w.form(t, user.ID, func(in *domain.FormInput) { in.Thanks = "Thank *you*." })
	b.post("/f/"+thanks.Token, "t", trapOf(thanks), "email", "eve@example.com").leads(t, "/f/"+thanks.Token+"/sent")
	s = w.signups(t, thanks)[0]
	b.post(link(thanks, s)).leads(t, link(thanks, s))
	b.get(link(thanks, s)).is(t, 200, "Thank <em>you</em>.")
	w.exec(t, `UPDATE users SET blocked_at = now() WHERE id = $1`, user.ID)
	b.get("/f/"+thanks.Token).is(t, 404)
}

// The HTML to paste is a form as it stands: its names and values, sent as they are, make a sign-up.
func TestPastedForm(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	w.exec(t, `INSERT INTO fields (owner_id, key, label, type, choices) VALUES ($1, 'plan', 'Plan "x"', 'choice', '{Gold,Silver}')`, user.ID)
	f := w.form(t, user.ID, func(in *domain.FormInput) { in.Fields, in.Tick = []string{"full_name", "plan"}, true })
	page := owner.get(fmt.Sprint("/forms/", f.ID)).is(t, 200)
	_, escaped, _ := strings.Cut(page.body, `id="form-html">`)
	escaped, _, _ = strings.Cut(escaped, "</code>")
	html := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(escaped)
	for _, want := range []string{`action="` + w.url + "/f/" + f.Token + `"`, `method="post"`, `name="email"`, `name="field.plan"`, `<option value="Gold">`, `name="agree"`, `tabindex="-1"`, "background:#1a5fc4", "I agree to get emails."} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
	if strings.Contains(html, "<script") || strings.Contains(html, "ZgotmplZ") {
		t.Error(html)
	}
	trap := regexp.MustCompile(`name="t" value="([^"]+)"`).FindStringSubmatch(html)[1]
	b := w.visitor(t).with("Sec-Fetch-Site", "cross-site").with("Origin", "https://shop.example")
	b.post("/f/"+f.Token, "t", trap, "email", "wrong", "field.plan", "Tin", "agree", "yes").is(t, 422, `value="wrong"`, "<html")
	b.post("/f/"+f.Token, "t", trap, "email", "eve@example.com", "field.plan", "gold", "agree", "yes", "website", "").leads(t, "/f/"+f.Token+"/sent")
	if s := w.signups(t, f); len(s) != 1 || s[0].Page != "https://shop.example" {
		t.Errorf("%+v", s)
	}
}

// Limits are in the database, so that they are shared by all instances; a pasted form has a lower one.
func TestSignUpLimits(t *testing.T) {
	d := dbtest.New(t)
	one, two := envOn(t, d), envOn(t, d)
	user, _ := one.owner(t, "ann")
	f := one.form(t, user.ID, nil)
	paste := domain.NewTrap([]byte(password), f.Token, time.Time{})
	send := func(w *env, trap string, n int) answer {
		return w.visitor(t).post("/f/"+f.Token, "t", trap, "email", fmt.Sprintf("p%d@example.com", n))
	}
	for n := range 10 {
		send([]*env{one, two}[n%2], paste, n).is(t, 303)
	}
	refused := send(two, paste, 11).is(t, http.StatusTooManyRequests, "Too many sign-ups")
	if refused.Header.Get("Retry-After") == "" || !strings.Contains(refused.body, `value="p11@example.com"`) {
		t.Error("what was typed is lost")
	}
	for n := range 20 {
		send([]*env{one, two}[n%2], trapOf(f), 100+n).is(t, 303)
	}
	send(one, trapOf(f), 200).is(t, http.StatusTooManyRequests)
	row, err := d.Forms().Get(t.Context(), user.ID, f.ID)
	if err != nil || row.Signups != 30 || row.Waiting != 30 {
		t.Errorf("%v %+v", err, row)
	}
	if days, err := d.Forms().Days(t.Context(), f.ID, user.Location()); err != nil || len(days) != 1 || days[0] != (db.FormDay{Day: days[0].Day, Signups: 30, Waiting: 30, Refused: 2}) {
		t.Errorf("%v %+v", err, days)
	}
}

func TestHugeSignUp(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	f := w.form(t, user.ID, func(in *domain.FormInput) { in.Fields = []string{"full_name"} })
	b := w.visitor(t)
	b.post("/f/"+f.Token, "t", trapOf(f), "email", strings.Repeat("a", 900_000)+"@example.com", "full_name", strings.Repeat("b", 90_000)).is(t, 422)
	response, err := b.client.PostForm(w.url+"/f/"+f.Token, url.Values{"email": {strings.Repeat("a", 2<<20)}})
	if err == nil {
		defer response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("2 MB: %d", response.StatusCode)
		}
	}
	if len(w.signups(t, f)) != 0 {
		t.Error("kept")
	}
}

// Owners say of clients that they type, and once of a list, how and when those have agreed.
func TestConsentOfTypedAndImported(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/clients/new").is(t, 200, `name="consent_source"`, `name="consent_on"`)
	b.post("/clients", "email", "", "consent_source", "A card", "consent_on", "soon").is(t, 422, `value="A card"`, "Enter a day", "<details open>")
	b.post("/clients", "email", "eve@example.com", "consent_source", "A card", "consent_on", "").is(t, 422, "Enter a day")
	b.post("/clients", "email", "eve@example.com", "consent_source", "A card", "consent_on", "2020-02-29").leads(t, "/clients")
	eve := dbtest.Number(t, w.db, `SELECT id FROM clients WHERE email = 'eve@example.com'`)
	b.get(fmt.Sprintf("/clients/%d/consent", eve)).is(t, 200, "Entered by hand", "A card", "2020-02-29")
	b.post("/clients", "email", "bob@example.com").leads(t, "/clients")
	bob := dbtest.Number(t, w.db, `SELECT id FROM clients WHERE email = 'bob@example.com'`)
	b.get(fmt.Sprintf("/clients/%d/consent", bob)).is(t, 200, "Nothing is known")

	path := b.uploaded("list.csv", []byte("email\nlist@example.com\n"))
	start := []string{"do", "start", "columns", "email", "header", "yes", "consent_on", "2020-01-31"}
	b.post(path, start...).is(t, 422, "Say how they agreed.", `value="2020-01-31"`)
	b.post(path, append(start, "consent_source", "Cards <b>")...).leads(t, path)
	if n := dbtest.Number(t, w.db, `SELECT count(*) FROM imports WHERE mapping->>'ConsentSource' = 'Cards <b>' AND mapping->>'ConsentOn' = '2020-01-31'`); n != 1 {
		t.Error("what was said of the list is lost")
	}
	w.exec(t, `INSERT INTO imports (id, owner_id, file_name, content, status, mapping) VALUES (33, $1, 'fair.csv', '', 'done', '{"ConsentSource": "A list at the fair", "ConsentOn": "2021-05-06"}')`, user.ID)
	w.exec(t, `UPDATE clients SET import_id = 33 WHERE id = $1`, bob)
	b.get(fmt.Sprintf("/clients/%d/consent", bob)).is(t, 200, "From an import", "A list at the fair", "2021-05-06", "fair.csv")
	b.get(fmt.Sprintf("/clients/%d/consent.html", bob)).is(t, 200, "A list at the fair")
}
