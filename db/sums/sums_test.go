package sums_test

import (
	"fmt"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/sums"
	"skychimp/domain"
	"skychimp/domain/result"
)

var monday = time.Date(2031, 1, 6, 0, 0, 0, 0, time.UTC)

// env is an owner in Kolkata, where a day begins at half past an hour of UTC, with five clients and a run for them.
type env struct {
	*db.DB
	owner int64
	run   domain.Run
}

func newEnv(t *testing.T) env {
	t.Helper()
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, "UPDATE users SET timezone = 'Asia/Kolkata'")
	for _, address := range []string{"a@one.example", "b@one.example", "c@two.example", "d@two.example", "e@three.example"} {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: address})
	}
	return env{d, owner, dbtest.Plan(t, d, dbtest.NewLaunched(t, d, owner, nil).ID, dbtest.Monday)}
}

func (e env) update(t *testing.T) {
	t.Helper()
	dbtest.Exec(t, e.DB, "UPDATE runs SET sum_at = NULL")
	for range 2 { // the second time changes nothing
		if err := sums.New(e.DB).Update(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	sum := func(key, from string) string {
		return "SELECT " + key + ", sum(planned), sum(accepted), sum(deferred), sum(failed), sum(bounced), sum(complained), sum(unsubscribed), sum(opened), sum(clicked) FROM " + from + " GROUP BY " + key
	}
	month := "date_trunc('month', day)::date"
	for _, two := range [][2]string{
		{"SELECT * FROM mailing_months", sum("owner_id, "+month+", mailing_id", "mailing_days")}, {"SELECT * FROM domain_months", sum("owner_id, "+month+", domain", "domain_days")},
		{"SELECT * FROM all_hours", sum("day, hour", "mailing_days")}, {"SELECT * FROM all_domains WHERE whole = 'day'", sum("'day'::text, day, domain", "domain_days")},
		{"SELECT * FROM owner_sums WHERE whole = 'day'", sum("'day'::text, day, owner_id", "mailing_days")},
		{"SELECT * FROM owner_sums WHERE whole = 'month'", sum("'month'::text, "+month+", owner_id", "mailing_days")},
		{"SELECT * FROM all_domains WHERE whole = 'month'", sum("'month'::text, "+month+", domain", "domain_days")},
	} {
		if n := dbtest.Number(t, e.DB, fmt.Sprintf("SELECT count(*) FROM ((%[1]s EXCEPT ALL %[2]s) UNION ALL (%[2]s EXCEPT ALL %[1]s)) AS differing", two[0], two[1])); n > 0 {
			t.Errorf("%d rows of %s are not what their days add up to", n, two[0])
		}
	}
}

// rows are the sums of a table in the order of its key.
func (e env) rows(t *testing.T, table, key, counts string) (all []string) {
	t.Helper()
	rows, err := e.Postgres().Pool.Query(t.Context(), fmt.Sprintf("SELECT concat_ws(' ', %s, ':', %s) FROM %s ORDER BY %s", key, counts, table, key))
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var one string
		if err := rows.Scan(&one); err != nil {
			t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

const all = "planned, accepted, deferred, failed, bounced, complained, unsubscribed"

func TestSumsFollowARun(t *testing.T) {
	e := newEnv(t)
	e.update(t)
	dbtest.Same(t, "planned", e.rows(t, "mailing_days", "day, hour", all), []string{"2031-01-06 14 : 5 0 0 0 0 0 0"})
	s := dbtest.NewSender(t, e.DB)
	emails := s.Fetch(e.run.ID)
	s.All(e.run.ID, emails[:3], domain.OutcomeAccepted)
	s.All(e.run.ID, emails[3:4], domain.OutcomeFailed)
	s.All(e.run.ID, emails[4:], domain.OutcomeDeferred)
	e.update(t)
	want := []string{"one.example : 2 2 0 0 0 0 0", "three.example : 1 0 1 0 0 0 0", "two.example : 2 1 0 1 0 0 0"}
	dbtest.Same(t, "by domain", e.rows(t, "domain_days", "domain", all), want)
	receive := func(seq int, report domain.Report) {
		t.Helper()
		if err := e.Bounces().Receive(t.Context(), e.run.ID, seq, report, fmt.Append(nil, seq, report)); err != nil {
			t.Fatal(err)
		}
	}
	receive(1, domain.Report{Kind: domain.ReportDelivery, Recipients: []domain.ReportedRecipient{
		{Final: "a@one.example", Action: "failed", Answer: domain.NewAnswer(domain.StageRcpt, 550, "5.1.1 no such user")}}})
	receive(2, domain.Report{Kind: domain.ReportComplaint})
	dbtest.Exec(t, e.DB, "INSERT INTO unsubscribes (client_id, owner_id, run_id) SELECT client_id, $1, run_id FROM deliveries WHERE seq = 3", e.owner)
	e.update(t)
	dbtest.Same(t, "came back", e.rows(t, "domain_days", "domain", all),
		[]string{"one.example : 2 2 0 0 1 1 0", "three.example : 1 0 1 0 0 0 0", "two.example : 2 1 0 1 0 0 1"})
	dbtest.Same(t, "by hour", e.rows(t, "mailing_days", "day, hour", all), []string{"2031-01-06 14 : 5 3 1 1 1 1 1"})
	results, err := sums.New(e.DB).Results(t.Context(), sums.Filter{Owner: e.owner, Period: result.Period{From: monday, To: monday}})
	one := result.Counts{Planned: 5, Accepted: 3, Deferred: 1, Failed: 1, Bounced: 1, Complained: 1, Unsubscribed: 1}
	if err != nil || results.Total() != one || len(results.Mailings) != 1 || results.Mailings[0].Counts != one || results.Mailings[0].OwnerName != "ann" ||
		results.Segments[0].Counts != one || results.Segments[0].Kind != domain.AudienceAll || results.Weekdays[0] != one || results.Hours[14] != one || len(results.Domains) != 3 {
		t.Errorf("%v %+v", err, results)
	}
	everybody, err := sums.New(e.DB).Results(t.Context(), sums.Filter{Period: result.Period{From: monday.AddDate(0, 0, -6), To: monday.AddDate(0, 1, 0)}})
	if err != nil || everybody.Total() != one || len(everybody.Owners) != 1 || everybody.Owners[0].ID != e.owner || everybody.Owners[0].Counts != one ||
		len(everybody.Segments)+len(everybody.Mailings) != 0 || len(everybody.Domains) != 3 || everybody.Domains[0].Planned != 2 {
		t.Errorf("of everybody: %v %+v", err, everybody)
	}
	if none, err := sums.New(e.DB).Results(t.Context(), sums.Filter{Owner: e.owner + 1, Period: result.Period{From: monday, To: monday}}); err != nil || none.Total().Planned != 0 {
		t.Errorf("somebody else sees %v %+v", err, none)
	}
	dbtest.Exec(t, e.DB, "INSERT INTO visits (run_id, seq, n, count, first_at) VALUES ($1, 1, 0, 3, now()), ($1, 1, 1, 1, now()), ($1, 1, 2, 1, now()), ($1, 2, 0, 0, NULL)", e.run.ID)
	dbtest.Exec(t, e.DB, "INSERT INTO run_readers (run_id) VALUES ($1)", e.run.ID)
	dbtest.Exec(t, e.DB, "DELETE FROM unsubscribes")
	e.update(t)
	dbtest.Same(t, "readers", e.rows(t, "mailing_days", "day, hour", "opened, clicked"), []string{"2031-01-06 14 : 1 1"})
	dbtest.Same(t, "undone", e.rows(t, "mailing_days", "day, hour", "unsubscribed"), []string{"2031-01-06 14 : 0"})
	dbtest.Same(t, "marks", dbtest.Number(t, e.DB, "SELECT count(*) FROM sum_marks"), 0)
}

func TestFewDomainsOfARunHaveNames(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	for n := range 25 {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: fmt.Sprintf("a@%02d.example", n)})
	}
	dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "b@24.example"})
	run := dbtest.Plan(t, d, dbtest.NewLaunched(t, d, owner, nil).ID, dbtest.Monday)
	if err := sums.New(d).Sum(t.Context(), run.ID); err != nil {
		t.Fatal(err)
	}
	dbtest.Same(t, "rows", dbtest.Numbers(t, d, "SELECT planned FROM domain_days WHERE domain IN ('', '24.example', '00.example') ORDER BY domain"), []int64{5, 1, 2})
	dbtest.Same(t, "all", dbtest.Number(t, d, "SELECT sum(planned) FROM domain_days"), 26)
}

func TestSumsOfClients(t *testing.T) {
	e := newEnv(t)
	dbtest.Exec(t, e.DB, "UPDATE clients SET suppressed_at = now(), suppressed_reason = 'unsubscribed' WHERE email LIKE '%@two.example'")
	dbtest.Exec(t, e.DB, "UPDATE clients SET suppressed_at = NULL, suppressed_reason = '' WHERE email = 'c@two.example'")
	dbtest.Exec(t, e.DB, "DELETE FROM clients WHERE email LIKE '%@one.example' OR email = 'd@two.example'")
	dbtest.Exec(t, e.DB, "INSERT INTO clients (owner_id, email, source) VALUES ($1, 'f@one.example', 'form')", e.owner)
	e.update(t)
	dbtest.Same(t, "kinds", e.rows(t, "client_days", "kind", "n"), []string{"deleted : 2", "form : 1", "typed : 5", "unsubscribed : 1"})
}

func TestOverview(t *testing.T) {
	e := newEnv(t)
	s := dbtest.NewSender(t, e.DB)
	s.All(e.run.ID, s.Fetch(e.run.ID), domain.OutcomeAccepted)
	e.update(t)
	dbtest.Exec(t, e.DB, "UPDATE mailing_days SET complained = 2")
	dbtest.Exec(t, e.DB, "INSERT INTO client_days VALUES ($1, '2031-01-05', 'import', 600)", e.owner)
	of := sums.New(e.DB)
	o, err := of.Overview(t.Context(), result.Period{From: monday.AddDate(0, 0, -29), To: monday})
	if err != nil || o.Counts.Accepted != 5 || len(o.Owners) != 1 {
		t.Fatalf("%v %+v", err, o)
	}
	dbtest.Same(t, "signs", o.Owners[0].Signs(), []result.Sign{result.SignComplaints, result.SignGrowth})
	worst, err := of.Worst(t.Context(), result.Period{To: monday})
	if err != nil || len(worst) != 1 || worst[0].Name != "News" || worst[0].Complained != 2 {
		t.Errorf("%v %+v", err, worst)
	}
	pulse, err := of.Pulse(t.Context())
	if err != nil || pulse.Bytes == 0 || len(pulse.Instances) != 1 || pulse.Instances[0].Holds != 0 || len(pulse.Tables) != 8 || len(pulse.Sizes) != 1 {
		t.Errorf("%v %+v", err, pulse)
	}
}

func TestMonthsAreToldOnce(t *testing.T) {
	e := newEnv(t)
	jobs := func(at string) int64 {
		t.Helper()
		now, err := time.Parse(time.RFC3339, at)
		if err == nil {
			err = sums.New(e.DB).Tell(t.Context(), now)
		}
		if err != nil {
			t.Fatal(err)
		}
		return dbtest.Number(t, e.DB, "SELECT count(*) FROM river_job WHERE args->>'email' = 'monthly'")
	}
	if n := jobs("2031-02-01T12:00:00Z"); n != 0 {
		t.Errorf("%d emails that nobody wants", n)
	}
	dbtest.Exec(t, e.DB, "UPDATE users SET monthly_results = true")
	if n := jobs("2031-02-01T02:29:00Z"); n != 0 {
		t.Errorf("%d emails before eight in Kolkata", n)
	}
	for range 2 {
		if n := jobs("2031-02-01T02:30:00Z"); n != 1 {
			t.Errorf("%d emails for a month", n)
		}
	}
	if n := jobs("2031-03-05T00:00:00Z"); n != 2 {
		t.Errorf("%d emails for two months", n)
	}
}
