package engine

import (
	"skychimp/domain"
	"skychimp/domain/email"
)

// returnPath is how an email names its delivery, should it come back.
type returnPath struct {
	from      string // the envelope sender
	messageID string
	token     string // the envelope id
}

// returnPaths makes them. One goroutine uses it, and asks twice for the same email.
type returnPaths struct {
	tokens   *domain.ReturnTokens
	from     string // the address of MAIL_FROM
	domain   string // BOUNCE_DOMAIN; empty: from is the envelope sender
	run      int64  // of last
	seq      int
	last     returnPath
	token    []byte
	appended []byte
}

// of a delivery is always the same.
func (p *returnPaths) of(run int64, seq int) returnPath {
	if p.run == run && p.seq == seq {
		return p.last
	}
	p.token = p.tokens.Append(p.token[:0], run, seq)
	p.appended = domain.AppendReturnAddress(p.appended[:0], p.token, p.domain)
	n := len(p.appended)
	p.appended = email.AppendMessageID(p.appended, p.token, email.Host(p.from))
	all := string(p.appended) // one allocation for the three
	p.run, p.seq, p.last = run, seq, returnPath{from: all[:n], messageID: all[n:], token: all[n+1 : n+1+len(p.token)]}
	if p.domain == "" {
		p.last.from = p.from
	}
	return p.last
}
