package main

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"skychimp/handlers/jobs/bounces"
)

// startBounces takes what comes back, where BOUNCE_ADDR or BOUNCE_IMAP says; the returned func ends it.
func (p *program) startBounces(database *database) (stop func(), err error) {
	secret, err := p.config.secretKey()
	if err != nil {
		return nil, err
	}
	secrets := slices.DeleteFunc([][]byte{secret, p.config.SecretOld.key()}, func(key []byte) bool { return len(key) == 0 })
	intake := &bounces.Intake{Domain: string(p.config.BounceDomain), Secrets: secrets, Log: p.log, Receive: database.Bounces().Receive,
		Unsubscribe: database.Preferences().Stop}
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.ctx))
	var working sync.WaitGroup
	if p.config.BounceAddr != "" {
		listener, err := p.listen(string(p.config.BounceAddr))
		if err != nil {
			cancel()
			return nil, fmt.Errorf("BOUNCE_ADDR=%q: %w", p.config.BounceAddr, err)
		}
		working.Go(func() {
			if err := intake.Serve(ctx, listener); err != nil {
				p.log.Error("returned emails are no longer taken", "error", err)
			}
		})
	}
	if p.config.BounceIMAP.Addr != "" {
		working.Go(func() { intake.Read(ctx, bounces.Mailbox(p.config.BounceIMAP)) })
	}
	return func() { cancel(); working.Wait() }, nil
}
