package handlers

import (
	"fmt"
	"strings"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestSegmentsPlainForms(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	w.field(t, user.ID, "City", "text", "")
	w.field(t, user.ID, "Plan", "choice", "Gold\nSilver")
	for i, tag := range []string{"vip", "vip", ""} {
		b.post("/clients", "email", fmt.Sprint("c", i, "@example.com"), "tags", tag, "field.city", "Kazan").leads(t, "/clients")
	}
	b.get("/clients").is(t, 200, `href="/segments"`)
	b.get("/segments").is(t, 200, "<html", "No segments yet.")
	b.get("/segments/new").is(t, 200, `name="where" value="tag"`, `<option value="city">City</option>`, "Fill in the conditions")
	// Conditions come and go by submits.
	typed := []string{"name", "Kazan", "match", "all", "where", "tag", "op", "is", "value", "vip"}
	b.post("/segments/count", append(typed, "add", "yes", "new", "plan")...).is(t, 200, "<html", `value="Kazan"`, `name="where" value="plan"`, `<option value="Gold" selected>`)
	b.post("/segments/count", append(typed, "add", "yes", "new", "last_opened_at")...).is(t, 200, "<html")
	page := b.post("/segments/count", append(typed, "where", "city", "op", "is", "value", "Kazan", "remove", "0")...).is(t, 200, `name="where" value="city"`, `<strong id="segment-count">3</strong>`)
	if strings.Contains(page.body, `name="where" value="tag"`) {
		t.Error("a removed condition is still there")
	}
	b.post("/segments/count", typed...).is(t, 200, "<html", `<strong id="segment-count">2</strong>`, "c0@example.com", "c1@example.com")
	if body := b.htmx().post("/segments/count", typed...).is(t, 200, `<strong id="segment-count">2</strong>`).body; strings.Contains(body, "<form") {
		t.Error("the count brings the form along")
	}
	b.htmx().post("/segments/count", append(typed, "add", "yes", "new", "city")...).is(t, 200, `id="segment-form"`, `name="where" value="city"`)
	// A program may leave out the values of those that compare with nothing.
	b.post("/segments/count", "match", "any", "where", "city", "op", "empty", "where", "tag", "op", "is", "value", "vip").is(t, 200, `<strong id="segment-count">2</strong>`)
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/segments", "match", "all", "where", "tag", "op", "is", "value", "").is(t, 422, "Enter a name.", "Enter a value.", `aria-invalid="true"`, `aria-describedby="segment-value-0-problem"`)
		b.post("/segments/count", "where", "nonsense", "op", "is", "value", "x").is(t, 422, "There is no such field.")
		b.post("/segments/count", "where", "last_clicked_at", "op", "within_days", "value", "3").is(t, 200, `<strong id="segment-count">0</strong>`)
	}
	b.post("/segments", typed...).is(t, 303)
	list, err := w.db.Segments().List(t.Context(), user.ID)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	path := fmt.Sprint("/segments/", list[0].ID)
	b.get("/segments").is(t, 200, `id="segment-`, "Tag is “vip”")
	page = b.get(path).is(t, 200, `value="Kazan"`, `<strong id="segment-count">2</strong>`, `name="revision"`)
	fields := fieldsOf(t, page.body)
	b.post(path, with(fields, "name", "Nobody", "value", "nobody", "match", "all")...).leads(t, path)
	b.post(path, with(fields, "name", "Late")...).is(t, 409, "Nobody", `value="Late"`)
	b.get("/segments").is(t, 200, "Nobody")
	b.post("/segments", "name", "nobody", "where", "tag", "op", "empty").is(t, 422, "already have a segment")
	_, other := w.owner(t, "bob")
	other.get(path).is(t, 404)
	other.post("/segments/count?id="+fmt.Sprint(list[0].ID), typed...).is(t, 404)
	other.post(path, append(typed, "_method", "PUT")...).is(t, 404)
	other.post(path, "_method", "DELETE").is(t, 404)
	other.post("/segments/count", typed...).is(t, 200, `<strong id="segment-count">0</strong>`)
	b.get(path+"/delete").is(t, 200, "Delete the segment")
	b.post(path, "_method", "DELETE").leads(t, "/segments")
	b.get(path).is(t, 404)
}

func TestSegmentsRefuseWhatIsNoText(t *testing.T) {
	w := newEnv(t)
	_, b := w.owner(t, "ann")
	many := []string{"name", "x"}
	for range domain.MaxConditions + 5 {
		many = append(many, "where", "tag", "op", "is", "value", "vip")
	}
	b.post("/segments", many...).is(t, 422, "up to 20 conditions")
	for _, value := range []string{"a\x00b", "a\xffb", strings.Repeat("a", 300)} {
		b.post("/segments", "name", "x", "where", "tag", "op", "is", "value", value).is(t, 422)
		b.post("/segments/count", "where", "email", "op", "contains", "value", value).is(t, 422)
		b.post("/segments", "name", value, "where", "tag", "op", "is", "value", "x").is(t, 422)
	}
}

func TestMailingToSegment(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	message := w.message(t, user.ID, "Hello {{name}}", "Text")
	for i := range 3 {
		b.post("/clients", "email", fmt.Sprint("c", i, "@example.com"), "tags", []string{"vip", "news"}[i%2]).leads(t, "/clients")
	}
	b.post("/segments", "name", "Best <b>", "where", "tag", "op", "is", "value", "vip").is(t, 303)
	list, err := w.db.Segments().List(t.Context(), user.ID)
	if err != nil {
		t.Fatal(err)
	}
	id := fmt.Sprint(list[0].ID)
	b.get("/mailings/new").is(t, 200, `value="segment"`, `name="segment_id"`, "Best &lt;b&gt;")
	form := []string{"name", "News", "message_id", fmt.Sprint(message.ID), "audience", "segment", "start_at", "2031-01-06T09:00", "timezone", "UTC", "periodicity", "daily"}
	b.post("/mailings", form...).is(t, 422, "Choose a segment.", `aria-invalid="true"`)
	b.post("/mailings", append(form, "segment_id", "999")...).is(t, 422, "Choose a segment.")
	b.post("/mailings/reach", "audience", "segment", "segment_id", id).is(t, 200, "Goes to 2 clients")
	b.post("/mailings", append(form, "segment_id", id)...).is(t, 303)
	mailing := fmt.Sprint("/mailings/", dbtest.Number(t, w.db, "SELECT id FROM mailings"))
	b.get(mailing).is(t, 200, "A segment", "Best &lt;b&gt;", `href="/segments/`+id+`"`)
	b.get(mailing+"/edit").is(t, 200, `value="segment" checked`, `<option value="`+id+`" selected>`)
	b.get(mailing+"/review").is(t, 200, "Goes to 2 clients", "Best &lt;b&gt;", "Tag is “vip”", "Launch for 2 clients")
	b.post("/segments/"+id, "_method", "DELETE").is(t, 409, "The mailing “News” uses this segment")
	b.get("/segments").is(t, 200, "1 mailing")
	bob, other := w.owner(t, "bob")
	other.post("/mailings/reach", "audience", "segment", "segment_id", id).is(t, 200, "Goes to 0 clients")
	theirs := w.message(t, bob.ID, "x", "y")
	other.post("/mailings", append(form, "segment_id", id, "message_id", fmt.Sprint(theirs.ID))...).is(t, 422)
}

// The list, its file and its order follow a segment.
func TestClientsOfSegment(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	for i, name := range []string{"Zoe", "adam", "Mia"} {
		b.post("/clients", "email", fmt.Sprint("c", i, "@example.com"), "full_name", name, "tags", []string{"vip", "news"}[i%2]).leads(t, "/clients")
	}
	b.post("/segments", "name", "Best", "where", "tag", "op", "is", "value", "vip").is(t, 303)
	id := fmt.Sprint(dbtest.Number(t, w.db, "SELECT id FROM segments"))
	dbtest.Exec(t, w.db, `INSERT INTO client_results (client_id, accepted, last_accepted_at) SELECT id, 1, now() FROM clients WHERE full_name = 'adam'`)
	shown := func(query string, want ...string) {
		t.Helper()
		body, at := b.get("/clients"+query).is(t, 200).body, -1
		for _, one := range []string{"c0@", "c1@", "c2@"} {
			if strings.Contains(body, one) != strings.Contains(strings.Join(want, " "), one) {
				t.Errorf("%s: %s is there or missing, want %v", query, one, want)
			}
		}
		for _, one := range want {
			if next := strings.Index(body, one); next < at {
				t.Errorf("%s: %s comes too early, want %v", query, one, want)
			} else {
				at = next
			}
		}
	}
	shown("", "c2@", "c1@", "c0@")
	shown("?segment="+id, "c2@", "c0@")
	shown("?segment="+id+"&q=zoe", "c0@")
	shown("?segment=" + id + "&tag=news")
	shown("?sort=name", "c1@", "c2@", "c0@")
	shown("?sort=last_email", "c1@", "c2@", "c0@")
	shown("?sort=name&segment="+id, "c2@", "c0@")
	shown("?sort=nonsense", "c2@", "c1@", "c0@")
	b.get("/clients?segment="+id).is(t, 200, `<option value="`+id+`" selected>Best</option>`, "/clients/export.csv?segment="+id, "2 clients")
	if body := b.get("/clients/export.csv?segment="+id).is(t, 200, "c0@example.com", "c2@example.com").body; strings.Contains(body, "c1@example.com") {
		t.Error("the file has somebody else")
	}
	_, other := w.owner(t, "bob")
	for _, path := range []string{"/clients?segment=", "/clients/export.csv?segment="} {
		other.get(path+id).is(t, 404)
		b.get(path+"x").is(t, 404)
	}
	_ = user
}
