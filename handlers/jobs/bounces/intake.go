// Package bounces takes emails that come back, by SMTP and from a mailbox.
package bounces

import (
	"context"
	"log/slog"

	"skychimp/domain"
	"skychimp/domain/email/report"
)

// Intake keeps what comes back. Its fields don't change while it works.
type Intake struct {
	Domain  string   // BOUNCE_DOMAIN, empty: only a mailbox is read
	Secrets [][]byte // any of them may have signed a token
	Log     *slog.Logger

	// Receive makes it durable, all or nothing, and does what follows from it; the same again changes
	// nothing. The error is domain.NotFound when the delivery is no longer known.
	Receive func(ctx context.Context, run int64, seq int, report domain.Report, raw []byte) error

	// Unsubscribe stops the emails to a client, for whose own address to unsubscribe at something came; once
	// more it changes nothing.
	Unsubscribe func(ctx context.Context, link domain.RecipientLink, reason domain.LeaveReason) error
}

// named is the delivery that one of the tokens in a report names.
func (in *Intake) named(tokens []string) (run int64, seq int, ok bool) {
	for _, token := range tokens {
		if run, seq, ok = domain.ParseReturnToken(token, in.Secrets...); ok {
			return run, seq, true
		}
	}
	return 0, 0, false
}

// unsubscribes is the client that one of the addresses an email came to unsubscribes.
func (in *Intake) unsubscribes(addresses []string) (link domain.RecipientLink, ok bool) {
	for _, address := range addresses {
		if link, ok = domain.ParseUnsubscribeMailbox(address, in.Domain, in.Secrets...); ok {
			return link, true
		}
	}
	return link, false
}

// keep reads an email that came to no delivery's own address; false when it is about none.
func (in *Intake) keep(ctx context.Context, raw []byte) (bool, error) {
	if link, ok := in.unsubscribes(report.Addressees(raw)); ok {
		err := in.Unsubscribe(ctx, link, "")
		return err == nil, err
	}
	read := report.Parse(raw)
	run, seq, ok := in.named(read.Tokens)
	if !ok {
		return false, nil
	}
	err := in.Receive(ctx, run, seq, read, raw)
	if domain.KindOf(err) == domain.NotFound {
		return false, nil
	}
	return err == nil, err
}
