package embedded

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// server is the postmaster, our child.
type server struct {
	process *os.Process
	ended   chan struct{}
	err     error // how it ended; read it after ended
	said    *output
}

// launch starts the server and waits until it takes connections.
func launch(ctx context.Context, at place, sockets string, opts Options) (*server, error) {
	for begun := time.Now(); ; {
		s, err := spawn(at, arguments(at, sockets, opts), opts.Log)
		if err != nil {
			return nil, err
		}
		if err = s.ready(ctx, at.data); err == nil {
			return s, nil
		}
		s.kill()
		<-s.ended
		// A killed server leaves processes that need a moment to notice.
		leftovers := strings.Contains(s.said.text(), "shared memory block")
		if !leftovers || time.Since(begun) > 30*time.Second || pause(ctx, 100*time.Millisecond) != nil {
			return nil, err
		}
	}
}

// spawn starts the server as a child that a Ctrl-C in the terminal doesn't reach, and that shuts
// down when our process dies.
func spawn(at place, args []string, log *slog.Logger) (*server, error) {
	s := &server{ended: make(chan struct{}), said: &output{log: log}}
	cmd := at.command(context.Background(), at.data, "postgres", args...)
	cmd.SysProcAttr = attributes(at.as, syscall.SIGINT)
	cmd.Stdout, cmd.Stderr = s.said, s.said
	started := make(chan error)
	go func() {
		// The kernel sends the signal when the thread that started the child ends, so this one
		// lives as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		s.process = cmd.Process
		started <- err
		if err == nil {
			s.err = cmd.Wait()
			close(s.ended)
		}
	}()
	return s, <-started
}

// ready waits for the word of the server in its pid file.
func (s *server) ready(ctx context.Context, data string) error {
	for {
		if lines := pidFile(data); len(lines) > 7 && lines[0] == strconv.Itoa(s.process.Pid) && lines[7] == "ready" {
			return nil
		}
		select {
		case <-s.ended:
			return fmt.Errorf("postgres ended while it started: %w\n%s", s.err, s.said.text())
		case <-ctx.Done():
			return fmt.Errorf("%w; postgres said so far:\n%s", ctx.Err(), s.said.text())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// kill ends the server without a shutdown: it recovers at the next start.
func (s *server) kill() {
	_ = s.process.Signal(syscall.SIGQUIT)
	select {
	case <-s.ended:
	case <-time.After(10 * time.Second): // it gives its own children 5 s
		_ = s.process.Kill()
	}
}

// pidFile is the server's postmaster.pid: process, data folder, start time, port, folder of the
// socket, listen address, shared memory, state.
// https://www.postgresql.org/docs/current/storage-file-layout.html
func pidFile(data string) []string {
	text, _ := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	var lines []string
	for line := range strings.Lines(string(text)) {
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}
