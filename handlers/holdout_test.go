package handlers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	rules "skychimp/domain/holdout"
	"skychimp/domain/trial"
)

// A mailing leaves out a share, a list says who came back, and the page says whether that is more than chance.
func TestHoldout(t *testing.T) {
	w := newEnv(t)
	user, b := w.owner(t, "ann")
	visit := w.field(t, user.ID, "Last visit", "date", "")
	city := w.field(t, user.ID, "City", "text", "")
	message := w.message(t, user.ID, "Hello", "Text")
	w.exec(t, `INSERT INTO clients (owner_id, email, full_name, tags) SELECT $1, 'c' || i || '@x.example', '', '{}' FROM generate_series(1, 300) AS i`, user.ID)
	asked := func(share, by, tag string) []string {
		return append(mailingFields(message.ID), "leave_out", share, "came_back", by, "came_back_tag", tag)
	}
	b.get("/mailings/new").is(t, 200, "Leave out a random share", `value="tag" selected`, `value="last_visit"`)
	for _, b := range []*browser{b, b.htmx()} {
		b.post("/mailings", asked("20", "tag", "")...).is(t, 422, "Say which tag", `value="20" selected`)
		b.post("/mailings", asked("50", "tag", "kept")...).is(t, 422, "Choose one of the shares", `value="kept"`)
		b.post("/mailings", asked("20", "tag", "two, tags")...).is(t, 422, "One tag", `value="two, tags"`)
		b.post("/mailings", asked("20", city.Key, "")...).is(t, 422, "Choose one of your date fields")
		b.post("/mailings", asked("20", "nothing", "")...).is(t, 422, "Choose one of your date fields")
	}
	byTag, byDay := "", ""
	for path, by := range map[*string]string{&byTag: "tag", &byDay: visit.Key} {
		*path = b.post("/mailings", asked("20", by, "back")...).is(t, 303).Header.Get("Location")
		b.get(*path).is(t, 200, "240 recipients", "About 60 more clients (20%), drawn at random, get nothing.", "Nobody has been left out yet.")
		b.get(*path+"/review").is(t, 200, "Goes to 240 clients", "About 60 more", "What counts as coming back")
		b.get(*path+"/edit").is(t, 200, `value="20" selected`, `value="`+by+`" selected`)
		copied := b.post(*path+"/copy").is(t, 303).Header.Get("Location")
		b.get(copied).is(t, 200, `value="20" selected`, `value="`+by+`" selected`)
	}
	var tagged, dated strings.Builder
	fmt.Fprintln(&tagged, "email;tags")
	fmt.Fprintln(&dated, "email;last_visit")
	var groups rules.Groups
	for _, path := range []string{byTag, byDay} {
		var id int64
		_, _ = fmt.Sscanf(path, "/mailings/%d", &id)
		w.exec(t, `UPDATE mailings SET holdout_seed = '\x00' WHERE id = $1`, id)
		m, err := w.db.Mailings().Get(t.Context(), user.ID, id)
		if err != nil {
			t.Fatal(err)
		}
		w.act(t, m, launch)
		if _, ok, err := outbox.New(w.db.Postgres()).Plans().Make(t.Context(), id, m.StartLocal.AddDate(0, 0, 1), false); err != nil || !ok {
			t.Fatal(ok, err)
		}
		b.post(path, append(asked("10", "tag", "back"), "_method", "PUT")...).is(t, 422, "The comparison has begun")
		b.get(path).is(t, 200, "No difference can be seen with 300 clients.", "0.0%: 0 of "+fmt.Sprint(300-left(m))+" came back")
		groups = rules.Groups{Got: trial.Group{Of: 300 - left(m)}, Left: trial.Group{Of: left(m)}}
		for client := range int64(300) {
			if client++; client%3 == 0 && !m.Holdout.LeavesOut(client) {
				groups.Got.Came++
				if path == byTag {
					fmt.Fprintf(&tagged, "c%d@x.example;Back\n", client)
				} else {
					fmt.Fprintf(&dated, "c%d@x.example;%s\n", client, time.Now().UTC().Format(time.DateOnly))
				}
			}
		}
	}
	for column, list := range map[string]string{"tags": tagged.String(), "field." + visit.Key: dated.String()} {
		w.start(t, b, b.uploaded("list.csv", []byte(list)), "header", "yes", "columns", "email", "columns", column)
	}
	low, likely, high := trial.Compare(groups.Got, groups.Left).Clients(groups.Got.Of)
	verdict := fmt.Sprintf("%d more than without (between %d and %d), of %d.", likely, low, high, groups.Got.Of)
	manager := w.as(t, w.user(t, "boss", domain.RoleManager))
	for _, path := range []string{byTag, byDay} {
		b.get(path).is(t, 200, verdict, "How it is counted", fmt.Sprintf("%d of %d came back", groups.Got.Came, groups.Got.Of))
		manager.get(path).is(t, 200, verdict)
	}
	b.post(byTag, append(asked("0", "tag", "back"), "_method", "PUT")...).leads(t, byTag)
	b.get(byTag).is(t, 200, verdict, "The comparison ended")
	b.get(byTag+"/edit").is(t, 200, "The comparison is over.")
	step := []string{"name", "Welcome", "entry", "added", "step_message_id", fmt.Sprint(message.ID), "step_wait", "0"}
	b.post("/series", append(step, "leave_out", "5", "came_back", "tag")...).is(t, 422, "Say which tag", `value="5" selected`)
	series := b.post("/series", append(step, "leave_out", "5", "came_back", visit.Key)...).is(t, 303).Header.Get("Location")
	b.get(series).is(t, 200, "Did it keep them?", "Nobody has been left out yet.", "Last visit")
	b.get(series+"/launch").is(t, 200, "5% of those who come in")
}

// left is how many of the clients 1 to 300 are left out.
func left(m domain.Mailing) (n int64) {
	for client := range int64(300) {
		if m.Holdout.LeavesOut(client + 1) {
			n++
		}
	}
	return n
}
