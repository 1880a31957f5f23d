//go:build unix

package embedded

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// The test binary is also the other process: with this variable it starts the server in the folder
// the variable names, prints a line, and stops when its input ends.
const otherProcess = "SKYCHIMP_TEST_FOLDER"

func TestMain(m *testing.M) {
	dir := os.Getenv(otherProcess)
	if dir == "" {
		code := m.Run()
		if original != "" {
			_ = os.RemoveAll(filepath.Dir(original))
		}
		os.Exit(code)
	}
	p, err := Start(context.Background(), dir, Options{NoFsync: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(p.Joined(), p.URL())
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := p.Stop(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func TestStartAgain(t *testing.T) {
	dir := folder(t)
	first := start(t, dir)
	if first.Joined() {
		t.Error("the first to start says it joined")
	}
	keep(t, first)
	stop(t, first)
	select {
	case <-first.Done():
	default:
		t.Error("stopped, but not done")
	}
	if err := first.Stop(t.Context()); err != nil {
		t.Errorf("second Stop: %v", err)
	}
	if _, err := pgx.Connect(t.Context(), first.URL()); err == nil {
		t.Error("the stopped server takes connections")
	}

	wantKept(t, start(t, dir))
}

func TestServer(t *testing.T) {
	dir := folder(t)
	p, err := Start(t.Context(), dir, Options{Log: testLog(t), Settings: map[string]string{"work_mem": "5MB"}})
	if err != nil {
		t.Fatal(err)
	}
	defer stop(t, p)
	for query, want := range map[string]string{
		"SELECT lower('ЖУК')":                              "жук",
		"SELECT 'жук' ~* 'ЖУК'":                            "true",
		"SELECT current_database() || ' ' || user":         "skychimp skychimp",
		"SELECT rolsuper FROM pg_roles WHERE rolname=user": "false",
		"SHOW server_encoding":                             "UTF8",
		"SHOW fsync":                                       "on",
		"SHOW full_page_writes":                            "on",
		"SHOW listen_addresses":                            "",
		"SHOW shared_buffers":                              "256MB",
		"SHOW work_mem":                                    "5MB",
		"SHOW timezone":                                    "UTC",
	} {
		if got := ask(t, p, query); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	group, err := syscall.Getpgid(serverPid(t, dir))
	if err != nil || group == syscall.Getpgrp() {
		t.Errorf("process group %d, ours is %d (%v): a Ctrl-C would stop the server under the program", group, syscall.Getpgrp(), err)
	}
}

func TestStopRunsOutOfTime(t *testing.T) {
	dir := cluster(t)
	p := start(t, dir)
	keep(t, p)
	late, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.Stop(late); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	wantDone(t, p)
	wantKept(t, start(t, dir))
}

func TestStartCancelled(t *testing.T) {
	dir := folder(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if p, err := Start(ctx, dir, Options{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("%v, %v", p, err)
	}
	start(t, dir)
}

func TestJoin(t *testing.T) {
	dir := cluster(t)
	owner := startOther(t, dir)
	guest := start(t, dir)
	if !guest.Joined() || owner.joined {
		t.Fatalf("owner joined %v, guest joined %v", owner.joined, guest.Joined())
	}
	stop(t, guest)
	guest = start(t, dir)
	if got := ask(t, guest, "SELECT 1"); got != "1" {
		t.Error("the server went with the guest that left")
	}
	select {
	case <-guest.Done():
		t.Error("done while the owner still runs")
	default:
	}
	owner.leave(t)
	wantDone(t, guest)
	if p := start(t, dir); p.Joined() {
		t.Error("joined nobody")
	}
}

func TestTwoStartAtOnce(t *testing.T) {
	dir := folder(t)
	results := make(chan *Postgres, 4)
	for range cap(results) {
		go func() {
			p, err := Start(t.Context(), dir, Options{NoFsync: true})
			if err != nil {
				t.Error(err)
			}
			results <- p
		}()
	}
	owners := 0
	var all []*Postgres
	for range cap(results) {
		p := <-results
		if p == nil {
			t.FailNow()
		}
		if ask(t, p, "SELECT 1"); !p.Joined() {
			owners++
		}
		all = append(all, p)
	}
	for _, p := range all {
		stop(t, p)
	}
	if owners != 1 {
		t.Errorf("%d owners", owners)
	}
}

// folder is a new folder that every user can reach.
func folder(t testing.TB) string {
	t.Helper()
	dir := parent(t)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "postgres")
}

func parent(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "skychimp-embedded-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// original is the folder whose cluster the others are copies of, once a test needs one.
var original string

// cluster is a new folder with a cluster, for tests that are not about making one: that takes ten times as
// long as a copy.
func cluster(t testing.TB) string {
	t.Helper()
	if original == "" {
		original = filepath.Join(parent(t), "postgres")
		p, err := Start(t.Context(), original, Options{NoFsync: true})
		if err != nil {
			t.Fatal(err)
		}
		stop(t, p)
	}
	dir := folder(t)
	if said, err := exec.Command("cp", "-a", original, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return dir
}

func start(t testing.TB, dir string) *Postgres {
	t.Helper()
	p, err := Start(t.Context(), dir, Options{Log: testLog(t), NoFsync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, p) })
	return p
}

func stop(t testing.TB, p *Postgres) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func wantDone(t testing.TB, p *Postgres) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(time.Minute):
		t.Fatal("the server still runs")
	}
}

// keep commits something that wantKept looks for.
func keep(t testing.TB, p *Postgres) {
	t.Helper()
	if _, err := connect(t, p).Exec(t.Context(), "CREATE TABLE kept AS SELECT 'it' AS what"); err != nil {
		t.Fatal(err)
	}
}

func wantKept(t testing.TB, p *Postgres) {
	t.Helper()
	if got := ask(t, p, "SELECT what FROM kept"); got != "it" {
		t.Errorf("kept %q", got)
	}
}

func connect(t testing.TB, p *Postgres) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// ask returns the one value of a query, as text.
func ask(t testing.TB, p *Postgres, query string) string {
	t.Helper()
	conn := connect(t, p)
	defer conn.Close(t.Context())
	var value any
	if err := conn.QueryRow(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return fmt.Sprint(value)
}

func serverPid(t testing.TB, dir string) int {
	t.Helper()
	pid, err := strconv.Atoi(append(pidFile(filepath.Join(dir, "data")), "")[0])
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

func testLog(t testing.TB) *slog.Logger {
	return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// other is another process that owns or joined a server.
type other struct {
	cmd    *exec.Cmd
	input  io.Closer
	joined bool
}

func startOther(t testing.TB, dir string) *other {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), otherProcess+"="+dir)
	cmd.Stderr = t.Output()
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		t.Fatalf("the other process: %v", err)
	}
	return &other{cmd: cmd, input: input, joined: strings.HasPrefix(line, "true")}
}

// leave lets the process end by itself.
func (o *other) leave(t testing.TB) {
	t.Helper()
	if err := errors.Join(o.input.Close(), o.cmd.Wait()); err != nil {
		t.Error(err)
	}
}
