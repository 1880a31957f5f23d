package handlers

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// walked is a noun whose objects are changed by forms.
type walked struct {
	list, make, edit string   // addresses; make is where the form of a new one stands, edit ends in the form of one
	fields           []string // of a good form
	field            string   // one of them, which all that follows changes
	role             domain.Role
	one              bool // there is one of it: it is not made
}

// walkedNouns are by the address of one, as routes have it.
var walkedNouns = map[string]walked{
	"/clients/:id":        {list: "/clients", make: "/clients/new", edit: "/edit", fields: []string{"email", "c%d@example.com", "full_name", "Ann"}, field: "full_name"},
	"/clients/fields/:id": {list: "/clients/fields", make: "/clients/fields", edit: "/edit", fields: []string{"label", "Label %d", "key", "key%d", "type", "text"}, field: "label"},
	"/messages/:id":       {list: "/messages", make: "/messages/new", edit: "/edit", fields: []string{"subject", "Subject %d", "body", "Text"}, field: "subject"},
	"/mailings/:id": {list: "/mailings", make: "/mailings/new", edit: "/edit", fields: []string{"name", "Name %d", "message_id", "%m", "audience", "all", "start_at", "2031-01-06T09:00",
		"timezone", "UTC", "periodicity", "daily"}, field: "name"},
	"/segments/:id": {list: "/segments", make: "/segments/new", edit: "", fields: []string{"name", "Name %d", "match", "all", "where", "tag", "op", "is", "value", "vip"}, field: "name"},
	"/senders/:id":  {list: "/senders", make: "/senders/new", edit: "/edit", fields: []string{"name", "Shop", "email", "news%d@shop.example"}, field: "name"},
	"/topics/:id":   {list: "/topics", make: "/topics", edit: "/edit", fields: []string{"name", "Name %d", "details", "Words"}, field: "details"},
	"/forms/:id":    {list: "/forms", make: "/forms/new", edit: "/edit", fields: []string{"name", "Name %d", "agreement", "I agree to get emails."}, field: "name"},
	"/series/:id": {list: "/series", make: "/series/new", edit: "/edit", fields: []string{"name", "Name %d", "entry", "manual", "step_message_id", "%m", "step_wait", "0", "step_at", "10:00"},
		field: "name"},
	"/admin/posts/:id": {list: "/admin/posts", make: "/admin/posts/new", edit: "/edit", fields: []string{"title", "Title %d", "body", "Text"}, field: "title", role: domain.RoleContent},
	"/brand":           {list: "/brand", edit: "", fields: []string{"name", "Shop", "color", "#1a5fc4", "ground", "#f3f4f6"}, field: "name", one: true},
	"/account":         {list: "/account", edit: "", fields: []string{"name", "Ann", "timezone", "UTC", "language", "en"}, field: "name", one: true},
}

// Every form that changes an object carries a revision, and is refused with both versions when somebody else has saved
// meanwhile; one that makes an object makes one, however often it is sent; and what is sent after the session has ended is
// there after the next sign-in.
func TestEveryFormOfAnObject(t *testing.T) {
	for _, r := range routes(nouns{}) {
		if r.Method == "PUT" && strings.HasSuffix(r.Path, "/:id") && walkedNouns[r.Path].list == "" {
			t.Errorf("PUT %s is not walked", r.Path)
		}
	}
	w := newEnv(t)
	for path, noun := range walkedNouns {
		if !noun.one && !slices.ContainsFunc(routes(nouns{}), func(r web.Route) bool { return r.Method == "PUT" && r.Path == path }) {
			continue
		}
		t.Run(path, func(t *testing.T) {
			name := "u" + strings.Map(func(r rune) rune {
				if r >= 'a' && r <= 'z' {
					return r
				}
				return -1
			}, path)
			user, b := w.user(t, name, cmp.Or(noun.role, domain.RoleUser)), w.visitor(t)
			signIn := func(next string) answer {
				return b.post("/login", "email", user.Email, "password", password, "next", next)
			}
			signIn("/").is(t, 303)
			message := fmt.Sprint(w.message(t, user.ID, "Hello", "Text").ID)
			typed := func(value string, n int) []string {
				fields := slices.Clone(noun.fields)
				for i := 1; i < len(fields); i += 2 {
					fields[i] = strings.ReplaceAll(strings.ReplaceAll(fields[i], "%m", message), "%d", fmt.Sprint(n))
					if fields[i-1] == noun.field && value != "" {
						fields[i] = value
					}
				}
				return fields
			}
			object := path
			if !noun.one {
				once := firstMatch(t, `name="once" value="([A-Z0-9]+)"`, b.get(noun.make).is(t, 200).body)
				count := func() int { return strings.Count(b.get(noun.list).is(t, 200).body, "/delete\"") }
				before := count()
				first := b.post(noun.list, append(typed("", 1), "once", once)...).is(t, 303).Header.Get("Location")
				if again := b.post(noun.list, append(typed("", 1), "once", once)...).is(t, 303).Header.Get("Location"); again != first {
					t.Errorf("sent twice it leads to %s and %s", first, again)
				}
				body := b.get(noun.list).is(t, 200).body
				if count() > before+2 { // the row's link, and what a page repeats of it
					t.Errorf("sent twice it made %d objects", count()-before)
				}
				object = strings.Replace(path, ":id", firstMatch(t, `"`+noun.list+`/(\d+)(?:/edit)?"`, body), 1)
			}
			page, method := object+noun.edit, "PUT"
			if noun.one {
				method = "POST"
			}
			revision := func() string {
				return firstMatch(t, `name="revision" value="([0-9a-f]+)"`, b.get(page).is(t, 200).body)
			}
			opened := revision()
			save := func(value string) answer {
				return b.post(object, append(typed(value, 1), "_method", method, "revision", opened)...)
			}
			save("First").is(t, 303)
			save("Later").is(t, 409, "Saved now", "First", "Later")
			if revision() == opened {
				t.Error("the revision has not changed")
			}
			opened = revision()
			b.post("/logout").is(t, 303)
			led := save("Typed while signed out").is(t, 303).Header.Get("Location")
			if !strings.HasPrefix(led, "/login") {
				t.Fatalf("signed out it leads to %s", led)
			}
			next, err := url.QueryUnescape(firstMatch(t, `next=([^&]*)`, led))
			if err != nil {
				t.Fatal(err)
			}
			signIn(next).leads(t, next)
			b.get(next).is(t, 200, "Typed while signed out")
		})
	}
}
