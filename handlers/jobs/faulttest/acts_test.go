package faulttest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
	"skychimp/handlers/programtest"
)

// act is what somebody does in the middle of a run. It gives the moment after its commit.
type act struct {
	name    string
	do      func(env *environment, run domain.Run) error
	outcome domain.Outcome // of what was open
}

func TestFaultActsInMidRun(t *testing.T) {
	t.Parallel()
	manager := domain.User{Role: domain.RoleManager}
	change := func(do func(*domain.Mailing) error) func(*environment, domain.Run) error {
		return func(env *environment, run domain.Run) error {
			_, err := env.db.Mailings().Update(env.Context(), 0, run.MailingID, do)
			return err
		}
	}
	for _, a := range []act{
		{"stop", change(func(m *domain.Mailing) error { return m.Stop(time.Now()) }), domain.OutcomeCancelled},
		{"disable", change(func(m *domain.Mailing) error { return m.Disable(manager, "spam", time.Now()) }), domain.OutcomeCancelled},
		{"block", func(env *environment, run domain.Run) error {
			_, err := env.db.Users().Block(env.Context(), manager, run.OwnerID, "spam", time.Now())
			return err
		}, domain.OutcomeCancelled},
		{"delete", func(env *environment, run domain.Run) error {
			return env.db.Mailings().Delete(env.Context(), run.OwnerID, run.MailingID, time.Now())
		}, domain.OutcomeCancelled},
		{"end moved to now", change(func(m *domain.Mailing) error {
			m.EndAt = time.Now()
			m.EndLocal = m.EndAt.UTC()
			return nil
		}), domain.OutcomeExpired},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			a.run(t, func(env *environment, run domain.Run) time.Time {
				env.emails(30 + rand.IntN(60))
				heard := env.listen("runs")
				if err := a.do(env, run); err != nil {
					env.Fatal(err)
				}
				done := time.Now()
				heard()
				return time.Now().Add(time.Since(done)) // as late again as it was heard of here
			})
		})
	}
	t.Run("end comes", func(t *testing.T) {
		t.Parallel()
		act{name: "end comes", outcome: domain.OutcomeExpired}.run(t, func(env *environment, run domain.Run) time.Time {
			end := time.Now().Add(300 * time.Millisecond)
			env.exec(`UPDATE mailings SET end_at = $2, end_local = $2::timestamptz AT TIME ZONE 'UTC' WHERE id = $1`, run.MailingID, end)
			env.exec(`UPDATE runs SET window_end = $2 WHERE id = $1`, run.ID, end)
			time.Sleep(time.Until(end))
			return time.Now() // as late as a busy machine wakes
		})
	})
}

// listen begins to hear of what is announced; the function waits for the first announcement.
func (env *environment) listen(channel string) func() {
	env.Helper()
	pooled, err := env.db.Postgres().Pool.Acquire(env.Context())
	if err != nil {
		env.Fatal(err)
	}
	conn := pooled.Hijack()
	if _, err := conn.Exec(env.Context(), "LISTEN "+channel); err != nil {
		env.Fatal(err)
	}
	return func() {
		env.Helper()
		ctx, cancel := context.WithTimeout(env.Context(), programtest.Timeout)
		defer cancel()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			env.Fatal(err)
		}
		_ = conn.Close(env.Context())
	}
}

// run acts in one run after the other, and counts what went out afterwards.
func (a act) run(t *testing.T, do func(*environment, domain.Run) time.Time) {
	times := repeat(t, 3, 20)
	// As long as a server somewhere on the net takes for an answer: on a busy machine a notification
	// needs more time than one on this machine does.
	env := newEnv(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 40 * time.Millisecond})})
	env.launch().ready()
	most := 0
	for range times {
		owner := env.owner(1000) // a blocked one has no further run
		before := env.server.EndsOfData()
		id := env.begin(env.mailing(owner))
		row, err := env.db.Runs().Get(t.Context(), 0, id)
		if err != nil {
			t.Fatal(err)
		}
		env.until("the run has begun", func() bool { return env.server.EndsOfData() > before })
		at := do(env, row.Run)
		env.until("the run is closed", env.closed)
		late := env.late(at, func(smtptest.Email) bool { return true })
		most = max(most, late)
		if row, err = env.db.Runs().Get(t.Context(), 0, id); err != nil || row.Cancelled+row.Expired == 0 {
			t.Errorf("nothing was left to end: %+v, %v", row.Counts, err)
		}
	}
	if most > env.conns {
		t.Errorf("%d emails of a run went out after the commit, more than one per connection", most)
	}
	env.report("in mid-run: "+a.name, times, bounds{excused: func(_ string, o domain.Outcome) bool { return o == a.outcome }},
		fmt.Sprintf("late=%d/%d", most, env.conns))
}

func TestFaultUnsubscribedInMidRun(t *testing.T) {
	t.Parallel()
	times := repeat(t, 5, 20)
	env := newEnv(t, smtptest.Script{On: smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 40 * time.Millisecond})})
	run := env.begin(env.fill(1000 + 200*times)) // a busy machine still finds somebody to unsubscribe
	env.start()
	late, gone := 0, map[string]bool{}
	for range times {
		env.emails(50)
		// Somebody of the block that is going out, who may be next.
		var client int64
		var email string
		err := env.db.Postgres().Pool.QueryRow(t.Context(), `SELECT client_id, email FROM deliveries
			WHERE run_id = $1 AND outcome = 'queued' ORDER BY seq OFFSET $2 LIMIT 1`, run, rand.IntN(60)).Scan(&client, &email)
		if err != nil {
			t.Fatal(err)
		}
		if err := env.db.Preferences().Stop(t.Context(), domain.RecipientLink{ClientID: client}, ""); err != nil {
			t.Fatal(err)
		}
		at := time.Now()
		gone[email] = true
		env.emails(100)
		late += env.late(at, func(l smtptest.Email) bool { return l.To == email })
	}
	env.report("in mid-run: unsubscribe", times, bounds{excused: func(to string, o domain.Outcome) bool {
		return gone[to] && o == domain.OutcomeSuppressed
	}}, fmt.Sprintf("late=%d", late))
	if late > times { // one email of one client is under way on one connection at most
		t.Errorf("%d emails to people who had unsubscribed", late)
	}
}
