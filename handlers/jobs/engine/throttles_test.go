package engine

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// bucket takes so many emails a second, a few at once, and refuses the others.
type bucket struct {
	sync.Mutex
	perSecond, burst, tokens float64
	at                       time.Time
	refused                  atomic.Int32
}

func (b *bucket) takes() bool {
	b.Lock()
	defer b.Unlock()
	now := time.Now()
	b.tokens = min(b.burst, b.tokens+now.Sub(b.at).Seconds()*b.perSecond)
	b.at = now
	if b.tokens < 1 {
		b.refused.Add(1)
		return false
	}
	b.tokens--
	return true
}

// A mail server at 50/s, in a world ten times as fast as ours, gets its emails nearly as fast as it takes them, whatever it
// calls the matter. That it is at most 1.3 times as long is what domain.TestThrottleFindsTheRate says, without the noise of a machine.
func TestThrottlingServerGetsItsRate(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"454 4.7.0 Throttling failure: Maximum sending rate exceeded", "451 4.7.0 slow down"} {
		t.Run(answer, func(t *testing.T) {
			t.Parallel()
			limit := &bucket{perSecond: 50, burst: 2}
			w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
				if e.Stage == domain.StageEndOfData && !limit.takes() {
					return smtptest.Action{Answer: answer}
				}
				return smtptest.Action{}
			}})
			w.second = 100 * time.Millisecond
			run := w.plan(200)
			begun := time.Now()
			w.start(10)
			w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 200, Accepted: 200})
			t.Logf("200 emails took %v of 4s, %d were refused", time.Since(begun), limit.refused.Load())
			if took := time.Since(begun); took > 12*time.Second {
				t.Errorf("200 emails at 50/s took %v", took)
			}
			w.wantOnce(200)
			if n := w.count(`SELECT count(*) FROM attempts WHERE status <> 'accepted'`); n != 0 {
				t.Errorf("%d tries are charged", n)
			}
		})
	}
}

// One domain takes nothing for now: the others have their emails at once, it is left alone, its emails are charged no try, the run's
// page says so, and then they go out.
func TestThrottledDomainHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	var mended atomic.Bool
	var conns sync.Map
	w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
		conns.Store(e.Conn, true)
		if e.Stage == domain.StageRcpt && strings.HasSuffix(e.To, "@slow.example") && !mended.Load() {
			return smtptest.Action{Answer: "421 4.7.28 unusual rate of mail from your IP address"}
		}
		return smtptest.Action{}
	}})
	w.second = 50 * time.Millisecond
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'c' || n || '@slow.example' FROM generate_series(1, 60) n`)
	run := w.plan(60)
	begun := time.Now()
	w.start(10)
	w.when(run.ID, "the other domain sent", func(r db.RunRow) bool { return r.Accepted == 60 })
	t.Logf("60 emails to the other domain took %v", time.Since(begun))
	w.until("the run's page says so", func() bool {
		return w.count(`SELECT count(*) FROM run_holds WHERE domain = 'slow.example' AND class = 'rate' AND code = 421`) == 1
	})
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	t.Logf("%d connections", n)
	if n > 60 {
		t.Errorf("%d connections, which one domain cost", n)
	}
	mended.Store(true)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 120, Accepted: 120})
	if n := w.count(`SELECT count(*) FROM attempts WHERE status <> 'accepted' OR n > 1`); n != 0 {
		t.Errorf("%d tries are charged", n)
	}
}

// What has to wait for long leaves the queue, or it would have room for nothing else.
func TestThrottledDomainLeavesRoom(t *testing.T) {
	t.Parallel()
	w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
		if e.Stage == domain.StageRcpt && strings.HasSuffix(e.To, "@slow.example") {
			return smtptest.Action{Answer: "451 4.7.1 slow down"}
		}
		return smtptest.Action{}
	}})
	w.exec(`INSERT INTO clients (owner_id, email) SELECT 1000, 'c' || n || '@slow.example' FROM generate_series(1, 3000) n`)
	run := w.plan(300) // behind the others
	w.start(4)
	w.when(run.ID, "the other domain sent", func(r db.RunRow) bool { return r.Accepted == 300 && r.Failed == 0 })
	if n := w.count(`SELECT count(*) FROM attempts WHERE status <> 'accepted'`); n != 0 {
		t.Errorf("%d tries are charged", n)
	}
}

// A server that is away is dialled seldom and by one sender, and found again.
func TestRedialling(t *testing.T) {
	t.Parallel()
	var away atomic.Bool
	var dialled, together, most atomic.Int32
	away.Store(true)
	w := newFixture(t, smtptest.Script{On: func(e smtptest.Event) smtptest.Action {
		if e.Stage != domain.StageConnect || !away.Load() {
			return smtptest.Action{}
		}
		dialled.Add(1)
		now := together.Add(1)
		for peak := most.Load(); now > peak && !most.CompareAndSwap(peak, now); peak = most.Load() {
		}
		time.Sleep(5 * time.Millisecond)
		together.Add(-1)
		return smtptest.Action{Drop: true}
	}})
	w.second = 100 * time.Millisecond
	run := w.plan(50)
	w.start(10)
	w.until("ten seconds of this world", func() bool { return dialled.Load() > 0 })
	time.Sleep(time.Second)
	n := dialled.Load()
	t.Logf("%d connections, %d at once", n, most.Load())
	if n > 20 { // ten at first, then after 0.2, 0.4, 0.8, ... s
		t.Errorf("%d connections in 10 s", n)
	}
	away.Store(false)
	w.wantCounts(w.closed(run.ID), domain.Counts{Planned: 50, Accepted: 50})
}

func TestBackoff(t *testing.T) {
	b := backoff{second: time.Microsecond}
	if probing, ok := b.wait(t.Context()); probing || !ok {
		t.Error("a server that works is waited for")
	}
	for range 12 {
		b.fail()
		if probing, ok := b.wait(t.Context()); !probing || !ok {
			t.Fatal("nobody tries it")
		}
	}
	if left := b.until.Sub(b.last); left != 60*time.Microsecond {
		t.Errorf("the last wait is %v of 60", left)
	}
	other := make(chan bool)
	go func() {
		probing, _ := b.wait(t.Context())
		other <- probing
	}()
	b.works(b.last.Add(-time.Second)) // on an old connection
	b.leave()
	if !<-other {
		t.Error("the next one may not try")
	}
	b.works(b.last.Add(time.Second))
	if probing, ok := b.wait(t.Context()); probing || !ok || b.down.Load() {
		t.Error("it is not back")
	}
}

// Domains whose mail goes to the same hosts are slowed down together; nobody waits for DNS.
func TestDomainsAreGroupedByMX(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 100)
	g := newMXGroups(func(_ context.Context, name string) ([]*net.MX, error) {
		asked <- name
		switch name {
		case "a.example", "b.example":
			return []*net.MX{{Host: "alt.elsewhere.net.", Pref: 20}, {Host: "mx1." + name[:1] + ".provider.co.uk.", Pref: 5}}, nil
		case "own.example":
			return []*net.MX{{Host: "mail.own.example.", Pref: 10}}, nil
		}
		return nil, fmt.Errorf("no such domain")
	})
	for _, one := range []string{"x@A.example", "x@b.example", "x@own.example", "x@none.example", "y@b.example"} {
		if got := g.of(one); got != receivingDomain(one) {
			t.Errorf("%s is of %s before DNS has answered", one, got)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { g.run(ctx) })
	for range 4 {
		<-asked
	}
	want := map[string]string{"x@a.example": "provider.co.uk", "y@b.example": "provider.co.uk", "x@own.example": "own.example", "x@none.example": "none.example"}
	for one, group := range want {
		for deadline := time.Now().Add(time.Minute); g.of(one) != group; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s is of %s, want %s", one, g.of(one), group)
			}
		}
	}
	stop()
	all.Wait()
	if len(asked) != 0 {
		t.Errorf("asked %d times more than needed", len(asked))
	}
	for i := range 3 * maxGroups {
		g.learn(fmt.Sprint(i), "")
		if i%100 == 0 {
			g.of(fmt.Sprint("x@", i, ".new"))
			<-g.asked
		}
	}
	if len(g.known) > maxGroups+100 {
		t.Errorf("%d groups are kept", len(g.known))
	}
}

func TestThrottlesAreBounded(t *testing.T) {
	now := time.Now()
	all := throttles{second: time.Second, all: map[string]*throttle{}}
	for i := range 3 * maxThrottles {
		now = now.Add(time.Millisecond)
		all.refused(fmt.Sprint(i), 4, now, now, false)
	}
	if n := len(all.all); n != maxThrottles {
		t.Errorf("%d throttles are kept", n)
	}
	if all.of("0", now) != nil || all.of(fmt.Sprint(3*maxThrottles-1), now) == nil {
		t.Error("not the oldest was forgotten")
	}
	if all.of("2999", now.Add(24*time.Hour)) != nil {
		t.Error("what has come back is kept")
	}
}
