// Package smtp hands emails to a mail server over connections that stay open: each email
// costs one round trip where the server pipelines (RFC 2920), and every answer comes back
// as a domain.Answer.
package smtp

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"skychimp/domain"
)

// TLSMode says how much a connection insists on TLS.
type TLSMode string

// The modes. Opportunistic uses STARTTLS when it is offered; without a password at stake
// it neither checks the certificate nor insists (RFC 7435).
const (
	TLSNone          TLSMode = "none"
	TLSOpportunistic TLSMode = "opportunistic"
	TLSRequired      TLSMode = "required"
)

// Server is a mail server and how to speak to it. ParseURL fills every field but Name and
// RootCAs.
type Server struct {
	Addr     string // host:port
	Implicit bool   // TLS from the first byte (smtps)
	TLS      TLSMode
	User     string // empty: no AUTH
	Password string
	Conns    int     // most connections at once
	Rate     float64 // most emails per second; 0: no limit
	Weight   float64 // its share of the emails, compared with other servers that are free

	Name    string         // said in EHLO; empty: the connection's own address
	RootCAs *x509.CertPool // nil: those of the system

	ConnectTimeout time.Duration
	CommandTimeout time.Duration // until the answer to a command (RFC 5321 section 4.5.3.2)
	DataTimeout    time.Duration // until the server has taken a block of 64 kB
	EndTimeout     time.Duration // until the answer to the end of data
}

const (
	maxConns = 1000
	maxRate  = 1_000_000

	maxWeight = 1000
)

// ParseURLs reads an SMTP_URL: one or more of what ParseURL reads, with spaces between.
func ParseURLs(text string) ([]Server, error) {
	var servers []Server
	for one := range strings.FieldsSeq(text) {
		s, err := ParseURL(one)
		if err != nil {
			return nil, err
		}
		servers = append(servers, s)
	}
	return servers, nil
}

// ParseURL reads the address of a server: smtp://user:password@host:port or smtps://..., with
// the query tls=none|opportunistic|required, conns=N, rate=N and weight=N. The port is 25 for smtp and 465 for
// smtps when missing; submission with a password usually wants :587. An error names the
// value without its password and what is allowed.
func ParseURL(text string) (Server, error) {
	s, err := parseURL(text)
	if err != nil {
		return Server{}, fmt.Errorf("%q: %w", domain.Redact(text), err)
	}
	return s, nil
}

func parseURL(text string) (Server, error) {
	s := Server{
		TLS: TLSOpportunistic, Conns: 10, Weight: 1,
		ConnectTimeout: 30 * time.Second, CommandTimeout: 5 * time.Minute,
		DataTimeout: 3 * time.Minute, EndTimeout: 10 * time.Minute,
	}
	u, err := url.Parse(text)
	if err != nil {
		// url.Error repeats the whole text, password included.
		return s, errors.New("not a URL; allowed is smtp://user:password@host:port or smtps://..., with special characters as %XX")
	}
	if err := s.address(u); err != nil {
		return s, err
	}
	if u.User != nil {
		password, ok := u.User.Password()
		s.User, s.Password = u.User.Username(), password
		if !ok || s.User == "" || password == "" {
			return s, errors.New("user and password come together: smtp://user:password@host")
		}
	}
	if err := s.options(u.RawQuery); err != nil {
		return s, err
	}
	if s.TLS == TLSNone && s.User != "" && !loopback(u.Hostname()) {
		return s, errors.New("tls=none would send the password in the clear; allowed is opportunistic or required")
	}
	return s, nil
}

// address reads the scheme, the host and the port, behind which stands nothing but a query.
func (s *Server) address(u *url.URL) error {
	port := "25"
	switch u.Scheme {
	case "smtp":
	case "smtps":
		s.Implicit, s.TLS, port = true, TLSRequired, "465"
	default:
		return errors.New("must begin with smtp:// or smtps://")
	}
	if u.Hostname() == "" || u.Opaque != "" {
		return errors.New("the host is missing; allowed is smtp://host or smtp://host:port")
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return fmt.Errorf("port %q must be a number from 1 to 65535", p)
		}
		port = p
	}
	if u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return errors.New("nothing but a query (?tls=...&conns=N&rate=N&weight=N) may follow the host")
	}
	s.Addr = net.JoinHostPort(u.Hostname(), port)
	return nil
}

func (s *Server) options(query string) error {
	options, err := url.ParseQuery(query)
	if err != nil {
		return errors.New("the query cannot be read; allowed are tls, conns, rate and weight")
	}
	for name, values := range options {
		if len(values) > 1 {
			return fmt.Errorf("%s is given twice", name)
		}
		if err := s.option(name, values[0]); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) option(name, value string) (err error) {
	switch name {
	case "tls":
		return s.tlsMode(TLSMode(value))
	case "conns":
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > maxConns {
			return fmt.Errorf("conns=%s must be a whole number from 1 to %d", value, maxConns)
		}
		s.Conns = n
	case "rate":
		if s.Rate, err = positive(value, maxRate); err != nil {
			return fmt.Errorf("rate=%s must be a number of emails per second above 0, at most %d", value, maxRate)
		}
	case "weight":
		if s.Weight, err = positive(value, maxWeight); err != nil {
			return fmt.Errorf("weight=%s must be a number above 0, at most %d", value, maxWeight)
		}
	default:
		return fmt.Errorf("%q is unknown; allowed are tls, conns, rate and weight", name)
	}
	return nil
}

func (s *Server) tlsMode(mode TLSMode) error {
	if mode != TLSNone && mode != TLSOpportunistic && mode != TLSRequired {
		return fmt.Errorf("tls=%s must be none, opportunistic or required", mode)
	}
	if s.Implicit && mode != TLSRequired {
		return fmt.Errorf("tls=%s contradicts smtps://, which is TLS from the first byte; allowed is required", mode)
	}
	s.TLS = mode
	return nil
}

// positive is a number above 0 and at most max.
func positive(text string, max float64) (float64, error) {
	n, err := strconv.ParseFloat(text, 64)
	if err == nil && !(n > 0 && n <= max) { // so NaN is out, too
		err = strconv.ErrRange
	}
	return n, err
}

// Loopback tells whether the server is on this machine: a relay of its own, or what catches emails for tests.
func (s Server) Loopback() bool {
	host, _, _ := net.SplitHostPort(s.Addr)
	return loopback(host)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
