package handlers

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/db"
	"skychimp/domain"
)

// field makes a field of the owner by its form.
func (w *env) field(t *testing.T, owner int64, label, kind, choices string) domain.Field {
	t.Helper()
	f, err := w.db.Fields().Create(t.Context(), owner, domain.FieldForm{Label: label, Type: kind, Choices: choices, Listed: true})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestFieldsPlainForms(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	b.get("/clients").is(t, 200, `href="/clients/fields"`)
	b.get("/clients/fields").is(t, 200, "<html", "No fields yet.", `name="label"`, `name="key"`, `name="type"`, `name="choices"`)
	b.post("/clients/fields", "label", "Город", "type", "text", "listed", "yes").leads(t, "/clients/fields")
	b.get("/clients/fields").is(t, 200, "{{gorod}}", "Город", `id="field-`)
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/clients/fields", "label", "", "key", "Нет", "type", "colour").is(t, 422, "Enter a name.", "A key begins", "Choose one of the types.", `value="Нет"`)
		b.post("/clients/fields", "label", "Town", "key", "gorod", "type", "text").is(t, 422, "This key is taken.")
		b.post("/clients/fields", "label", "Plan", "type", "choice", "choices", "one").is(t, 422, "at least two choices")
	}
	list, err := w.db.Fields().List(t.Context(), user.ID)
	if err != nil || len(list) != 1 || list[0].Key != "gorod" {
		t.Fatalf("%+v, %v", list, err)
	}
	path := fmt.Sprint("/clients/fields/", list[0].ID)
	b.get(path+"/edit").is(t, 200, `value="Город"`, `value="gorod"`)
	b.post(path, "_method", "PUT", "label", "Town", "key", "gorod", "type", "number").is(t, 422, "can&#39;t be changed")
	b.post(path, "_method", "PUT", "label", "Town", "key", "town", "type", "text").leads(t, "/clients/fields")
	b.htmx().post("/clients/fields", "label", "Plan", "type", "choice", "choices", "one\ntwo").is(t, 200, `<tr id="field-`, "one, two")
	w.message(t, user.ID, "From {{ town | here }}", "x")
	b.post(path, "_method", "PUT", "label", "Town", "key", "city", "type", "text").is(t, 422, "uses this key")
	b.get(path+"/delete").is(t, 200, "Delete “Town”")
	b.post(path, "_method", "DELETE").is(t, 409, "uses this field")
	_, other := w.owner(t, "bob")
	other.get(path+"/edit").is(t, 404)
	other.post(path, "_method", "PUT", "label", "x", "type", "text").is(t, 404)
	other.post(path, "_method", "DELETE").is(t, 404)
}

func TestClientsHaveFields(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	city, born := w.field(t, user.ID, "City", "text", ""), w.field(t, user.ID, "Born", "date", "")
	w.field(t, user.ID, "Spent", "number", "")
	w.field(t, user.ID, "Plan", "choice", "Gold\nSilver")
	w.field(t, user.ID, "Member", "yes_no", "")
	b.get("/clients/new").is(t, 200, `name="field.city"`, `type="date"`, `name="field.plan"`, `<option value="Gold">`, `name="field.member"`, `name="first_name"`)
	bad := []string{"email", "maria@example.com", "full_name", "Иванова Мария Петровна", "field.spent", "much", "field.born", "1/5/1990", "field.city", "kept"}
	b.post("/clients", bad...).is(t, 422, "Spent: enter a number", "Born: enter a date", `value="kept"`, `value="much"`)
	b.htmx().post("/clients", bad...).is(t, 422, "Spent: enter a number", `aria-invalid="true"`)
	b.post("/clients", "email", "maria@example.com", "full_name", "Иванова Мария Петровна", "field.city", "Sofia", "field.born", "1990-05-31",
		"field.spent", "1234567.5", "field.plan", "Gold", "field.member", "yes").leads(t, "/clients")
	b.get("/clients").is(t, 200, "<th scope=\"col\">City", "Sofia", "May 31, 1990", "1,234,567.5", "Gold")
	b.get("/clients?q=sofi").is(t, 200, "maria@example.com")
	b.get("/clients?q=1990-05").is(t, 200, "maria@example.com")
	clients, _, err := w.db.Clients().List(t.Context(), user.ID, db.ClientFilter{})
	if err != nil || len(clients) != 1 || clients[0].Fields[city.ID] != "Sofia" || clients[0].Fields[born.ID] != "1990-05-31" {
		t.Fatalf("%+v, %v", clients, err)
	}
	path := fmt.Sprint("/clients/", clients[0].ID)
	b.get(path).is(t, 200, "<dd>Мария</dd>", "<dd>Иванова</dd>", "Sofia", "yes")
	b.get(path+"/edit").is(t, 200, `value="Мария"`, `value="Sofia"`, `value="1234567.5"`, `<option value="yes" selected>`)
	b.post(path, "_method", "PUT", "email", "maria@example.com", "full_name", "Иванова Мария Петровна", "first_name", "Маша", "last_name", "Иванова", "field.city", "").leads(t, path)
	if text := b.get(path).is(t, 200, "<dd>Маша</dd>", "May 31, 1990").body; strings.Contains(text, "Sofia") {
		t.Error("an emptied value is still there")
	}
	b.get("/clients/export.csv").is(t, 200, `"first_name","last_name","city","born","spent","plan","member"`, `"Маша","Иванова","","1990-05-31","1234567.5","Gold","yes"`)
	if err := w.db.Fields().Delete(t.Context(), user.ID, born.ID); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Fields().Clear(t.Context(), user.ID, born.ID); err != nil { // as the queue does
		t.Fatal(err)
	}
	c, err := w.db.Clients().Get(t.Context(), user.ID, clients[0].ID)
	if _, left := c.Fields[born.ID]; err != nil || left || len(c.Fields) != 3 {
		t.Errorf("%v, %v", c.Fields, err)
	}
	_, other := w.owner(t, "bob")
	if page := other.get("/clients/new").is(t, 200).body; strings.Contains(page, "field.city") {
		t.Error("another owner has the field")
	}
}

// A message names fields; what it names wrongly is refused with what was meant.
func TestMessagesNameFields(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	city := w.field(t, user.ID, "City", "text", "")
	c := domain.Client{OwnerID: user.ID}
	if err := c.Apply(domain.ClientForm{Email: "maria@example.com", FullName: "Иванова Мария"}, domain.ClientDetails{Fields: map[string]string{"field.city": "Sofia"}}, []domain.Field{city}); err != nil {
		t.Fatal(err)
	}
	if err := w.db.Clients().Create(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	b.post("/messages", "subject", "x", "body", "{{ctiy}}").is(t, 422, "There is no field “ctiy”. Did you mean city?")
	b.post("/messages", "subject", "x", "body", "{{#if city}}a").is(t, 422, "is never closed")
	a := b.post("/messages", "subject", "Hello {{first_name|friend}}", "body", "{{#if city}}To {{city}}, {{first_name}} {{last_name}}{{else}}Where are you?{{/if}}").is(t, 303)
	path := a.Header.Get("Location")
	b.get(fmt.Sprint(path, "/preview?client=", c.ID)).is(t, 200, "To Sofia, Мария Иванова", "Hello Мария")
	b.get(path+"/preview").is(t, 200, "Where are you?")
	w.client(t, user.ID, "nobody@example.com")
	b.get(path).is(t, 200, `id="empty-values"`, "{{city}}")
	_, other := w.owner(t, "bob")
	other.post("/messages", "subject", "x", "body", "{{city}}").is(t, 422, "There is no field “city”")
}
