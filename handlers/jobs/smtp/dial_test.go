package smtp_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// failure dials where it must not succeed.
func failure(t *testing.T, s smtp.Server) *smtp.Failure {
	t.Helper()
	c, err := smtp.Dial(t.Context(), s)
	f, ok := errors.AsType[*smtp.Failure](err)
	if !ok {
		if err == nil {
			c.Abort()
		}
		t.Fatalf("got %v, want a Failure", err)
	}
	return f
}

func TestDialRefused(t *testing.T) {
	for _, c := range []struct {
		script smtptest.Script
		stage  domain.Stage
		code   int
		want   domain.AttemptStatus
	}{
		{smtptest.Script{On: smtptest.Answer(domain.StageConnect, "421 4.3.2 busy")}, domain.StageConnect, 421, domain.NotTried},
		{smtptest.Script{On: smtptest.Answer(domain.StageConnect, "554 5.3.2 no service")}, domain.StageConnect, 554, domain.SenderBroken},
		{smtptest.Script{On: smtptest.At(domain.StageConnect, smtptest.Action{Drop: true})}, domain.StageConnect, 0, domain.NotTried},
		{smtptest.Script{On: smtptest.At(domain.StageConnect, smtptest.Action{Hang: true})}, domain.StageConnect, 0, domain.NotTried},
		{smtptest.Script{On: smtptest.Answer(domain.StageHello, "421 4.3.2 busy")}, domain.StageHello, 421, domain.NotTried},
		{smtptest.Script{On: smtptest.Answer(domain.StageHello, "550 5.7.1 who are you")}, domain.StageHello, 550, domain.SenderBroken},
		{smtptest.Script{On: smtptest.At(domain.StageHello, smtptest.Action{Drop: true})}, domain.StageHello, 0, domain.NotTried},
		{smtptest.Script{On: smtptest.At(domain.StageHello, smtptest.Action{Hang: true})}, domain.StageHello, 0, domain.NotTried},
	} {
		s := smtptest.Start(t, c.script)
		to := server(t, s.URL())
		to.CommandTimeout = 50 * time.Millisecond
		if f := failure(t, to); f.Stage != c.stage || f.Code != c.code || f.Status() != c.want {
			t.Errorf("got %+v, want %s at %s with %d", f, c.want, c.stage, c.code)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{})
	s.Close()
	f := failure(t, server(t, s.URL()))
	if f.Stage != domain.StageConnect || f.Status() != domain.NotTried || f.Err == nil {
		t.Errorf("%+v", f)
	}
}

func TestDialCancelled(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{On: smtptest.At(domain.StageConnect, smtptest.Action{Hang: true})})
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error)
	go func() {
		_, err := smtp.Dial(ctx, server(t, s.URL()))
		failed <- err
	}()
	if _, err := s.WaitHang(t.Context()); err != nil {
		t.Fatal(err)
	}
	cancel()
	f, ok := errors.AsType[*smtp.Failure](<-failed)
	if !ok || f.Status() != domain.NotTried || f.Text != "context canceled" {
		t.Errorf("%+v", f)
	}
}

func TestTLS(t *testing.T) {
	ok := domain.Accepted
	for _, c := range []struct {
		script smtptest.Script
		query  string
		user   string
		stage  domain.Stage
		want   domain.AttemptStatus
	}{
		{smtptest.Script{}, "", "", "", ok},
		{smtptest.Script{}, "tls=required", "", domain.StageTLS, domain.SenderBroken},
		{smtptest.Script{TLS: smtptest.GoodTLS}, "", "", "", ok},
		{smtptest.Script{TLS: smtptest.GoodTLS}, "tls=none", "", "", ok},
		{smtptest.Script{TLS: smtptest.GoodTLS}, "tls=required", "", "", ok},
		{smtptest.Script{TLS: smtptest.GoodTLS, Implicit: true}, "", "", "", ok},
		{smtptest.Script{TLS: smtptest.BadTLS}, "", "", "", ok},
		{smtptest.Script{TLS: smtptest.BadTLS}, "tls=none", "", "", ok},
		{smtptest.Script{TLS: smtptest.BadTLS}, "tls=required", "", domain.StageTLS, domain.SenderBroken},
		{smtptest.Script{TLS: smtptest.BadTLS, Implicit: true}, "", "", domain.StageTLS, domain.SenderBroken},
		{smtptest.Script{TLS: smtptest.GarbageTLS}, "", "", "", ok}, // a new connection without TLS
		{smtptest.Script{TLS: smtptest.GarbageTLS}, "tls=required", "", domain.StageTLS, domain.SenderBroken},
		{
			smtptest.Script{TLS: smtptest.GoodTLS, On: smtptest.Answer(domain.StageTLS, "454 4.7.0 not now")},
			"tls=required", "", domain.StageTLS, domain.NotTried,
		},
		{
			smtptest.Script{TLS: smtptest.GoodTLS, On: smtptest.Answer(domain.StageTLS, "454 4.7.0 not now")},
			"", "", "", ok,
		},
		{
			smtptest.Script{TLS: smtptest.GoodTLS, On: smtptest.At(domain.StageTLS, smtptest.Action{Drop: true})},
			"tls=required", "", domain.StageConnect, domain.NotTried,
		},
	} {
		s := smtptest.Start(t, c.script)
		to := server(t, s.URL()+"?"+c.query)
		to.RootCAs = s.Roots()
		conn, err := smtp.Dial(t.Context(), to)
		if c.stage == "" {
			if err != nil {
				t.Errorf("%+v %s: %v", c.script, c.query, err)
				continue
			}
			wantStatuses(t, deliver(t.Context(), conn, "a@b.example", "c@d.example"), ok, ok)
			conn.Close()
			continue
		}
		f, is := errors.AsType[*smtp.Failure](err)
		if !is || f.Stage != c.stage || f.Status() != c.want || f.Text == "" {
			t.Errorf("%+v %s: got %v, want %s at %s", c.script, c.query, err, c.want, c.stage)
		}
	}
}

func TestAuth(t *testing.T) {
	users := map[string]string{"me": "p w"}
	for _, c := range []struct {
		mechanisms, password string
		code                 int
	}{
		{"PLAIN", "p w", 0},
		{"LOGIN", "p w", 0},
		{"CRAM-MD5", "p w", 0},
		{"GSSAPI CRAM-MD5 LOGIN", "p w", 0},
		{"PLAIN", "wrong", 535},
		{"LOGIN", "wrong", 535},
		{"CRAM-MD5", "wrong", 535},
		{"GSSAPI", "p w", 504},
	} {
		s := smtptest.Start(t, smtptest.Script{
			TLS: smtptest.GoodTLS, Users: users, Mechanisms: c.mechanisms, RequireAuth: true,
		})
		to := server(t, s.URL())
		to.RootCAs, to.User, to.Password = s.Roots(), "me", c.password
		if c.code == 0 {
			wantStatuses(t, deliver(t.Context(), dial(t, to), "a@b.example"), domain.Accepted)
			continue
		}
		f := failure(t, to)
		if f.Stage != domain.StageAuth || f.Code != c.code || f.Status() != domain.SenderBroken {
			t.Errorf("%s: %+v", c.mechanisms, f)
		}
		if strings.Contains(f.Error(), "p w") {
			t.Errorf("the failure tells the password: %v", f)
		}
	}
	s := smtptest.Start(t, smtptest.Script{Users: users})
	to := server(t, "smtp://me:p%20w@"+s.Addr())
	wantStatuses(t, deliver(t.Context(), dial(t, to), "a@b.example"), domain.Accepted) // loopback needs no TLS
	s = smtptest.Start(t, smtptest.Script{})
	if f := failure(t, server(t, "smtp://me:pw@"+s.Addr())); f.Status() != domain.SenderBroken {
		t.Errorf("no AUTH offered: %+v", f)
	}
}

// A mechanism that is offered and then not known is not the end of it.
func TestAuthGoesOnAfter504(t *testing.T) {
	users := map[string]string{"me": "p w"}
	var asked atomic.Int32
	refuse := func(n int32) func(smtptest.Event) smtptest.Action {
		asked.Store(0)
		return func(e smtptest.Event) smtptest.Action {
			if e.Stage == domain.StageAuth && asked.Add(1) <= n {
				return smtptest.Action{Answer: "504 5.7.4 unrecognized authentication type"}
			}
			return smtptest.Action{}
		}
	}
	for _, c := range []struct {
		script smtptest.Script
		code   int
	}{
		{smtptest.Script{On: refuse(1)}, 0},
		{smtptest.Script{On: refuse(2)}, 0},
		{smtptest.Script{On: refuse(3)}, 504},
		{smtptest.Script{On: refuse(1), Mechanisms: "PLAIN"}, 504},
		{smtptest.Script{OldAuth: true, Mechanisms: "LOGIN"}, 0},
		{smtptest.Script{OldAuth: true, Mechanisms: "GSSAPI LOGIN"}, 0},
	} {
		asked.Store(0)
		c.script.Users, c.script.RequireAuth = users, true
		s := smtptest.Start(t, c.script)
		to := server(t, "smtp://me:p%20w@"+s.Addr())
		if c.code == 0 {
			wantStatuses(t, deliver(t.Context(), dial(t, to), "a@b.example"), domain.Accepted)
		} else if f := failure(t, to); f.Code != c.code || f.Status() != domain.SenderBroken {
			t.Errorf("%+v: %+v", c.script, f)
		}
	}
}

// What stands in the same segment as the answer to STARTTLS has come without TLS.
func TestAnswersBeforeTLS(t *testing.T) {
	to := raw(t, func(in *bufio.Reader, conn net.Conn) {
		say(conn, "220 hi\r\n")
		_, _ = in.ReadString('\n')
		say(conn, "250-hi\r\n250 STARTTLS\r\n")
		_, _ = in.ReadString('\n')
		say(conn, "220 go\r\n250-hi\r\n250 AUTH PLAIN\r\n")
	})
	to.TLS = smtp.TLSRequired
	if f := failure(t, to); f.Stage != domain.StageTLS || f.Status() != domain.SenderBroken {
		t.Errorf("%+v", f)
	}
}
