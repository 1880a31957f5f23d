package engine

import (
	"context"
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

func newServers(settings []smtp.Server) (all servers, slots []*slot) {
	for _, s := range settings {
		one := &slot{weight: s.Weight, more: make(chan struct{}, 1)}
		all = append(all, &server{Server: s, slot: one, rate: newRate(s.Rate)})
		slots = append(slots, one)
	}
	return all, slots
}

// backoff makes all senders of a server wait after a failure, longer each time, up to 3 s, so
// that a server that is away is neither flooded nor found again late. Meanwhile the other
// servers have the emails to themselves.
type backoff struct {
	down  atomic.Bool
	mu    sync.Mutex
	fails int
	until time.Time
}

// wait is false when ctx has ended.
func (b *backoff) wait(ctx context.Context) bool {
	if b.down.Load() {
		b.mu.Lock()
		until := b.until
		b.mu.Unlock()
		pause(ctx, time.Until(until))
	}
	return ctx.Err() == nil
}

func (b *backoff) failed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Now().After(b.until) {
		b.fails++
		b.until = time.Now().Add(min(100*time.Millisecond<<min(b.fails, 5), 3*time.Second))
	}
	b.down.Store(true)
}

// works takes a failure back, once the server has opened an envelope.
func (b *backoff) works() {
	if b.down.Load() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.fails, b.until = 0, time.Time{}
		b.down.Store(false)
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
