// Package resolver asks DNS, for pages, workers and the check of an installation.
package resolver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"codeberg.org/miekg/dns"
	"codeberg.org/miekg/dns/dnsconf"
	"codeberg.org/miekg/dns/dnsutil"

	"skychimp/domain/emailauth"
)

// Resolver asks one of its servers after the other. Its methods are those of net.Resolver, with its
// errors: a *net.DNSError says whether there is no such record or nobody answered.
type Resolver struct {
	servers []string // host:port
	timeout time.Duration
}

// answerIn is how long a server has for an answer.
const answerIn = 3 * time.Second

// New asks the server at host:port, or where that is empty those of /etc/resolv.conf, and one on this machine
// where there is no such file, as resolv.conf(5) says.
func New(addr string) *Resolver {
	r := &Resolver{servers: []string{addr}, timeout: answerIn}
	if addr != "" {
		return r
	}
	r.servers = []string{"127.0.0.1:53"}
	system, err := dnsconf.FromFile("/etc/resolv.conf")
	if err != nil || len(system.Servers) == 0 {
		return r
	}
	r.servers = nil
	for _, host := range system.Servers[:min(len(system.Servers), 3)] {
		r.servers = append(r.servers, net.JoinHostPort(host, system.Port))
	}
	return r
}

// Texts asks for the TXT records of names, all at once.
func (r *Resolver) Texts(ctx context.Context, names []string) []emailauth.Texts {
	answers := make([]emailauth.Texts, len(names))
	var asking sync.WaitGroup
	for i, name := range names {
		asking.Go(func() {
			found, err := r.LookupTXT(ctx, name)
			answers[i] = emailauth.Texts{Found: found, Failed: Failed(err)}
		})
	}
	asking.Wait()
	return answers
}

// Failed tells an error that says nothing about the record from one that says that there is none.
func Failed(err error) bool {
	if none, ok := errors.AsType[*net.DNSError](err); ok {
		return !none.IsNotFound
	}
	return err != nil
}

// LookupTXT are the TXT records of a name, each in one piece.
func (r *Resolver) LookupTXT(ctx context.Context, name string) (texts []string, err error) {
	records, err := r.ask(ctx, name, dns.TypeTXT)
	for _, one := range records {
		if record, ok := one.(*dns.TXT); ok {
			var text strings.Builder
			for _, piece := range record.Txt {
				text.WriteString(unescape(piece))
			}
			texts = append(texts, text.String())
		}
	}
	return texts, found(name, len(texts), err)
}

// LookupMX are the mail servers of a name, as DNS has them.
func (r *Resolver) LookupMX(ctx context.Context, name string) (servers []*net.MX, err error) {
	records, err := r.ask(ctx, name, dns.TypeMX)
	for _, one := range records {
		if record, ok := one.(*dns.MX); ok {
			servers = append(servers, &net.MX{Host: record.Mx, Pref: record.Preference})
		}
	}
	return servers, found(name, len(servers), err)
}

// LookupIPAddr are the addresses of a host.
func (r *Resolver) LookupIPAddr(ctx context.Context, host string) (addrs []net.IPAddr, err error) {
	if ip := net.ParseIP(host); ip != nil {
		return []net.IPAddr{{IP: ip}}, nil
	}
	four, err := r.ask(ctx, host, dns.TypeA)
	six, second := r.ask(ctx, host, dns.TypeAAAA)
	for _, one := range append(four, six...) {
		switch record := one.(type) {
		case *dns.A:
			addrs = append(addrs, net.IPAddr{IP: record.Addr.AsSlice()})
		case *dns.AAAA:
			addrs = append(addrs, net.IPAddr{IP: record.Addr.AsSlice()})
		}
	}
	if err == nil {
		err = second
	}
	if len(addrs) > 0 {
		err = nil
	}
	return addrs, found(host, len(addrs), err)
}

// LookupAddr are the names of an address.
func (r *Resolver) LookupAddr(ctx context.Context, addr string) (names []string, err error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, &net.DNSError{Err: "no address", Name: addr, IsNotFound: true}
	}
	name := dnsutil.ReverseAddr(net.IP(ip.Unmap().AsSlice()))
	records, err := r.ask(ctx, name, dns.TypePTR)
	for _, one := range records {
		if record, ok := one.(*dns.PTR); ok {
			names = append(names, record.Ptr)
		}
	}
	return names, found(name, len(names), err)
}

func found(name string, n int, err error) error {
	if err == nil && n == 0 {
		return &net.DNSError{Err: "no such record", Name: name, IsNotFound: true}
	}
	return err
}

// ask asks each server twice at most. That there is no such name is an answer without records.
func (r *Resolver) ask(ctx context.Context, name string, kind uint16) ([]dns.RR, error) {
	var last error
	for range 2 {
		for _, server := range r.servers {
			answer, err := r.exchange(ctx, name, kind, server)
			switch {
			case ctx.Err() != nil:
				return nil, &net.DNSError{Err: ctx.Err().Error(), Name: name, Server: server, IsTimeout: true, IsTemporary: true}
			case err != nil:
				last = &net.DNSError{Err: err.Error(), Name: name, Server: server, IsTemporary: true}
			case answer.Rcode == dns.RcodeSuccess:
				return answer.Answer, nil
			case answer.Rcode == dns.RcodeNameError:
				return nil, nil
			default:
				last = &net.DNSError{Err: dns.RcodeToString[answer.Rcode], Name: name, Server: server, IsTemporary: true}
			}
		}
	}
	return nil, last
}

// exchange asks by UDP, and by TCP for what does not fit.
func (r *Resolver) exchange(ctx context.Context, name string, kind uint16, server string) (answer *dns.Msg, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	for _, network := range []string{"udp", "tcp"} {
		question := dns.NewMsg(name, kind)
		question.UDPSize = 1232 // what passes without fragments
		client := dns.NewClient()
		client.ReadTimeout = r.timeout
		answer, _, err = client.Exchange(ctx, question, network, server)
		if err != nil || !answer.Truncated {
			return answer, err
		}
	}
	return answer, nil
}

// unescape undoes how the library shows a string of a TXT record: \" and \\ and \DDD.
func unescape(text string) string {
	if !strings.Contains(text, `\`) {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c != '\\' || i+1 == len(text):
		case i+3 < len(text) && isDigits(text[i+1:i+4]):
			c = (text[i+1]-'0')*100 + (text[i+2]-'0')*10 + text[i+3] - '0'
			i += 3
		default:
			i++
			c = text[i]
		}
		out.WriteByte(c)
	}
	return out.String()
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }
