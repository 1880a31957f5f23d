//go:build unix

package embedded

import (
	"archive/zip"
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestOtherMajorVersion(t *testing.T) {
	dir := cluster(t)
	p := start(t, dir)
	here := found(t, dir).major
	stop(t, p)
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("11\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, "made by PostgreSQL 11", "here is only PostgreSQL "+here, "install PostgreSQL 11")
}

func TestFetch(t *testing.T) {
	archive := fakeRelease(t)
	repo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".jar") {
			_, _ = w.Write(archive)
			return
		}
		http.NotFound(w, r)
	}))
	defer repo.Close()
	t.Setenv("TMPDIR", t.TempDir()) // the library leaves its log there
	dir := filepath.Join(t.TempDir(), "cache", "postgresql")
	if err := fetch(t.Context(), dir, repo.URL); err != nil {
		t.Fatal(err)
	}
	major, err := majorOf(t.Context(), place{bin: filepath.Join(dir, "bin")})
	if err != nil || major != "18" {
		t.Errorf("fetched version %q, %v", major, err)
	}
	left, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestFetchFails(t *testing.T) {
	repo := httptest.NewServer(http.NotFoundHandler())
	defer repo.Close()
	t.Setenv("TMPDIR", t.TempDir()) // the library leaves its log there
	dir := filepath.Join(t.TempDir(), "cache", "postgresql")
	if err := fetch(t.Context(), dir, repo.URL); err == nil {
		t.Error("nothing fetched, and no error")
	}
	if exists(dir) {
		t.Error("a folder of nothing")
	}
}

// fakeRelease is an archive in the form that the library fetches: a packed tar in a zip.
func fakeRelease(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"initdb": "exit 1", "pg_ctl": "exit 1", "postgres": "echo 'postgres (PostgreSQL) 18.3'",
	} {
		if err := os.WriteFile(filepath.Join(dir, "bin", name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	packed, err := exec.Command("tar", "-C", dir, "-cJf", "-", "bin").Output()
	if err != nil {
		t.Fatalf("tar and xz are needed: %v", err)
	}
	var jar bytes.Buffer
	zipped := zip.NewWriter(&jar)
	file, err := zipped.Create("postgres.txz")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write(packed); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return jar.Bytes()
}
