// Package check looks whether an installation can deliver: its settings, DNS and its mail servers. What the answers
// mean is said by domain/emailauth.
package check

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"time"

	"blitiri.com.ar/go/spf"

	"skychimp/domain/email"
	"skychimp/domain/emailauth"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/resolver"
)

// Installation is what is looked at.
type Installation struct {
	MailFrom     string // the address
	BaseURL      *url.URL
	EHLOName     string // as it is said; empty: the connection's address
	BounceDomain string
	BouncesRead  bool // by BOUNCE_ADDR or BOUNCE_IMAP
	Signer       *email.Signer
	Servers      []smtp.Server // empty: the dev inbox
	DNS          *resolver.Resolver
}

// Each question has a time limit, and all of them are asked at once.
const lookTime, dialTime = 10 * time.Second, 15 * time.Second

// Lines are what there is to say, in the order of the settings.
func (i Installation) Lines(ctx context.Context) []emailauth.Line {
	return i.lines(ctx, append(i.records(), i.smtp)...)
}

// Records are Lines without the mail servers, to whom nobody connects.
func (i Installation) Records(ctx context.Context) []emailauth.Line {
	return i.lines(ctx, i.records()...)
}

type question func(context.Context) []emailauth.Line

func (i Installation) records() []question {
	if len(i.Servers) == 0 {
		return []question{one(func(context.Context) emailauth.Line { return emailauth.Inbox() })}
	}
	return []question{
		one(func(context.Context) emailauth.Line { return emailauth.MailFrom(i.MailFrom) }),
		one(func(context.Context) emailauth.Line {
			return emailauth.BaseURL(i.BaseURL.Scheme, i.BaseURL.Hostname(), i.BaseURL.String())
		}),
		one(i.ptr), one(func(ctx context.Context) emailauth.Line { return i.spf(ctx, "SPF", i.host()) }), i.dkim, one(i.dmarc), i.bounces,
	}
}

func one(ask func(context.Context) emailauth.Line) question {
	return func(ctx context.Context) []emailauth.Line { return []emailauth.Line{ask(ctx)} }
}

func (i Installation) lines(ctx context.Context, questions ...question) (lines []emailauth.Line) {
	answers := make([][]emailauth.Line, len(questions))
	var asking sync.WaitGroup
	for n, ask := range questions {
		asking.Go(func() {
			bounded, cancel := context.WithTimeout(ctx, lookTime)
			defer cancel()
			answers[n] = ask(bounded)
		})
	}
	asking.Wait()
	for _, some := range answers {
		lines = append(lines, some...)
	}
	return lines
}

// host of MAIL_FROM.
func (i Installation) host() string { return email.Host(i.MailFrom) }

// relay tells whether all servers know us by a password: what others see of us is theirs.
func (i Installation) relay() bool {
	for _, server := range i.Servers {
		if server.User == "" || server.Loopback() {
			return false
		}
	}
	return true
}

func (i Installation) ptr(ctx context.Context) emailauth.Line {
	name := i.EHLOName
	if name == "" {
		name = i.BaseURL.Hostname()
	}
	found, err := i.DNS.LookupIPAddr(ctx, name)
	failed := resolver.Failed(err)
	var addresses []string
	var names [][]string
	for _, address := range found {
		known, err := i.DNS.LookupAddr(ctx, address.String())
		failed = failed || resolver.Failed(err)
		addresses, names = append(addresses, address.String()), append(names, known)
	}
	return emailauth.PTR(name, addresses, names, failed, i.relay())
}

// leaves is the address that receivers see emails come from: that of the mail server, or where it is on this machine
// that of our name. It is not known for sure.
func (i Installation) leaves(ctx context.Context) net.IP {
	host := i.EHLOName
	if server := i.Servers[0]; !server.Loopback() {
		host, _, _ = net.SplitHostPort(server.Addr)
	}
	found, err := i.DNS.LookupIPAddr(ctx, host)
	if err != nil || len(found) == 0 {
		return nil
	}
	return found[0].IP
}

func (i Installation) spf(ctx context.Context, about, domain string) emailauth.Line {
	texts := i.DNS.Texts(ctx, []string{domain})[0]
	address, result := i.leaves(ctx), spf.Result("")
	server, _, _ := net.SplitHostPort(i.Servers[0].Addr)
	if i.Servers[0].Loopback() {
		server = i.EHLOName
	}
	if address != nil {
		result, _ = spf.CheckHostWithSender(address, i.EHLOName, "postmaster@"+domain, spf.WithContext(ctx), spf.WithResolver(i.DNS))
	}
	return emailauth.SPFOf(about, domain, server, texts, string(result), address.String())
}

func (i Installation) dkim(ctx context.Context) []emailauth.Line {
	if i.Signer == nil {
		return []emailauth.Line{emailauth.Unsigned(i.relay())}
	}
	keys, err := i.Signer.Keys()
	if err != nil {
		return []emailauth.Line{emailauth.Unsigned(false)}
	}
	lines := emailauth.Signing(i.Signer.Domain(), i.host(), keys)
	var names []string
	for _, key := range keys {
		names = append(names, key.Selector+"._domainkey."+i.Signer.Domain())
	}
	for n, texts := range i.DNS.Texts(ctx, names) {
		lines = append(lines, emailauth.KeyOf(names[n], keys[n], texts))
	}
	return lines
}

func (i Installation) dmarc(ctx context.Context) emailauth.Line {
	names := emailauth.DMARCNames(i.host())
	return emailauth.DMARCOf(emailauth.DMARC(names, i.DNS.Texts(ctx, names)))
}

func (i Installation) bounces(ctx context.Context) []emailauth.Line {
	if i.BounceDomain == "" {
		return emailauth.Bounces("", false, nil, false)
	}
	found, err := i.DNS.LookupMX(ctx, i.BounceDomain)
	var servers []string
	for _, one := range found {
		servers = append(servers, strings.TrimSuffix(one.Host, "."))
	}
	lines := emailauth.Bounces(i.BounceDomain, i.BouncesRead, servers, resolver.Failed(err))
	return append(lines, i.spf(ctx, "BOUNCE_DOMAIN", i.BounceDomain))
}

// smtp greets each server, as far as to be signed in.
func (i Installation) smtp(ctx context.Context) (lines []emailauth.Line) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dialTime)
	defer cancel()
	for _, server := range i.Servers {
		server.ConnectTimeout, server.CommandTimeout = lookTime, lookTime
		conn, err := smtp.Dial(ctx, server)
		if err != nil {
			lines = append(lines, emailauth.Unreached(server.Addr, err.Error()))
			continue
		}
		conn.Close()
		lines = append(lines, emailauth.Reached(server.Addr, server.User != ""))
	}
	return lines
}
