package faulttest

import (
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// An email comes back to the running program: its client gets no more, and a stranger's is refused.
func TestBouncesReachTheProgram(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{})
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().String()
	free.Close()
	environ := []string{"DATABASE_URL=" + env.url, "SECRET=" + secret, "SMTP_URL=smtp://" + env.server.Addr() + "?tls=none",
		"BOUNCE_DOMAIN=bounces.example.org", "BOUNCE_ADDR=" + addr}
	programtest.Serve(t, "serve", environ...)
	env.begin(env.fill(3))
	env.until("three emails", func() bool { return env.server.Accepted() == 3 })
	back := env.server.Emails()[0]
	report := strings.ReplaceAll(fmt.Sprintf(`From: MAILER-DAEMON@mx.example.net
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; %s
Action: failed
Status: 5.1.1

--b--
`, back.To), "\n", "\r\n")
	if err := smtp.SendMail(addr, nil, "", []string{back.From}, []byte(report)); err != nil {
		t.Fatal(err)
	}
	if err := smtp.SendMail(addr, nil, "", []string{"b+aaaaaaaaaaaaaaaaaa@bounces.example.org"}, []byte(report)); err == nil || !strings.HasPrefix(err.Error(), "550") {
		t.Errorf("a stranger's report: %v", err)
	}
	if n := env.count(`SELECT count(*) FROM clients JOIN bounces USING (email) WHERE suppressed_reason = 'bounced' AND kind = 'hard'`); n != 1 {
		t.Errorf("%d clients are suppressed", n)
	}
	code, _, errs := programtest.Run(t, environ, "", "worker")
	if want := `BOUNCE_ADDR="` + addr + `"`; code != 1 || !strings.Contains(errs, want) {
		t.Errorf("a second program on the address: exit %d, %s", code, errs)
	}
}
