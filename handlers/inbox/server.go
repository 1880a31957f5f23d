package inbox

import (
	"context"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxInboxEmail      = 10 << 20
	maxInboxRecipients = 100
)

// Serve is the mail server of the test inbox: it saves every email, once for each
// recipient, until ctx ends. There is no TLS and no sign-in, so ln should listen on
// loopback only. An email that is not saved is answered with 451, so that its sender tries
// again. When ctx ends, connections end at once: whoever sends to the inbox drains before.
func Serve(ctx context.Context, ln net.Listener, save func(ctx context.Context, from string, to string, raw []byte) error) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &session{ctx: ctx, save: save}, nil
	}))
	server.Domain = "localhost"
	server.EnableSMTPUTF8 = true
	server.MaxMessageBytes = maxInboxEmail
	server.MaxRecipients = maxInboxRecipients
	server.ReadTimeout, server.WriteTimeout = 5*time.Minute, 5*time.Minute
	server.ErrorLog = slog.NewLogLogger(slog.Default().Handler(), slog.LevelWarn)

	stop := context.AfterFunc(ctx, func() {
		_ = server.Close()
		_ = ln.Close() // Close does not know it when Serve begins only now
	})
	defer stop()
	return server.Serve(ln) // nil after Close
}

type session struct {
	ctx  context.Context
	save func(ctx context.Context, from string, to string, raw []byte) error
	from string
	to   []string
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from, s.to = from, nil
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // over the size limit, or the client has gone
	}
	for _, to := range s.to {
		if err := s.save(s.ctx, s.from, to, raw); err != nil {
			slog.Error("an email for the inbox is not saved", "error", err)
			return errInbox
		}
	}
	return nil
}

var errInbox = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "the inbox cannot save emails now"}

func (s *session) Reset() { s.from, s.to = "", nil }

func (s *session) Logout() error { return nil }
