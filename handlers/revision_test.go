package handlers

import (
	"fmt"
	"regexp"
	"testing"
)

var revisionField = regexp.MustCompile(`name="revision" value="([0-9a-f]+)"`)

// Who saves over somebody else's change sees both versions, loses nothing, and may save again.
func TestSavingOverAChange(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	client, message, mailing := w.client(t, user.ID, "c@example.com"), w.message(t, user.ID, "Hello", "Text"), w.mailing(t, user.ID)
	sender := w.shop(t, b)
	for _, tt := range []struct {
		path         string
		first, later []string
		stored       string // of the first, as the page shows it
	}{
		{fmt.Sprint("/clients/", client.ID), []string{"email", "first@example.com"}, []string{"email", "later@example.com"}, "first@example.com"},
		{fmt.Sprint("/messages/", message.ID), []string{"subject", "First", "body", "One"}, []string{"subject", "Later", "body", "Two"}, "First"},
		{pathOf(mailing), mailingFields(mailing.MessageID, "name", "First"), mailingFields(mailing.MessageID, "name", "Later"), "First"},
		{sender, []string{"name", "First", "email", "news@shop.example"}, []string{"name", "Later", "email", "news@shop.example"}, "First"},
	} {
		form := b.get(tt.path+"/edit").is(t, 200)
		opened := revisionField.FindStringSubmatch(form.body)
		if opened == nil {
			t.Fatalf("%s: no revision", tt.path)
		}
		with := func(fields []string, revision string) []string {
			return append([]string{"_method", "PUT", "revision", revision}, fields...)
		}
		b.post(tt.path, with(tt.first, opened[1])...).leads(t, tt.path)
		for _, one := range []*browser{b, b.htmx()} {
			refused := one.post(tt.path, with(tt.later, opened[1])...).is(t, 409, "was changed while you were editing", "Saved now", "<dd class=\"lines\">"+tt.stored, tt.later[1])
			opened2 := revisionField.FindStringSubmatch(refused.body)
			if opened2 == nil || opened2[1] == opened[1] {
				t.Fatalf("%s: no new revision", tt.path)
			}
			if one == b {
				continue
			}
			b.post(tt.path, with(tt.later, opened2[1])...).leads(t, tt.path)
		}
		b.post(tt.path, append([]string{"_method", "PUT"}, tt.first...)...).leads(t, tt.path) // a program's
	}
	if now, err := w.db.Messages().Get(t.Context(), user.ID, message.ID); err != nil || now.Subject != "First" {
		t.Error(err, now)
	}
	b.post("/clients/fields", "label", "City", "type", "text").leads(t, "/clients/fields")
	field := "/clients/fields/" + firstMatch(t, `id="field-(\d+)"`, b.get("/clients/fields").body)
	for _, tt := range []struct{ page, path, method, name, stored string }{
		{field + "/edit", field, "PUT", "label", "First"}, {"/account", "/account", "POST", "name", "First"},
	} {
		opened := revisionField.FindStringSubmatch(b.get(tt.page).is(t, 200).body)[1]
		send := func(value string) answer {
			return b.post(tt.path, "_method", tt.method, "revision", opened, tt.name, value, "type", "text", "key", "city")
		}
		send("First").is(t, 303)
		send("Later").is(t, 409, "Saved now", `<dd class="lines">First`, "Later")
	}
}
