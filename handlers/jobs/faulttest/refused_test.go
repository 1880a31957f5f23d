package faulttest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"skychimp/db/dbtest/faultproxy"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// A sender that is refused is nobody's failure: the run pauses and says why, and goes on when it
// is mended.
func TestFaultSenderRefused(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(smtptest.Event) smtptest.Action{
		"535 wrong password":       smtptest.Answer(domain.StageAuth, "535 5.7.8 wrong user or password"),
		"554 for all at DATA":      smtptest.Answer(domain.StageEndOfData, "554 5.7.1 you are a spammer"),
		"554 for all at RCPT":      smtptest.Answer(domain.StageRcpt, "554 5.7.1 relay access denied"),
		"550 hourly limit at RCPT": smtptest.Answer(domain.StageRcpt, "550 You have exceeded the maximum of 100 mails per hour"),
		"553 DNSBL at RCPT":        smtptest.Answer(domain.StageRcpt, "553 5.1.8 your host is in a DNSBL, mail for unknown user blocked"),
		"550 unknown at RCPT":      smtptest.Answer(domain.StageRcpt, "550 not today"),
		"550 for the sender":       smtptest.Answer(domain.StageMail, "550 5.1.8 bad sender"),
		"554 instead of hello":     smtptest.Answer(domain.StageConnect, "554 5.3.2 no service for you"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnv(t, smtptest.Script{Users: map[string]string{"me": "secret"}})
			way, user := faultproxy.Start(t, "tcp", env.server.Addr()), ""
			if strings.HasPrefix(name, "535") {
				user = "me:secret@"
			}
			env.environ = []string{fmt.Sprintf("SMTP_URL=smtp://%s%s?tls=none&conns=%d", user, way.Addr(), env.conns)}
			env.refused(name, repeat(t, 1, 20), func() {
				env.on(broken)
				way.Cut() // who is in already would not be asked again
			}, func() { env.on(nil) })
		})
	}
}

// TLS that is required and not there, or wrong, gets no email.
func TestFaultNoTLS(t *testing.T) {
	t.Parallel()
	for name, kind := range map[string]smtptest.TLS{"no TLS": smtptest.NoTLS, "bad certificate": smtptest.BadTLS, "garbage for TLS": smtptest.GarbageTLS} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := newEnv(t, smtptest.Script{TLS: smtptest.GoodTLS})
			bad := smtptest.Start(t, smtptest.Script{TLS: kind})
			trusted := filepath.Join(t.TempDir(), "root.pem")
			if err := os.WriteFile(trusted, env.server.RootPEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			way := faultproxy.Start(t, "tcp", bad.Addr())
			env.environ = []string{"SSL_CERT_FILE=" + trusted, fmt.Sprintf("SMTP_URL=smtp://%s?tls=required&conns=%d", way.Addr(), env.conns)}
			lead := func(to string) func() {
				return func() {
					way.To("tcp", to)
					way.Cut()
				}
			}
			env.refused(name, repeat(t, 1, 20), lead(bad.Addr()), lead(env.server.Addr()))
			if bad.EndsOfData() > 0 {
				t.Errorf("%d emails went out without TLS that was required", bad.EndsOfData())
			}
		})
	}
}

// refused breaks the mail server before each run, and mends it when the run has paused.
func (env *environment) refused(what string, times int, breakIt, mend func()) {
	env.Helper()
	owner := env.owner(60)
	env.launch()
	for range times {
		breakIt()
		run := env.begin(env.mailing(owner))
		env.until("the run pauses", func() bool {
			return env.count(`SELECT count(*) FROM runs WHERE status = 'paused' AND reason <> ''`) == 1
		})
		env.until("nothing is under way", func() bool { return env.count(`SELECT count(*) FROM batches WHERE instance_id IS NOT NULL`) == 0 })
		if n := env.count(`SELECT count(*) FROM deliveries WHERE run_id = $1 AND outcome <> 'queued'`, run); n > 0 {
			env.Errorf("%d recipients ended for the sender's fault", n)
		}
		env.suppressed(0)
		mend()
		env.exec(`UPDATE runs SET resume_at = now() WHERE status = 'paused'`)
		env.resumed()
		env.until("the run is closed", env.closed)
	}
	env.report("SMTP: "+what, times, bounds{})
}

func (env *environment) suppressed(want int) {
	env.Helper()
	if n := env.count(`SELECT count(*) FROM clients WHERE suppressed_at IS NOT NULL`); n != want {
		env.Errorf("%d clients get no more mail, want %d", n, want)
	}
}

// One receiving domain refuses the sender, whatever the others accept in between: nobody has failed,
// the others get their emails, and that domain's wait until it takes them.
func TestFaultOneDomainRefuses(t *testing.T) {
	t.Parallel()
	for stage, answer := range map[domain.Stage]string{
		domain.StageRcpt:      "550 5.7.26 mail from your domain is unauthenticated",
		domain.StageEndOfData: "554 not today",
	} {
		t.Run(string(stage), func(t *testing.T) {
			t.Parallel()
			env := newEnv(t, smtptest.Script{})
			env.on(func(e smtptest.Event) smtptest.Action {
				if e.Stage == stage && strings.HasSuffix(e.To, "@refusing.example") {
					return smtptest.Action{Answer: answer}
				}
				return smtptest.Action{}
			})
			owner := env.owner(200)
			env.exec(`UPDATE clients SET email = replace(email, 'example.org', 'refusing.example') WHERE id % 2 = 0`)
			run := env.begin(env.mailing(owner))
			env.launch()
			env.until("one domain waits and the other has its emails", func() bool {
				return env.server.Accepted() == 100 && env.count(`SELECT count(*) FROM retries`) == 100
			})
			row, err := env.db.Runs().Get(t.Context(), 0, run)
			if err != nil || row.Status != domain.RunRunning || row.Failed != 0 || row.Deferred != 100 || !strings.Contains(row.Reason, "refusing.example: "+answer) {
				t.Errorf("%v: %+v", err, row)
			}
			if n := env.count(`SELECT count(*) FROM attempts WHERE status = 'failed'`); n > 20+env.conns {
				t.Errorf("the domain that refuses was asked %d times", n)
			}
			env.on(nil)
			env.forward()
			env.report("SMTP: one domain refuses at "+string(stage), 1, bounds{})
			env.suppressed(0)
		})
	}
}
