package outbox_test

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/domain"
)

func exec(t *testing.T, d *db.DB, sql string, args ...any) {
	t.Helper()
	if _, err := d.Postgres().Pool.Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

// Who left the topic, paused or has had an email within the week gets none, with the reason; the sum of the run stays.
func TestPlanPreferences(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 8)
	news, err := d.Topics().Create(t.Context(), ann, domain.TopicForm{Name: "News"})
	if err != nil {
		t.Fatal(err)
	}
	other, err := d.Topics().Create(t.Context(), ann, domain.TopicForm{Name: "Offers"})
	if err != nil {
		t.Fatal(err)
	}
	exec(t, d, "UPDATE clients SET left_topics = ARRAY[$2::bigint] WHERE id = $1", ids[0], news.ID)
	exec(t, d, "UPDATE clients SET left_topics = ARRAY[$2::bigint] WHERE id = $1", ids[1], other.ID)
	exec(t, d, "UPDATE clients SET paused_until = now() + interval '1 day' WHERE id = $1", ids[2])
	exec(t, d, "UPDATE clients SET paused_until = now() - interval '1 day' WHERE id = $1", ids[3])
	exec(t, d, "UPDATE clients SET frequency = 'week' WHERE id = $1", ids[4])
	exec(t, d, "UPDATE clients SET frequency = 'month' WHERE id = $1", ids[5])
	dbtest.Suppress(t, d, ids[6])
	of := func(topic int64) domain.Mailing {
		return dbtest.NewLaunched(t, d, ann, func(f *domain.MailingForm) { f.TopicID = topic })
	}
	first, second := of(news.ID), of(0)
	count := func(m domain.Mailing, recipients, left int) {
		t.Helper()
		got, suppressed, err := d.Mailings().RecipientCount(t.Context(), m)
		if err != nil || got != recipients || suppressed != left {
			t.Errorf("%d and %d left out, %v", got, suppressed, err)
		}
		var sum int64
		reasons, err := d.Mailings().LeftOut(t.Context(), m)
		for _, one := range reasons {
			sum += one.Clients
		}
		if err != nil || sum != int64(left) {
			t.Errorf("left out %+v, %v", reasons, err)
		}
	}
	count(first, 5, 3)
	count(second, 6, 2)
	s := dbtest.NewSender(t, d)
	planned := func(run domain.Run, want domain.Skipped) {
		t.Helper()
		kept, err := d.Runs().Get(t.Context(), ann, run.ID)
		if err != nil || !maps.Equal(kept.Skipped, want) || kept.Planned != int64(len(ids)) || kept.Suppressed != want.Sum() {
			t.Errorf("%+v of %d, %v; want %v", kept.Skipped, kept.Suppressed, err, want)
		}
		if got := dbtest.Numbers(t, d, "SELECT count(*) FROM deliveries WHERE run_id = $1 AND (outcome = 'suppressed') = (skipped IS NOT NULL)", run.ID); got[0] != int64(len(ids)) {
			t.Errorf("%d deliveries have their reason", got[0])
		}
	}
	one := dbtest.Plan(t, d, first.ID, dbtest.Monday)
	planned(one, domain.Skipped{"topic": 1, "paused": 1, "unsubscribed": 1})
	planned(dbtest.Plan(t, d, second.ID, dbtest.Monday), domain.Skipped{"paused": 1, "unsubscribed": 1, "frequency": 2})
	// Three weeks later: who wants one a month has to wait, who wants one a week has waited.
	planned(dbtest.Plan(t, d, second.ID, dbtest.Monday.AddDate(0, 0, 21)), domain.Skipped{"paused": 1, "unsubscribed": 1, "frequency": 1})
	planned(dbtest.Plan(t, d, second.ID, dbtest.Monday.AddDate(0, 1, 0)), domain.Skipped{"paused": 1, "unsubscribed": 1})
	// What was never accepted took nobody's turn.
	exec(t, d, "UPDATE deliveries SET outcome = 'failed'")
	planned(dbtest.Plan(t, d, second.ID, dbtest.Monday.AddDate(0, 1, 1)), domain.Skipped{"paused": 1, "unsubscribed": 1})
	// Who leaves the topic or pauses once the run is planned is told when the email is fetched.
	exec(t, d, "UPDATE deliveries SET outcome = 'queued' WHERE run_id = $1 AND skipped IS NULL", one.ID)
	exec(t, d, "UPDATE clients SET left_topics = ARRAY[$2::bigint] WHERE id = $1", ids[7], news.ID)
	exec(t, d, "UPDATE clients SET paused_until = now() + interval '1 day' WHERE id = $1", ids[3])
	var suppressed []int64
	for _, email := range s.Fetch(one.ID) {
		if email.Suppressed {
			suppressed = append(suppressed, email.ClientID)
		}
	}
	if !slices.Equal(suppressed, []int64{ids[3], ids[7]}) {
		t.Errorf("suppressed at the end: %v", suppressed)
	}
	// A weekly mailing goes out although the change of clocks made the week an hour shorter.
	exec(t, d, "UPDATE clients SET last_run_at = $1, last_run_id = $2", dbtest.Monday.AddDate(0, 6, -6).Add(-23*time.Hour), one.ID)
	exec(t, d, "UPDATE deliveries SET outcome = 'accepted' WHERE run_id = $1", one.ID)
	exec(t, d, "UPDATE clients SET frequency = 'week' WHERE frequency = 'month'")
	planned(dbtest.Plan(t, d, second.ID, dbtest.Monday.AddDate(0, 6, 0)), domain.Skipped{"paused": 2, "unsubscribed": 1})
}

// Two runs that are planned at the same time find one turn.
func TestPlanFrequencyAtOnce(t *testing.T) {
	d := dbtest.New(t)
	ann := dbtest.NewOwner(t, d, "ann")
	ids := dbtest.NewClients(t, d, ann, 50)
	exec(t, d, "UPDATE clients SET frequency = 'week'")
	var done sync.WaitGroup
	for range 4 {
		m := dbtest.NewLaunched(t, d, ann, nil)
		done.Go(func() {
			if _, ok, err := outbox.New(d.Postgres()).Plans().Make(t.Context(), m.ID, dbtest.Monday, false); err != nil || !ok {
				t.Errorf("no run: %v", err)
			}
		})
	}
	done.Wait()
	if got := dbtest.Numbers(t, d, "SELECT count(*) FROM deliveries WHERE outcome = 'queued'"); got[0] != int64(len(ids)) {
		t.Errorf("%d emails for %d clients", got[0], len(ids))
	}
}
