package handlers

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// linkTo is the path behind a link in an email of a run (0: an older one) to the client.
func linkTo(page string, client, run int64) string {
	path := "/" + page + "/" + domain.NewUnsubscribeTokens([]byte(password)).Token(client)
	if run != 0 {
		path += domain.RunSuffix(run)
	}
	return path
}

func TestPreferencesPage(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	c := w.client(t, user.ID, "client@example.com")
	for _, name := range []string{"News", "<b>Offers</b>"} {
		owner.post("/topics", "name", name).leads(t, "/topics")
	}
	topics, err := w.db.Topics().List(t.Context(), user.ID)
	if err != nil || len(topics) != 2 {
		t.Fatalf("%+v, %v", topics, err)
	}
	news, offers := fmt.Sprint(topics[0].ID), fmt.Sprint(topics[1].ID)
	path := linkTo("preferences", c.ID, 0)
	// Mail programs post as they like, and follow links by themselves.
	b := w.visitor(t).with("Origin", "null").with("Sec-Fetch-Site", "cross-site")
	prefers := func() domain.Preferences {
		t.Helper()
		who, err := w.db.Preferences().Get(t.Context(), c.ID)
		if err != nil {
			t.Fatal(err)
		}
		return who.Preferences
	}
	for range 2 {
		for _, query := range []string{"", "?do=stop", "?do=erase&sure=yes", "?do=save&frequency=week", "?ask=erase"} {
			b.get(path+query).is(t, 200)
		}
	}
	a := b.get(path).is(t, 200, "Emails from ann", "ann added your address.", "c…@example.com", "&lt;b&gt;Offers&lt;/b&gt;", `value="`+news+`" checked`)
	if strings.Contains(a.body, "client@example.com") || a.Header.Get("Cache-Control") != "private, no-store" || w.suppressed(t, c) {
		t.Error("looking at the page changes something, or tells too much")
	}
	w.visitor(t).with("Accept-Language", "ru").get(path).is(t, 200, "Письма от «ann»", "Отписаться от всего")
	b.get(linkTo("unsubscribe", c.ID, 0)).is(t, 200, `href="`+path+`"`)

	b.post(path, "do", "save", "topics", news, "frequency", "week").leads(t, path)
	if p := prefers(); p.Leaves(topics[0].ID) || !p.Leaves(topics[1].ID) || p.Frequency != domain.AtMostWeekly {
		t.Errorf("%+v", p)
	}
	b.post(path, "do", "save", "shown", news, "frequency", "month").leads(t, path)
	if p := prefers(); !p.Leaves(topics[0].ID) || !p.Leaves(topics[1].ID) || p.Frequency != domain.AtMostMonthly {
		t.Errorf("%+v", p)
	}
	b.htmx().post(path, "do", "save", "topics", news, "topics", offers, "topics", "999999", "topics", "x").is(t, 200, `id="preferences"`)
	if p := prefers(); len(p.LeftTopics) != 0 || p.Frequency != "" {
		t.Errorf("%+v", p)
	}
	b.post(path, "do", "save", "frequency", "hour").is(t, 422, "Choose how often.", `aria-invalid="true"`)

	b.post(path, "do", "pause", "until", "2001-01-01").is(t, 422, "Enter a date in the future.", `value="2001-01-01"`, `aria-invalid="true"`)
	b.htmx().post(path, "do", "pause", "until", "x\x00y").is(t, 422)
	b.post(path, "do", "pause", "until", time.Now().AddDate(0, 0, 9).Format(time.DateOnly)).leads(t, path)
	b.get(path).is(t, 200, "No emails until <time", "Send me emails again")
	// Its owner sees what it has said; it sees its owner's look.
	b.post(path, "do", "save", "topics", news, "frequency", "month").leads(t, path)
	owner.post(fmt.Sprint("/clients/", c.ID, "/consent"), "consent_source", "Signed a card", "consent_on", "2025-05-09").is(t, 303)
	owner.get(fmt.Sprint("/clients/", c.ID)).is(t, 200, "Paused until", "At most once a month", "&lt;b&gt;Offers&lt;/b&gt;", "Signed a card, 2025-05-09")
	owner.post("/brand", "name", "Tulip House", "color", "#ffd400", "ground", "#f3f4f6").is(t, 303)
	b.get(path).is(t, 200, "Emails from Tulip House", "--accent:#ffd400", `class="visit-owner">Tulip House`)
	if prefers().PausedUntil.IsZero() {
		t.Error("not paused")
	}
	b.post(path, "do", "resume").leads(t, path)
	if !prefers().PausedUntil.IsZero() {
		t.Error("still paused")
	}

	b.post(path, "do", "stop").leads(t, path)
	b.get(path).is(t, 200, "You&#39;re unsubscribed.", "Undo", "Too many emails", "aria-pressed=\"false\"")
	b.post(path, "do", "stop", "reason", "too_many").leads(t, path)
	b.get(path).is(t, 200, "Thank you", `value="too_many" aria-pressed="true"`)
	for _, wrong := range []string{"<script>alert(1)</script>", strings.Repeat("я", 100_000), "because"} {
		if a := b.post(path, "do", "stop", "reason", wrong).is(t, 422, "Choose one of the reasons."); strings.Contains(a.body, "<script>alert") {
			t.Error("the reason comes back")
		}
	}
	b.post(path, "do", "undo").leads(t, path)
	b.post(path, "do", "undo").leads(t, path)
	if w.suppressed(t, c) {
		t.Error("still unsubscribed")
	}
	b.post(path, "do", "nonsense").is(t, 422, "Choose what to do.")
	b.post(path).is(t, 422)

	w.mailing(t, user.ID)
	a = b.post(path, "do", "data").is(t, 200)
	var data map[string][]map[string]any
	if err := json.Unmarshal([]byte(a.body), &data); err != nil || data["me"][0]["email"] != "client@example.com" || len(data["topics"]) != 2 ||
		!strings.Contains(a.Header.Get("Content-Disposition"), "my-data.json") || strings.Contains(a.body, user.Email) {
		t.Errorf("%v: %s", err, a.body)
	}

	b.post(path, "do", "erase").leads(t, path+"?ask=erase")
	b.get(path+"?ask=erase").is(t, 200, "Erase everything about you?", `name="sure" value="yes"`)
	if w.suppressed(t, c) {
		t.Error("asking erases")
	}
	b.post(path, "do", "erase", "sure", "yes").leads(t, path)
	b.get(path).is(t, 200, "Nothing is kept about you here.", "This address gets no more emails.")
	if _, err := w.db.Clients().Get(t.Context(), user.ID, c.ID); domain.KindOf(err) != domain.NotFound {
		t.Errorf("not erased: %v", err)
	}
	for _, do := range []string{"erase", "stop", "undo", "data", "save", "pause"} {
		b.post(path, "do", do, "sure", "yes", "until", time.Now().AddDate(0, 0, 9).Format(time.DateOnly))
	}
	if again := w.client(t, user.ID, "Client@example.com"); !w.suppressed(t, again) {
		t.Error("brought in again it gets emails")
	}
}

// A link means nobody but its client.
func TestPreferencesOfOthers(t *testing.T) {
	w := newEnv(t)
	ann, _ := w.owner(t, "ann")
	bob, _ := w.owner(t, "bob")
	mine, other := w.client(t, ann.ID, "client@example.com"), w.client(t, bob.ID, "client@example.com")
	b := w.visitor(t)
	token := domain.NewUnsubscribeTokens([]byte(password)).Token(mine.ID)
	for _, wrong := range []string{token[:len(token)-2] + "xx", token + "A", token + ".0", token + ".1.1", domain.NewUnsubscribeTokens([]byte("another")).Token(mine.ID), "1", "%00", "%ff"} {
		b.get("/preferences/"+wrong).is(t, 404)
		b.post("/preferences/"+wrong, "do", "erase", "sure", "yes").is(t, 404)
	}
	topic, err := w.db.Topics().Create(t.Context(), bob.ID, domain.TopicForm{Name: "Bob's"})
	if err != nil {
		t.Fatal(err)
	}
	// Somebody else's topics can't be left.
	b.post("/preferences/"+token, "do", "save", "shown", fmt.Sprint(topic.ID)).is(t, 303)
	if who, err := w.db.Preferences().Get(t.Context(), mine.ID); err != nil || len(who.LeftTopics) != 0 {
		t.Errorf("%+v, %v", who, err)
	}
	b.post("/preferences/"+token, "do", "erase", "sure", "yes").is(t, 303)
	if w.suppressed(t, other) {
		t.Error("the client of another owner is gone, too")
	}
	b.get("/preferences/test").is(t, 200, "This link comes from a test email.")
	b.post("/preferences/test", "do", "erase", "sure", "yes").is(t, 200)
}

// Who leaves by an email of a run is counted there, once, with the reason; a run that the client was not in counts nobody.
func TestUnsubscribesOfARun(t *testing.T) {
	w := newEnv(t)
	user, owner := w.owner(t, "ann")
	ids := dbtest.NewClients(t, w.db, user.ID, 4)
	m := dbtest.NewLaunched(t, w.db, user.ID, nil)
	run := dbtest.Plan(t, w.db, m.ID, dbtest.Monday)
	late := w.client(t, user.ID, "late@example.com") // was in no run
	page := fmt.Sprint("/runs/", run.ID)
	owner.get(page).is(t, 200, `class="count-unsubscribed">0`)
	b := w.visitor(t)
	for range 2 {
		b.post(linkTo("unsubscribe", ids[0], run.ID), "List-Unsubscribe", "One-Click").is(t, 200)
		b.post(linkTo("preferences", ids[1], run.ID), "do", "stop", "reason", "too_many").is(t, 303)
		b.post(linkTo("preferences", ids[2], run.ID), "do", "stop", "reason", "never_asked").is(t, 303)
		b.post(linkTo("unsubscribe", ids[3], 0)).is(t, 200)          // an older link
		b.post(linkTo("unsubscribe", late.ID, run.ID)).is(t, 200)    // a run that it was not in
		b.post(linkTo("unsubscribe", ids[3], run.ID+999)).is(t, 200) // no run
	}
	owner.get(page).is(t, 200, `class="count-unsubscribed">3`, "Too many emails", "I never signed up")
	if !w.suppressed(t, late) {
		t.Error("a wrong run keeps somebody from leaving")
	}
	b.post(linkTo("preferences", ids[2], run.ID), "do", "undo").is(t, 303)
	owner.get(page).is(t, 200, `class="count-unsubscribed">2`)
	if err := w.db.Clients().Delete(t.Context(), user.ID, ids[1]); err != nil {
		t.Fatal(err)
	}
	owner.get(page).is(t, 200, `class="count-unsubscribed">2`)
}
