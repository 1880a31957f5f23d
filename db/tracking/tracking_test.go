package tracking_test

import (
	"slices"
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/db/outbox"
	"skychimp/db/sums"
	"skychimp/db/tracking"
	"skychimp/domain"
	rules "skychimp/domain/tracking"
)

// Two processes that compile a run's email number its links alike, although one finds others.
func TestKeepLinks(t *testing.T) {
	d := dbtest.New(t)
	run, _ := dbtest.NewRun(t, d, "ann", 1)
	keep := func(links ...string) []string {
		t.Helper()
		return dbtest.Must[[]string](t)(outbox.New(d.Postgres()).Runs().KeepLinks(t.Context(), run.ID, links))
	}
	dbtest.Same(t, "first", keep("a", "b"), []string{"a", "b"})
	dbtest.Same(t, "second", keep("b", "c", "a"), []string{"a", "b", "c"})
	dbtest.Same(t, "none", keep(), []string{"a", "b", "c"})
	both := make(chan []string, 2)
	for _, links := range [][]string{{"d", "e"}, {"e", "d"}} {
		go func() {
			kept, err := outbox.New(d.Postgres()).Runs().KeepLinks(t.Context(), run.ID, links)
			if err != nil {
				t.Error(err)
			}
			both <- kept
		}()
	}
	<-both
	<-both
	all := dbtest.Must[[]string](t)(tracking.New(d).Links(t.Context(), run.ID))
	if !slices.Equal(all[:3], []string{"a", "b", "c"}) || len(all) != 5 || !slices.Contains(all, "d") || !slices.Contains(all, "e") {
		t.Errorf("at once: %v", all)
	}
}

// Old visits go, what they came to stays, also when something comes back for their run later.
func TestPrune(t *testing.T) {
	d := dbtest.New(t)
	run, clients := dbtest.NewRun(t, d, "ann", 2)
	sender := dbtest.NewSender(t, d)
	sender.All(run.ID, sender.Fetch(run.ID), domain.OutcomeAccepted)
	dbtest.Exec(t, d, "UPDATE attempts SET at = now() - interval '1 hour'")
	store := tracking.New(d)
	opened := []rules.Visit{{At: time.Now()}}
	if err := store.Write(t.Context(), map[tracking.Key][]rules.Visit{{RunID: run.ID, Seq: 1}: opened, {RunID: run.ID, Seq: 2}: opened}); err != nil {
		t.Fatal(err)
	}
	sum := func() []int64 {
		t.Helper()
		if err := sums.New(d).Update(t.Context()); err != nil {
			t.Fatal(err)
		}
		return dbtest.Numbers(t, d, `SELECT count(*) FROM visits UNION ALL SELECT sum(opened) FROM run_readers UNION ALL SELECT sum(opened) FROM mailing_days
			UNION ALL SELECT count(*) FROM sum_marks`)
	}
	dbtest.Same(t, "fresh", sum(), []int64{2, 2, 2, 0})
	prune := func(days int) {
		t.Helper()
		if err := store.Prune(t.Context(), time.Now().AddDate(0, 0, days)); err != nil {
			t.Fatal(err)
		}
	}
	prune(tracking.KeptDays - 1)
	dbtest.Same(t, "not yet", sum(), []int64{2, 2, 2, 0})
	prune(tracking.KeptDays + 1)
	dbtest.Same(t, "old", sum(), []int64{0, 2, 2, 0})
	dbtest.Exec(t, d, `INSERT INTO unsubscribes (client_id, topic_id, owner_id, run_id) VALUES ($1, 0, $2, $3)`, clients[0], run.OwnerID, run.ID)
	dbtest.Same(t, "after somebody left", sum(), []int64{0, 2, 2, 0})
}
