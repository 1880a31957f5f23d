package smtp

import (
	"bytes"
	"context"

	"skychimp/domain"
)

// Email queues the email that Ready has opened, with CRLF line ends, and its end of data.
func (c *Conn) Email(body []byte) {
	if !c.open {
		panic("smtp: Email before Ready")
	}
	c.open = false
	c.out = stuff(c.out, body)
	c.dot = len(c.out)
}

// stuff doubles the dots that begin a line and adds the final one (RFC 5321 section 4.5.2).
// A dot after a bare LF is doubled, too: some servers end an email there.
func stuff(out, body []byte) []byte {
	whole := bytes.HasSuffix(body, []byte("\r\n"))
	if len(body) > 0 && body[0] == '.' {
		out = append(out, '.')
	}
	for at := 0; ; at++ { // emails have more lines than dots
		i := bytes.IndexByte(body[at:], '.')
		if i < 0 {
			break
		}
		if at += i; at > 0 && body[at-1] == '\n' {
			out = append(append(out, body[:at]...), '.')
			body, at = body[at:], 0
		}
	}
	out = append(out, body...)
	if !whole {
		out = append(out, '\r', '\n')
	}
	return append(out, '.', '\r', '\n')
}

// Result sends the queued email, with the next envelope if one is announced, and waits
// for the answer to the end of data.
func (c *Conn) Result(ctx context.Context) domain.Answer { return c.ResultWhile(ctx, func() {}) }

// ResultWhile is Result with something to do while the email travels and the server thinks. It is called once, unless
// the connection is lost before.
func (c *Conn) ResultWhile(ctx context.Context, waiting func()) domain.Answer {
	if c.dot == 0 {
		panic("smtp: Result without a Email")
	}
	dot := c.dot
	c.dot = 0
	if err := c.enter(ctx); err != nil {
		return c.lose(domain.StageData, err)
	}
	defer c.leave()
	n, cut := c.flush(c.server.DataTimeout)
	if cut != nil && n < dot {
		return c.lose(domain.StageData, cut)
	}
	waiting()
	code, words, err := c.read(c.server.EndTimeout)
	if err != nil || code == 421 {
		return c.lost(domain.StageEndOfData, code, words, err)
	}
	c.sent++
	answer := domain.NewAnswer(domain.StageEndOfData, code, string(words))
	if cut == nil && code/100 == 3 {
		cut = errNotSMTP
	}
	if cut != nil {
		c.lose(domain.StageEndOfData, cut)
	}
	return answer
}
