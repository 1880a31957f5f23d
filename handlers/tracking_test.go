package handlers

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
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
