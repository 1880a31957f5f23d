// Package programtest builds the program, starts it, waits for it and stops it: for tests that use it
// from outside.
package programtest

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Timeout is how long a test waits for anything; nothing takes that long unless it hangs, even on a
// slow machine that is busy with something else.
const Timeout = 2 * time.Minute

// Poll is the pause between two questions to what announces nothing.
const Poll = 10 * time.Millisecond

// Within asks until the answer is yes, or the time is over.
func Within(limit time.Duration, yes func() bool) bool {
	deadline, tick := time.After(limit), time.NewTicker(Poll)
	defer tick.Stop()
	for !yes() {
		select {
		case <-deadline:
			return false
		case <-tick.C:
		}
	}
	return true
}

// Command is the program with arguments, not started yet. Its environment is environ and no more than
// programs need to run at all; accounts of tests are new, and send as much as they like.
func Command(t testing.TB, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal("the program does not build: ", err)
	}
	c := exec.Command(file, args...)
	c.Env = append([]string{"OWNER_LIMITS=none", "RECALL_FOR=0", "PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + os.TempDir()}, environ...)
	return c
}

// Run waits for a command and gives its exit code and what it printed.
func Run(t testing.TB, environ []string, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	c := Command(t, environ, args...)
	var stdout, stderr bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(Timeout, func() { _ = c.Process.Kill() })
	defer stuck.Stop()
	_ = c.Wait()
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// Program is a running program.
type Program struct {
	*exec.Cmd
	URL     string        // of its site, where it has one
	Started time.Time     // before the process was
	Ready   time.Duration // from then until its site was ready

	t       testing.TB
	ended   chan struct{} // closed when the process has
	mu      sync.Mutex
	printed bytes.Buffer
}

// Start starts a command. A program that still runs at the end of the test is killed; when the test has
// failed, the test's log has what it printed.
func Start(t testing.TB, c *exec.Cmd) *Program {
	t.Helper()
	p := &Program{Cmd: c, Started: time.Now(), t: t, ended: make(chan struct{})}
	c.Stdout, c.Stderr = p, p
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Wait(); close(p.ended) }()
	t.Cleanup(func() {
		if p.Over() {
			return
		}
		p.Kill(syscall.SIGKILL)
		if t.Failed() {
			t.Log("the program printed:\n" + p.Printed())
		}
	})
	return p
}

// Serve starts a command that has a site on a free port, and waits until it is ready. Without DATA_DIR
// in environ it has a fresh one. The process has a group of its own.
func Serve(t testing.TB, command string, environ ...string) *Program {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	environ = append([]string{"ADDR=" + address, "BASE_URL=http://" + address, "DISPATCH_EVERY=1s"}, environ...)
	if !strings.Contains(strings.Join(environ, " "), "DATA_DIR=") {
		environ = append(environ, "DATA_DIR="+t.TempDir())
	}
	c := Command(t, environ, command)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p := Start(t, c)
	p.URL = "http://" + address
	p.WaitFor("SkyChimp is ready")
	p.Ready = time.Since(p.Started)
	return p
}

// WaitFor waits until the program has printed the words.
func (p *Program) WaitFor(words string) {
	p.t.Helper()
	printed := func() bool { return strings.Contains(p.Printed(), words) }
	if !Within(Timeout, func() bool { return printed() || p.Over() }) || !printed() {
		p.t.Fatalf("the program does not say %q:\n%s", words, p.Printed())
	}
}

// Write takes what the process prints.
func (p *Program) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.Write(text)
}

// Printed is all that the program has printed until now.
func (p *Program) Printed() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.printed.String()
}

// Over tells whether the process has ended.
func (p *Program) Over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Signal sends a signal to a process that runs.
func (p *Program) Signal(signal syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
}

// Kill sends the signal and waits for the end; from any goroutine and more than once.
func (p *Program) Kill(signal syscall.Signal) {
	_ = p.Process.Signal(signal)
	<-p.ended
}

// Stop sends Ctrl-C and gives the exit code.
func (p *Program) Stop() int {
	p.t.Helper()
	p.Signal(syscall.SIGINT)
	return p.ExitCode()
}

// ExitCode waits for the end.
func (p *Program) ExitCode() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(Timeout):
		p.t.Fatal("the program does not end:\n" + p.Printed())
	}
	return p.ProcessState.ExitCode()
}

// Password is that of users made by NewUser.
const Password = "correct horse battery"

// NewUser makes a verified account by command, and gives its address.
func (p *Program) NewUser(t testing.TB, name, role string) (email string) {
	t.Helper()
	email = strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.com"
	code, _, errs := Run(t, p.Env, Password+"\n", "user", "create", "--email", email, "--role", role, "--name", name, "--password-stdin")
	if code != 0 {
		t.Fatalf("user create: exit %d: %s", code, errs)
	}
	return email
}
