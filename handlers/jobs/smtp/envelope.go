package smtp

import (
	"context"
	"strconv"

	"skychimp/domain"
)

type envelope struct {
	from, to string // as written on the wire
	size     int
	utf8     bool
	id       string // comes back in reports (RFC 3461); emails and digits
}

// Envelope announces the next email. size is its length in bytes, 0 when not known yet; id, where the
// server knows DSN, comes back in a report, with the headers alone.
// An address that cannot be written is refused by Ready, before anything is sent for it.
func (c *Conn) Envelope(from, to string, size int, id string) {
	c.env, c.refused = c.prepare(from, to, size)
	c.env.id = id
	c.announced = true
	if c.refused == nil && c.pipelining {
		for step := c.firstStep(); step <= stepData; step++ {
			c.command(step)
		}
	}
}

// The steps of an envelope.
const (
	stepReset = iota
	stepMail
	stepRcpt
	stepData
)

func (c *Conn) firstStep() int {
	if c.reset {
		return stepReset
	}
	return stepMail
}

func stageOf(step int) domain.Stage {
	return [...]domain.Stage{domain.StageMail, domain.StageMail, domain.StageRcpt, domain.StageData}[step]
}

func (c *Conn) command(step int) {
	switch step {
	case stepReset:
		c.out = append(c.out, "RSET\r\n"...)
	case stepMail:
		c.out = append(append(append(c.out, "MAIL FROM:<"...), c.env.from...), '>')
		if c.size && c.env.size > 0 {
			c.out = strconv.AppendInt(append(c.out, " SIZE="...), int64(c.env.size), 10)
		}
		if c.eightBit {
			c.out = append(c.out, " BODY=8BITMIME"...)
		}
		if c.env.utf8 {
			c.out = append(c.out, " SMTPUTF8"...)
		}
		if c.dsn && c.env.id != "" {
			c.out = append(append(c.out, " RET=HDRS ENVID="...), c.env.id...)
		}
		c.out = append(c.out, '\r', '\n')
	case stepRcpt:
		c.out = append(append(append(c.out, "RCPT TO:<"...), c.env.to...), ">\r\n"...)
	case stepData:
		c.out = append(c.out, "DATA\r\n"...)
	}
}

// Ready brings the announced envelope to the point where the server waits for the email.
// False: this email cannot be sent now, and the answer says why; unless the connection is
// Broken it takes the next Envelope.
func (c *Conn) Ready(ctx context.Context) (domain.Answer, bool) {
	if c.dot > 0 || !c.announced {
		panic("smtp: Ready without an Envelope, or before the Result of the email before")
	}
	c.announced = false
	if c.broken {
		return domain.Answer{Stage: domain.StageMail, Code: c.end.Code, Text: c.end.Text}, false
	}
	if c.refused != nil {
		return *c.refused, false
	}
	if err := c.enter(ctx); err != nil {
		return c.lose(domain.StageMail, err), false
	}
	defer c.leave()
	return c.converse()
}

// converse has the commands of the envelope answered. The first refusal is the email's
// answer, but a pipelined group has to be read to its end.
func (c *Conn) converse() (domain.Answer, bool) {
	var refusal domain.Answer
	var codes [stepData + 1]int
	for step := c.firstStep(); step <= stepData && (c.pipelining || refusal.Code == 0); step++ {
		if !c.pipelining {
			c.command(step)
		}
		stage := stageOf(step)
		code, words, err := c.ask(c.server.CommandTimeout)
		good := code/100 == 2
		if step == stepData {
			good = code == 354
		}
		if err != nil || code == 421 {
			lost := c.lost(stage, code, words, err)
			if refusal.Code == 0 {
				refusal = lost
			}
			return refusal, false
		}
		if !good && refusal.Code == 0 {
			refusal = domain.NewAnswer(stage, code, string(words))
		}
		codes[step] = code
	}
	data := codes[stepData]
	c.open = refusal.Code == 0
	c.reset = !c.open && data != 354
	if !c.open && data == 354 {
		c.emptyEmail(codes[stepRcpt])
	}
	if c.open {
		return domain.Answer{Stage: domain.StageData, Code: data}, true
	}
	return refusal, false
}

// emptyEmail ends the DATA that a server began although it had refused what came before
// (RFC 2920 section 3.1). Only where no recipient was taken: nobody may get the empty email.
func (c *Conn) emptyEmail(rcpt int) {
	if rcpt/100 == 2 {
		c.lose(domain.StageData, errNotSMTP)
		return
	}
	c.out = append(c.out, ".\r\n"...)
	code, words, err := c.ask(c.server.EndTimeout)
	if err != nil || code == 421 {
		c.lost(domain.StageData, code, words, err)
	}
}
