package engine

import (
	"context"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
)

// server is one of the mail servers, with what its senders share.
type server struct {
	smtp.Server
	rate          *rate.Limiter
	perConnection connectionLimit
	backoff       backoff
	slot          *slot
}

// servers are all that emails may be handed to.
type servers []*server

// anyWorks tells whether one of them is not known to be away.
func (s servers) anyWorks() bool {
	return slices.ContainsFunc(s, func(one *server) bool { return !one.backoff.down.Load() })
}

func newServers(settings []smtp.Server, second time.Duration) (all servers, slots []*slot) {
	for _, s := range settings {
		one := &slot{weight: s.Weight, conns: s.Conns, more: make(chan struct{}, 1), throttles: throttles{second: second, all: map[string]*throttle{}}}
		all = append(all, &server{Server: s, slot: one, rate: newRate(s.Rate), backoff: backoff{second: second}})
		slots = append(slots, one)
	}
	return all, slots
}

// backoff is when a server is dialled again after a failure: after 0.2 s, twice as long each time, up to a minute, by one
// sender at a time. Who is connected goes on meanwhile, and so do the other servers.
type backoff struct {
	second time.Duration // 1 s, but in tests
	down   atomic.Bool   // it has opened no envelope since the last failure
	failed atomic.Bool   // fails is above 0

	mu      sync.Mutex
	fails   int
	last    time.Time // the last one
	until   time.Time
	probing bool          // a sender dials
	changed chan struct{} // closed when the others may look again
}

const (
	firstRedial = 0.2 // seconds
	lastRedial  = 60
)

// wait until the server may be dialled; probing: whoever asks is the only one, and has to call works, fail or leave. It is not ok when
// ctx has ended.
func (b *backoff) wait(ctx context.Context) (probing, ok bool) {
	for b.failed.Load() && ctx.Err() == nil {
		b.mu.Lock()
		if b.fails == 0 {
			b.mu.Unlock()
			break
		}
		left := time.Until(b.until)
		if !b.probing && left <= 0 {
			b.probing = true
			b.mu.Unlock()
			return true, true
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		changed, timer := b.changed, (<-chan time.Time)(nil)
		if !b.probing {
			timer = time.After(left)
		}
		b.mu.Unlock()
		select {
		case <-ctx.Done():
		case <-changed:
		case <-timer:
		}
	}
	return false, ctx.Err() == nil
}

// fail notes that a connection got nowhere. Those that fail together count once.
func (b *backoff) fail() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = time.Now()
	if b.last.After(b.until) {
		b.fails++
		seconds := min(firstRedial*math.Pow(2, float64(b.fails-1)), lastRedial)
		b.until = b.last.Add(time.Duration(seconds * float64(b.second)))
	}
	b.down.Store(true)
	b.failed.Store(true)
	b.release()
}

// works takes failures back, once the server has opened an envelope. One on a connection from before them says nothing of new
// connections.
func (b *backoff) works(dialled time.Time) {
	if !b.failed.Load() {
		return
	}
	b.down.Store(false)
	b.mu.Lock()
	defer b.mu.Unlock()
	if dialled.After(b.last) {
		b.fails, b.until = 0, time.Time{}
		b.failed.Store(false)
		b.release()
	}
}

// leave is for a sender that was to try and had no email to try with.
func (b *backoff) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.release()
}

func (b *backoff) release() {
	b.probing = false
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// connectionLimit is how many emails the server takes on one connection, learned when it
// ended two in a row after the same number.
type connectionLimit struct {
	mu      sync.Mutex
	last, n int
}

func (l *connectionLimit) learn(answer domain.Answer, sent int) {
	if sent == 0 || answer.Code != 421 && !answer.ConnectionLimit() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if sent == l.last {
		l.n = sent
	}
	l.last = sent
}

func (l *connectionLimit) reached(sent int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n > 0 && sent >= l.n
}
