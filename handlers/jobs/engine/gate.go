package engine

import (
	"time"

	"golang.org/x/time/rate"

	"skychimp/domain"
)

// door is where the senders of one server wait for letters. A letter goes to the server that is
// most behind its weight, among those with a sender that is free.
type door struct {
	weight  float64
	taken   float64 // letters
	waiting int     // senders
	more    chan struct{}
}

func (d *door) behind(other *door) bool { return d.taken/d.weight < other.taken/other.weight }

// gate holds letters of one domain, or of one owner, to its limit. A nil gate is open.
type gate struct {
	rate  *rate.Limiter // nil: no limit
	conns int           // 0: no limit
	busy  int           // letters under way
}

func newGate(limit domain.Limit) *gate {
	if limit == (domain.Limit{}) {
		return nil
	}
	g := &gate{conns: limit.Conns}
	if limit.Rate > 0 {
		g.rate = newLimiter(limit.Rate)
	}
	return g
}

// newLimiter lets so many letters a second go, those of a twentieth of it at once; 0: no limit.
func newLimiter(perSecond float64) *rate.Limiter {
	limit := rate.Limit(perSecond)
	if perSecond == 0 {
		limit = rate.Inf
	}
	return rate.NewLimiter(limit, max(1, int(perSecond/20)))
}

func (g *gate) open(now time.Time) bool {
	return g == nil || (g.conns == 0 || g.busy < g.conns) && (g.rate == nil || g.rate.TokensAt(now) >= 1)
}

func (g *gate) enter(now time.Time) {
	if g == nil {
		return
	}
	g.busy++
	if g.rate != nil {
		g.rate.AllowN(now, 1)
	}
}

func (g *gate) leave() {
	if g != nil {
		g.busy--
	}
}
