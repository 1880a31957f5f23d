package web

import (
	"sync"
	"time"
)

// Limiter counts events by key in windows of a fixed length, in this process alone.
type Limiter struct {
	max    int
	window time.Duration
	mu     sync.Mutex
	counts map[string]count
	swept  time.Time
}

type count struct {
	n    int
	ends time.Time
}

// NewLimiter allows max events of a key in a window.
func NewLimiter(max int, window time.Duration) *Limiter {
	return &Limiter{max: max, window: window, counts: map[string]count{}}
}

// Take counts one event of the key. Over the limit it returns how long the key has to wait.
func (l *Limiter) Take(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	c := l.counts[key]
	if !now.Before(c.ends) {
		c = count{ends: now.Add(l.window)}
	}
	if c.n >= l.max {
		return c.ends.Sub(now)
	}
	c.n++
	l.counts[key] = c
	return 0
}

// sweep drops windows that are over, at most once a minute.
func (l *Limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key, c := range l.counts {
		if !now.Before(c.ends) {
			delete(l.counts, key)
		}
	}
}

// Limited holds back a network that sends the forms of strangers too often.
func Limited(next Handler) Handler {
	return func(r *Request) error {
		if wait := r.Site.requests.Take(r.Remote().Network(), time.Now()); wait > 0 {
			return TooMany("errors.too_many_requests", wait)
		}
		return next(r)
	}
}
