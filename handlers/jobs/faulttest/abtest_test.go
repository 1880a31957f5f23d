package faulttest

import (
	"bytes"
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/db/tracking"
	"skychimp/domain"
	"skychimp/domain/abtest"
	visits "skychimp/domain/tracking"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// testing begins a run that tries two subjects on half of the owner's clients, and gives the test: it decides after an hour.
func (env *environment) testing(owner int64) (test int64) {
	env.Helper()
	message := domain.Message{OwnerID: owner, Subject: "Plain", Body: "[Read on](https://shop.example/news)"}
	if err := env.db.Messages().Create(env.Context(), &message); err != nil {
		env.Fatal(err)
	}
	m := domain.Mailing{OwnerID: owner}
	err := m.Change(domain.MailingForm{Name: "Test", MessageID: message.ID, Audience: "all", StartAt: "2026-01-01T00:00", Timezone: "UTC", Periodicity: "once",
		Tracking: domain.Tracking{TrackClicks: true},
		AB:       abtest.Setup{Variants: []abtest.Variant{{Subject: "Loud"}}, Share: 50, Goal: abtest.Clicked, Hours: 1}}, time.Now())
	if err == nil {
		err = env.db.Mailings().Create(env.Context(), &m)
	}
	if err != nil {
		env.Fatal(err)
	}
	rest, ok, err := outbox.New(env.db.Postgres()).Plans().Make(env.Context(), m.ID, time.Now(), true)
	if err != nil || !ok {
		env.Fatal(ok, err)
	}
	return rest.ABTestID
}

// tested begins a test whose hour is over.
func (env *environment) tested(owner int64) {
	env.Helper()
	env.exec(`UPDATE ab_tests SET sent_at = now() - interval '2 hours' WHERE id = $1`, env.testing(owner))
}

// Half of the clients get one of two subjects. Those of one click, it wins by itself after its hour, and the others get it.
// Nobody gets two emails, and nothing goes out before.
func TestBestOfTestGoesToTheRest(t *testing.T) {
	t.Parallel()
	env := newEnv(t, smtptest.Script{KeepRaw: true})
	test := env.testing(env.owner(400))
	env.start()
	env.until("the emails of the test are out", func() bool {
		return env.count(`SELECT count(*) FROM ab_tests WHERE sent_at IS NOT NULL`) == 1
	})
	runs, err := env.db.Runs().OfTest(env.Context(), test)
	if err != nil || len(runs) != 3 {
		t.Fatal(len(runs), err)
	}
	tried := int(runs[0].Planned + runs[1].Planned)
	if n := env.server.Accepted(); n != tried || runs[2].Status != domain.RunPaused {
		t.Errorf("%d emails went out of %d to try, the rest is %s", n, tried, runs[2].Status)
	}
	clicks := map[tracking.Key][]visits.Visit{}
	for seq := range int32(runs[1].Planned / 2) {
		clicks[tracking.Key{RunID: runs[1].ID, Seq: seq + 1}] = []visits.Visit{{At: time.Now().Add(time.Minute), Link: 1}}
	}
	if err := tracking.New(env.db).Write(env.Context(), clicks); err != nil {
		t.Fatal(err)
	}
	env.exec(`UPDATE ab_tests SET sent_at = sent_at - interval '1 hour'`)
	env.until("the run of the rest is closed", env.closed)
	subjects, to := map[string]int{}, map[string]int{}
	for _, one := range env.server.Emails() {
		to[one.To]++
		for _, subject := range []string{"Plain", "Loud"} {
			if bytes.Contains(one.Raw, []byte("\r\nSubject: "+subject+"\r\n")) {
				subjects[subject]++
			}
		}
	}
	if len(to) != 400 || subjects["Plain"] != int(runs[0].Planned) || subjects["Loud"] != 400-int(runs[0].Planned) {
		t.Errorf("%d clients got %v, %d were to get the first subject", len(to), subjects, runs[0].Planned)
	}
	if n := env.count(`SELECT count(*) FROM ab_tests WHERE chosen = 2 AND NOT by_owner`); n != 1 {
		t.Error("the second subject did not win by itself")
	}
	env.report("test", 1, bounds{})
}
