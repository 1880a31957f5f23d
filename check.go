package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"skychimp/domain/email"
	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/check"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/resolver"
	"skychimp/templates"
)

type checkCommand struct{}

// Help is shown by skychimp check --help.
func (checkCommand) Help() string {
	return `Says line by line with OK, WARN or FAIL whether receivers will take the emails of this installation, and what to
do: MAIL_FROM, BASE_URL, EHLO_NAME and its reverse record, SPF, DKIM, DMARC, MX and SPF of BOUNCE_DOMAIN, and
whether the mail servers let it in. It sends nothing and needs no database.

Exit codes: 0; 1 when something fails; 2 on wrong use.`
}

// Run looks and prints what it has found.
func (checkCommand) Run(p *program) error {
	texts, err := templates.LoadTexts()
	if err != nil {
		return err
	}
	installation, err := p.installation()
	if err != nil {
		return err
	}
	lines := installation.Lines(p.ctx)
	for _, one := range lines {
		fmt.Fprintf(p.out, "%-4s  %-13s  %s\n", one.Level, one.About, texts.Say("en", one.Key, one.Args...))
	}
	if emailauth.FailedLines(lines) {
		return errors.New("not everything is as it should be: see the lines that begin with FAIL")
	}
	return nil
}

// installation is what the check looks at.
func (p *program) installation() (check.Installation, error) {
	signer, err := p.signer()
	return check.Installation{
		MailFrom: p.config.MailFrom.Address.Address, BaseURL: p.config.BaseURL.URL, EHLOName: p.config.ehloName(), BounceDomain: string(p.config.BounceDomain),
		BouncesRead: p.config.BounceAddr != "" || p.config.BounceIMAP.Addr != "", Signer: signer, Servers: p.config.servers(),
		DNS: resolver.New(string(p.config.DNSAddr)),
	}, err
}

// signer signs with DKIM_KEY; nil where there is none.
func (p *program) signer() (*email.Signer, error) {
	if p.config.DKIMKey == "" {
		return nil, nil
	}
	key, err := os.ReadFile(string(p.config.DKIMKey))
	var signer *email.Signer
	if err == nil {
		signer, err = email.NewSigner(key, p.config.DKIMSelector, p.config.DKIMDomain)
	}
	if err != nil {
		return nil, fmt.Errorf("DKIM_KEY=%q: %w", p.config.DKIMKey, err)
	}
	return signer, nil
}

// logCheck says in the log at the start what is not as it should be. Who tries things out with a mail server on this
// machine and no address of the own has chosen that.
func (p *program) logCheck(texts *templates.Texts) {
	installation, err := p.installation()
	if err != nil || len(installation.Servers) == 0 || p.config.catchesAll() {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, time.Minute)
	go func() {
		defer cancel()
		well := true
		for _, one := range installation.Records(ctx) {
			if one.Level != emailauth.OK && ctx.Err() == nil {
				p.log.Warn("check: "+texts.Say("en", one.Key, one.Args...), "about", one.About, "level", string(one.Level))
				well = false
			}
		}
		if well && ctx.Err() == nil {
			p.log.Info("check: settings and DNS are as receivers want them")
		}
	}()
}

// servers are those of SMTP_URL, to whom the program introduces itself by its name.
func (c config) servers() []smtp.Server {
	servers := slices.Clone(c.SMTPURL)
	for i := range servers {
		servers[i].Name = c.ehloName()
	}
	return servers
}

// ehloName is EHLO_NAME, or the host of BASE_URL where others may know it; empty: the connection's own address, as
// RFC 5321 asks of who has no name (section 4.1.3).
func (c config) ehloName() string {
	host := c.BaseURL.Hostname()
	switch {
	case c.EHLOName != "":
		return string(c.EHLOName)
	case net.ParseIP(host) == nil && strings.Contains(host, "."):
		return host
	}
	return ""
}

// local tells MAIL_FROM's default: an address that no receiver knows.
func (c config) local() bool { return email.Host(c.MailFrom.Address.Address) == "localhost" }

// catchesAll tells a mail server on this machine that takes emails from nobody's address: one for tests.
func (c config) catchesAll() bool {
	return c.local() && !slices.ContainsFunc(c.SMTPURL, func(s smtp.Server) bool { return !s.Loopback() })
}
