package engine

import (
	"context"
	"errors"
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
	limit   *rate.Limiter
	limits  connectionLimit
	dialing dialing
	door    *door
}

func newServers(settings []smtp.Server) (servers []*server, doors []*door) {
	for _, s := range settings {
		d := &door{weight: s.Weight, more: make(chan struct{}, 1)}
		servers = append(servers, &server{Server: s, door: d, limit: newLimiter(s.Rate)})
		doors = append(doors, d)
	}
	return servers, doors
}

// dialing makes all senders of a server wait after a failure, longer each time, up to 3 s, so
// that a server that is away is neither flooded nor found again late. Meanwhile the other
// servers have the letters to themselves.
type dialing struct {
	down  atomic.Bool
	mu    sync.Mutex
	fails int
	until time.Time
}

// wait is false when ctx has ended.
func (d *dialing) wait(ctx context.Context) bool {
	if d.down.Load() {
		d.mu.Lock()
		until := d.until
		d.mu.Unlock()
		pause(ctx, time.Until(until))
	}
	return ctx.Err() == nil
}

func (d *dialing) failed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if time.Now().After(d.until) {
		d.fails++
		d.until = time.Now().Add(min(100*time.Millisecond<<min(d.fails, 5), 3*time.Second))
	}
	d.down.Store(true)
}

// works takes a failure back, once the server has opened an envelope.
func (d *dialing) works() {
	if d.down.Load() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.fails, d.until = 0, time.Time{}
		d.down.Store(false)
	}
}

// connect opens the sender's connection. When there is none, the letter goes back, for another
// server if there is one.
func (s *sender) connect(it item) bool {
	conn, err := smtp.Dial(s.hard, s.server.Server)
	if err == nil {
		s.conn = conn
		return true
	}
	s.queue.giveBack(it)
	s.down(answerOf(err))
	return false
}

// answerOf is what a server answered when it let nobody in.
func answerOf(err error) domain.Answer {
	if failure, ok := errors.AsType[*smtp.Failure](err); ok {
		return failure.Answer
	}
	return domain.NewAnswer(domain.StageConnect, 0, err.Error())
}

// down is what a failure means that is the server's, not a letter's. When no other server
// works, the runs in hand show it, or pause where it is the sender that is not wanted.
func (s *sender) down(answer domain.Answer) {
	s.Log.Warn("the mail server takes no letters", "server", s.server.Addr, "stage", answer.Stage, "answer", answer.String())
	s.server.dialing.failed()
	for _, other := range s.servers {
		if !other.dialing.down.Load() {
			return
		}
	}
	if answer.Verdict() == domain.SenderBroken {
		s.pauseRuns(answer)
	} else {
		s.trouble(answer.String())
	}
}
