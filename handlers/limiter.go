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

// take counts one event of the key. Over the limit it returns how long the key has to wait.
func (l *limiter) take(key string, now time.Time) time.Duration {
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
