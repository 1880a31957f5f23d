package faulttest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/db/embedded"
	"skychimp/handlers/jobs/smtp/smtptest"
)

func benchKey(b *testing.B, kind string) (file string) {
	var key any
	var err error
	if kind == "rsa" {
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	} else {
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	file = filepath.Join(b.TempDir(), "dkim.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600); err != nil {
		b.Fatal(err)
	}
	return file
}

// fromEnv is the number in the environment, else all of otherwise.
func fromEnv(b *testing.B, name string, otherwise ...int) []int {
	if os.Getenv(name) == "" {
		return otherwise
	}
	n, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return []int{n}
}

// benchPostgres starts a Postgres with fsync; it gives its address and its process.
func benchPostgres(b *testing.B) (url string, pid int) {
	dir := openFolder(b)
	pg, err := embedded.Start(b.Context(), dir, embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = pg.Stop(context.Background()) })
	return pg.URL(), postmaster(b, dir)
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
	env := &environment{TB: b}
	env.until("smtp-sink listens", func() bool {
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
	if os.Getenv("LATENCY") != "" {
		return roundTrips(b, addr, conns)
	}
	const path, emails = "/usr/sbin/smtp-source", 50_000
	if _, err := os.Stat(path); err != nil {
		return 0
	}
	started := time.Now()
	out, err := exec.CommandContext(b.Context(), path, "-d", "-l", "3000", "-m", strconv.Itoa(emails), "-s", strconv.Itoa(conns), addr).CombinedOutput()
	if err != nil {
		b.Fatalf("smtp-source: %v\n%s", err, out)
	}
	return float64(emails) / time.Since(started).Seconds()
}

// roundTrips is how many commands a second a far server answers on that many connections: no email
// can take less than one, and smtp-source takes four.
func roundTrips(b *testing.B, addr string, conns int) float64 {
	const times = 40
	var asking sync.WaitGroup
	started := time.Now()
	for range conns {
		asking.Go(func() {
			conn, err := textproto.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			for range times {
				if _, _, err := conn.ReadResponse(2); err != nil {
					b.Error(err)
					return
				}
				if err := conn.PrintfLine("NOOP"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	asking.Wait()
	return float64(conns*times) / time.Since(started).Seconds()
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
