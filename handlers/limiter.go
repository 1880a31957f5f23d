package handlers

import (
	"sync"
	"time"
)

// limiter counts events by key in windows of a fixed length, in this process alone.
type limiter struct {
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

func newLimiter(max int, window time.Duration) *limiter {
	return &limiter{max: max, window: window, counts: map[string]count{}}
}

// wait is how long the key has to wait, 0 when it may go on.
func (l *limiter) wait(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c := l.counts[key]; c.n >= l.max && now.Before(c.ends) {
		return c.ends.Sub(now)
	}
	return 0
}

// add counts one event.
func (l *limiter) add(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sweep(now)
	c := l.counts[key]
	if !now.Before(c.ends) {
		c = count{ends: now.Add(l.window)}
	}
	c.n++
	l.counts[key] = c
}

// forget starts the key's count anew.
func (l *limiter) forget(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.counts, key)
}

// sweep drops windows that are over, at most once a minute.
func (l *limiter) sweep(now time.Time) {
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
