// The tests of this package build the program, start it and use it from outside: by its
// commands and by a browser.
package main_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for anything; nothing takes that long unless it hangs, even on a
// slow machine that is busy with something else.
const patience = 2 * time.Minute

// poll is the pause between two questions to what announces nothing.
const poll = 10 * time.Millisecond

// build makes the program once for all tests.
var build = sync.OnceValues(func() (string, error) {
	file, err := filepath.Abs("bin/skychimp-under-test")
	if err == nil {
		command := exec.Command("go", "build", "-o", file, ".")
		command.Stderr = os.Stderr
		err = command.Run()
	}
	return file, err
})

func command(t *testing.T, environ []string, args ...string) *exec.Cmd {
	t.Helper()
	file, err := build()
	if err != nil {
		t.Fatal("the program does not build: ", err)
	}
	c := exec.Command(file, args...)
	c.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME")}, environ...)
	return c
}

// run waits for a command and gives its exit code and what it printed.
func run(t *testing.T, environ []string, input string, args ...string) (code int, out, errs string) {
	t.Helper()
	c := command(t, environ, args...)
	var stdout, stderr bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(input), &stdout, &stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := time.AfterFunc(patience, func() { _ = c.Process.Kill() })
	defer stuck.Stop()
	_ = c.Wait()
	return c.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

// server is a running `skychimp serve` or `demo`.
type server struct {
	t       *testing.T
	url     string
	environ []string
	process *exec.Cmd
	ended   chan struct{} // closed when the process has
	ready   time.Duration // from the start
	mu      sync.Mutex
	printed bytes.Buffer
}

// serve starts the program on a free port and waits until it is ready. Without DATA_DIR in
// environ it has a fresh one.
func serve(t *testing.T, what string, environ ...string) *server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	s := &server{t: t, url: "http://" + address, ended: make(chan struct{})}
	s.environ = append([]string{"ADDR=" + address, "BASE_URL=" + s.url, "DISPATCH_EVERY=1s"}, environ...)
	if !strings.Contains(strings.Join(environ, " "), "DATA_DIR=") {
		s.environ = append(s.environ, "DATA_DIR="+t.TempDir())
	}
	s.process = command(t, s.environ, what)
	// In a group of its own, so that kill reaches the children too.
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.process.Stderr = s
	out, err := s.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.process.Process.Kill()
		<-s.ended
		if t.Failed() {
			t.Log("the program printed:\n" + s.output())
		}
	})
	ready := make(chan struct{})
	go s.read(out, ready)
	select {
	case <-ready:
		s.ready = time.Since(begun)
	case <-s.ended:
		t.Fatal("the program ended before it was ready:\n" + s.output())
	case <-time.After(patience):
		t.Fatal("the program is not ready:\n" + s.output())
	}
	return s
}

// read keeps what the program prints until it ends.
func (s *server) read(out io.Reader, ready chan<- struct{}) {
	told := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		_, _ = s.Write(append(lines.Bytes(), '\n'))
		if !told && strings.Contains(lines.Text(), s.url) {
			told = true
			close(ready)
		}
	}
	_ = s.process.Wait()
	close(s.ended)
}

func (s *server) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.printed.Write(text)
}

func (s *server) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.printed.String()
}

// stop sends Ctrl-C and gives the exit code.
func (s *server) stop() int {
	s.t.Helper()
	if err := s.process.Process.Signal(os.Interrupt); err != nil {
		s.t.Fatal(err)
	}
	return s.wait()
}

// wait gives the exit code when the program has ended.
func (s *server) wait() int {
	s.t.Helper()
	select {
	case <-s.ended:
	case <-time.After(patience):
		s.t.Fatal("the program does not end:\n" + s.output())
	}
	return s.process.ProcessState.ExitCode()
}

// newUser makes an account by command and gives its address; the password is password.
func (s *server) newUser(t *testing.T, name, role string) string {
	t.Helper()
	email := strings.ToLower(strings.ReplaceAll(name, " ", ".")) + "@example.com"
	code, _, errs := run(t, s.environ, password+"\n", "user", "create", "--email", email, "--role", role, "--name", name, "--password-stdin")
	if code != 0 {
		t.Fatalf("user create: exit %d: %s", code, errs)
	}
	return email
}

const password = "correct horse battery"
