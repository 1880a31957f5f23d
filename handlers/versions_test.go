package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// Each save is kept with who and when; any of them comes back as another save.
func TestVersions(t *testing.T) {
	w := newEnv(t)
	ann, b := w.owner(t, "ann")
	_, other := w.owner(t, "bob")
	m := w.message(t, ann.ID, "First", "One")
	path := fmt.Sprint("/messages/", m.ID)
	b.get(path).is(t, 200, `href="`+path+`/versions"`)
	b.get(path+"/versions").is(t, 200, "Nothing has been changed yet.")
	b.post(path, "_method", "PUT", "subject", "Second", "body", "Two {{city}}").is(t, 422)
	b.post(path, "_method", "PUT", "subject", "Second", "body", "Two").leads(t, path)
	b.post(path, "_method", "PUT", "subject", "Third", "body", "Three").leads(t, path)
	page := b.get(path+"/versions?revision=1").is(t, 200, `id="version-1" aria-current="true"`, `id="version-2"`, "First", "Second", ">ann<", `src="`+path+`/preview?revision=1"`)
	if strings.Contains(page.body, `value="3">`) {
		t.Error("offers to go back to what is")
	}
	b.get(path+"/preview?revision=2").is(t, 200, "Two")
	b.get(path+"/preview?revision=9").is(t, 404)
	b.post(path+"/versions", "version", "1", "revision", "old").is(t, 409)
	b.post(path+"/versions", "version", "9").is(t, 404)
	other.get(path+"/versions").is(t, 404)
	other.post(path+"/versions", "version", "1").is(t, 404)
	b.post(path+"/versions", "version", "1").leads(t, path)
	b.get(path+"/edit").is(t, 200, `value="First"`)
	b.get(path+"/versions").is(t, 200, `id="version-4"`)

	dbtest.Exec(t, w.db, "UPDATE message_versions SET body = '{{gone}}' WHERE revision = 2")
	b.post(path+"/versions", "version", "2").is(t, 422, "{{gone}}", `value="Second"`) // its owner goes on with it
	for i := range domain.MaxVersions {
		b.post(path, "_method", "PUT", "subject", fmt.Sprint("Again ", i), "body", "x").leads(t, path)
	}
	if n := dbtest.Number(t, w.db, "SELECT count(*) FROM message_versions"); n != domain.MaxVersions {
		t.Error(n)
	}
	dbtest.Exec(t, w.db, "UPDATE message_versions SET saved_at = now() - interval '366 days' WHERE revision < 20")
	if err := w.db.Messages().PruneVersions(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if n := dbtest.Number(t, w.db, "SELECT min(revision) FROM message_versions"); n != 20 {
		t.Error(n)
	}
}
