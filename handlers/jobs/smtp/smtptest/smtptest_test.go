package smtptest_test

import (
	"context"
	"errors"
	"fmt"
	netsmtp "net/smtp"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// send speaks to the server through somebody else's client.
func send(s *smtptest.Server, to ...string) error {
	for _, one := range to {
		text := fmt.Sprintf("To: %s\r\nmessage-id: <%s>\r\n\r\n.text\r\n", one, one)
		if err := netsmtp.SendMail(s.Addr(), nil, "a@b.example", []string{one}, []byte(text)); err != nil {
			return err
		}
	}
	return nil
}

func TestLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	for range 2 { // the second server appends
		var hooks []string
		note := func(when string) func(smtptest.Email) {
			return func(l smtptest.Email) { hooks = append(hooks, fmt.Sprint(when, " ", l.To, " ", l.Code)) }
		}
		s := smtptest.Start(t, smtptest.Script{
			Log: path, KeepRaw: true, Before: note("before"), After: note("after"),
			On: smtptest.First(
				smtptest.For("bad@c.example", domain.StageEndOfData, smtptest.Action{Answer: "554 5.7.1 no"}),
				smtptest.For("lost@c.example", domain.StageEndOfData, smtptest.Action{Drop: true}),
			),
		})
		if err := send(s, "1@c.example"); err != nil {
			t.Fatal(err)
		}
		if err := send(s, "bad@c.example"); err == nil || !strings.Contains(err.Error(), "5.7.1 no") {
			t.Errorf("got %v", err)
		}
		if err := send(s, "lost@c.example"); err == nil {
			t.Error("no answer, but no error")
		}
		if err := s.WaitEmails(t.Context(), 1); err != nil {
			t.Error(err)
		}
		s.Close()
		emails := s.Emails()
		if len(emails) != 3 || s.EndsOfData() != 3 || s.Accepted() != 1 || s.Conns() != 3 {
			t.Fatalf("%+v", emails)
		}
		for i, code := range []int{250, 554, 0} {
			if emails[i].Code != code || emails[i].Conn != i+1 || emails[i].Nth != 1 {
				t.Errorf("email %d: %+v", i, emails[i])
			}
		}
		one := emails[0]
		if one.From != "a@b.example" || one.MessageID != "<1@c.example>" || one.Answered.Before(one.EndOfData) ||
			!strings.HasSuffix(string(one.Raw), "\r\n\r\n.text\r\n") {
			t.Errorf("%+v %q", one, one.Raw)
		}
		if want := []string{"before 1@c.example 0", "after 1@c.example 250"}; !slices.Equal(hooks, want) {
			t.Errorf("hooks ran as %q", hooks)
		}
	}
	entries, err := smtptest.ReadLog(path)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, fmt.Sprint(e.Event, e.Conn, e.MessageID, e.To))
	}
	one := []string{
		"dot1<1@c.example>1@c.example", "2501<1@c.example>1@c.example",
		"dot2<bad@c.example>bad@c.example", "5542<bad@c.example>bad@c.example",
		"dot3<lost@c.example>lost@c.example",
	}
	if !slices.Equal(got, append(one, one...)) {
		t.Errorf("the log says %q", got)
	}
}

func TestWaitEmails(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{Count: true})
	done := make(chan error, 1)
	go func() { done <- s.WaitEmails(t.Context(), 3) }()
	if err := send(s, "1@c.example", "2@c.example", "3@c.example"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := s.WaitEmails(ctx, 4); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "3 of 4") {
		t.Errorf("got %v", err)
	}
	if len(s.Emails()) != 0 || s.Accepted() != 3 {
		t.Errorf("%d emails kept, %d accepted", len(s.Emails()), s.Accepted())
	}
}

func TestHangAndRelease(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{On: smtptest.At(domain.StageRcpt, smtptest.Action{Hang: true})})
	done := make(chan error, 1)
	go func() { done <- send(s, "1@c.example", "2@c.example") }()
	e, err := s.WaitHang(t.Context())
	if err != nil || e.To != "1@c.example" || e.Email != 1 || s.EndsOfData() != 0 {
		t.Errorf("%+v, %v, %d ends of data", e, err, s.EndsOfData())
	}
	s.Release()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if s.Accepted() != 2 {
		t.Errorf("%d accepted", s.Accepted())
	}
}

// Stages that have no answer of their own, or none that an email waits for.
func TestServersStages(t *testing.T) {
	var seen []domain.Stage
	s := smtptest.Start(t, smtptest.Script{On: smtptest.First(
		func(e smtptest.Event) smtptest.Action { seen = append(seen, e.Stage); return smtptest.Action{} },
		smtptest.Nth(2, smtptest.StageBody, smtptest.Action{Drop: true}),
		smtptest.Nth(3, smtptest.StageQuit, smtptest.Action{Answer: "421 4.3.2 go away"}),
	)})
	if err := send(s, "1@c.example"); err != nil {
		t.Fatal(err)
	}
	want := []domain.Stage{
		domain.StageConnect, domain.StageHello, domain.StageMail, domain.StageRcpt, domain.StageData,
		smtptest.StageBody, domain.StageEndOfData, smtptest.StageQuit,
	}
	if !slices.Equal(seen, want) {
		t.Errorf("the stages were %v", seen)
	}
	if err := send(s, "2@c.example"); err == nil || s.EndsOfData() != 1 {
		t.Errorf("an email that was cut in its middle: %v, %d ends of data", err, s.EndsOfData())
	}
	if err := send(s, "3@c.example"); err == nil || s.Accepted() != 2 {
		t.Errorf("an unkind goodbye: %v, %d accepted", err, s.Accepted())
	}
}

// A closed server leaves no connection behind, even where its script hangs or waits.
func TestCloseEndsHanging(t *testing.T) {
	for _, action := range []smtptest.Action{{Hang: true}, {Delay: time.Hour}} {
		s := smtptest.Start(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, action)})
		done := make(chan error, 1)
		go func() { done <- send(s, "1@c.example") }()
		if action.Hang {
			if _, err := s.WaitHang(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		s.Close()
		if err := <-done; err == nil {
			t.Error("no error from a server that has closed")
		}
	}
}

func TestListenFails(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{})
	if _, err := smtptest.Listen(smtptest.Script{Addr: s.Addr()}); err == nil {
		t.Error("two servers on one address")
	}
	if _, err := smtptest.Listen(smtptest.Script{Log: t.TempDir()}); err == nil {
		t.Error("a folder as log")
	}
}
