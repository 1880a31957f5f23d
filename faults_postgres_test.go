package main_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/embedded"
	"skychimp/db/statement"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// memoryGrowth is how many MB a program may gain from the first fault to the last.
const memoryGrowth = 20

// ride injects a fault again and again into one run that a living program sends.
func (f *fault) ride(what string, times int, inject func(n int)) {
	f.Helper()
	f.begin(f.fill(1000 + 300*times))
	p := f.start()
	p.ready(f)
	memory := 0
	for n := range times {
		f.letters(1 + rand.IntN(100))
		inject(n)
		f.resumed()
		if n == 0 {
			memory = p.memory(f)
		}
	}
	grown := p.memory(f) - memory
	if p.over() {
		f.Errorf("the program died:\n%s", p.printed())
	}
	if grown > memoryGrowth {
		f.Errorf("%s: memory grew by %d MB from %d", what, grown, memory)
	}
	f.report(what, times, bounds{}, fmt.Sprintf("memory=%d%+dMB", memory, grown))
}

func TestFaultPostgresCut(t *testing.T) {
	t.Parallel()
	f := newFault(t, smtptest.Script{})
	proxy := f.behindProxy()
	var unanswered atomic.Int32
	f.ride("Postgres: connections cut", faultTimes(t, 5, 50), func(n int) {
		// Nor may blocks be lost that were fetched and whose answer never came.
		proxy.Watch(func(s faultproxy.Statement, when faultproxy.Moment) faultproxy.Action {
			if when == faultproxy.Answered && s.Name() == statement.Fetch {
				proxy.Watch(nil)
				unanswered.Add(1)
				return faultproxy.Drop
			}
			return faultproxy.Pass
		})
		if n%2 == 1 { // and for a while nobody gets in
			proxy.Refuse(true)
			defer proxy.Refuse(false)
			defer time.Sleep(200 * time.Millisecond)
		}
		proxy.Cut()
	})
	if unanswered.Load() == 0 {
		t.Error("no fetch of blocks was left without its answer")
	}
}

// A stall ends after the lease in the quick form too: others would have taken the work over.
func TestFaultPostgresStalled(t *testing.T) {
	t.Parallel()
	stall := 12 * time.Second
	if os.Getenv("FAULTS") != "" {
		stall = 30 * time.Second
	}
	f := newFault(t, smtptest.Script{})
	proxy := f.behindProxy()
	f.ride(fmt.Sprintf("Postgres: stalled %v", stall), faultTimes(t, 1, 50), func(int) {
		resume := proxy.Stall()
		time.Sleep(stall)
		resume()
	})
}

// Nobody says that the connections are dead, and Postgres goes on holding what they hold.
func TestFaultPostgresSilent(t *testing.T) {
	t.Parallel()
	f := newFault(t, smtptest.Script{})
	proxy := f.behindProxy()
	f.ride("Postgres: silent for good", faultTimes(t, 1, 20), func(int) { proxy.Mute() })
}

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

func TestFaultPostgresKilled(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	f := newFaultOn(t, c.pg.URL(), smtptest.Script{})
	f.ride("Postgres: kill -9", faultTimes(t, 3, 50), func(n int) {
		if n%3 != 2 {
			c.kill(true)
			return
		}
		conn, err := f.db.Pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Release()
		c.kill(false)
		f.until("Postgres has seen it", func() bool { return conn.Ping(t.Context()) != nil })
	})
}

func TestFaultPostgresRestarted(t *testing.T) {
	t.Parallel()
	c := newCluster(t, nil)
	f := newFaultOn(t, c.pg.URL(), smtptest.Script{})
	f.ride("Postgres: restart", faultTimes(t, 3, 50), func(int) {
		if err := c.pg.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.start()
	})
}

func TestFaultEverythingKilled(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 3, 50)
	c := newCluster(t, nil)
	f := newFaultOn(t, c.pg.URL(), smtptest.Script{})
	f.begin(f.fill(500 + 250*times))
	for range times {
		f.start()
		f.letters(1 + rand.IntN(150))
		c.signal(postmaster(t, c.dir), syscall.SIGKILL)
		f.kill(syscall.SIGKILL)
		<-c.pg.Done()
		c.start()
	}
	f.start()
	f.report("Postgres and program: kill -9", times, bounds{doubled: times * f.conns})
}

// The program's own Postgres lies on a small disk, which something else fills.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	times := faultTimes(t, 2, 10)
	dir := smallDisk(t)
	server := smtptest.Start(t, smtptest.Script{On: smtptest.At(domain.StageDot, smtptest.Action{Delay: time.Millisecond})})
	f := &fault{TB: t, conns: faultConns, server: server, env: []string{"DATA_DIR=" + dir}}
	t.Cleanup(func() { f.kill(syscall.SIGKILL) })
	p := f.launch()
	p.ready(f)
	guest, err := embedded.Start(t.Context(), dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = guest.Stop(context.Background()) }()
	if f.db, err = db.Open(guest.URL()); err != nil {
		t.Fatal(err)
	}
	defer f.db.Close()

	owner := f.owner(6000) // their attempts need more than what Postgres sets aside in advance
	for range times {
		f.begin(f.mailing(owner))
		f.letters(100)
		printed := len(p.printed())
		ballast := fillDisk(t, dir)
		f.until("the program says that the disk is full", func() bool {
			said := p.printed()[printed:]
			return strings.Contains(said, "results could not be recorded") && strings.Contains(said, "No space left on device")
		})
		f.until("sending stops", func() bool {
			before := f.server.Dots()
			time.Sleep(500 * time.Millisecond)
			return f.server.Dots() == before
		})
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		f.resumed()
		f.until("the run is closed", f.closed)
	}
	if p.over() {
		t.Errorf("the program died:\n%s", p.printed())
	}
	f.report("disk of Postgres full", times, bounds{})
}

// smallDisk is a folder on a disk that is soon full: FAULTS_DISK, else one in memory, which only
// root can mount.
func smallDisk(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("FAULTS_DISK"); dir != "" {
		return dir
	}
	dir := openFolder(t)
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=300m,mode=755"); err != nil {
		t.Fatalf("no small disk to fill: %v; run this as root, or name an empty folder on a disk of 300 MB in FAULTS_DISK", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// fillDisk writes until nothing fits any more, not even a page.
func fillDisk(t testing.TB, dir string) (ballast string) {
	t.Helper()
	file, err := os.Create(filepath.Join(dir, "ballast"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for part := make([]byte, 1<<20); err == nil; {
		_, err = file.Write(part)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return file.Name()
}
