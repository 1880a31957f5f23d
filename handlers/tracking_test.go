package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/db/series"
	"skychimp/db/sums"
	"skychimp/domain"
	"skychimp/handlers/tracking"
)

// tracked is a site with a run of three emails with two links, accepted an hour ago.
type tracked struct {
	*env
	run    domain.Run
	owner  *browser
	visits *tracking.Recorder
}

func newTracked(t *testing.T) tracked {
	t.Helper()
	d := dbtest.New(t)
	visits := tracking.NewRecorder(d, nil)
	w := envOn(t, d, func(c *Config) { c.Visits = visits })
	user, owner := w.owner(t, "ann")
	dbtest.NewClients(t, d, user.ID, 3)
	mailing := dbtest.NewLaunched(t, d, user.ID, func(f *domain.MailingForm) { f.TrackClicks, f.TrackOpens = true, true })
	run := dbtest.Plan(t, d, mailing.ID, dbtest.Monday)
	sender := dbtest.NewSender(t, d)
	sender.All(run.ID, sender.Fetch(run.ID), domain.OutcomeAccepted)
	dbtest.Exec(t, d, "UPDATE attempts SET at = now() - interval '1 hour'")
	dbtest.Exec(t, d, "INSERT INTO run_links (run_id, n, url) VALUES ($1, 1, 'https://shop.example/one?a=1&b=2'), ($1, 2, 'https://shop.example/two')", run.ID)
	return tracked{w, run, owner, visits}
}

func token(run int64, seq int) string {
	return string(domain.NewVisitTokens([]byte(password)).Append(nil, run, seq))
}

func (w tracked) sums(t *testing.T) db.RunSums {
	t.Helper()
	if err := w.visits.Flush(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	row, err := w.db.Runs().Get(t.Context(), 0, w.run.ID)
	if err != nil {
		t.Fatal(err)
	}
	return row.RunSums
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

func TestVisitsAreToldApartAndCounted(t *testing.T) {
	w := newTracked(t)
	person, proxy := w.visitor(t).with("User-Agent", firefox), w.visitor(t).with("User-Agent", "(via ggpht.com GoogleImageProxy)")
	a := person.get("/c/"+token(w.run.ID, 1)+"/1").is(t, http.StatusFound)
	dbtest.Same(t, "leads to", a.Header.Get("Location"), "https://shop.example/one?a=1&b=2")
	person.get("/o/"+token(w.run.ID, 1)).is(t, 200, "GIF89a")
	proxy.get("/o/"+token(w.run.ID, 2)).is(t, 200, "GIF89a")
	person.do("HEAD", "/c/"+token(w.run.ID, 2)+"/1", nil).is(t, http.StatusFound)
	for _, n := range []string{"1", "2"} { // all at once
		person.get("/c/"+token(w.run.ID, 3)+"/"+n).is(t, http.StatusFound)
	}
	dbtest.Same(t, "told apart", w.sums(t), db.RunSums{Opened: 1, OpenedByPrograms: 1, Clicked: 1, ClickedByPrograms: 2})
	// A person after the program, and once more.
	person.get("/o/"+token(w.run.ID, 2)).is(t, 200)
	person.get("/c/"+token(w.run.ID, 2)+"/2").is(t, http.StatusFound)
	person.get("/c/"+token(w.run.ID, 1)+"/1").is(t, http.StatusFound)
	dbtest.Same(t, "people", w.sums(t), db.RunSums{Opened: 2, Clicked: 2, ClickedByPrograms: 1})
	dbtest.Same(t, "links", dbtest.Numbers(t, w.db, `SELECT unnest(ARRAY[clients, clicks, programs]) FROM run_links ORDER BY n`), []int64{1, 2, 2, 1, 1, 1})
	dbtest.Same(t, "over time", dbtest.Numbers(t, w.db, `SELECT sum(opened) FROM run_reader_hours UNION ALL SELECT sum(clicked) FROM run_reader_hours`), []int64{2, 2})
	dbtest.Same(t, "kept", dbtest.Numbers(t, w.db, `SELECT count * 10 + programs FROM visits ORDER BY seq, n`), []int64{10, 20, 11, 1, 10, 1, 1})
}

func TestVisitsLeadNowhereElse(t *testing.T) {
	w := newTracked(t)
	b := w.visitor(t).with("User-Agent", firefox)
	good := token(w.run.ID, 1)
	for _, path := range []string{"/c/" + good + "/0", "/c/" + good + "/3", "/c/" + good + "/x", "/c/" + good + "/https://evil.example",
		"/c/" + good[1:] + "/1", "/c/" + token(w.run.ID+7, 1) + "/1", "/o/" + good + "x", "/c/" + domain.ViewToken("a", 1) + "/1",
		"/c/" + string(domain.NewReturnTokens([]byte(password)).Append(nil, w.run.ID, 1)) + "/1"} {
		b.get(path).is(t, 404)
	}
	dbtest.Same(t, "counted", w.sums(t), db.RunSums{})
}

// The visits of an erased client go, those that come later are dropped, and the link leads on.
func TestErasureTakesVisits(t *testing.T) {
	w := newTracked(t)
	b := w.visitor(t).with("User-Agent", firefox)
	b.get("/c/"+token(w.run.ID, 1)+"/1").is(t, http.StatusFound)
	b.get("/o/"+token(w.run.ID, 2)).is(t, 200)
	w.sums(t)
	client := dbtest.Number(t, w.db, "SELECT client_id FROM deliveries WHERE seq = 1")
	if err := w.db.Clients().Delete(t.Context(), w.run.OwnerID, client); err != nil {
		t.Fatal(err)
	}
	b.get("/c/"+token(w.run.ID, 1)+"/2").is(t, http.StatusFound)
	dbtest.Same(t, "sums", w.sums(t), db.RunSums{Opened: 1, Clicked: 1})
	dbtest.Same(t, "kept", dbtest.Numbers(t, w.db, "SELECT seq FROM visits"), []int64{2})
}

// Whoever has not clicked gets the message again, and segments know who opened last.
func TestReadersAreChosen(t *testing.T) {
	w := newTracked(t)
	b := w.visitor(t).with("User-Agent", firefox)
	b.get("/c/"+token(w.run.ID, 1)+"/1").is(t, http.StatusFound)
	b.get("/o/"+token(w.run.ID, 2)).is(t, 200)
	w.sums(t)
	dbtest.Exec(t, w.db, "UPDATE runs SET status = 'done', closed_at = now(), accepted = 3, created_at = now() - interval '2 hours'")
	again := func(who string) int64 {
		t.Helper()
		a := w.owner.post(fmt.Sprintf("/runs/%d/again", w.run.ID), "who", who).is(t, http.StatusSeeOther)
		var id int64
		if _, err := fmt.Sscanf(a.Header.Get("Location"), "/mailings/%d/review", &id); err != nil {
			t.Fatal(a.Header.Get("Location"), err)
		}
		return dbtest.Number(t, w.db, "SELECT count(*) FROM mailing_clients WHERE mailing_id = $1", id)
	}
	dbtest.Same(t, "not clicked", again("not_clicked"), 2)
	dbtest.Same(t, "not opened", again("not_opened"), 2)
	for where, n := range map[string]string{"last_opened_at": "1", "last_clicked_at": "1"} {
		w.owner.post("/segments/count", "name", "x", "match", "all", "where", where, "op", "within_days", "value", "3").
			is(t, 200, `id="segment-count">`+n+"<")
	}
	w.owner.get(fmt.Sprintf("/runs/%d", w.run.ID)).is(t, 200, `class="count-clicked">1<`, `class="count-opened">1<`)
	dbtest.Exec(t, w.db, "UPDATE runs SET track_opens = false")
	w.owner.post(fmt.Sprintf("/runs/%d/again", w.run.ID), "who", "not_opened").is(t, 422)
}

// The emails of a series are tracked as those of mailings are; its page says what came of each step, the client's where
// it is and what it did, and the client itself what is kept of that.
func TestStepsOfSeriesAreCounted(t *testing.T) {
	d := dbtest.New(t)
	visits := tracking.NewRecorder(d, nil)
	w := envOn(t, d, func(c *Config) { c.Visits = visits })
	user, owner := w.owner(t, "ann")
	ids := dbtest.NewClients(t, d, user.ID, 3)
	step := fmt.Sprint(w.message(t, user.ID, "Hello", "Text").ID)
	form := []string{"name", "Welcome", "entry", "manual", "track_clicks", "yes", "track_opens", "yes", "utm", "yes", "utm_campaign", "hi",
		"step_message_id", step, "step_wait", "0", "step_at", "", "step_weekdays", "", "step_message_id", step, "step_wait", "1", "step_at", "", "step_weekdays", ""}
	path := owner.post("/series", form...).is(t, http.StatusSeeOther).Header.Get("Location")
	owner.get(path+"/edit").is(t, 200, `name="track_clicks" type="checkbox" value="yes" checked`, `value="hi"`)
	owner.post("/series", "name", "Bad", "entry", "manual", "utm_campaign", strings.Repeat("x", 101), "step_message_id", step).is(t, 422, "At most 100 characters.")
	id := dbtest.Number(t, d, "SELECT max(id) FROM series")
	kept := series.In(d)
	if _, err := kept.Launch(t.Context(), user.ID, id, false, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.Add(t.Context(), user.ID, id, ids); err != nil {
		t.Fatal(err)
	}
	if _, err := outbox.New(d.Postgres()).Series().Plan(t.Context(), time.Now(), 0); err != nil {
		t.Fatal(err)
	}
	run := dbtest.Number(t, d, "SELECT id FROM runs WHERE track_clicks AND track_opens AND utm AND utm_campaign = 'hi'")
	sender := dbtest.NewSender(t, d)
	sender.All(run, sender.Fetch(run), domain.OutcomeAccepted)
	owner.get(path).is(t, 200, `class="count-accepted">3</dd>`) // although nothing is summed yet
	dbtest.Exec(t, d, "UPDATE attempts SET at = now() - interval '1 hour'")
	dbtest.Exec(t, d, "INSERT INTO run_links (run_id, n, url) VALUES ($1, 1, 'https://shop.example/one')", run)
	b := w.visitor(t).with("User-Agent", firefox)
	b.get("/o/"+token(run, 1)).is(t, 200)
	b.get("/o/"+token(run, 2)).is(t, 200)
	b.get("/c/"+token(run, 1)+"/1").is(t, http.StatusFound)
	if err := visits.Flush(t.Context(), time.Time{}); err != nil {
		t.Fatal(err)
	}
	reader := dbtest.Number(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 AND seq = 1", run)
	link := domain.NewUnsubscribeTokens([]byte(password)).Token(reader) + domain.RunSuffix(run)
	b.post("/unsubscribe/"+link).is(t, 200)
	for range 2 { // summing again changes nothing
		if err := sums.New(d).Sum(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	owner.get(path).is(t, 200, `class="count-accepted">3</dd>`, `class="count-opened">2 <small>66.7%</small>`,
		`class="count-clicked">1 <small>33.3%</small>`, `class="count-unsubscribed">1 <small>33.3%</small>`, "Opens are unreliable")
	owner.get(fmt.Sprint("/clients/", reader)).is(t, 200, ">Clicked<", "https://shop.example/one", ">Opened<")
	other := dbtest.Number(t, d, "SELECT client_id FROM deliveries WHERE run_id = $1 AND seq = 2", run)
	dbtest.Exec(t, d, "UPDATE series_clients SET due_at = '2031-12-03 07:00Z' WHERE client_id = $1", other)
	owner.get(fmt.Sprint("/clients/", other)).is(t, 200, `<a href="`+path+`">Welcome</a>`, "Step 2 of 2, next on <time datetime=\"2031-12-03T07:00:00Z\"")
	b.post("/preferences/"+link, "do", "data").is(t, 200, `"what":"clicked"`, `"link":"https://shop.example/one"`, `"times":1`)
}
