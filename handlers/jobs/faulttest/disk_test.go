package faulttest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/embedded"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// The program's own Postgres lies on a small disk, which something else fills.
func TestFaultDiskFull(t *testing.T) {
	t.Parallel()
	times := repeat(t, 2, 10)
	dir := smallDisk(t)
	server := smtptest.Start(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: time.Millisecond})})
	env := &environment{TB: t, conns: faultConns, server: server, environ: []string{"DATA_DIR=" + dir}}
	t.Cleanup(func() { env.kill(syscall.SIGKILL) })
	p := env.launch()
	p.ready()
	guest, err := embedded.Start(t.Context(), dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = guest.Stop(context.Background()) }()
	if env.db, err = db.Open(guest.URL()); err != nil {
		t.Fatal(err)
	}
	defer env.db.Close()

	owner := env.owner(6000) // their attempts need more than what Postgres sets aside in advance
	for range times {
		env.begin(env.mailing(owner))
		env.emails(100)
		printed := len(p.Printed())
		ballast := fillDisk(t, dir)
		env.until("the program says that the disk is full", func() bool {
			said := p.Printed()[printed:]
			return strings.Contains(said, "results could not be recorded") && strings.Contains(said, "No space left on device")
		})
		env.until("sending stops", func() bool {
			before := env.server.EndsOfData()
			time.Sleep(500 * time.Millisecond)
			return env.server.EndsOfData() == before
		})
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		env.resumed()
		env.until("the run is closed", env.closed)
	}
	if p.Over() {
		t.Errorf("the program died:\n%s", p.Printed())
	}
	env.report("disk of Postgres full", times, bounds{})
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
