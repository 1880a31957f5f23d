package faulttest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"skychimp/db"
	"skychimp/db/embedded"
)

// cluster is a Postgres with fsync of a test's own, which it may kill.
type cluster struct {
	testing.TB
	dir  string
	pg   *embedded.Postgres
	opts embedded.Options
}

func newCluster(t testing.TB, settings map[string]string) *cluster {
	t.Helper()
	c := &cluster{TB: t, dir: openFolder(t), opts: embedded.Options{Settings: settings}}
	c.start()
	t.Cleanup(func() { _ = c.pg.Stop(context.Background()) })
	opened, err := db.Open(c.pg.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Schema().Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return c
}

// openFolder is one that root's Postgres, which runs as another user, reaches.
func openFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "skychimp-faults")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (c *cluster) start() {
	c.Helper()
	var err error
	if c.pg, err = embedded.Start(c.Context(), c.dir, c.opts); err != nil {
		c.Fatal(err)
	}
}

// kill ends the postmaster by kill -9, or only one of its processes, after which it restarts the
// others by itself.
func (c *cluster) kill(all bool) {
	c.Helper()
	pid := postmaster(c, c.dir)
	if all {
		c.signal(pid, syscall.SIGKILL)
		<-c.pg.Done()
		c.start()
		return
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		c.Fatal(err)
	}
	fields := strings.Fields(string(children))
	child, err := strconv.Atoi(fields[len(fields)-1]) // the youngest: a connection
	if err != nil {
		c.Fatal(err)
	}
	c.signal(child, syscall.SIGKILL)
}

func (c *cluster) signal(pid int, signal syscall.Signal) {
	c.Helper()
	if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
		c.Fatal(err)
	}
}

// postmaster is the process of the server in a folder.
func postmaster(t testing.TB, dir string) int {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(file), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
