//go:build unix

package embedded

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

func TestServerKilled(t *testing.T) {
	dir := cluster(t)
	p := start(t, dir)
	keep(t, p)
	// The process of this query is too busy to notice that its server is dead.
	config, err := pgx.ParseConfig(p.URL())
	if err != nil {
		t.Fatal(err)
	}
	begun := make(chan bool)
	config.OnNotice = func(*pgconn.PgConn, *pgconn.Notice) { close(begun) }
	busy, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	query := make(chan error)
	go func() {
		_, err := busy.Exec(t.Context(), "DO $$ BEGIN RAISE NOTICE 'busy'; LOOP END LOOP; END $$")
		query <- err
	}()
	<-begun

	kill(t, serverPid(t, dir))
	wantDone(t, p)
	again := start(t, dir)
	if again.Joined() {
		t.Error("joined a dead server")
	}
	wantKept(t, again)
	if <-query == nil {
		t.Error("the query of the killed server came to an end")
	}
}

// The server must not outlive its owner: nothing of ours is left that could stop it.
func TestOwnerKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells a child that its parent died")
	}
	dir := cluster(t)
	owner := startOther(t, dir)
	guest := start(t, dir)
	keep(t, guest)
	kill(t, owner.cmd.Process.Pid)
	wantDone(t, guest)
	p := start(t, dir)
	if p.Joined() {
		t.Error("joined the dead")
	}
	wantKept(t, p)
}

func TestEverythingKilled(t *testing.T) {
	dir := cluster(t)
	owner := startOther(t, dir)
	guest := start(t, dir)
	keep(t, guest)
	pid := serverPid(t, dir)
	kill(t, pid)
	kill(t, owner.cmd.Process.Pid)
	wantKept(t, start(t, dir))
	if again := serverPid(t, dir); again == pid {
		t.Errorf("still process %d", pid)
	}
}

// Elsewhere than on Linux the server survives a killed owner.
func TestOrphan(t *testing.T) {
	dir := cluster(t)
	p := start(t, dir)
	keep(t, p)
	stop(t, p)

	at := found(t, dir)
	orphan, err := spawn(at, arguments(at, at.data, Options{}), testLog(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := orphan.ready(t.Context(), at.data); err != nil {
		t.Fatal(err)
	}
	wantKept(t, start(t, dir))
	<-orphan.ended
	if orphan.err != nil {
		t.Errorf("the orphan was not shut down cleanly: %v", orphan.err)
	}
}

// After a kill -9 or a power cut the number in the pid file may be another process's by now.
func TestPidTaken(t *testing.T) {
	dir := cluster(t)
	p := start(t, dir)
	keep(t, p)
	lines := pidFile(filepath.Join(dir, "data"))
	kill(t, serverPid(t, dir))
	wantDone(t, p)

	stranger := exec.Command("sleep", "600")
	stranger.SysProcAttr = attributes(found(t, dir).as, syscall.SIGKILL)
	runtime.LockOSThread() // the stranger lives as long as this thread
	defer runtime.UnlockOSThread()
	if err := stranger.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stranger.Process.Kill(); _ = stranger.Wait() }()
	lines[0] = strconv.Itoa(stranger.Process.Pid)
	data := filepath.Join(dir, "data")
	lock := strings.Join(lines[:5], "\n") + "\n"
	if err := errors.Join(writePidFile(data, lines), os.WriteFile(data+socketName+".lock", []byte(lock), 0o600)); err != nil {
		t.Fatal(err)
	}
	wantKept(t, start(t, dir))
	if err := stranger.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the stranger was ended: %v", err)
	}
}

// found is the place of a folder with the programs to run there.
func found(t testing.TB, dir string) place {
	t.Helper()
	at, err := locate(dir)
	if err != nil {
		t.Fatal(err)
	}
	if at, err = findBinaries(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	return at
}

func kill(t testing.TB, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
