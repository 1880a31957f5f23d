// Package dbtest gives every test a database of its own.
//
// The first test of a test binary starts a Postgres in a folder for temporary files, in memory where there
// is such a folder, or in the next one when another binary uses that. Folders stay, so that only the first
// run ever makes a cluster and migrates; on Linux the server ends with the binary, elsewhere at the next run.
package dbtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"skychimp/db"
	"skychimp/db/embedded"
	"skychimp/db/migrations"
)

// New opens a fresh, migrated database, which goes when the test ends.
func New(t testing.TB) *db.DB {
	t.Helper()
	opened, err := db.Open(URL(t))
	if err != nil {
		t.Fatal(err)
	}
	opened.Erasure().Use([]byte("a key of tests"))
	t.Cleanup(func() {
		closed := make(chan bool)
		go func() { opened.Close(); close(closed) }()
		select {
		case <-closed:
		case <-time.After(10 * time.Second):
			t.Error("the test keeps a connection of the database")
		}
	})
	return opened
}

// URL is the address of a fresh, migrated database, which goes when the test ends.
func URL(t testing.TB) string {
	t.Helper()
	s, err := started()
	if err != nil {
		t.Fatalf("tests need Postgres: %v", err)
	}
	return s.copy(t, s.template)
}

// Copy is the address of a copy of a database to which nobody is connected.
func Copy(t testing.TB, from string) string {
	t.Helper()
	s, err := started()
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := url.Parse(from)
	if err != nil {
		t.Fatal(err)
	}
	return s.copy(t, strings.TrimPrefix(parsed.Path, "/"))
}

func (s *server) copy(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", s.made.Add(1))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := s.exec(ctx, "CREATE DATABASE %s OWNER skychimp TEMPLATE %s STRATEGY file_copy", name, template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := s.exec(ctx, "DROP DATABASE %s WITH (FORCE)", name); err != nil {
			t.Error(err)
		}
	})
	return address(s.url, "skychimp", name)
}

// server is the Postgres of this test binary.
type server struct {
	url      string
	admin    *pgxpool.Pool
	template string
	made     atomic.Int64
}

// started starts the server when the first test needs it.
var started = sync.OnceValues(start)

func start() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	postgres, err := startIn(ctx, base())
	if err != nil {
		return nil, err
	}
	s := &server{url: postgres.URL()}
	if s.admin, err = pgxpool.New(context.Background(), address(s.url, "skychimp_admin", "postgres")); err != nil {
		return nil, err
	}
	if s.template, err = templateName(); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx)
}

// base is the folder of the clusters. A database of a test is some hundreds of files that soon go again, and
// ext4 looks for a free place past all that went lately: that took ten times the CPU of files in memory.
func base() string {
	dir := memory()
	if dir == "" {
		dir = os.TempDir()
	}
	return filepath.Join(dir, "skychimp-tests-"+strconv.Itoa(os.Getuid()))
}

// startIn starts a server in the first folder whose server no other process owns.
func startIn(ctx context.Context, base string) (*embedded.Postgres, error) {
	for n := 0; ; n++ {
		postgres, err := embedded.Start(ctx, filepath.Join(base, strconv.Itoa(n)), embedded.Options{
			NoFsync: true,
			Settings: map[string]string{
				"autovacuum": "off", "synchronous_commit": "off", "shared_buffers": "128MB", "max_connections": "300",
				"lock_timeout": "1min", // a test that hangs says where
				"max_wal_size": "128MB", "min_wal_size": "32MB",
			},
		})
		if err != nil || !postgres.Joined() {
			return postgres, err
		}
		if err := postgres.Stop(ctx); err != nil {
			return nil, err
		}
	}
}

// prepare drops what earlier binaries left, and makes the template when the migrations are new.
func (s *server) prepare(ctx context.Context) error {
	rows, err := s.admin.Query(ctx, `SELECT datname FROM pg_database WHERE datname ~ '^(test|build|migrated)_' AND datname <> $1`, s.template)
	if err != nil {
		return err
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := s.exec(ctx, "DROP DATABASE %s WITH (FORCE)", name); err != nil {
			return err
		}
	}
	var there bool
	err = s.admin.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", s.template).Scan(&there)
	if err != nil || there {
		return err
	}
	const build = "build_template"
	if err := s.exec(ctx, "CREATE DATABASE %s OWNER skychimp", build); err != nil {
		return err
	}
	opened, err := db.Open(address(s.url, "skychimp", build))
	if err != nil {
		return err
	}
	_, err = opened.Schema().Migrate(ctx)
	opened.Close()
	if err != nil {
		return err
	}
	return s.exec(ctx, "ALTER DATABASE %s RENAME TO %s", build, s.template)
}

// exec runs a statement on names of databases; a placeholder can't stand for those.
func (s *server) exec(ctx context.Context, statement string, names ...any) error {
	statement = fmt.Sprintf(statement, names...)
	if _, err := s.admin.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// templateName has a hash of all migrations, ours and the queue's.
func templateName() (string, error) {
	sum := sha256.New()
	err := fs.WalkDir(migrations.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := migrations.Files.ReadFile(path)
		fmt.Fprintf(sum, "%s %d\n%s", path, len(text), text)
		return err
	})
	if err != nil {
		return "", err
	}
	queue, err := rivermigrate.New(riverpgxv5.New(nil), nil)
	if err != nil {
		return "", err
	}
	for _, one := range queue.AllVersions() {
		fmt.Fprintln(sum, one.Version, one.SQLUp)
	}
	return "migrated_" + hex.EncodeToString(sum.Sum(nil)[:8]), nil
}

// address is that of another database and role on the same server.
func address(server, role, name string) string {
	parsed, err := url.Parse(server)
	if err != nil {
		panic(err) // it is our own
	}
	parsed.User = url.User(role)
	parsed.Path = "/" + name
	return parsed.String()
}
