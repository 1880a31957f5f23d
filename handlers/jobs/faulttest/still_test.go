package faulttest

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// Emails that could be sent are not: every program that is asked says so, whichever of them it is
// that stands still, and says when it is over.
func TestFaultStandstill(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{})
	environ := []string{"DATABASE_URL=" + env.url, "SECRET=" + secret, "SMTP_URL=smtp://" + env.server.Addr() + "?tls=none"}
	sites := []*programtest.Program{programtest.Serve(t, "serve", environ...), programtest.Serve(t, "serve", environ...)}
	ready := func(want int, text string) func() bool {
		return func() bool {
			for _, site := range sites {
				answer, err := http.Get(site.URL + "/readyz")
				if err != nil {
					t.Fatal(err)
				}
				body, _ := io.ReadAll(answer.Body)
				_ = answer.Body.Close()
				if answer.StatusCode != want || !strings.Contains(string(body), text) {
					return false
				}
			}
			return true
		}
	}
	env.until("both are ready", ready(http.StatusOK, "ok"))
	env.begin(env.fill(2000))
	env.emails(100)
	lock, err := env.db.Postgres().Pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Rollback(t.Context()) }()
	// Nothing can be recorded, so nothing is sent.
	if _, err := lock.Exec(t.Context(), "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Exec(t.Context(), "LOCK attempts IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	env.until("the heartbeats notice", func() bool { return env.ask("SELECT EXISTS (SELECT FROM instances WHERE still_since IS NOT NULL)") })
	if os.Getenv("FAULTS") == "" { // not to wait for it
		env.exec("UPDATE instances SET still_since = still_since - interval '31 seconds'")
	}
	env.until("nobody is ready", ready(http.StatusServiceUnavailable, domain.StandstillText))
	if err := lock.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	env.until("both are ready again", ready(http.StatusOK, "ok"))
	env.report("nothing can be recorded", 1, bounds{})
}
