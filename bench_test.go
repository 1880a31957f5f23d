package main_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/db/embedded"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// BenchmarkRun measures the program as it ships: `skychimp worker`, a Postgres with fsync, and a
// mail server in a process of its own (smtp-sink of Postfix where it is installed, else the
// scripted one). CLIENTS, CONNS and LATENCY (of the scripted server) change the run. It prints
// letters/s, CPU seconds of program and Postgres per 100,000 letters, and peak memory, beside
// what smtp-source of Postfix reaches against the same server in the same minute.
func BenchmarkRun(b *testing.B) {
	clients, conns := fromEnv(b, "CLIENTS", 10_000), fromEnv(b, "CONNS", 10)
	url, postmaster := benchPostgres(b)
	f := &fault{TB: b, url: url}
	var err error
	if f.db, err = db.Open(f.url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(f.db.Close)
	if _, err := f.db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	sink := benchSink(b)
	raw := rawLimit(b, sink, conns)
	mailing := f.fill(clients)

	postgres := func() float64 { return treeCPU(b, postmaster) }
	for b.Loop() {
		f.run = f.begin(mailing)
		before := postgres()
		started := time.Now()
		process := worker(b, f.url, sink, conns)
		if err := process.Start(); err != nil {
			b.Fatal(err)
		}
		f.until("the run is closed", f.closed)
		row, err := f.db.Run(b.Context(), 0, f.run)
		if err != nil {
			b.Fatal(err)
		}
		took := row.ClosedAt.Sub(started)
		database := postgres() - before
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
		usage := process.ProcessState.SysUsage().(*syscall.Rusage)
		program := process.ProcessState.UserTime().Seconds() + process.ProcessState.SystemTime().Seconds()
		per := 100_000 / float64(row.Planned)
		fmt.Printf("BENCH clients=%d conns=%d accepted=%d letters/s=%.0f raw=%.0f ratio=%.2f cpu/100k: program=%.1fs postgres=%.1fs peak=%dMB\n",
			clients, conns, row.Accepted, float64(row.Planned)/took.Seconds(), raw, float64(row.Planned)/took.Seconds()/max(raw, 1),
			program*per, database*per, usage.Maxrss/1024)
		b.ReportMetric(float64(row.Planned)/took.Seconds(), "letters/s")
		b.ReportMetric(float64(usage.Maxrss)/1024, "MB")
	}
}

func fromEnv(b *testing.B, name string, otherwise int) int {
	n, err := strconv.Atoi(os.Getenv(name))
	if os.Getenv(name) == "" {
		return otherwise
	}
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return n
}

// benchPostgres starts a Postgres with fsync; it gives its address and its process.
func benchPostgres(b *testing.B) (url string, pid int) {
	dir, err := os.MkdirTemp("", "skychimp-bench")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // root's server runs as another user
		b.Fatal(err)
	}
	pg, err := embedded.Start(b.Context(), dir, embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pg.Stop(context.Background()) })
	file, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		b.Fatal(err)
	}
	line, _, _ := strings.Cut(string(file), "\n")
	if pid, err = strconv.Atoi(line); err != nil {
		b.Fatal(err)
	}
	return pg.URL(), pid
}

// benchSink is the address of a mail server that takes everything.
func benchSink(b *testing.B) string {
	latency, err := time.ParseDuration(os.Getenv("LATENCY"))
	path, missing := exec.LookPath("smtp-sink")
	if missing != nil {
		path = "/usr/sbin/smtp-sink"
		_, missing = os.Stat(path)
	}
	if err == nil || missing != nil {
		b.Log("the scripted mail server runs inside the benchmark's own process")
		return smtptest.Start(b, smtptest.Script{Count: true, Latency: latency}).Addr()
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	// As root it would drop its rights to nobody's.
	sink := exec.CommandContext(b.Context(), path, "-u", "nobody", addr, "1000")
	if os.Getuid() != 0 {
		sink = exec.CommandContext(b.Context(), path, addr, "1000")
	}
	if err := sink.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Process.Kill(); _ = sink.Wait() })
	f := &fault{TB: b}
	f.until("smtp-sink listens", func() bool {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	return addr
}

// rawLimit is what a load generator without any record reaches, 0 when there is none.
func rawLimit(b *testing.B, addr string, conns int) float64 {
	path := "/usr/sbin/smtp-source"
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	const letters = 50_000
	started := time.Now()
	out, err := exec.CommandContext(b.Context(), path, "-d", "-l", "3000", "-m", strconv.Itoa(letters), "-s", strconv.Itoa(conns), addr).CombinedOutput()
	if err != nil {
		b.Fatalf("smtp-source: %v\n%s", err, out)
	}
	return letters / time.Since(started).Seconds()
}

// treeCPU is the CPU time in seconds of a process, its living and its finished children.
func treeCPU(b *testing.B, pid int) float64 {
	const ticks = 100 // per second: USER_HZ
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		b.Fatal(err)
	}
	total := 0.0
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has just ended
		}
		_, rest, _ := strings.Cut(string(text), ") ")
		fields := strings.Fields(rest) // state ppid ...; utime stime cutime cstime are 12 to 15 of proc(5), less 3
		own := filepath.Base(filepath.Dir(path)) == strconv.Itoa(pid)
		if !own && fields[1] != strconv.Itoa(pid) {
			continue
		}
		for i, field := range fields[11:15] {
			n, _ := strconv.ParseFloat(field, 64)
			if own || i < 2 {
				total += n / ticks
			}
		}
	}
	return total
}
