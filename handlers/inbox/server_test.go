package inbox

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
)

type inboxEmail struct{ from, to, raw string }

func TestServe(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	saved := make(chan inboxEmail, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	served := make(chan error, 1)
	go func() {
		served <- Serve(ctx, ln, func(_ context.Context, from, to string, raw []byte) error {
			if strings.HasPrefix(to, "away") {
				return errors.New("the database is away")
			}
			saved <- inboxEmail{from, to, string(raw)}
			return nil
		})
	}()
	server, err := smtp.ParseURL("smtp://" + ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.Dial(t.Context(), server)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Abort()

	small, large := "Subject: Hi\r\n\r\n.text\r\n", strings.Repeat("too much\r\n", maxInboxEmail/10+1)
	for _, l := range []struct {
		to, raw string
		want    domain.AttemptStatus
	}{
		{"a@client.example", small, domain.Accepted},
		{"пётр@client.example", small, domain.Accepted},
		{"away@client.example", small, domain.Deferred},
		{"b@client.example", large, domain.Failed},
		{"c@client.example", small, domain.Accepted},
	} {
		c.Envelope("news@sender.example", l.to, 0, "")
		answer, ok := c.Ready(t.Context())
		if ok {
			c.Email([]byte(l.raw))
			answer = c.Result(t.Context())
		}
		if answer.Status() != l.want {
			t.Errorf("%s: %s", l.to, answer)
		}
		if l.want == domain.Accepted {
			if got := <-saved; got != (inboxEmail{"news@sender.example", l.to, l.raw}) {
				t.Errorf("%s: saved %+v", l.to, got)
			}
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if len(saved) > 0 {
		t.Errorf("saved too much: %+v", <-saved)
	}
}

func TestServeThatHasEnded(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Serve(ctx, ln, nil); err != nil {
		t.Error(err)
	}
}
