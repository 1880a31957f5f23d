package dbtest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestFreshDatabases(t *testing.T) {
	var name string
	t.Run("lives", func(t *testing.T) {
		one, two := New(t), New(t)
		state, err := one.Schema().Status(t.Context())
		if err != nil || state.Behind() || len(state.Applied) == 0 {
			t.Errorf("the schema: %+v, %v", state, err)
		}
		if _, err := one.Postgres().Pool.Exec(t.Context(), "CREATE TABLE mine ()"); err != nil {
			t.Fatal(err)
		}
		if _, err := two.Postgres().Pool.Exec(t.Context(), "SELECT FROM mine"); err == nil {
			t.Error("two tests share a database")
		}
		if err := one.Postgres().Pool.QueryRow(t.Context(), "SELECT current_database()").Scan(&name); err != nil {
			t.Fatal(err)
		}
	})
	if exists(t, name) {
		t.Errorf("%s outlives its test", name)
	}
}

func TestURL(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), URL(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	var super bool
	if err := conn.QueryRow(t.Context(), "SELECT rolsuper FROM pg_roles WHERE rolname = user").Scan(&super); err != nil || super {
		t.Errorf("superuser %v, %v: the program isn't one either", super, err)
	}
}

// A binary that was killed leaves databases, one with other migrations a template.
func TestPrepare(t *testing.T) {
	s, err := started()
	if err != nil {
		t.Fatal(err)
	}
	old := server{url: s.url, admin: s.admin, template: "migrated_before"}
	for _, name := range []string{"test_left", old.template} {
		if err := s.exec(t.Context(), "CREATE DATABASE %s", name); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.exec(t.Context(), "DROP DATABASE %s", s.template); err != nil {
		t.Fatal(err)
	}
	if err := s.prepare(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"test_left": false, old.template: false, s.template: true} {
		if exists(t, name) != want {
			t.Errorf("%s exists: %v", name, !want)
		}
	}
	if state, err := New(t).Schema().Status(t.Context()); err != nil || state.Behind() {
		t.Errorf("the schema: %+v, %v", state, err)
	}
}

// Packages are tested at the same time, each by a binary with a server of its own.
func TestFolderInUse(t *testing.T) {
	s, err := started()
	if err != nil {
		t.Fatal(err)
	}
	second, err := startIn(t.Context(), base())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := second.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	if second.Joined() || second.URL() == s.url {
		t.Errorf("two binaries share %s", s.url)
	}
}

func BenchmarkURL(b *testing.B) {
	for b.Loop() {
		URL(b)
	}
}

func exists(t testing.TB, name string) bool {
	t.Helper()
	s, err := started()
	if err != nil {
		t.Fatal(err)
	}
	var there bool
	err = s.admin.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&there)
	if err != nil {
		t.Fatal(err)
	}
	return there
}
