package handlers

import (
	"encoding/csv"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// owner is a new user who is signed in, with a browser.
func (w *env) owner(t *testing.T, name string) (domain.User, *browser) {
	t.Helper()
	user := w.user(t, name, domain.RoleUser)
	return user, w.as(t, user)
}

func (w *env) client(t *testing.T, owner int64, email string) domain.Client {
	t.Helper()
	c := domain.Client{OwnerID: owner}
	if err := c.Change(domain.ClientForm{Email: email, FullName: "Name of " + email, Comment: "note", Tags: "vip"}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Clients().Create(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestClientsPlainForms(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/clients").is(t, 200, "<html", "No clients yet", `href="/clients/several"`, `href="/clients/import"`)
	b.get("/clients/new").is(t, 200, "<html", `name="email"`, `name="full_name"`, `name="comment"`, `name="tags"`)
	b.post("/clients", "email", "anna@example.com", "full_name", "Анна <b>", "comment", "one\r\ntwo", "tags", "vip, news").leads(t, "/clients")
	b.get("/clients").is(t, 200, "anna@example.com", "Анна &lt;b&gt;", `href="/clients?tag=news"`, "1 client", "anna@example.com added")

	clients, _, err := w.db.Clients().List(t.Context(), user.ID, db.ClientFilter{})
	if err != nil || len(clients) != 1 || clients[0].Comment != "one\ntwo" || len(clients[0].Tags) != 2 {
		t.Fatalf("%+v, %v", clients, err)
	}
	path := fmt.Sprint("/clients/", clients[0].ID)
	b.get(path).is(t, 200, "<html", "anna@example.com", "What happened", "Added", path+"/edit", path+"/delete", "<time datetime=")
	b.get(path+"/edit").is(t, 200, "<html", `value="anna@example.com"`, `value="vip, news"`, `name="_method" value="PUT"`)
	b.post(path, "_method", "PUT", "email", "ann@example.com", "full_name", "Ann").leads(t, path)
	b.get(path).is(t, 200, "ann@example.com", "Client saved.")
	b.get(path+"/delete").is(t, 200, "<html", "Delete ann@example.com?", `value="DELETE"`)
	b.post(path, "_method", "DELETE").leads(t, "/clients")
	b.get(path).is(t, 404)
}

func TestClientsInvalid(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	taken := w.client(t, user.ID, "taken@example.com")
	c := w.client(t, user.ID, "c@example.com")
	path := fmt.Sprint("/clients/", c.ID)
	for name, send := range map[string]func(b *browser, email string) answer{
		"create": func(b *browser, email string) answer {
			return b.post("/clients", "email", email, "full_name", "Typed <name>", "comment", "typed comment", "tags", "typed tag")
		},
		"update": func(b *browser, email string) answer {
			return b.post(path, "_method", "PUT", "email", email, "full_name", "Typed <name>", "comment", "typed comment", "tags", "typed tag")
		},
		"PUT": func(b *browser, email string) answer {
			return b.do("PUT", path, []string{"email", email, "full_name", "Typed <name>", "comment", "typed comment", "tags", "typed tag"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			for email, problem := range map[string]string{
				"no address": "full email address", taken.Email: "You already have a client with this email.", "": "Enter an email address.",
				strings.ToUpper(taken.Email): "You already have a client with this email.",
			} {
				for _, one := range []*browser{b, b.htmx()} {
					a := send(one, email).is(t, 422, problem, `aria-invalid="true"`, `-email-problem"`, `value="`+email+`"`,
						`value="Typed &lt;name&gt;"`, "typed comment", `value="typed tag"`)
					if whole := strings.Contains(a.body, "<html"); whole != (one == b) {
						t.Errorf("%q: whole page %v", email, whole)
					}
				}
			}
		})
	}
	b.with("Accept-Language", "ru").post("/language", "language", "ru")
	b.post("/clients", "email", "x").is(t, 422, "Введите email полностью")
}

func TestClientsInPlace(t *testing.T) {
	w := newEnv(t)
	user, plain := w.owner(t, "ann")
	b := plain.htmx()
	b.get("/clients/new").is(t, 200, `hx-post="/clients"`)
	a := b.post("/clients", "email", "anna@example.com", "tags", "vip").is(t, 200, "anna@example.com", `hx-swap-oob="innerHTML"`)
	if !strings.HasPrefix(a.body, `<tr id="client-`) || a.Header.Get("HX-Trigger-After-Swap") != "clients-changed" || a.Header.Get("Vary") == "" {
		t.Errorf("created: %v\n%s", a.Header, a.body)
	}
	clients, _, err := w.db.Clients().List(t.Context(), user.ID, db.ClientFilter{})
	if err != nil || len(clients) != 1 {
		t.Fatal(clients, err)
	}
	path, row := fmt.Sprint("/clients/", clients[0].ID), fmt.Sprintf(`<tr id="client-%d">`, clients[0].ID)
	b.get(path).is(t, 200, row, "hx-delete=")
	b.get(path+"/edit").is(t, 200, row, `hx-put="`+path+`"`, `value="vip"`)
	a = b.do("PUT", path, []string{"email", "ann@example.com"}).is(t, 200, row, "ann@example.com")
	if strings.Contains(a.body, "<html") || strings.Contains(a.body, "vip") {
		t.Errorf("saved: %s", a.body)
	}
	if a := b.do("DELETE", path, nil).is(t, 200); a.body != "" {
		t.Errorf("deleted: %q", a.body)
	}
	b.do("DELETE", path, nil).is(t, 404)
}

func TestClientsSearchPages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	clients := []domain.Client{{Email: "ivan@example.com", FullName: "Иван Петров", Tags: []string{"VIP"}}}
	for i := range db.PageSize + 5 {
		clients = append(clients, domain.Client{Email: fmt.Sprintf("c%d@example.com", i), Tags: []string{"crowd"}})
	}
	if _, err := w.db.Clients().CreateMany(t.Context(), user.ID, clients); err != nil {
		t.Fatal(err)
	}
	b.get("/clients?tag=crowd").is(t, 200, "30 clients", "Page 1 of 2", `href="/clients?page=2&amp;tag=crowd"`, "crowd (30)", "VIP (1)")
	b.get("/clients?tag=crowd&page=2").is(t, 200, "Page 2 of 2", `rel="prev"`)
	b.get("/clients?page=99&tag=crowd").is(t, 200, "Page 2 of 2", "c0@example.com")
	b.get("/clients?page=-1&tag=crowd").is(t, 200, "Page 1 of 2")
	b.get("/clients?page=abc").is(t, 200, "31 clients")
	b.get("/clients?q=%D0%B8%D0%B2%D0%B0%D0%BD").is(t, 200, "1 client", "ivan@example.com")
	b.get("/clients?q=%00%FF%27%22").is(t, 200, "No clients found")
	b.get("/clients?q=%3Cscript%3E").is(t, 200, "No clients found", "&lt;script&gt;")
	a := b.htmx().get("/clients?q=ivan").is(t, 200, `id="found"`, "1 client", "ivan@example.com")
	if strings.Contains(a.body, "<html") || strings.Contains(a.body, `type="search"`) {
		t.Errorf("more than the results: %s", a.body)
	}
}

// Somebody else's client and none are the same answer, byte for byte but for the address.
func TestClientsForeign(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	foreign := w.client(t, bob.ID, "c@example.com")
	for _, one := range []*browser{b, b.htmx()} {
		for _, request := range []struct{ method, path string }{
			{"GET", "/clients/%s"}, {"GET", "/clients/%s/edit"}, {"GET", "/clients/%s/delete"}, {"PUT", "/clients/%s"},
			{"DELETE", "/clients/%s"}, {"POST", "/clients/%s/retry"},
		} {
			var bodies []string
			for _, id := range []string{fmt.Sprint(foreign.ID), "999999", "0", "-1", "abc", "99999999999999999999"} {
				a := one.do(request.method, fmt.Sprintf(request.path, id), []string{"email", "stolen@example.com"}).is(t, 404)
				bodies = append(bodies, strings.ReplaceAll(a.body, "/clients/"+id, "/clients/?"))
			}
			for _, body := range bodies[1:] {
				if body != bodies[0] {
					t.Errorf("%s %s: different bodies\n%s\n%s", request.method, request.path, bodies[0], body)
				}
			}
		}
	}
	if c, err := w.db.Clients().Get(t.Context(), bob.ID, foreign.ID); err != nil || c.Email != "c@example.com" {
		t.Errorf("%+v, %v", c, err)
	}
	manager := w.as(t, w.user(t, "mary", domain.RoleManager))
	for _, path := range []string{"/clients", "/clients/new", "/clients/import", "/clients/export.csv", fmt.Sprint("/clients/", foreign.ID)} {
		manager.get(path).is(t, 403)
		w.visitor(t).get(path).is(t, 303)
	}
}

func TestClientsSeveral(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.client(t, user.ID, "known@example.com")
	b.get("/clients/several").is(t, 200, `name="addresses"`)
	b.post("/clients/several", "addresses", "Ann <ann@example.com>, Known@example.com\r\nKim <kim>", "tags", "new").
		is(t, 422, `aria-invalid="true"`, "\nKim &lt;kim&gt;</textarea>", "1 line wasn&#39;t added", "full email address", "Added: 1. Already on your list: 1.", `value="new"`)
	b.post("/clients/several", "addresses", "Ann <ann@example.com>\r\nkim@example.com; Kim", "tags", "new").leads(t, "/clients")
	b.get("/clients?tag=new").is(t, 200, "2 clients", "Added: 1. Already on your list: 1.")
	b.post("/clients/several", "addresses", " ").is(t, 422, "Enter an email address.")
}

func TestClientSuppressed(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	gone, dead := w.client(t, user.ID, "gone@example.com"), w.client(t, user.ID, "dead@example.com")
	if err := w.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: gone.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `UPDATE clients SET suppressed_at = now(), suppressed_reason = 'bounced' WHERE id = $1`, dead.ID); err != nil {
		t.Fatal(err)
	}
	b.get("/clients").is(t, 200, "Unsubscribed", "Bounced")
	path := fmt.Sprint("/clients/", gone.ID)
	if a := b.get(path).is(t, 200, "This client unsubscribed", "<time datetime="); strings.Contains(a.body, "/retry") {
		t.Error("the owner can lift an unsubscription")
	}
	b.post(path+"/retry").is(t, 409)
	path = fmt.Sprint("/clients/", dead.ID)
	b.get(path).is(t, 200, "this address doesn&#39;t exist", path+"/retry")
	b.post(path+"/retry").leads(t, path)
	if c, err := w.db.Clients().Get(t.Context(), user.ID, dead.ID); err != nil || c.Suppressed() {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestClientsExport(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	w.client(t, bob.ID, "secret@example.com")
	c := domain.Client{OwnerID: user.ID}
	if err := c.Change(domain.ClientForm{Email: "=cmd@example.com", FullName: "@Иван, \"Ваня\"", Comment: "-1\nтри", Tags: "a,b"}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Clients().Create(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: c.ID}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || i || '@x.org' FROM generate_series(1, 2500) AS i`, user.ID); err != nil {
		t.Fatal(err)
	}
	a := b.get("/clients/export.csv").is(t, 200)
	if kind := a.Header.Get("Content-Type"); kind != "text/csv; charset=utf-8" || !strings.Contains(a.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("headers %v", a.Header)
	}
	body, found := strings.CutPrefix(a.body, "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || !found || len(rows) != 2502 {
		t.Fatalf("%d rows, mark %v, %v", len(rows), found, err)
	}
	last := rows[len(rows)-1]
	want := []string{"'=cmd@example.com", `'@Иван, "Ваня"`, "'-1\nтри", "a, b", "unsubscribed"}
	if strings.Join(rows[0][:4], ",") != "email,full_name,comment,tags" || strings.Join(last[:5], "|") != strings.Join(want, "|") || last[5] == "" {
		t.Errorf("%q\n%q", rows[0], last)
	}
	if strings.Contains(a.body, "secret@") {
		t.Error("somebody else's client")
	}
	if a := b.do(http.MethodHead, "/clients", nil).is(t, 200); a.body != "" {
		t.Error("HEAD has a body")
	}
}

var everybody db.ClientFilter

// TestFarPages: from one page to the next the address names the row beside it, which is found however far it is.
func TestFarPages(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO clients (owner_id, email) SELECT $1, 'c' || i || '@x.org' FROM generate_series(1, 1000) AS i`, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	link := func(page, rel string) string {
		t.Helper()
		match := regexp.MustCompile(`rel="` + rel + `" href="([^"]*)"`).FindStringSubmatch(b.get(page).is(t, 200).body)
		if match == nil {
			t.Fatalf("%s has no %s", page, rel)
		}
		return html.UnescapeString(match[1])
	}
	emails := regexp.MustCompile(`c\d+@x\.org</a>`)
	path, seen := "/clients", []string{}
	for range 39 {
		seen = append(seen, emails.FindAllString(b.get(path).body, -1)...)
		path = link(path, "next")
	}
	if seen = append(seen, emails.FindAllString(b.get(path).body, -1)...); len(seen) != 1000 || seen[0] != "c1000@x.org</a>" || seen[999] != "c1@x.org</a>" {
		t.Fatalf("%d clients, from %s to %s", len(seen), seen[0], seen[len(seen)-1])
	}
	if !strings.Contains(path, "after=") || !strings.Contains(b.get("/clients?page=40").body, "c25@x.org") {
		t.Error(path)
	}
	for page := 39; page >= 1; page-- {
		path = link(path, "prev")
		if first := emails.FindString(b.get(path).is(t, 200, fmt.Sprintf("Page %d of 40", page)).body); first != seen[(page-1)*25] {
			t.Fatalf("%s begins with %s", path, first)
		}
	}
}

// The list has the columns that its owner chose, in the rows that change in place, too.
func TestClientColumns(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	c := w.client(t, user.ID, "c@example.com")
	b.post("/clients/fields", "label", "City", "type", "text").is(t, 303)
	city := firstMatch(t, `id="field-(\d+)"`, b.get("/clients/fields").body)
	b.get("/clients").is(t, 200, `<th scope="col">Comment</th><th scope="col">Tags</th>`)
	b.post("/clients/columns", "columns", "added_at", "columns", "last_accepted_at", "columns", city, "columns", "password_hash", "columns", "999").leads(t, "/clients")
	list := b.get("/clients").is(t, 200, `<th scope="col">Added</th><th scope="col">Last email</th><th scope="col">City</th>`, `data-label="Last email">—`, `value="`+city+`" checked`)
	if strings.Contains(list.body, `<th scope="col">Comment`) {
		t.Error("a column that was not chosen")
	}
	m := dbtest.NewLaunched(t, w.db, user.ID, nil)
	run := dbtest.Plan(t, w.db, m.ID, dbtest.Monday)
	s := dbtest.NewSender(t, w.db)
	s.All(run.ID, s.Fetch(run.ID), domain.OutcomeAccepted)
	dbtest.Exec(t, w.db, "UPDATE runs SET status = 'done', closed_at = now() WHERE id = $1", run.ID)
	b.get("/clients?sort=last_email").is(t, 200, `data-label="Last email"><time`)
	b.htmx().post(fmt.Sprint("/clients/", c.ID), "_method", "PUT", "email", "c@example.com", "field.city", "Kazan").is(t, 200, `data-label="City">Kazan`, `data-label="Added"><time`)
	b.post("/clients/columns").leads(t, "/clients")
	b.get("/clients").is(t, 200, `<th scope="col">Client</th><th scope="col"><span class="sr">`)
	other.post("/clients/columns", "columns", city).leads(t, "/clients")
	if f, err := w.db.Fields().List(t.Context(), user.ID); err != nil || f[0].Listed {
		t.Errorf("another owner chooses: %+v, %v", f, err)
	}
}
