package engine

import (
	"log/slog"
	"testing"
	"time"

	"skychimp/db/outbox"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// still asks as a heartbeat does, when nothing has moved since the last time.
func (w *fixture) still(e *Engine) bool {
	w.Helper()
	var before int64
	w.until("nothing moves", func() bool {
		moves := e.standstill.moves.Load()
		same := moves == before
		before = moves
		return same
	})
	probe := &standstill{log: e.settings.Log, queue: e.queue, servers: e.servers, waiting: e.standstill.waiting}
	probe.unfetched.Store(e.standstill.unfetched.Load())
	return probe.check()
}

// Emails that wait for a good reason don't stand still.
func TestNoStandstill(t *testing.T) {
	t.Parallel()
	hang := func(stage domain.Stage) smtptest.Script {
		return smtptest.Script{On: smtptest.At(stage, smtptest.Action{Hang: true})}
	}
	for name, c := range map[string]struct {
		script smtptest.Script
		limits Limits
		url    string
		idle   bool
	}{
		"nothing to do":       {idle: true},
		"limit of the domain": {limits: Limits{Domains: domain.Limits{"example.org": {Rate: 0.01}}}},
		"limit of the owner":  {limits: Limits{Owners: domain.OwnerLimits{Limit: domain.Limit{Rate: 0.01}}}},
		"rate of the server":  {url: "?rate=0.01"},
		"slow greeting":       {script: hang(domain.StageConnect)},
		"slow recipient":      {script: hang(domain.StageRcpt)},
		"slow answer":         {script: hang(domain.StageEndOfData)},
		"server away":         {script: smtptest.Script{On: smtptest.At(domain.StageConnect, smtptest.Action{Drop: true})}},
		"greylisted":          {script: smtptest.Script{On: smtptest.Answer(domain.StageRcpt, "451 4.7.1 come back later")}},
		"sender broken":       {script: smtptest.Script{On: smtptest.Answer(domain.StageMail, "550 5.7.1 not from you")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t, c.script)
			server := w.reach(w.server.URL() + c.url)
			server.CommandTimeout, server.EndTimeout = time.Minute, time.Minute
			e := w.startWith(c.limits, server)
			if !c.idle {
				w.plan(300)
				w.until("it has begun", func() bool { return w.server.Conns() > 0 })
			}
			w.until("it is known why", func() bool { return !w.still(e) })
			w.until("it stays so", func() bool { return time.Since(e.lease.started) > 4*time.Second })
			for range 3 {
				if w.still(e) {
					t.Error("this is taken for a standstill")
				}
			}
			w.server.Release()
		})
	}
}

// Work under a number that is gone is dropped, whenever it was fetched.
func TestBatchesOfFormerInstance(t *testing.T) {
	q := newQueue(nil, newMXGroups(nil), Limits{}, 400, make(chan struct{}, 1))
	q.renew(1)
	run := &sendingRun{}
	old := &batch{run: run, instance: 1, firstSeq: 1}
	q.add(old, make([]outbox.Delivery, 3))
	d := &slot{weight: 1, more: make(chan struct{}, 1)}
	it, ok := q.tryTake(d)
	if !ok {
		t.Fatal("no email")
	}
	q.renew(2)
	q.giveBack(it)
	late := &batch{run: run, instance: 1, firstSeq: 101}
	q.add(late, make([]outbox.Delivery, 3))
	if _, ok := q.tryTake(d); ok || q.size > 0 || !q.idle(run) {
		t.Errorf("emails of the former instance are left: %d", q.size)
	}
	if freed := q.takeFreed(); len(freed) != 2 {
		t.Errorf("%d batches are given back, want 2", len(freed))
	}
}

// Who has just got the database back knows nothing of the others yet: after a restart of Postgres
// nobody's lock is there, and everybody is about to take it again.
func TestOnlyTheSteadyEvict(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{})
	e := New(outbox.New(w.db.Postgres()), Settings{Log: slog.New(slog.NewTextHandler(w.Output(), nil))})
	if _, err := e.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer e.lease.instance.Load().Close(t.Context())
	w.exec("INSERT INTO instances (id, seen_at) VALUES (900, now()), (901, now() - interval '1 minute')")
	long := time.Now().Add(-time.Minute)
	for _, c := range []struct {
		name         string
		steady, last time.Time
		left         int
	}{
		{"the database is just back", time.Now(), time.Now(), 3},
		{"this process was frozen", long, long, 3},
		{"steady", long, time.Now(), 1},
	} {
		m := e.maintainer
		m.steady, m.last, m.unlocked = c.steady, c.last, map[int64]time.Time{900: long, 901: long}
		if _, err := m.round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := w.count("SELECT count(*) FROM instances"); left != c.left {
			t.Errorf("%s: %d instances are left, want %d", c.name, left, c.left)
		}
	}
}
