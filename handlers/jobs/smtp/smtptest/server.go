package smtptest

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// Server is a running mail server.
type Server struct {
	*emailLog
	script   Script
	listener net.Listener
	cert     tls.Certificate
	emails   atomic.Int64 // MAIL commands
	conns    atomic.Int64
	turns    atomic.Int64
	hung     chan Event
	release  chan struct{}
	released sync.Once
	done     chan struct{}
	closed   sync.Once
	sessions sync.WaitGroup

	mu     sync.Mutex
	living map[net.Conn]struct{} // nil when the server is closed
}

// Start runs a server for the length of a test.
func Start(t testing.TB, script Script) *Server {
	t.Helper()
	s, err := Listen(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Listen runs a server until Close.
func Listen(script Script) (*Server, error) {
	if script.Addr == "" {
		script.Addr = "127.0.0.1:0"
	}
	s := &Server{
		script: script, hung: make(chan Event, 1024), release: make(chan struct{}), done: make(chan struct{}),
		living: map[net.Conn]struct{}{},
	}
	var err error
	if script.TLS != NoTLS {
		if s.cert, err = certificate(script.TLS == GoodTLS); err != nil {
			return nil, err
		}
	}
	if s.emailLog, err = openLog(script.Log, script.Count); err != nil {
		return nil, err
	}
	if s.listener, err = net.Listen("tcp", script.Addr); err != nil {
		s.emailLog.close()
		return nil, err
	}
	s.sessions.Go(s.accept)
	return s, nil
}

func (s *Server) accept() {
	for {
		conn, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !s.enter(conn) {
			continue
		}
		id := int(s.conns.Add(1))
		s.sessions.Go(func() {
			defer s.leave(conn)
			newSession(s, id, conn).run()
		})
	}
}

func (s *Server) enter(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.living == nil {
		_ = conn.Close()
		return false
	}
	s.living[conn] = struct{}{}
	return true
}

func (s *Server) leave(conn net.Conn) {
	_ = conn.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.living, conn)
}

// Close ends the server and all its connections.
func (s *Server) Close() {
	s.closed.Do(func() {
		close(s.done)
		_ = s.listener.Close()
		s.mu.Lock()
		for conn := range s.living {
			_ = conn.Close()
		}
		s.living = nil
		s.mu.Unlock()
		s.sessions.Wait()
		s.emailLog.close()
	})
}

// Addr is where the server listens.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the server's SMTP_URL, without user and password.
func (s *Server) URL() string {
	if s.script.Implicit {
		return "smtps://" + s.Addr()
	}
	return "smtp://" + s.Addr()
}

// Conns is how many connections have come so far.
func (s *Server) Conns() int { return int(s.conns.Load()) }

// Turns is how often the server has written answers and then waited: the round trips of
// its clients, greetings included.
func (s *Server) Turns() int { return int(s.turns.Load()) }

// Release ends all hanging, now and later.
func (s *Server) Release() { s.released.Do(func() { close(s.release) }) }

// WaitHang waits until a connection hangs that no WaitHang has told of yet.
func (s *Server) WaitHang(ctx context.Context) (Event, error) {
	select {
	case e := <-s.hung:
		return e, nil
	case <-ctx.Done():
		return Event{}, ctx.Err()
	}
}
