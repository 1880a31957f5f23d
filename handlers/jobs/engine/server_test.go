package engine

import (
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// slow makes a server answer so slowly that a sender of the others is always free.
func slow() func(smtptest.Event) smtptest.Action {
	return smtptest.At(domain.StageEndOfData, smtptest.Action{Delay: 2 * time.Millisecond})
}

func TestServersShareByWeight(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: slow()})
	second := smtptest.Start(t, smtptest.Script{On: slow()})
	// One email a time is under way, so the choice is free at each.
	w.startWith(Limits{Owners: domain.OwnerLimits{Limit: domain.Limit{Conns: 1}}},
		w.reach(w.server.URL()+"?weight=3&conns=3"), w.reach(second.URL()+"?weight=1&conns=3"))
	run := w.plan(400)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 400, Accepted: 400})
	if first, other := w.server.Accepted(), second.Accepted(); first < 270 || first > 330 || first+other != 400 {
		t.Errorf("the servers took %d and %d of 400 emails, wanted 300 and 100", first, other)
	}
}

func TestAnotherServerTakesOver(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]smtptest.Script{
		"away":       {On: smtptest.At(domain.StageConnect, smtptest.Action{Drop: true})},
		"no login":   {RequireAuth: true},
		"unwelcome":  {On: smtptest.Answer(domain.StageMail, "550 5.7.1 not from you")},
		"busy":       {On: smtptest.Answer(domain.StageMail, "421 4.3.2 come back later")},
		"limited":    {EmailsPerConn: 3},
		"dying":      {On: everyNth(7, domain.StageMail, smtptest.Action{Drop: true})},
		"no answers": {On: smtptest.At(domain.StageHello, smtptest.Action{Drop: true})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, smtptest.Script{})
			bad := smtptest.Start(t, script)
			w.startWith(Limits{}, w.reach(bad.URL()+"?conns=3"), w.reach(w.server.URL()+"?conns=3"))
			run := w.plan(500)
			row := w.closed(run.ID)
			w.wantCounts(row, domain.Counts{Planned: 500, Accepted: 500})
			if row.Pauses > 0 {
				t.Errorf("the run paused %d times", row.Pauses)
			}
		})
	}
}

func TestAllServersBrokenPauses(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{RequireAuth: true})
	second := smtptest.Start(t, smtptest.Script{RequireAuth: true})
	w.startWith(Limits{}, w.reach(w.server.URL()), w.reach(second.URL()))
	run := w.plan(10)
	row := w.when(run.ID, "paused", func(r db.RunRow) bool { return r.Status == domain.RunPaused })
	if row.Failed > 0 || row.Reason == "" {
		t.Errorf("%+v", row)
	}
}
