package smtptest

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"time"

	"skychimp/domain"
)

// session is one connection. Answers are collected and written when no command is left to
// read, so that a pipelined group costs one write.
type session struct {
	*Server
	id  int
	net net.Conn
	in  *bufio.Reader
	out []byte

	secure, hello, authed bool
	nth, email            int
	from, params, to      string
	mail, rcpt            bool
	unsaid                []verdict // their answers are in out
}

type verdict struct {
	email *Email
	code  int
}

func newSession(s *Server, id int, conn net.Conn) *session {
	return &session{Server: s, id: id, net: conn, in: bufio.NewReaderSize(conn, 64<<10)}
}

func (s *session) run() {
	if s.script.Implicit && !s.startTLS() {
		return
	}
	if s.reply(domain.StageConnect, "220 smtptest ESMTP") == 0 {
		return
	}
	for {
		line, ok := s.line()
		if !ok || !s.command(line) {
			s.flush()
			return
		}
	}
}

// line reads a command without its CRLF. It is valid until the next read.
func (s *session) line() ([]byte, bool) {
	if s.in.Buffered() == 0 && !s.flush() {
		return nil, false
	}
	line, err := s.in.ReadSlice('\n')
	return bytes.TrimRight(line, "\r\n"), err == nil
}

// flush writes the collected answers. Those to emails are logged first: whoever has
// read an answer finds it in the log.
func (s *session) flush() bool {
	if len(s.out) == 0 {
		return true
	}
	if s.script.Latency > 0 && !s.wait(s.script.Latency) {
		return false
	}
	for _, v := range s.unsaid {
		if s.answered(v.email, v.code) != nil {
			return false
		}
	}
	s.turns.Add(1)
	_, err := s.net.Write(s.out)
	for _, v := range s.unsaid {
		if err != nil {
			_ = s.unanswered(v.email)
		}
	}
	s.out, s.unsaid = s.out[:0], s.unsaid[:0]
	return err == nil
}

func (s *session) wait(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-s.done:
		return false
	}
}

func (s *session) startTLS() bool {
	if !s.flush() {
		return false
	}
	if s.script.TLS == GarbageTLS {
		_, err := s.net.Write([]byte("this is not TLS\r\n"))
		return err == nil && s.drain()
	}
	conn := tls.Server(s.net, &tls.Config{Certificates: []tls.Certificate{s.cert}, MinVersion: tls.VersionTLS12})
	if err := conn.Handshake(); err != nil {
		return false
	}
	s.net, s.secure, s.hello = conn, true, false // RFC 3207 section 4.2: begin anew
	s.in.Reset(conn)
	return true
}

// drain reads until the client goes, because closing over unread bytes would reset the
// connection before the client has seen the last words. Always false.
func (s *session) drain() bool {
	for {
		if _, err := s.in.Discard(1); err != nil {
			return false
		}
	}
}

// data reads an email up to its final dot, whose bytes it keeps if the script wants them.
func (s *session) data(l *Email) (size int, ok bool) {
	header, start := true, true
	for {
		line, err := s.in.ReadSlice('\n')
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return size, false
		}
		if start && line[0] == '.' {
			if line = line[1:]; string(line) == "\r\n" {
				return size, true
			}
		}
		if start && header {
			if header = len(line) > 2; !header && !s.body() {
				return size, false
			}
			if len(line) > 11 && (line[0]|0x20) == 'm' && strings.EqualFold(string(line[:11]), "Message-ID:") {
				l.MessageID = strings.TrimSpace(string(line[11:]))
			}
		}
		start = err == nil
		size += len(line)
		if s.script.KeepRaw {
			l.Raw = append(l.Raw, line...)
		}
	}
}
