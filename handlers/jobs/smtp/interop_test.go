package smtp_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	gosmtp "github.com/emersion/go-smtp"

	"skychimp/domain"
)

// other is a mail server by somebody else.
type other struct {
	mu     sync.Mutex
	emails map[string]string // by recipient
}

type otherSession struct {
	server *other
	to     string
}

func (o *other) NewSession(*gosmtp.Conn) (gosmtp.Session, error) {
	return &otherSession{server: o}, nil
}

func (s *otherSession) Reset()        {}
func (s *otherSession) Logout() error { return nil }

func (s *otherSession) Mail(string, *gosmtp.MailOptions) error { return nil }

func (s *otherSession) Rcpt(to string, _ *gosmtp.RcptOptions) error {
	s.to = to
	if strings.HasPrefix(to, "gone") {
		return &gosmtp.SMTPError{Code: 550, EnhancedCode: gosmtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	return nil
}

func (s *otherSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if strings.HasPrefix(s.to, "spam") {
		return &gosmtp.SMTPError{Code: 554, EnhancedCode: gosmtp.EnhancedCode{5, 7, 1}, Message: "spam"}
	}
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	s.server.emails[s.to] = string(text)
	return nil
}

func TestAgainstGoSMTP(t *testing.T) {
	backend := &other{emails: map[string]string{}}
	s := gosmtp.NewServer(backend)
	s.Domain, s.EnableSMTPUTF8, s.MaxMessageBytes = "other.example", true, 1<<20
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- s.Serve(ln) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-served
	})

	c := dial(t, server(t, "smtp://"+ln.Addr().String()))
	answers := deliver(t.Context(), c, "a@b.example", "gone@b.example", "пётр@b.example", "spam@b.example", "c@b.example")
	wantStatuses(t, answers, domain.Accepted, domain.Failed, domain.Accepted, domain.Failed, domain.Accepted)
	c.Close()
	backend.mu.Lock()
	defer backend.mu.Unlock()
	for _, to := range []string{"a@b.example", "пётр@b.example", "c@b.example"} {
		if got := backend.emails[to]; got != string(body(to)) {
			t.Errorf("%s got %q", to, got)
		}
	}
	if len(backend.emails) != 3 {
		t.Errorf("%d emails", len(backend.emails))
	}
}
