package main

import (
	"errors"
	"log/slog"
	"net"
	"slices"
	"syscall"
	"time"
)

// steady is a listener that outlives what passes by itself, most of all the end of file
// descriptors: servers take an error of Accept for the end of all.
type steady struct {
	net.Listener
	log    *slog.Logger
	failed time.Time // when Accept failed the last time
}

// listen opens a listener whose Accept fails for good only when it is closed.
func (p *program) listen(address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &steady{Listener: listener, log: p.log}, nil
}

// Accept is called by one goroutine, as servers do. A minute without a failure ends an episode.
func (s *steady) Accept() (net.Conn, error) {
	for pause := 5 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		conn, err := s.Listener.Accept()
		if !passes(err) {
			return conn, err
		}
		if time.Since(s.failed) > time.Minute {
			s.log.Warn("no more connections are accepted for now", "address", s.Addr().String(), "error", err)
		}
		s.failed = time.Now()
		time.Sleep(pause)
	}
}

// passes reports whether an error of Accept says nothing against the listener.
func passes(err error) bool {
	return slices.ContainsFunc([]error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED},
		func(one error) bool { return errors.Is(err, one) })
}
