package db_test

import (
	"testing"
	"time"

	"skychimp/db/dbtest"
	"skychimp/domain"
)

func TestStats(t *testing.T) {
	d := dbtest.New(t)
	_, err := d.Postgres().Pool.Exec(t.Context(), `
		INSERT INTO users (id, email, name, password_hash, role, blocked_at) VALUES
			(1, 'a@example.com', 'A', '', 'user', NULL), (2, 'b@example.com', 'B', '', 'user', now());
		INSERT INTO clients (owner_id, email) VALUES
			(1, 'Anna@example.com'), (2, 'anna@EXAMPLE.com'), (1, 'ЮРИЙ@example.com'), (2, 'юрий@example.com'), (2, 'c@example.com');
		INSERT INTO clients (owner_id, email, suppressed_at, suppressed_reason) VALUES (1, 'left@example.com', now(), 'unsubscribed');
		INSERT INTO mailings (owner_id, name, audience, start_local, timezone, periodicity, status, disabled_at, deleted_at) VALUES
			(1, 'sends',        'all', now(), 'UTC', 'daily', 'running',  NULL,  NULL),
			(1, 'sends too',    'all', now(), 'UTC', 'once',  'running',  NULL,  NULL),
			(1, 'disabled',     'all', now(), 'UTC', 'daily', 'running',  now(), NULL),
			(1, 'deleted',      'all', now(), 'UTC', 'daily', 'running',  NULL,  now()),
			(2, 'blocked',      'all', now(), 'UTC', 'daily', 'running',  NULL,  NULL),
			(1, 'not launched', 'all', now(), 'UTC', 'daily', 'created',  NULL,  NULL),
			(1, 'over',         'all', now(), 'UTC', 'daily', 'finished', NULL,  NULL)`)
	if err != nil {
		t.Fatal(err)
	}
	want := domain.Stats{Mailings: 6, Active: 2, Clients: 2}
	for range 2 {
		if got, err := d.Home().Stats(t.Context()); err != nil || got != want {
			t.Errorf("%+v, %v, want %+v", got, err, want)
		}
	}
	// A change that is announced shows within a second on another instance.
	one := instance(t, d, "")
	if got, err := one.Home().Stats(t.Context()); err != nil || got != want {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
	_, err = d.Postgres().Pool.Exec(t.Context(), `INSERT INTO clients (owner_id, email) VALUES (1, 'new@example.com');
		SELECT pg_notify('cache', json_build_object('topic', 'stats', 'version', gen_random_uuid())::text)`)
	if err != nil {
		t.Fatal(err)
	}
	dbtest.Eventually(t, "the new client", func() bool {
		got, err := one.Home().Stats(t.Context())
		return err == nil && got.Clients == 3
	})
	// One that nobody announces is not asked for before its time.
	dbtest.Eventually(t, "the last announcement", func() bool {
		return queries(one, func() { _, _ = one.Home().Stats(t.Context()) }) == 0
	})
	if _, err = d.Postgres().Pool.Exec(t.Context(), "DELETE FROM clients"); err != nil {
		t.Fatal(err)
	}
	asked := queries(one, func() {
		for begun := time.Now(); time.Since(begun) < 100*time.Millisecond; {
			if got, err := one.Home().Stats(t.Context()); err != nil || got.Clients != 3 {
				t.Fatalf("%+v, %v", got, err)
			}
		}
	})
	if asked != 0 {
		t.Errorf("%d queries", asked)
	}
}
