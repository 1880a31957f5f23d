package demo_test

import (
	"testing"

	"skychimp/db/dbtest"
	"skychimp/db/demo"
	"skychimp/db/outbox"
)

func TestHistoryAddsUp(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "flora")
	dbtest.NewClients(t, d, owner, 60)
	message := dbtest.NewMessage(t, d, owner, "Tulips", "Red ones.")
	now := dbtest.Monday
	if err := demo.History(t.Context(), d, owner, []demo.Mailing{{"Offers", message.ID, "weekly", 7, 9}, {"News", message.ID, "monthly", 30, 17}},
		demo.Series{Name: "Welcome", MessageIDs: []int64{message.ID, message.ID}, Waits: []int{0, 40}}, now); err != nil {
		t.Fatal(err)
	}
	found, err := outbox.New(d.Postgres()).Runs().CountMismatches(t.Context(), now)
	if err != nil || len(found) > 0 {
		t.Errorf("%v: %v", err, found)
	}
	dbtest.Same(t, "active clients", dbtest.Number(t, d, "SELECT count(*) FROM clients WHERE suppressed_at IS NULL"), 60)
	dbtest.Same(t, "by day", dbtest.Number(t, d, "SELECT sum(CASE WHEN kind IN ('typed', 'form') THEN n ELSE -n END)::bigint FROM client_days"), 60)
	dbtest.Same(t, "sums", dbtest.Numbers(t, d, "SELECT unnest(ARRAY[sum(planned), sum(accepted), sum(failed), sum(bounced + complained + unsubscribed)])::bigint FROM mailing_days"),
		dbtest.Numbers(t, d, "SELECT unnest(ARRAY[sum(planned), sum(accepted), sum(failed), 14])::bigint FROM runs"))
	for what, sql := range map[string]string{"under way": "left_at IS NULL AND due_at > $1 AND passed <> '{}'", "through": "left_reason = 'finished' AND due_at IS NULL"} {
		if n := dbtest.Number(t, d, "SELECT count(*) FROM series_clients WHERE "+sql+" AND $1::timestamptz IS NOT NULL", now); n < 5 {
			t.Errorf("%d clients of the series are %s", n, what)
		}
	}
	if n := dbtest.Number(t, d, "SELECT count(*) FROM runs"); n < 30 {
		t.Errorf("%d runs", n)
	}
}
