package handlers

import (
	"strings"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

// What an owner's emails came to, on the page, in files, and for managers.
func TestResults(t *testing.T) {
	w := newEnv(t)
	user, ann := w.owner(t, "ann")
	_, bob := w.owner(t, "bob")
	m := w.mailing(t, user.ID)
	dbtest.Exec(t, w.db, `INSERT INTO mailing_days (owner_id, day, mailing_id, hour, planned, accepted, failed, bounced, complained, unsubscribed)
		SELECT owner_id, '2031-01-06', id, 9, 1000, 900, 100, 10, 3, 5 FROM mailings WHERE id = $1`, m.ID)
	dbtest.Exec(t, w.db, `INSERT INTO domain_days (owner_id, day, mailing_id, domain, planned, accepted, failed)
		SELECT owner_id, '2031-01-06', id, 'x.example', 1000, 900, 100 FROM mailings WHERE id = $1`, m.ID)
	period := "from=2031-01-01&to=2031-01-31"
	ann.get("/results?"+period).is(t, 200, "<html", "1 Jan 2031", m.Name, "x.example", "90.0%", "10.0%", "0.3%", `name="chart-emails"`, "table=domains")
	ann.get("/results.csv?table=hours&"+period).is(t, 200, `"9","1000","900","0","100","10","3","5","0","0"`)
	ann.get("/results.csv?table=days&"+period).is(t, 200, `"2031-01-06","1000"`, `"2031-01-31","0"`)
	ann.get("/results.csv?table=clients&"+period).is(t, 200, `"typed"`)
	ann.get("/results.csv?table=nothing&"+period).is(t, 404)
	ann.get("/results?from=tomorrow").is(t, 422, `value="tomorrow"`, `aria-invalid="true"`)
	not(t, bob.get("/results?"+period), "x.example")
	not(t, bob.get("/results?owner=1&"+period), "x.example")
}

// A manager blocks from the overview, in place.
func TestOverviewOfManagers(t *testing.T) {
	w := newEnv(t)
	user, _ := w.owner(t, "ann")
	manager := w.as(t, w.user(t, "mia", domain.RoleManager))
	m := w.mailing(t, user.ID)
	dbtest.Exec(t, w.db, `INSERT INTO mailing_days (owner_id, day, mailing_id, hour, planned, accepted, failed, complained)
		SELECT owner_id, current_date, id, 9, 1000, 900, 100, 3 FROM mailings WHERE id = $1`, m.ID)
	manager.get("/manager").is(t, 200, "Complaints above 0.1%", "Refusals above 5%", pathOf(m), "?alone=yes")
	path := "/manager" + pathOf(m) + "/disable"
	manager.htmx().post(path+"?alone=yes", "reason", "").is(t, 422, `aria-invalid="true"`, "?alone=yes")
	answer := manager.htmx().post(path+"?alone=yes", "reason", "spam")
	answer.is(t, 200, `class="switch-state"`, `aria-pressed="true"`, "?alone=yes")
	if strings.Contains(answer.body, "<tr") {
		t.Error("a whole row where a switch is asked for")
	}
	manager.get("/admin").is(t, 403)
	w.as(t, w.user(t, "ada", domain.RoleAdmin)).get("/admin").is(t, 200, `id="pulse-tick"`, `id="pulse-leader"`, `id="pulse-instances"`, `id="pulse-due"`, `id="pulse-queues"`)
}
