package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"skychimp/db/dbtest"
	"skychimp/domain"
	"skychimp/domain/emailauth"
)

func vaultOf(t *testing.T, secrets ...string) *emailauth.Vault {
	t.Helper()
	var keys [][]byte
	for _, secret := range secrets {
		keys = append(keys, []byte(secret))
	}
	v, err := emailauth.NewVault(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// The hashes of before get the key, and it survives any number of new secrets: whoever unsubscribed stays so.
func TestUnlockAddresses(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, `INSERT INTO optouts (owner_id, email_hash, at, keyed) VALUES ($1, sha256('gone@x.org'), now(), false)`, owner)
	dbtest.Exec(t, d, `INSERT INTO deleted_clients (id, owner_id, email_hash, keyed) VALUES (77, $1, sha256('gone@x.org'), false)`, owner)
	gone := func() {
		t.Helper()
		c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "Gone@x.org"})
		if got, err := d.Clients().Get(t.Context(), owner, c.ID); err != nil || got.SuppressedReason != domain.Unsubscribed {
			t.Errorf("%q, %v", got.SuppressedReason, err)
		}
		if err := d.Clients().Delete(t.Context(), owner, c.ID); err != nil {
			t.Fatal(err)
		}
	}
	for _, secrets := range [][]string{{"one"}, {"one"}, {"two", "one"}, {"two"}, {"three", "two"}, {"three"}} {
		d.Erasure().Use([]byte("not it"))
		if anew, err := d.Erasure().Unlock(t.Context(), vaultOf(t, secrets...), false); err != nil || anew {
			t.Fatalf("%q: %t, %v", secrets, anew, err)
		}
		gone()
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM optouts WHERE NOT keyed OR email_hash = sha256('gone@x.org')`); n != 0 {
		t.Error("a bare hash is left")
	}
	if n := dbtest.Number(t, d, `SELECT count(*) FROM optouts`); n != 1 {
		t.Errorf("%d hashes of one address", n)
	}
	// The link of a client that was deleted before there was a key still means its address.
	c := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "other@x.org"})
	dbtest.Exec(t, d, `DELETE FROM optouts`)
	again := dbtest.NewClient(t, d, owner, domain.ClientForm{Email: "gone@x.org"})
	if err := d.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: 77}, ""); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]bool{c.ID: false, again.ID: true} {
		if got, err := d.Clients().Get(t.Context(), owner, id); err != nil || got.Suppressed() != want {
			t.Errorf("%s: %t, %v", got.Email, got.Suppressed(), err)
		}
	}
	if _, err := d.Erasure().Unlock(t.Context(), vaultOf(t, "four"), false); !errors.Is(err, emailauth.ErrSealed) {
		t.Errorf("another secret: %v", err)
	}
	if anew, err := d.Erasure().Unlock(t.Context(), vaultOf(t, "four"), true); err != nil || !anew {
		t.Errorf("a lost one: %t, %v", anew, err)
	}
}

// What was deleted by an earlier version, many at once, and addresses that look like patterns.
func TestErasureContinues(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	odd := []string{"a+b.c*d@x.org", "a^b$c@x.org", "a{1}|b@x.org", "иван@пример.рф"}
	var ids []int64
	for _, email := range odd {
		ids = append(ids, dbtest.NewClient(t, d, owner, domain.ClientForm{Email: email}).ID)
	}
	ids = append(ids, dbtest.NewClients(t, d, owner, 250)...)
	run := dbtest.Plan(t, d, dbtest.NewLaunched(t, d, owner, nil).ID, dbtest.Monday)
	s := dbtest.NewSender(t, d)
	for emails := s.Fetch(run.ID); len(emails) > 0; emails = s.Fetch(run.ID) {
		for _, email := range emails {
			result := s.Result(run.ID, email, domain.OutcomeFailed)
			result.Answer = "5.1.1 <" + strings.ToUpper(email.Email) + "> " + email.Email + " unknown"
			s.Record(result)
		}
	}
	dbtest.Exec(t, d, `WITH gone AS (DELETE FROM clients WHERE id = ANY($1) RETURNING id, owner_id)
		INSERT INTO deleted_clients (id, owner_id, email_hash, scrub_at) SELECT id, owner_id, 'x', now() FROM gone`, ids)
	if err := d.Erasure().Continue(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"deliveries", "attempts"} {
		if n := dbtest.Number(t, d, "SELECT count(*) FROM "+table+" AS r WHERE r::text LIKE '%@%'"); n != 0 {
			t.Errorf("%s: %d addresses are left", table, n)
		}
	}
	if n := dbtest.Number(t, d, "SELECT count(DISTINCT d.email) FROM deliveries AS d JOIN attempts AS a USING (run_id, seq) WHERE a.email = d.email AND a.answer LIKE '5.1.1 <erased:> erased: unknown'"); n != int64(len(odd)+250) {
		t.Errorf("%d hashes for %d clients", n, len(odd)+250)
	}
}

// One client is erased by indexes, however many emails there are.
func TestErasureUsesIndexes(t *testing.T) {
	d := dbtest.New(t)
	owner := dbtest.NewOwner(t, d, "ann")
	dbtest.Exec(t, d, `INSERT INTO messages (id, owner_id, subject, body) VALUES (9, $1, 'x', 'y')`, owner)
	m := dbtest.NewMailing(t, d, owner, nil)
	dbtest.Exec(t, d, `INSERT INTO runs (id, mailing_id, owner_id, scheduled_at, status) SELECT 1000 + n, $1, $2, now(), 'done' FROM generate_series(1, 40) AS n`, m.ID, owner)
	dbtest.Exec(t, d, `INSERT INTO deliveries (run_id, seq, client_id, email, outcome) SELECT 1000 + r, n, n, 'c' || n || '@x.example', 'accepted' FROM generate_series(1, 40) AS r, generate_series(1, 1000) AS n`)
	dbtest.Exec(t, d, `INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer) SELECT run_id, seq, client_id, email, 1, now(), 'accepted', 250, 'ok' FROM deliveries`)
	dbtest.Exec(t, d, `ANALYZE runs, deliveries, attempts`)
	rows, err := d.Postgres().Pool.Query(t.Context(), `EXPLAIN UPDATE attempts AS a SET answer = a.answer, email = a.email
		FROM runs JOIN deliveries AS d ON d.run_id = runs.id AND d.client_id = ANY('{77}')
		WHERE runs.owner_id = `+fmt.Sprint(owner)+` AND a.run_id = d.run_id AND a.seq = d.seq AND a.email NOT LIKE 'erased:%'`)
	if err != nil {
		t.Fatal(err)
	}
	var plan string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		plan += line + "\n"
	}
	if !strings.Contains(plan, "deliveries_client") || !strings.Contains(plan, "attempts_pkey") || strings.Contains(plan, "Seq Scan on deliveries") || strings.Contains(plan, "Seq Scan on attempts") {
		t.Errorf("%s", plan)
	}
}
