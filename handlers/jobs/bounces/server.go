package bounces

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
	"golang.org/x/net/netutil"

	"skychimp/domain"
	"skychimp/domain/email/report"
)

// What one host and all together may take of this process.
const (
	maxMessage     = 20 << 20 // of which report.MaxBytes are read
	maxConns       = 100
	maxConnsOfHost = 20
	maxUnknown     = 10 // recipients that a connection may try
	commandTimeout = time.Minute
)

// reportNames are local parts that providers send complaints to: no token is in the address, so one has
// to be in the report.
var reportNames = []string{"fbl", "abuse", "postmaster"}

// Serve takes what comes back by SMTP until ctx ends. A recipient that was never an envelope sender is
// refused, so nothing has to be answered later; 250 is said when the report is durable.
func (in *Intake) Serve(ctx context.Context, ln net.Listener) error {
	hosts := hosts{open: map[string]int{}}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		host, _, _ := net.SplitHostPort(c.Conn().RemoteAddr().String())
		if !hosts.enter(host) {
			return nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "too many connections, come back later"}
		}
		return &session{Intake: in, ctx: ctx, leave: sync.OnceFunc(func() { hosts.leave(host) })}, nil
	}))
	server.Domain = in.Domain
	server.EnableSMTPUTF8 = true
	server.MaxMessageBytes = maxMessage
	server.MaxRecipients = 1 // a report has one; the others of a crowd are tried again, one by one
	server.ReadTimeout, server.WriteTimeout = commandTimeout, commandTimeout
	server.ErrorLog = slog.NewLogLogger(in.Log.Handler(), slog.LevelDebug) // strangers' faults

	stop := context.AfterFunc(ctx, func() {
		_ = server.Close()
		_ = ln.Close() // Close does not know it when Serve begins only now
	})
	defer stop()
	return server.Serve(netutil.LimitListener(ln, maxConns)) // nil after Close
}

// hosts counts open connections by host.
type hosts struct {
	mu   sync.Mutex
	open map[string]int
}

func (h *hosts) enter(host string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[host] >= maxConnsOfHost {
		return false
	}
	h.open[host]++
	return true
}

func (h *hosts) leave(host string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.open[host]--; h.open[host] == 0 {
		delete(h.open, host)
	}
}

type session struct {
	*Intake
	ctx     context.Context
	leave   func()
	run     int64 // 0: the report says
	seq     int
	leaving domain.RecipientLink // the zero link: it is none that unsubscribes somebody
	unknown int
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	run, seq, ok := domain.ParseReturnAddress(to, s.Domain, s.Secrets...)
	link, leaves := s.unsubscribes([]string{to})
	local, host, _ := strings.Cut(to, "@")
	switch {
	case ok:
		s.run, s.seq, s.leaving = run, seq, domain.RecipientLink{}
		return nil
	case leaves:
		s.run, s.seq, s.leaving = 0, 0, link
		return nil
	case strings.EqualFold(host, s.Domain) && slices.Contains(reportNames, strings.ToLower(local)):
		s.Reset()
		return nil
	}
	if s.unknown++; s.unknown > maxUnknown {
		return &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "too many unknown recipients"}
	}
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such address here"}
}

var (
	errNotKept = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "cannot be kept now, try again later"}
	errNobody  = &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 6, 0},
		Message: "only reports about emails that were sent from here are read"}
)

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(r, report.MaxBytes))
	if err == nil {
		_, err = io.Copy(io.Discard, r)
	}
	if err != nil {
		return err // over the size limit, or the client has gone
	}
	kept, err := s.take(raw)
	switch {
	case err != nil:
		if !errors.Is(err, context.Canceled) {
			s.Log.Error("bounces: a report is not kept, its sender has to try again", "error", err)
		}
		return errNotKept
	case !kept:
		return errNobody
	}
	return nil
}

// take keeps a report in the name of the address that it came to.
func (s *session) take(raw []byte) (bool, error) {
	switch {
	case s.leaving.ClientID != 0:
		err := s.Unsubscribe(s.ctx, s.leaving, "")
		return err == nil, err
	case s.run == 0:
		return s.keep(s.ctx, raw)
	}
	err := s.Receive(s.ctx, s.run, s.seq, report.Parse(raw), raw)
	if domain.KindOf(err) == domain.NotFound {
		return false, nil
	}
	return err == nil, err
}

func (s *session) Reset() { s.run, s.seq, s.leaving = 0, 0, domain.RecipientLink{} }

func (s *session) Logout() error {
	s.leave()
	return nil
}
