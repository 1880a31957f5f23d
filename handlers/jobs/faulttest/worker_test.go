package faulttest

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// start starts a program and waits for its first email, or its end.
func (env *environment) start() *worker {
	env.Helper()
	w := env.launch()
	w.firstEmail(env)
	return w
}

func (w *worker) firstEmail(env *environment) {
	env.Helper()
	env.until("the first email after a start", func() bool { return env.server.EndsOfData() > w.before || w.Over() || env.closed() })
	if w.Over() {
		return
	}
	took := time.Since(w.Started)
	env.slowest = max(env.slowest, took)
	if env.own == 0 {
		env.own = took
	}
}

// ownStart tells how long this machine needs now, where nothing else happens, from the start of a
// program to its first email.
func (env *environment) ownStart() (slowest time.Duration) {
	env.Helper()
	quiet := newEnv(env.TB, smtptest.Script{})
	for range 3 {
		quiet.begin(quiet.fill(1))
		quiet.start()
		quiet.until("the run is closed", quiet.closed)
		quiet.kill(syscall.SIGTERM)
	}
	return quiet.slowest
}

func (env *environment) launch() *worker {
	env.Helper()
	command := workerCommand(env, env.url, env.server.Addr(), env.conns)
	command.Env = append(command.Env, env.environ...)
	w := &worker{before: env.server.EndsOfData()}
	w.Program = programtest.Start(env, command)
	env.workers = append(env.workers, w)
	return w
}

// kill sends the signal to all programs and waits for their end.
func (env *environment) kill(signal syscall.Signal) {
	for _, w := range env.workers {
		w.Kill(signal)
	}
	env.workers = nil
}

// worker is a running `skychimp worker`.
type worker struct {
	*programtest.Program
	before int // emails that had come when it was started
}

// ready waits until everything of the program runs, not only what sends.
func (w *worker) ready() {
	w.WaitFor("SkyChimp is sending")
}

// memory is how much of the program's memory is in use, in MB.
func (w *worker) memory(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", w.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kb / 1024
}

// workerCommand is `skychimp worker` on a database and a mail server, not started yet.
func workerCommand(t testing.TB, address, smtp string, conns int) *exec.Cmd {
	t.Helper()
	server := url.URL{Scheme: "smtp", Host: smtp, RawQuery: fmt.Sprintf("tls=none&conns=%d", conns)}
	return programtest.Command(t, []string{"DATABASE_URL=" + address, "SECRET=" + secret, "DISPATCH_EVERY=1s", "SMTP_URL=" + server.String()}, "worker")
}
