package engine

import (
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// most keeps the largest number of emails under way between RCPT and the answer to the end of data.
type most struct{ now, peak atomic.Int32 }

func (m *most) on(e smtptest.Event) smtptest.Action {
	switch e.Stage {
	case domain.StageData:
		n := m.now.Add(1)
		for p := m.peak.Load(); n > p && !m.peak.CompareAndSwap(p, n); p = m.peak.Load() {
		}
	case domain.StageEndOfData:
		m.now.Add(-1)
		return smtptest.Action{Delay: time.Millisecond}
	}
	return smtptest.Action{}
}

func TestDomainConns(t *testing.T) {
	t.Parallel()
	var under most
	w := newFixture(t, smtptest.Script{On: under.on})
	w.startWith(Limits{Domains: domain.Limits{"example.org": {Conns: 2}}}, w.reach(w.server.URL()+"?conns=8"))
	run := w.plan(300)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 300, Accepted: 300})
	w.wantOnce(300)
	if peak := under.peak.Load(); peak > 2 {
		t.Errorf("%d emails to the domain were under way at once", peak)
	}
}

// A domain at its rate does not keep the emails to others back.
func TestDomainRate(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'slow' || n || '@slow.example' FROM generate_series(1, 200) n`)
	w.startWith(Limits{Domains: domain.Limits{"slow.example": {Rate: 40}}}, w.reach(w.server.URL()+"?conns=4"))
	begun := time.Now()
	run := w.plan(200)
	w.when(run.ID, "half sent", func(r db.RunRow) bool { return r.Accepted >= 200 })
	if half := time.Since(begun); half > 4*time.Second {
		t.Errorf("the other domain's emails took %v", half)
	}
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 400, Accepted: 400})
	if took := time.Since(begun); took < 4*time.Second { // 200 emails, 40 a second, 2 at once
		t.Errorf("200 emails at 40 a second took %v", took)
	}
}

// A new account stops at its daily quota, says so, and goes on when the day has passed.
func TestNewAccountGrowsSlowly(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	w.startWith(Limits{Owners: domain.OwnerLimits{FirstDay: 200, Growth: 2}}, w.reach(w.server.URL()+"?conns=4"))
	run := w.plan(500)
	w.when(run.ID, "held back", func(r db.RunRow) bool { return r.Accepted == 200 && r.Reason == domain.ReasonWarmUp })
	w.exec(`UPDATE attempts SET at = at - interval '25 hours'`)
	w.exec(`UPDATE users SET created_at = created_at - interval '25 hours' WHERE id = 1000`)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 500, Accepted: 500})
	w.wantOnce(500)
}
