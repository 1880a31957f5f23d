package engine

import (
	"log/slog"
	"sync/atomic"
	"time"

	"skychimp/domain"
)

// standstill is how the heartbeat notices that emails which could be sent are not. Others may stop
// for good reasons: a limit, a quota, a pause, or a mail server that is slow or away, which the runs
// show by themselves.
type standstill struct {
	log     *slog.Logger
	queue   *queue
	servers servers

	moves     atomic.Int64 // groups of attempts recorded and of deliveries completed
	unfetched atomic.Bool  // there was something to fetch, and nothing could be
	waiting   []waiting    // by sender

	// The heartbeat's own.
	seen  int64 // moves at the last heartbeat
	since time.Time
	told  bool
}

// waiting is since when a sender has waited for its mail server, or for its turn under the server's
// rate: 0 when it waits for neither.
type waiting struct{ since atomic.Int64 }

func (w *waiting) begin() { w.since.Store(time.Now().UnixNano()) }
func (w *waiting) end()   { w.since.Store(0) }

// slowAnswer is how long an exchange takes that is the mail server's fault. One in which the program goes
// round in circles is much shorter.
const slowAnswer = 2 * time.Second

// check is asked at each heartbeat, and logs a standstill once.
func (s *standstill) check() bool {
	moves := s.moves.Load()
	still := moves == s.seen && (s.unfetched.Load() || s.queue.sendable()) && !s.serversWaited()
	s.seen = moves
	switch {
	case !still:
		if s.told {
			s.log.Info("emails move again")
		}
		s.since, s.told = time.Time{}, false
	case s.since.IsZero():
		s.since = time.Now()
	case !s.told && time.Since(s.since) > domain.Standstill:
		s.told = true
		var runs []int64
		for id := range s.queue.held() {
			runs = append(runs, id)
		}
		s.log.Error(domain.StandstillText, "runs", runs, "unfetched", s.unfetched.Load())
	}
	return still
}

// serversWaited tells whether the mail servers are the reason that nothing moves: all are away, or
// whoever asks one has asked for long.
func (s *standstill) serversWaited() bool {
	if !s.servers.anyWorks() {
		return true
	}
	asking := 0
	for i := range s.waiting {
		since := s.waiting[i].since.Load()
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
