package domain

import "time"

// Throttle is how fast emails go to a receiver that has asked for fewer. It halves the rate, but not below what the receiver
// takes at the same time, keeps it for a minute, longer each time, and then climbs. A receiver that takes none at all gets
// none for as long, and then one email to try.
type Throttle struct {
	Rate  float64   // emails per second
	Conns float64   // emails under way at once, where the rate needs no more
	Until time.Time // no email goes before

	second   time.Duration // 1 s, less in tests
	top      float64       // the rate before
	hold     time.Duration // the last
	since    time.Time     // when what follows began to be counted
	cut      time.Time     // when the rate was halved last
	climb    time.Time     // when it may grow
	accepted int
	refused  int
	good     float64 // the rate before it grew, zero: nothing is known of it
	next     time.Time
	quick    bool    // the next refusal may have come just too early
	probing  bool    // one email at a time, since there was none
	latency  float64 // seconds from an email's envelope to its acceptance
}

// The times are in seconds of the throttle.
const (
	throttleHold    = 60      // the first
	throttleMaxHold = 30 * 60 // the longest
	throttleClimb   = 60      // from one step up to the next
	throttleStep    = 1.1
	throttleAssess  = 3  // how long it is watched what a receiver takes
	throttleProbe   = 10 // emails a second at least meanwhile
	throttleHangUps = 5  // refusals that end their connection, with nothing accepted, are enough
	halvesEvery     = 0.05
)

// NewThrottle is for a receiver that has refused an email of its sender for the first time, of rate emails per second and busy ones
// under way. second is 1 s, but in tests.
func NewThrottle(now time.Time, rate float64, busy int, second time.Duration) Throttle {
	perSecond := 1 / second.Seconds()
	t := Throttle{second: second, top: max(rate, 2*throttleProbe*perSecond), Conns: max(1, float64(busy)/2), hold: second * throttleHold}
	t.Rate = t.top / 2
	t.begin(now)
	return t
}

func (t *Throttle) begin(now time.Time) {
	t.since, t.cut, t.accepted, t.refused = now, now, 0, 0
	t.climb = now.Add(t.hold)
}

// Refused learns from an email that began at a time; hungUp: the connection ended. True: nothing goes from now on until
// Until.
func (t *Throttle) Refused(now, began time.Time, hungUp bool) bool {
	if began.Before(t.since) {
		return false // it was under way before
	}
	t.refused++
	watched := now.Sub(t.since)
	if t.quick { // a receiver that allows one email each moment would otherwise take every second one only
		t.quick, t.next = false, now.Add(t.interval()/4)
	}
	switch {
	case t.accepted == 0 && (t.probing || hungUp && t.refused >= throttleHangUps || watched >= throttleAssess*t.second):
		if !t.Until.IsZero() {
			t.hold = min(2*t.hold, throttleMaxHold*t.second)
		}
		if t.Conns = 1; !t.probing {
			t.Rate /= 2
		}
		t.begin(now.Add(t.hold))
		t.Until, t.probing = t.since, true
		return true
	case watched < throttleAssess*t.second:
		if !began.Before(t.cut) && now.Sub(t.cut).Seconds() >= halvesEvery*t.second.Seconds() {
			t.cut, t.Conns = now, max(1, t.Conns/2)
			t.Rate = min(t.Rate, max(t.Rate/2, throttleProbe/t.second.Seconds(), t.taken(max(watched, t.second/4))))
		}
		return false
	}
	t.Rate, t.Conns = max(t.Rate/2, min(t.Rate, max(t.taken(watched), t.good))), max(1, t.Conns/2)
	t.good = 0
	t.begin(now)
	t.hold = min(2*t.hold, throttleMaxHold*t.second)
	return false
}

// taken is how many emails a second the receiver has taken meanwhile. The one more is for what comes between two; the first answers come
// only after the latency.
func (t *Throttle) taken(watched time.Duration) float64 {
	seconds := watched.Seconds()
	return float64(t.accepted+1) / max(seconds-t.latency, seconds/2)
}

// Accepted learns from an email that began at a time.
func (t *Throttle) Accepted(now, began time.Time) {
	if began.Before(t.since) {
		return
	}
	t.accepted++
	t.probing, t.quick = false, true
	t.latency += (now.Sub(began).Seconds() - t.latency) / 4
}

// Climb lets the rate grow, and reports whether it has come back to where it was.
func (t *Throttle) Climb(now time.Time) (over bool) {
	for !now.Before(t.climb) && t.Rate < t.top {
		if t.probing {
			t.climb = now.Add(throttleClimb * t.second) // nobody knows yet whether it takes any
			return now.Sub(t.since) > throttleMaxHold*t.second
		}
		t.good = t.Rate
		t.Rate, t.Conns = t.Rate*throttleStep, t.Conns*throttleStep
		t.hold = max(t.hold/2, throttleHold*t.second)
		t.climb = t.climb.Add(throttleClimb * t.second)
	}
	return t.Rate >= t.top
}

// Begin notes that an email begins. One that is late is made up for.
func (t *Throttle) Begin(now time.Time) {
	if late := now.Add(-t.interval()); t.next.Before(late) {
		t.next = late
	}
	t.next = t.next.Add(t.interval())
}

func (t *Throttle) interval() time.Duration { return time.Duration(float64(time.Second) / t.Rate) }

// Wait is how long the nth email from now on has to wait, from 0.
func (t *Throttle) Wait(now time.Time, n int) time.Duration {
	begin := t.next
	if begin.Before(t.Until) {
		begin = t.Until
	}
	return max(0, begin.Sub(now)) + time.Duration(float64(n)*float64(t.interval()))
}

// Open tells whether another email may begin besides those that are under way, as far as these go.
func (t *Throttle) Open(now time.Time, busy int) bool {
	switch {
	case now.Before(t.Until), now.Before(t.next):
		return false
	case t.probing:
		return busy == 0
	}
	return float64(busy) < max(t.Conns, 1+t.Rate*t.latency)
}
