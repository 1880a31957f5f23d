package smtptest

import (
	"fmt"
	"strconv"
	"strings"

	"skychimp/domain"
)

// command does one command. False: the connection is over.
func (s *session) command(line []byte) bool {
	verb, rest := "", ""
	if len(line) >= 4 {
		verb, rest = strings.ToUpper(string(line[:4])), string(line[4:])
	}
	switch verb {
	case "MAIL":
		return s.mailFrom(rest)
	case "RCPT":
		return s.rcptTo(rest)
	case "DATA":
		return s.emailData()
	case "RSET":
		s.mail, s.rcpt = false, false
		return s.reply(StageReset, "250 2.0.0 ok") != 0
	case "NOOP":
		return s.say("250 2.0.0 ok")
	case "QUIT":
		s.reply(StageQuit, "221 2.0.0 bye")
		return false
	case "EHLO":
		return s.ehlo()
	case "HELO":
		return s.greet("250 smtptest")
	case "AUTH":
		return s.auth(strings.Fields(rest))
	case "STAR":
		return s.upgrade()
	}
	return s.say("500 5.5.2 no such command")
}

// say answers past the script.
func (s *session) say(answer string) bool {
	s.out = append(append(s.out, answer...), '\r', '\n')
	return true
}

func (s *session) ehlo() bool {
	if s.script.NoEHLO {
		return s.say("502 5.5.1 no such command")
	}
	return s.greet(s.extensions())
}

// upgrade answers STARTTLS.
func (s *session) upgrade() bool {
	if s.script.TLS == NoTLS || s.secure {
		return s.say("502 5.5.1 no such command")
	}
	switch s.reply(domain.StageTLS, "220 2.0.0 go ahead") {
	case 0:
		return false
	case 220:
		return s.startTLS()
	}
	return true
}

func (s *session) greet(answer string) bool {
	code := s.reply(domain.StageHello, answer)
	s.hello = code/100 == 2
	return code != 0
}

func (s *session) extensions() string {
	lines := []string{"250 smtptest", "ENHANCEDSTATUSCODES"}
	offer := func(keyword string, offered bool) {
		if offered {
			lines = append(lines, keyword)
		}
	}
	offer("PIPELINING", !s.script.NoPipelining)
	offer("SMTPUTF8", !s.script.NoSMTPUTF8)
	offer("8BITMIME", !s.script.No8BitMIME)
	offer("DSN", s.script.DSN)
	offer("STARTTLS", s.script.TLS != NoTLS && !s.secure)
	offer(fmt.Sprintf("SIZE %d", s.script.Size), s.script.Size > 0)
	offer("AUTH "+s.mechanisms(), len(s.script.Users) > 0 && !s.script.OldAuth)
	offer("AUTH="+s.mechanisms(), len(s.script.Users) > 0 && s.script.OldAuth)
	return strings.Join(lines, "\n")
}

// path is the address in " FROM:<a@b> SIZE=1", and the parameters after it.
func path(rest, keyword string) (address, params string, ok bool) {
	rest = strings.TrimLeft(rest, " ")
	if len(rest) < len(keyword) || !strings.EqualFold(rest[:len(keyword)], keyword) {
		return "", "", false
	}
	_, rest, ok = strings.Cut(rest[len(keyword):], "<")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ">")
}

func (s *session) mailFrom(rest string) bool {
	from, params, ok := path(rest, "FROM:")
	if !ok {
		return s.say("501 5.5.4 MAIL FROM:<address>")
	}
	if !s.hello || s.mail {
		return s.say("503 5.5.1 MAIL comes once, after EHLO")
	}
	s.nth++
	s.email = int(s.emails.Add(1))
	s.from, s.params, s.to = from, params, ""
	answer := "250 2.1.0 ok"
	if limit := s.script.EmailsPerConn; limit > 0 && s.nth > limit {
		answer = "421 4.7.0 too many emails on this connection"
	}
	if s.script.RequireAuth && !s.authed {
		answer = "530 5.7.0 authenticate first"
	}
	if _, size, ok := strings.Cut(params, "SIZE="); ok && s.script.Size > 0 {
		size, _, _ = strings.Cut(size, " ")
		if n, err := strconv.Atoi(size); err != nil || n > s.script.Size {
			answer = "552 5.3.4 too large"
		}
	}
	code := s.reply(domain.StageMail, answer)
	s.mail, s.rcpt = code/100 == 2, false
	return code != 0
}

func (s *session) rcptTo(rest string) bool {
	to, _, ok := path(rest, "TO:")
	if !ok {
		return s.say("501 5.5.4 RCPT TO:<address>")
	}
	if !s.mail {
		return s.say("503 5.5.1 MAIL first")
	}
	s.to = to
	code := s.reply(domain.StageRcpt, "250 2.1.5 ok")
	s.rcpt = s.rcpt || code/100 == 2
	return code != 0
}

func (s *session) emailData() bool {
	answer := "354 go ahead"
	if !s.rcpt {
		answer = "503 5.5.1 RCPT first"
	}
	code := s.reply(domain.StageData, answer)
	if code != 354 {
		return code != 0
	}
	if !s.flush() {
		return false
	}
	l := &Email{Conn: s.id, Nth: s.nth, From: s.from, Params: s.params, To: s.to}
	size, ok := s.data(l)
	if !ok {
		return false
	}
	taken := s.rcpt
	s.mail, s.rcpt = false, false
	if !taken { // a script said 354 though it had refused every recipient
		return s.say("554 5.5.1 no valid recipients")
	}
	if err := s.dot(l); err != nil {
		return false
	}
	return s.emailEnd(l, size)
}

// emailEnd answers the final dot. Where hooks want to know exactly when, the answer has a
// write of its own.
func (s *session) emailEnd(l *Email, size int) bool {
	hooks := s.script.Before != nil || s.script.After != nil
	if hooks && !s.flush() {
		return false
	}
	normal := "250 2.0.0 ok"
	if s.script.Size > 0 && size > s.script.Size {
		normal = "552 5.3.4 too large"
	}
	answer, last, ok := s.decide(domain.StageEndOfData, normal)
	if !ok {
		return false
	}
	code := codeOf(answer)
	if code == 250 && s.script.Before != nil {
		s.script.Before(*l)
	}
	s.put(answer)
	s.unsaid = append(s.unsaid, verdict{l, code})
	if (hooks || last) && !s.flush() {
		return false
	}
	if code == 250 && s.script.After != nil {
		s.script.After(*l)
	}
	return !last
}
