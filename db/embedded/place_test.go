//go:build unix

package embedded

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// The tests run the server as whoever runs the tests: for root this one runs those again for which
// it matters, as an ordinary user.
func TestAsOrdinaryUser(t *testing.T) {
	onlyRoot(t)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(nobody.Uid)
	gid, _ := strconv.Atoi(nobody.Gid)
	dir := filepath.Dir(folder(t))
	program, err := os.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "embedded.test")
	if err := os.WriteFile(binary, program, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := exec.Command(binary, "-test.v", "-test.run", "^Test(Server|StartAgain|.*Killed|PidTaken|Join|LongPath)$")
	tests.Dir = "/"
	tests.Env = append(os.Environ(), "HOME=/nonexistent", "XDG_CACHE_HOME=")
	tests.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	said, err := tests.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "--- PASS: TestServer ") {
		t.Errorf("%v\n%s", err, said)
	}
}

// The folders of a test are closed to other users, so root's server has to live elsewhere.
func TestUnreachableFolder(t *testing.T) {
	onlyRoot(t)
	dir := filepath.Join(t.TempDir(), "postgres")
	p := start(t, dir)
	keep(t, p)
	home, err := filepath.EvalSymlinks(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	home = filepath.Dir(home)
	if filepath.Dir(home) != rootsHome {
		t.Fatalf("the cluster is in %s", home)
	}
	t.Cleanup(func() { _ = os.RemoveAll(home) })
	stop(t, p)
	moved := dir + "-moved"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	wantKept(t, start(t, moved))
}

// The user whose data root finds is the one to run as.
func TestRootTakesTheUserOfTheData(t *testing.T) {
	onlyRoot(t)
	dir := cluster(t)
	const uid, gid = 54321, 54321
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Chown(path, uid, gid)
	})
	if err != nil {
		t.Fatal(err)
	}
	start(t, dir)
	if owner, _ := ownerOf(filepath.Join(dir, "data", "postmaster.pid")); owner != (account{uid, gid}) {
		t.Errorf("runs as %v", owner)
	}
}

func TestForeignData(t *testing.T) {
	onlyRoot(t)
	dir := cluster(t)
	if err := os.Chown(filepath.Join(dir, "data"), 0, 0); err != nil {
		t.Fatal(err)
	}
	wantRefusal(t, dir, "belongs to root")
}

// A unix socket's name holds about a hundred bytes.
func TestLongPath(t *testing.T) {
	dir := filepath.Join(folder(t), strings.Repeat("длинный путь/", 8))
	p := start(t, dir)
	keep(t, p)
	stop(t, p)
	wantKept(t, start(t, dir))
}

func TestOddPath(t *testing.T) {
	p := start(t, filepath.Join(folder(t), `a "b", c&d=%20'`))
	keep(t, p)
	wantKept(t, p)
}

func TestInterruptedCreation(t *testing.T) {
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o711); err != nil {
		t.Fatal(err)
	}
	start(t, dir)
	if exists(filepath.Join(dir, "data.new")) {
		t.Error("data.new stays")
	}
}

func onlyRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("about root's server, and this is not root")
	}
}

func wantRefusal(t testing.TB, dir string, parts ...string) {
	t.Helper()
	p, err := Start(t.Context(), dir, Options{Log: testLog(t), NoFsync: true})
	if err == nil {
		stop(t, p)
		t.Fatal("it started")
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't say %q", err, part)
		}
	}
}
