package smtp_test

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// second is the script for the second email of the server; what it does to the first
// would hide what pipelining does.
func second(stage domain.Stage, action smtptest.Action) func(smtptest.Event) smtptest.Action {
	return func(e smtptest.Event) smtptest.Action {
		if e.Email == 2 && e.Stage == stage {
			return action
		}
		return smtptest.Action{}
	}
}

func TestConnectionEndsAtEachStage(t *testing.T) {
	for _, noPipelining := range []bool{false, true} {
		for _, stage := range []domain.Stage{domain.StageMail, domain.StageRcpt, domain.StageData, domain.StageEndOfData} {
			for name, c := range map[string]struct {
				action smtptest.Action
				code   int
				want   domain.AttemptStatus
			}{
				"421":       {smtptest.Action{Answer: "421 4.3.2 closing"}, 421, domain.NotTried},
				"drop":      {smtptest.Action{Drop: true}, 0, domain.NotTried},
				"dropAfter": {smtptest.Action{DropAfter: true}, 0, domain.NotTried},
			} {
				on := second(stage, c.action)
				s := smtptest.Start(t, smtptest.Script{NoPipelining: noPipelining, On: on})
				conn := dial(t, server(t, s.URL()))
				answers := deliver(t.Context(), conn, names(3)...)
				dots := 1
				switch {
				case stage == domain.StageEndOfData && name == "drop":
					c.want, dots = domain.Unknown, 2
				case stage == domain.StageEndOfData && name == "dropAfter":
					c.want, c.code, dots = domain.Accepted, 250, 2
				case stage == domain.StageEndOfData:
					dots = 2
				case stage == domain.StageData && name == "dropAfter":
					// The email is on its way, or not even that: either way the end of data may be out.
					if answers[1].Status() == domain.Unknown {
						c.want = domain.Unknown
					}
				}
				if stage == domain.StageEndOfData && name == "dropAfter" {
					wantStatuses(t, answers, domain.Accepted, domain.Accepted, domain.NotTried)
				} else {
					wantStatuses(t, answers, domain.Accepted, c.want)
				}
				if answers[1].Code != c.code || !conn.Broken() || s.EndsOfData() != dots {
					t.Errorf("%s at %s: %+v, broken %v, %d ends of data", name, stage, answers[1], conn.Broken(), s.EndsOfData())
				}
			}
		}
	}
}

// A recipient that is refused stays refused, though the server hangs up at once after it.
func TestRefusalBeforeTheEnd(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{On: smtptest.First(
		smtptest.Answer(domain.StageRcpt, "550 5.1.1 no such user"),
		smtptest.Answer(domain.StageData, "421 4.7.0 too many errors"))})
	c := dial(t, server(t, s.URL()))
	wantStatuses(t, deliver(t.Context(), c, names(2)...), domain.Failed)
	if !c.Broken() {
		t.Error("the connection is over")
	}
}

func TestTimeouts(t *testing.T) {
	for _, stage := range []domain.Stage{domain.StageMail, domain.StageRcpt, domain.StageData, domain.StageEndOfData} {
		s := smtptest.Start(t, smtptest.Script{On: second(stage, smtptest.Action{Hang: true})})
		to := server(t, s.URL())
		to.CommandTimeout, to.EndTimeout = 50*time.Millisecond, 50*time.Millisecond
		answers := deliver(t.Context(), dial(t, to), names(3)...)
		want := domain.NotTried
		if stage == domain.StageEndOfData {
			want = domain.Unknown
		}
		wantStatuses(t, answers, domain.Accepted, want)
		if a := answers[1]; a.Code != 0 || a.Stage != stage || a.Text != "no answer in time" {
			t.Errorf("%s: %+v", stage, a)
		}
	}
}

func TestCancelEndsAtOnce(t *testing.T) {
	for stage, want := range map[domain.Stage]domain.AttemptStatus{
		domain.StageMail: domain.NotTried, domain.StageData: domain.NotTried, domain.StageEndOfData: domain.Unknown,
	} {
		s := smtptest.Start(t, smtptest.Script{On: second(stage, smtptest.Action{Hang: true})})
		c := dial(t, server(t, s.URL()))
		ctx, cancel := context.WithCancel(t.Context())
		wantStatuses(t, deliver(ctx, c, "a@b.example"), domain.Accepted)
		answers := make(chan []domain.Answer)
		go func() { answers <- deliver(ctx, c, names(2)...) }()
		if _, err := s.WaitHang(t.Context()); err != nil {
			t.Fatal(err)
		}
		cancel()
		got := <-answers
		wantStatuses(t, got, want)
		if got[0].Text != "context canceled" {
			t.Errorf("%+v", got[0])
		}
	}
}

// A context that ends between two calls closes nothing; the next call refuses to begin.
func TestCancelBeforeTheDot(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{})
	c := dial(t, server(t, s.URL()))
	ctx, cancel := context.WithCancel(t.Context())
	c.Envelope(sender, "a@b.example", 0, "")
	if answer, ok := c.Ready(ctx); !ok {
		t.Fatal(answer)
	}
	cancel()
	c.Email(body("a@b.example"))
	if answer := c.Result(ctx); answer.Status() != domain.NotTried || !c.Broken() {
		t.Errorf("%+v", answer)
	}
	s.Close() // waits for its connections
	if s.EndsOfData() != 0 {
		t.Error("the end of data is out")
	}

	s = smtptest.Start(t, smtptest.Script{})
	c = dial(t, server(t, s.URL()))
	ctx, cancel = context.WithCancel(t.Context())
	wantStatuses(t, deliver(ctx, c, "a@b.example"), domain.Accepted)
	cancel()
	wantStatuses(t, deliver(t.Context(), c, "a@b.example"), domain.Accepted)
}

func TestAbortKeepsTheEmailBack(t *testing.T) {
	for _, end := range []func(*smtp.Conn){(*smtp.Conn).Abort, (*smtp.Conn).Close} {
		s := smtptest.Start(t, smtptest.Script{})
		c := dial(t, server(t, s.URL()))
		c.Envelope(sender, "a@b.example", 0, "")
		if answer, ok := c.Ready(t.Context()); !ok {
			t.Fatal(answer)
		}
		c.Email(body("a@b.example"))
		end(c)
		s.Close()
		if s.EndsOfData() != 0 || !c.Broken() {
			t.Errorf("%d ends of data, broken %v", s.EndsOfData(), c.Broken())
		}
	}
}

// raw runs a server that says exactly what the test says.
func raw(t *testing.T, serve func(in *bufio.Reader, conn net.Conn)) smtp.Server {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serve(bufio.NewReader(conn), conn)
		}
	}()
	return server(t, "smtp://"+ln.Addr().String())
}

func say(conn net.Conn, text string) { _, _ = conn.Write([]byte(text)) }

// What there is to do while the server thinks is done between the end of data and its answer.
func TestWaitingIsUsed(t *testing.T) {
	got, done := make(chan struct{}), make(chan struct{})
	to := raw(t, func(in *bufio.Reader, conn net.Conn) {
		say(conn, "220 hi\r\n")
		for _, answer := range []string{"250-hi\r\n250 PIPELINING\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"} {
			_, _ = in.ReadString('\n')
			say(conn, answer)
		}
		for line := ""; line != ".\r\n"; {
			var err error
			if line, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		close(got)
		<-done // no answer before
		say(conn, "250 ok\r\n")
	})
	c := dial(t, to)
	c.Envelope(sender, "a@b.example", 0, "")
	if answer, ok := c.Ready(t.Context()); !ok {
		t.Fatal(answer)
	}
	c.Email(body("a@b.example"))
	answer := c.ResultWhile(t.Context(), func() {
		<-got // the whole email is out
		close(done)
	})
	if answer.Status() != domain.Accepted {
		t.Errorf("%+v", answer)
	}
}

// A server that stops reading in the middle of an email has not seen its end.
func TestServerStopsReading(t *testing.T) {
	to := raw(t, func(in *bufio.Reader, conn net.Conn) {
		say(conn, "220 hi\r\n")
		for _, answer := range []string{"250-hi\r\n250 PIPELINING\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"} {
			_, _ = in.ReadString('\n')
			say(conn, answer)
		}
	})
	to.DataTimeout = 50 * time.Millisecond
	c := dial(t, to)
	c.Envelope(sender, "a@b.example", 0, "")
	if answer, ok := c.Ready(t.Context()); !ok {
		t.Fatal(answer)
	}
	c.Email([]byte(strings.Repeat("a line\r\n", 4<<20)))
	if answer := c.Result(t.Context()); answer.Status() != domain.NotTried || answer.Stage != domain.StageData {
		t.Errorf("%+v", answer)
	}
}

// A server that refuses the sender, takes the recipient and wants the email all the same
// must not get an empty one.
func TestNoEmptyEmail(t *testing.T) {
	dots := make(chan bool, 1)
	to := raw(t, func(in *bufio.Reader, conn net.Conn) {
		say(conn, "220 hi\r\n")
		for _, answer := range []string{"250-hi\r\n250 PIPELINING\r\n", "451 no\r\n", "250 ok\r\n", "354 go\r\n"} {
			_, _ = in.ReadString('\n')
			say(conn, answer)
		}
		line, _ := in.ReadString('\n')
		dots <- line != ""
	})
	c := dial(t, to)
	wantStatuses(t, deliver(t.Context(), c, "a@b.example"), domain.NotTried)
	if <-dots || !c.Broken() {
		t.Error("the server got an email")
	}
}

func TestServersThatSpeakNoSMTP(t *testing.T) {
	for _, greeting := range []string{
		"HTTP/1.1 400 Bad Request\r\n", "SSH-2.0-x\r\n", "\r\n", "22\r\n", "2200 hi\r\n", "999 hi\r\n", "100 hi\r\n",
		"220-a\r\n250 b\r\n", strings.Repeat("x", 9000), strings.Repeat("220-x\r\n", 500), "",
	} {
		to := raw(t, func(_ *bufio.Reader, conn net.Conn) { say(conn, greeting); _ = conn.Close() })
		_, err := smtp.Dial(t.Context(), to)
		f, ok := errors.AsType[*smtp.Failure](err)
		if !ok || f.Stage != domain.StageConnect || f.Code != 0 || f.Status() != domain.NotTried {
			t.Errorf("%.20q: %v", greeting, err)
		}
	}
}

func TestAnswersThatMeanNothing(t *testing.T) {
	for _, c := range []struct {
		dot  string
		want domain.AttemptStatus
	}{
		{"250 \xff\x00odd\r\n", domain.Accepted},
		{"250\r\n", domain.Accepted},
		{"250-a\r\n250 b\r\n", domain.Accepted},
		{"354 more\r\n", domain.Unknown},
		{"what?\r\n", domain.Unknown},
	} {
		to := raw(t, func(in *bufio.Reader, conn net.Conn) {
			say(conn, "220 hi\r\n")
			for _, answer := range []string{"250 hi\r\n", "250 ok\r\n", "250 ok\r\n", "354 go\r\n"} {
				_, _ = in.ReadString('\n')
				say(conn, answer)
			}
			for line := ""; line != ".\r\n"; {
				line, _ = in.ReadString('\n')
			}
			say(conn, c.dot)
		})
		conn := dial(t, to)
		answers := deliver(t.Context(), conn, "a@b.example")
		wantStatuses(t, answers, c.want)
		if conn.Broken() != (c.want == domain.Unknown) {
			t.Errorf("%q: broken %v", c.dot, conn.Broken())
		}
	}
}
