package smtp

import (
	"errors"
	"io"
	"os"
	"time"

	"skychimp/domain"
)

// Conn is one SMTP session. One goroutine uses it, and for each email it calls
//
//	Envelope, Ready, Email, Result
//
// in this order, except that the next email's Envelope belongs between Email and Result:
// then its commands go out in one write with the end of data, and an email costs one round
// trip. Nothing is written outside Ready and Result, and the end of data only by Result.
//
// A duplicate after a crash is bounded by the caller: it calls Result for an email only
// when the result of the email before is durable. What Result and Envelope have sent by
// then (MAIL, RCPT, DATA) does no harm.
type Conn struct {
	*wire
	server Server
	extensions

	env       envelope
	announced bool           // env waits for Ready
	refused   *domain.Answer // env breaks a rule of this package
	reset     bool           // the server still holds a refused envelope
	open      bool           // the server waits for an email (354)
	dot       int            // where in the queue the end of data ends; 0: no email is queued
	sent      int
	broken    bool
	end       domain.Answer // what broke the connection
}

// extensions are what the server offers in EHLO.
type extensions struct {
	pipelining, eightBit, smtputf8, size, dsn, starttls bool
	maxSize                                             int // bytes of an email, 0: it does not say
	auth                                                []string
}

// Sent is the number of emails that got an answer on this connection, for learning the
// server's limit.
func (c *Conn) Sent() int { return c.sent }

// Fits tells whether the server takes an email of so many bytes (RFC 1870), as far as it says.
func (c *Conn) Fits(size int) bool { return c.maxSize == 0 || size <= c.maxSize }

// Broken tells that the connection is over.
func (c *Conn) Broken() bool { return c.broken }

// ask writes what is queued and reads one answer.
func (c *Conn) ask(timeout time.Duration) (int, []byte, error) {
	if _, err := c.flush(c.server.DataTimeout); err != nil {
		return 0, nil, err
	}
	return c.read(timeout)
}

// lost ends the connection: err has cut it, or the server's answer has.
func (c *Conn) lost(stage domain.Stage, code int, words []byte, err error) domain.Answer {
	if err != nil {
		return c.lose(stage, err)
	}
	return c.over(domain.NewAnswer(stage, code, string(words)))
}

func (c *Conn) lose(stage domain.Stage, err error) domain.Answer {
	text := err.Error()
	switch {
	case c.watched != nil && c.watched.ctx.Err() != nil:
		text = c.watched.ctx.Err().Error()
	case errors.Is(err, io.EOF):
		text = "the server closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded):
		text = "no answer in time"
	}
	return c.over(domain.NewAnswer(stage, 0, text))
}

func (c *Conn) over(answer domain.Answer) domain.Answer {
	c.broken, c.end = true, answer
	c.Abort()
	return answer
}

// Abort drops the connection at once. An email whose end of data is not out is not sent.
func (c *Conn) Abort() {
	c.broken = true
	c.unwatch()
	_ = c.raw.Close()
}

// Close takes leave of the server, without waiting long for its goodbye. Where the server
// expects an email, only dropping the connection keeps it from getting one.
func (c *Conn) Close() {
	if !c.broken && !c.announced && !c.open && c.dot == 0 {
		const patience = time.Second
		c.out = append(c.out[:0], "QUIT\r\n"...)
		if _, err := c.flush(patience); err == nil {
			_, _, _ = c.read(patience)
		}
	}
	c.Abort()
}
