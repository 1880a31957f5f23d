package smtp_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

const sender = "news@sender.example"

// server reads the URL of a test server.
func server(t *testing.T, url string) smtp.Server {
	t.Helper()
	s, err := smtp.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func dial(t *testing.T, s smtp.Server) *smtp.Conn {
	t.Helper()
	c, err := smtp.Dial(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Abort)
	return c
}

func body(to string) []byte {
	return fmt.Appendf(nil, "To: %s\r\nMessage-ID: <%s>\r\n\r\n.dot\r\n..\r\nend\r\n", to, to)
}

// deliver sends emails the way the engine does and returns what became of each. After
// the connection has broken the rest is left out.
func deliver(ctx context.Context, c *smtp.Conn, recipients ...string) []domain.Answer {
	var answers []domain.Answer
	announce := func(i int) {
		if i < len(recipients) {
			c.Envelope(sender, recipients[i], 0, "")
		}
	}
	announce(0)
	for i, to := range recipients {
		answer, ok := c.Ready(ctx)
		if ok {
			c.Email(body(to))
			announce(i + 1)
			answer = c.Result(ctx)
		} else {
			announce(i + 1)
		}
		if answers = append(answers, answer); c.Broken() {
			break
		}
	}
	return answers
}

func names(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("client%d@client.example", i+1)
	}
	return all
}

// wantStatuses compares a word per email.
func wantStatuses(t *testing.T, answers []domain.Answer, want ...domain.AttemptStatus) {
	t.Helper()
	got := make([]domain.AttemptStatus, len(answers))
	for i, a := range answers {
		got[i] = a.Status()
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v %v, want %v", got, answers, want)
	}
}

func TestOneRoundTripPerEmail(t *testing.T) {
	const emails = 50
	for _, c := range []struct {
		script smtptest.Script
		turns  int
	}{
		{smtptest.Script{}, 3 + emails}, // greeting, EHLO, the first envelope
		{smtptest.Script{NoPipelining: true}, 2 + 4*emails},
		{smtptest.Script{NoEHLO: true}, 3 + 4*emails},
	} {
		s := smtptest.Start(t, c.script)
		conn := dial(t, server(t, s.URL()))
		answers := deliver(t.Context(), conn, names(emails)...)
		if len(answers) != emails || s.Accepted() != emails || conn.Sent() != emails {
			t.Fatalf("%d answers, %d accepted, %d sent", len(answers), s.Accepted(), conn.Sent())
		}
		if s.Turns() != c.turns {
			t.Errorf("%+v: %d round trips, want %d", c.script, s.Turns(), c.turns)
		}
		for i, l := range s.Emails() {
			if to := names(emails)[i]; l.To != to || l.MessageID != "<"+to+">" || l.Conn != 1 || l.Nth != i+1 {
				t.Errorf("email %d came as %+v", i, l)
			}
		}
		if answers[0].String() != "250 2.0.0 ok" {
			t.Errorf("answer %q", answers[0])
		}
		conn.Close()
		if !conn.Broken() {
			t.Error("a closed connection is not Broken")
		}
	}
}

func TestEmailArrivesAsItIs(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{KeepRaw: true})
	c := dial(t, server(t, s.URL()))
	long := strings.Repeat(".long line\r\n", 300_000/12) + "no end"
	for _, body := range []string{string(body("a@b.example")), ".\r\n.\r\n", "a\r\n\r\n..", long, "last\r\n"} {
		c.Envelope(sender, "a@b.example", len(body), "")
		if a, ok := c.Ready(t.Context()); !ok {
			t.Fatal(a)
		}
		c.Email([]byte(body))
		wantStatuses(t, []domain.Answer{c.Result(t.Context())}, domain.Accepted)
		emails := s.Emails()
		if got := string(emails[len(emails)-1].Raw); strings.TrimSuffix(got, "\r\n") != strings.TrimSuffix(body, "\r\n") {
			t.Errorf("%.40q came as %.40q", body, got)
		}
	}
}

func TestRefusalsBetweenGoodEmails(t *testing.T) {
	const (
		good, gone, grey = "good@client.example", "gone@client.example", "grey@client.example"
		odd, spam, late  = "odd@client.example", "spam@client.example", "late@client.example"
	)
	refuse := func(to string, stage domain.Stage, answer string) func(smtptest.Event) smtptest.Action {
		return smtptest.For(to, stage, smtptest.Action{Answer: answer})
	}
	on := smtptest.First(
		refuse(gone, domain.StageRcpt, "550 5.1.1 no such user\n5.1.1 here"),
		refuse(grey, domain.StageRcpt, "451 4.7.1 greylisted"),
		refuse(odd, domain.StageRcpt, "550 5.1.1 no such user"),
		refuse(odd, domain.StageData, "354 all the same"), // RFC 2920 section 3.1
		refuse(spam, domain.StageEndOfData, "554 5.7.1 spam"),
		refuse(late, domain.StageData, "451 4.3.0 try later"),
	)
	for _, script := range []smtptest.Script{{On: on}, {On: on, NoPipelining: true}} {
		s := smtptest.Start(t, script)
		c := dial(t, server(t, s.URL()))
		answers := deliver(t.Context(), c,
			good, gone, good, grey, good, odd, good, spam, good, late, gone, gone, "bad address", good)
		wantStatuses(t, answers,
			domain.Accepted, domain.Failed, domain.Accepted, domain.Deferred, domain.Accepted, domain.Failed,
			domain.Accepted, domain.Failed, domain.Accepted, domain.Deferred, domain.Failed, domain.Failed,
			domain.Failed, domain.Accepted)
		if got := answers[1]; got.String() != "550 5.1.1 no such user here" || got.Stage != domain.StageRcpt || !got.HardBounce() {
			t.Errorf("refused with %s: %s", got.Stage, got)
		}
		if s.Conns() != 1 || s.Accepted() != 6 || s.EndsOfData() != 7 {
			t.Errorf("%d connections, %d accepted, %d ends of data", s.Conns(), s.Accepted(), s.EndsOfData())
		}
	}
}

func TestSenderRefused(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{On: smtptest.Answer(domain.StageMail, "550 5.7.1 not you")})
	answers := deliver(t.Context(), dial(t, server(t, s.URL())), names(2)...)
	wantStatuses(t, answers, domain.SenderBroken, domain.SenderBroken)
	s = smtptest.Start(t, smtptest.Script{RequireAuth: true})
	wantStatuses(t, deliver(t.Context(), dial(t, server(t, s.URL())), names(1)...), domain.SenderBroken)
}

func TestLimitOfEmailsPerConnection(t *testing.T) {
	fourth := func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageMail && e.Nth > 3 {
			return smtptest.Action{Answer: "452 4.5.3 too many emails"}
		}
		return smtptest.Action{}
	}
	for _, script := range []smtptest.Script{{EmailsPerConn: 3}, {On: fourth}, {EmailsPerConn: 3, NoPipelining: true}} {
		s := smtptest.Start(t, script)
		c := dial(t, server(t, s.URL()))
		wantStatuses(t, deliver(t.Context(), c, names(4)...),
			domain.Accepted, domain.Accepted, domain.Accepted, domain.NotTried)
		if c.Sent() != 3 || s.EndsOfData() != 3 {
			t.Errorf("sent %d, %d ends of data", c.Sent(), s.EndsOfData())
		}
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{})
	c := dial(t, server(t, s.URL()))
	wantStatuses(t, deliver(t.Context(), c, "пётр@почта.рф", "a@почта.рф"), domain.Accepted, domain.Accepted)
	if l := s.Emails(); l[0].To != "пётр@xn--80a1acny.xn--p1ai" || l[1].To != "a@xn--80a1acny.xn--p1ai" {
		t.Errorf("came as %s and %s", l[0].To, l[1].To)
	}
	s = smtptest.Start(t, smtptest.Script{NoSMTPUTF8: true})
	c = dial(t, server(t, s.URL()))
	answers := deliver(t.Context(), c, "пётр@почта.рф", "a@почта.рф")
	wantStatuses(t, answers, domain.Failed, domain.Accepted)
	if answers[0].HardBounce() || !strings.Contains(answers[0].Text, "SMTPUTF8") {
		t.Errorf("refused with %s", answers[0])
	}
	c.Envelope("я@sender.example", "a@b.example", 0, "")
	if answer, ok := c.Ready(t.Context()); ok || answer.Status() != domain.SenderBroken {
		t.Errorf("sender: %s", answer)
	}
}

// However much a server says, its answer is the code; of the words the first are kept, in the charset that they look like.
func TestLongAnswers(t *testing.T) {
	line := strings.Repeat("x", 5990)
	lines := "250 " + strings.Repeat("queued\n", 149) + "done"
	for name, c := range map[string]struct {
		answer string
		want   domain.AttemptStatus
		text   string
	}{
		"6,000 bytes":             {"250 2.0.0 " + line, domain.Accepted, "2.0.0 xxx"},
		"150 lines":               {lines, domain.Accepted, "queued queued"},
		"150 long lines":          {"250 " + strings.Repeat(line+"\n", 149) + "done", domain.Accepted, "xxx"},
		"6,000 bytes of refusal":  {"550 5.7.1 " + line, domain.Failed, "5.7.1 xxx"},
		"a long line, then more":  {"550 5.7.1 " + line + "\n5.7.1 end", domain.Failed, "5.7.1 xxx"},
		"KOI8-R":                  {"550 5.7.1 \xef\xd4\xcb\xc1\xda\xc1\xce\xcf", domain.Failed, "5.7.1 Отказано"},
		"windows-1251":            {"550 5.7.1 \xce\xf2\xea\xe0\xe7\xe0\xed\xee", domain.Failed, "5.7.1 Отказано"},
		"no end to it":            {"250 " + strings.Repeat(line+"\n", 200) + "done", domain.Unknown, "the server's answer is too long"},
		"exactly the read buffer": {"250 " + strings.Repeat("y", 4<<10-6), domain.Accepted, "yyy"},
	} {
		s := smtptest.Start(t, smtptest.Script{On: smtptest.Nth(2, domain.StageEndOfData, smtptest.Action{Answer: c.answer})})
		answers := deliver(t.Context(), dial(t, server(t, s.URL())), names(3)...)
		if got := answers[1]; got.Status() != c.want || !strings.HasPrefix(got.Text, c.text) {
			t.Errorf("%s: %s %.60q", name, got.Status(), got.Text)
		}
		if c.want != domain.Unknown && (len(answers) != 3 || answers[2].Status() != domain.Accepted) {
			t.Errorf("%s: the next email: %+v", name, answers[2:])
		}
	}
}

// A server that says how large an email may be is not bothered with a larger one.
func TestSize(t *testing.T) {
	s := smtptest.Start(t, smtptest.Script{Size: 1000})
	c := dial(t, server(t, s.URL()))
	c.Envelope(sender, "a@b.example", 1001, "")
	answer, ok := c.Ready(t.Context())
	if ok || answer.Status() != domain.Failed || answer.Code != 552 || answer.Text != "5.3.4 the email has 1001 bytes, and the mail server takes 1000" || answer.Class() != domain.ClassSize {
		t.Errorf("%v %+v", ok, answer)
	}
	wantStatuses(t, deliver(t.Context(), c, "a@b.example"), domain.Accepted)
	if !c.Fits(1000) || c.Fits(1001) {
		t.Error("the limit is not the server's")
	}
}
