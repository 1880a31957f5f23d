package domain

import (
	"testing"
	"time"
)

// receiver takes perSecond emails and a burst of them, and refuses the others. It answers after latency.
type receiver struct {
	perSecond, burst float64
	latency          time.Duration
	tokens           float64
	at               time.Time
}

func (r *receiver) takes(now time.Time) bool {
	r.tokens = min(r.burst, r.tokens+now.Sub(r.at).Seconds()*r.perSecond)
	r.at = now
	if r.tokens < 1 {
		return false
	}
	r.tokens--
	return true
}

// simulate sends emails at what the throttle allows, at conns connections, and tells when the last was accepted and how many were refused. Its
// clock is made up.
func simulate(r receiver, emails, conns int, hungUp bool, limit time.Duration) (took time.Duration, refused int) {
	begin := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	r.at, r.tokens = begin, r.burst
	type email struct{ began, answered time.Time }
	var t *Throttle
	var under []email
	for now := begin; now.Sub(begin) < limit; now = now.Add(time.Millisecond) {
		rest := under[:0]
		for _, e := range under {
			switch {
			case now.Before(e.answered):
				rest = append(rest, e)
			case r.takes(now):
				if emails--; emails == 0 {
					return now.Sub(begin), refused
				}
				if t != nil {
					t.Accepted(now, e.began)
				}
			default:
				refused++
				if t == nil {
					first := NewThrottle(now, float64(conns)/r.latency.Seconds(), conns, time.Second)
					t = &first
				} else {
					t.Refused(now, e.began, hungUp)
				}
			}
		}
		under = rest
		for len(under) < min(conns, emails) {
			if t != nil && (t.Climb(now) || !t.Open(now, len(under))) {
				break
			}
			if t != nil {
				t.Begin(now)
			}
			under = append(under, email{now, now.Add(r.latency)})
		}
	}
	return limit, refused
}

// A receiver that takes so many emails a second gets them, however it counts and however far away it is.
func TestThrottleFindsTheRate(t *testing.T) {
	for name, c := range map[string]struct {
		r       receiver
		emails  int
		conns   int
		least   time.Duration
		refused int
	}{
		"5/s, near":             {receiver{perSecond: 5, burst: 1, latency: 2 * time.Millisecond}, 200, 10, 40 * time.Second, 600},
		"5/s, one after other":  {receiver{perSecond: 5, burst: 5, latency: 2 * time.Millisecond}, 200, 1, 39 * time.Second, 600},
		"5/s, far":              {receiver{perSecond: 5, burst: 1, latency: 500 * time.Millisecond}, 200, 50, 40 * time.Second, 150},
		"5/s, with a burst":     {receiver{perSecond: 5, burst: 20, latency: 20 * time.Millisecond}, 200, 10, 36 * time.Second, 300},
		"14/s, 50 connections":  {receiver{perSecond: 14, burst: 14, latency: 30 * time.Millisecond}, 560, 50, 40 * time.Second, 400},
		"100/s":                 {receiver{perSecond: 100, burst: 10, latency: 10 * time.Millisecond}, 4000, 50, 40 * time.Second, 700},
		"1/s":                   {receiver{perSecond: 1, burst: 1, latency: 10 * time.Millisecond}, 60, 10, 60 * time.Second, 300},
		"5/s, 1,000 emails, 2m": {receiver{perSecond: 5, burst: 1, latency: 100 * time.Millisecond}, 1000, 10, 200 * time.Second, 200},
	} {
		took, refused := simulate(c.r, c.emails, c.conns, false, 10*time.Minute)
		t.Logf("%s: %v of %v, %d refused", name, took, c.least, refused)
		if took > c.least*13/10 {
			t.Errorf("%s: %d emails took %v, want at most 1.3 x %v", name, c.emails, took, c.least)
		}
		if refused > c.refused {
			t.Errorf("%s: %d refused, want at most %d", name, refused, c.refused)
		}
	}
}

// A receiver that takes nothing is left alone, for longer and longer.
func TestThrottleLeavesAlone(t *testing.T) {
	for name, c := range map[string]struct {
		hungUp  bool
		most    int
		latency time.Duration
	}{
		"that hangs up":   {true, 30, 50 * time.Millisecond},
		"that stays":      {false, 80, 50 * time.Millisecond},
		"that stays, far": {false, 80, time.Second},
	} {
		_, refused := simulate(receiver{latency: c.latency}, 1000, 10, c.hungUp, 2*time.Hour)
		t.Logf("%s: %d refused in two hours", name, refused)
		if refused > c.most {
			t.Errorf("%s was asked %d times in two hours, want at most %d", name, refused, c.most)
		}
	}
}

func TestThrottleClimbs(t *testing.T) {
	now := time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)
	later := func(d time.Duration) time.Time { return now.Add(d) }
	th := NewThrottle(now, 100, 20, time.Second)
	if th.Rate != 50 || th.Conns != 10 {
		t.Errorf("not halved: %+v", th)
	}
	if th.Refused(later(time.Second), now.Add(-time.Second), true) || th.Rate != 50 {
		t.Error("an email that was under way counts")
	}
	if th.Climb(later(59*time.Second)) || th.Rate != 50 {
		t.Errorf("it climbs within the minute: %v", th.Rate)
	}
	if th.Climb(later(60*time.Second)) || th.Rate < 54.9 || th.Rate > 55.1 {
		t.Errorf("after a minute: %v", th.Rate)
	}
	if !th.Climb(later(10 * time.Minute)) {
		t.Errorf("it never comes back: %v", th.Rate)
	}

	th = NewThrottle(now, 100, 20, time.Second)
	var holds []time.Duration
	for at := time.Second; len(holds) < 8; at += time.Second {
		if now := later(at); th.Open(now, 0) && th.Refused(now, now, true) {
			holds = append(holds, th.Until.Sub(now))
		}
	}
	for i, want := range []time.Duration{1, 2, 4, 8, 16, 30, 30, 30} {
		if holds[i] != want*time.Minute {
			t.Errorf("hold %d is %v, want %v min", i+1, holds[i], want)
		}
	}
	if th.Open(th.Until, 1) || !th.Open(th.Until, 0) {
		t.Error("more than one email tries it")
	}
	th.Accepted(th.Until.Add(time.Second), th.Until)
	if th.Refused(th.Until.Add(2*time.Second), th.Until.Add(time.Second), true) {
		t.Error("one refusal among acceptances holds everything")
	}
}
