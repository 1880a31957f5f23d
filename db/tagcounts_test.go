package db_test

import (
	"fmt"
	"sync"
	"testing"

	"skychimp/db"
	"skychimp/db/dbtest"
	"skychimp/domain"
)

// tagCountsAgree fails unless the kept counts are those of the clients themselves.
func tagCountsAgree(t *testing.T, d *db.DB, when string) {
	t.Helper()
	wrong := dbtest.Numbers(t, d, `SELECT coalesce(kept.n, 0) - coalesce(real.n, 0)
		FROM (SELECT owner_id, tags, suppressed, sum(clients)::bigint AS n FROM tag_counts GROUP BY 1, 2, 3) AS kept
		FULL JOIN (SELECT owner_id, tags, suppressed_at IS NOT NULL AS suppressed, count(*) AS n FROM clients GROUP BY 1, 2, 3) AS real
		USING (owner_id, tags, suppressed) WHERE kept.n IS DISTINCT FROM real.n AND NOT (kept.n = 0 AND real.n IS NULL)`)
	if len(wrong) > 0 {
		t.Errorf("%s: the counts are wrong by %v", when, wrong)
	}
}

func TestTagCounts(t *testing.T) {
	d := dbtest.New(t)
	ann, bob := dbtest.NewOwner(t, d, "ann"), dbtest.NewOwner(t, d, "bob")
	ids := dbtest.NewClients(t, d, ann, 20)
	dbtest.NewClients(t, d, bob, 3)
	tagCountsAgree(t, d, "created")
	for _, statement := range []string{
		"UPDATE clients SET tags = '{news}' WHERE id % 2 = 0",
		"UPDATE clients SET tags = '{VIP}', suppressed_at = now() WHERE id % 3 = 0",
		"UPDATE clients SET full_name = 'Ann'",
		"UPDATE clients SET suppressed_at = NULL WHERE id % 6 = 0",
		"DELETE FROM clients WHERE id % 5 = 0",
		`INSERT INTO clients (owner_id, email) SELECT owner_id, email FROM clients
			ON CONFLICT (owner_id, lower(email)) DO UPDATE SET tags = '{again}' WHERE clients.id % 4 = 0`,
		"UPDATE clients SET tags = '{nobody}' WHERE false",
	} {
		dbtest.Exec(t, d, statement)
		tagCountsAgree(t, d, statement)
	}
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: ids[0]}, ""); err != nil {
		t.Fatal(err)
	}
	dbtest.Exec(t, d, "DELETE FROM users WHERE id = $1", bob)
	tagCountsAgree(t, d, "with a user gone")
	if err := d.Clients().MergeTagCounts(t.Context()); err != nil {
		t.Fatal(err)
	}
	tagCountsAgree(t, d, "merged")
	twice := `SELECT count(*) FROM tag_counts GROUP BY owner_id, tags, suppressed HAVING count(*) > 1 OR sum(clients) = 0`
	if left := dbtest.Numbers(t, d, twice); len(left) > 0 {
		t.Errorf("tag counts in several rows or of nobody: %v", left)
	}
}

func TestTagCountsAtOnce(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	var busy sync.WaitGroup
	busy.Go(func() {
		for range 50 {
			if err := d.Clients().MergeTagCounts(t.Context()); err != nil {
				t.Error(err)
			}
		}
	})
	busy.Go(func() {
		for n := range 100 {
			if _, err := d.Clients().CreateMany(t.Context(), owner, []domain.Client{{Email: fmt.Sprintf("a%d@x.org", n), Tags: []string{}}}); err != nil {
				t.Error(err)
			}
		}
	})
	for n := range 100 {
		dbtest.NewClient(t, d, owner, domain.ClientForm{Email: fmt.Sprintf("b%d@x.org", n)})
	}
	busy.Wait()
	tagCountsAgree(t, d, "after all")
}
