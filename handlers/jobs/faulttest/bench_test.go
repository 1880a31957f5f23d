package faulttest

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/programtest"
)

// BenchmarkRun measures the program as it ships: `skychimp worker` with a Postgres with fsync and
// a mail server in a process of its own (smtp-sink of Postfix where it is installed, else the
// scripted one), all on the same cores. A mailing to all clients is launched that is due, and its
// run has to close. One line for each number of clients and connections says:
//
//	emails/s from the first answer to the last, beside what smtp-source of Postfix, which keeps no
//	record, reached against the same server in the same minute (with LATENCY: beside one round trip
//	an email); from the launch to the first answer; CPU seconds of program and Postgres for 100,000
//	emails, planning included; the program's peak memory.
//
// CLIENTS and CONNS choose one case; PROGRAMS, LATENCY (of the scripted server) and DKIM (ed25519
// or rsa) change all.
func BenchmarkRun(b *testing.B) {
	for _, clients := range fromEnv(b, "CLIENTS", 10_000, 100_000, 1_000_000) {
		for _, conns := range fromEnv(b, "CONNS", 10, 50) {
			b.Run(fmt.Sprintf("%d/%d", clients, conns), func(b *testing.B) { benchRun(b, clients, conns) })
		}
	}
}

func benchRun(b *testing.B, clients, conns int) {
	address, postmaster := benchPostgres(b)
	env := &environment{TB: b, url: address}
	var err error
	if env.db, err = db.Open(env.url); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(env.db.Close)
	if _, err := env.db.Schema().Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	sink := benchSink(b)
	raw := rawLimit(b, sink, conns)
	owner := env.owner(clients)
	mailing := env.mailing(owner)
	env.exec(`UPDATE messages SET body = $1`, benchBody)
	env.exec(`VACUUM ANALYZE clients`)

	var programs []*programtest.Program
	for range fromEnv(b, "PROGRAMS", 1)[0] {
		programs = append(programs, benchProgram(b, env, sink, conns))
	}
	for b.Loop() {
		before := treeCPU(b, postmaster)
		launched := time.Now()
		if _, err := env.db.Mailings().Update(b.Context(), owner, mailing, func(m *domain.Mailing) error { return m.Launch(launched) }); err != nil {
			b.Fatal(err)
		}
		env.until("the run is planned", func() bool {
			return env.db.Postgres().Pool.QueryRow(b.Context(), `SELECT id FROM runs WHERE status <> 'missed'`).Scan(&env.run) == nil
		})
		for tick := time.NewTicker(50 * time.Millisecond); !env.closed(); { // as long as a million takes
			select {
			case <-tick.C:
			case <-b.Context().Done():
				b.Fatal("the run is not closed")
			}
		}
		benchReport(b, env, launched, raw, programs, treeCPU(b, postmaster)-before)
	}
}

// benchBody makes emails of about 3 kB.
var benchBody = "Hello {{name}},\n\n" + strings.Repeat("there is news. ", 10)

func benchReport(b *testing.B, env *environment, launched time.Time, raw float64, programs []*programtest.Program, database float64) {
	row, err := env.db.Runs().Get(b.Context(), 0, env.run)
	if err != nil {
		b.Fatal(err)
	}
	var first, last time.Time
	if err := env.db.Postgres().Pool.QueryRow(b.Context(), `SELECT min(at), max(at) FROM attempts`).Scan(&first, &last); err != nil {
		b.Fatal(err)
	}
	var program float64
	var peak int64
	for _, p := range programs {
		p.Kill(syscall.SIGTERM)
		program += p.ProcessState.UserTime().Seconds() + p.ProcessState.SystemTime().Seconds()
		peak = max(peak, p.ProcessState.SysUsage().(*syscall.Rusage).Maxrss/1024)
	}
	per, speed := 100_000/float64(row.Planned), float64(row.Accepted)/last.Sub(first).Seconds()
	fmt.Printf("BENCH %-14s accepted=%d emails/s=%.0f raw=%.0f ratio=%.2f first=%.2fs cpu/100k: program=%.1fs postgres=%.1fs sum=%.1fs peak=%dMB\n",
		strings.TrimPrefix(b.Name(), "BenchmarkRun/"), row.Accepted, speed, raw, speed/max(raw, 1), first.Sub(launched).Seconds(),
		program*per, database*per, (program+database)*per, peak)
	b.ReportMetric(speed, "emails/s")
	b.ReportMetric(float64(peak), "MB")
}

// benchProgram starts a program and waits until it can send.
func benchProgram(b *testing.B, env *environment, sink string, conns int) *programtest.Program {
	command := workerCommand(b, env.url, sink, conns)
	if kind := os.Getenv("DKIM"); kind != "" {
		command.Env = append(command.Env, "DKIM_KEY="+benchKey(b, kind), "DKIM_SELECTOR=bench", "DKIM_DOMAIN=example.org")
	}
	before := env.count(`SELECT count(*) FROM instances`)
	started := programtest.Start(b, command)
	env.until("the program sends", func() bool {
		return env.count(`SELECT count(*) FROM instances`) > before && env.count(`SELECT count(*) FROM river_job WHERE finalized_at IS NOT NULL`) > 0
	})
	return started
}
