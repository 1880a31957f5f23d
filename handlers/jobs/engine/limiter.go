package engine

import (
	"time"

	"golang.org/x/time/rate"

	"skychimp/domain"
)

// slot is where the senders of one server wait for emails. An email goes to the server that is
// most behind its weight, among those with a sender that is free.
type slot struct {
	weight  float64
	conns   int
	taken   float64 // emails
	waiting int     // senders
	more    chan struct{}

	throttles throttles
}

func (s *slot) behind(other *slot) bool { return s.taken/s.weight < other.taken/other.weight }

// limiter holds emails of one domain, or of one owner, to its limit. A nil limiter bounds nothing.
type limiter struct {
	rate  *rate.Limiter // nil: no limit
	conns int           // 0: no limit
	busy  int           // emails under way
}

func newLimiter(limit domain.Limit) *limiter {
	if limit == (domain.Limit{}) {
		return nil
	}
	l := &limiter{conns: limit.Conns}
	if limit.Rate > 0 {
		l.rate = newRate(limit.Rate)
	}
	return l
}

// newRate lets so many emails a second go, those of a twentieth of it at once; 0: no limit.
func newRate(perSecond float64) *rate.Limiter {
	limit := rate.Limit(perSecond)
	if perSecond == 0 {
		limit = rate.Inf
	}
	return rate.NewLimiter(limit, max(1, int(perSecond/20)))
}

func (l *limiter) open(now time.Time) bool {
	return l == nil || (l.conns == 0 || l.busy < l.conns) && (l.rate == nil || l.rate.TokensAt(now) >= 1)
}

func (l *limiter) enter(now time.Time) {
	if l == nil {
		return
	}
	l.busy++
	if l.rate != nil {
		l.rate.AllowN(now, 1)
	}
}

func (l *limiter) leave() {
	if l != nil {
		l.busy--
	}
}
