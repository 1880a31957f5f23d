package engine

import (
	"slices"
	"sync/atomic"
	"time"

	"skychimp/domain"
)

// standstill is how the heartbeat notices that emails which could be sent are not. Others may stop
// for good reasons: a limit, a quota, a pause, or a mail server that is slow or away, which the runs
// show by themselves.
type standstill struct {
	moves     atomic.Int64 // groups of attempts recorded and of deliveries settled
	unclaimed atomic.Bool  // there was something to claim, and nothing could be
	asking    []asking     // by sender

	// The heartbeat's own.
	seen  int64 // moves at the last heartbeat
	since time.Time
	told  bool
}

// asking is since when a sender has waited for its mail server, or for its turn under the server's
// rate: 0 when it waits for neither.
type asking struct{ since atomic.Int64 }

func (a *asking) begin() { a.since.Store(time.Now().UnixNano()) }
func (a *asking) end()   { a.since.Store(0) }

// slowAnswer is how long an exchange takes that is the mail server's fault. One in which the program goes
// round in circles is much shorter.
const slowAnswer = 2 * time.Second

// standsStill is asked at each heartbeat, and logs a standstill once.
func (e *Engine) standsStill() bool {
	s := &e.standstill
	moves := s.moves.Load()
	still := moves == s.seen && (s.unclaimed.Load() || e.queue.sendable()) && !e.serversWaited()
	s.seen = moves
	switch {
	case !still:
		if s.told {
			e.Log.Info("emails move again")
		}
		s.since, s.told = time.Time{}, false
	case s.since.IsZero():
		s.since = time.Now()
	case !s.told && time.Since(s.since) > domain.Standstill:
		s.told = true
		var runs []int64
		for id := range e.queue.held() {
			runs = append(runs, id)
		}
		e.Log.Error(domain.StandstillText, "runs", runs, "unclaimed", s.unclaimed.Load())
	}
	return still
}

// serversWaited tells whether the mail servers are the reason that nothing moves: all are away, or
// whoever asks one has asked for long.
func (e *Engine) serversWaited() bool {
	if !slices.ContainsFunc(e.servers, func(s *server) bool { return !s.dialing.down.Load() }) {
		return true
	}
	asking := 0
	for i := range e.standstill.asking {
		since := e.standstill.asking[i].since.Load()
		if since == 0 {
			continue
		}
		if time.Since(time.Unix(0, since)) < slowAnswer {
			return false
		}
		asking++
	}
	return asking > 0
}
