package handlers

import (
	"fmt"
	"strings"
	"testing"
)

// Lists stay usable with 40 mailings and 300 messages.
func TestLongLists(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	_, err := w.db.Postgres().Pool.Exec(t.Context(), `INSERT INTO messages (owner_id, subject, body, updated_at)
		SELECT $1, 'Subject ' || lpad(n::text, 3, '0'), 'Text', now() - n * interval '1 hour' FROM generate_series(1, 300) n`, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.db.Postgres().Pool.Exec(t.Context(), `WITH made AS (
			INSERT INTO mailings (owner_id, name, message_id, audience, tags, start_local, timezone, periodicity, status, next_run_at)
			SELECT $1, 'Mailing ' || lpad((97 * n % 41)::text, 2, '0'), (SELECT min(id) FROM messages), CASE WHEN n = 1 THEN 'tags' ELSE 'all' END,
				CASE WHEN n = 1 THEN '{vip,news}'::text[] ELSE '{}' END, '2031-01-06 09:00', 'UTC', 'weekly', 'created', '2031-01-06 09:00'::timestamptz - n * interval '1 day'
			FROM generate_series(1, 40) n RETURNING id, name
		) INSERT INTO runs (mailing_id, owner_id, scheduled_at, status, subject, body, planned, accepted, failed, closed_at)
			SELECT id, $1, '2030-01-01', 'done', 'Hello', 'Hello', 1760, 1759, 1, now() FROM made WHERE name = 'Mailing 15'`, user.ID)
	if err != nil {
		t.Fatal(err)
	}
	first := func(path, what string) string {
		return firstMatch(t, what, b.get(path).is(t, 200).body)
	}
	named := `<a href="/mailings/\d+">(Mailing \d+)</a>`
	for path, want := range map[string]string{
		"/mailings?sort=name": "Mailing 01", "/mailings?sort=next": "Mailing 26", "/mailings?sort=last": "Mailing 15",
		"/mailings?sort=name&page=2": "Mailing 26", "/mailings?sort=nothing": "Mailing 26",
	} {
		if got := first(path, named); got != want {
			t.Errorf("%s begins with %s, want %s", path, got, want)
		}
	}
	b.get("/mailings?sort=last").is(t, 200, "1,759 of 1,760 delivered", `aria-sort="descending"`, "All clients")
	b.htmx().get("/mailings?sort=name&q=Mailing").is(t, 200, `aria-sort="ascending"`, `href="/mailings?q=Mailing"`)
	b.get("/mailings?q=Mailing+15").is(t, 200, "Mailing 15")
	for path, want := range map[string]string{"/messages?sort=subject": "Subject 001", "/messages": "Subject 300", "/messages?sort=changed": "Subject 001",
		"/messages?sort=subject&page=12": "Subject 276"} {
		if got := first(path, `<a href="/messages/\d+">(Subject \d+)</a>`); got != want {
			t.Errorf("%s begins with %s, want %s", path, got, want)
		}
	}
	b.get("/messages?sort=subject&page=3").is(t, 200, `<input name="page" type="number" inputmode="numeric" min="1" max="12" value="3" required>`,
		`<input type="hidden" name="sort" value="subject">`)

	form := b.get("/mailings/new").is(t, 200, `name="message_q"`, "Subject 300", "Search to find others")
	if n := strings.Count(form.body, `name="message_id"`); n != 8 {
		t.Errorf("%d messages to choose from", n)
	}
	id := firstMatch(t, `name="message_id" value="(\d+)"`, b.htmx().post("/mailings/messages", "message_q", "ject 007").is(t, 200, "Subject 007").body)
	other, _ := w.owner(t, "bob")
	foreign := w.message(t, other.ID, "Subject 007 of Bob", "Text")
	found := b.htmx().post("/mailings/messages", "message_q", "Subject 3", "message_id", id).is(t, 200, "Subject 300", fmt.Sprintf(`value="%s" checked`, id))
	if strings.Contains(found.body, foreign.Subject) {
		t.Error("shows a message of somebody else")
	}
	b.post("/mailings", append(mailingFields(0, "name", "By search"), "message_q", "ject 007", "find", "yes")...).is(t, 200, "Subject 007", `value="By search"`)
	refused := b.post("/mailings", mailingFields(0, "name", "None")...).is(t, 422, `aria-invalid="true"`)
	if !strings.Contains(refused.body, `aria-describedby="mailing-0-messages-problem"`) {
		t.Error("the choice of a message is not marked")
	}
}
