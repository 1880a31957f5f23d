package web

import (
	"bufio"
	"context"
	"sync"
	"time"
)

// Slots bound how much of what costs much runs at once, in all and for one user, so that nobody takes
// the machine from the others.
type Slots struct {
	total, each int
	patience    time.Duration // how long a request waits for a slot

	mu      sync.Mutex
	busy    int
	running map[int64]int // by user
	waiting map[int64]int
	freed   chan struct{} // closed when a slot becomes free
}

// NewSlots has total slots, of which a user may take so many as each, and for which a request waits for patience.
func NewSlots(total, each int, patience time.Duration) *Slots {
	return &Slots{total: total, each: each, patience: patience, running: map[int64]int{}, waiting: map[int64]int{}, freed: make(chan struct{})}
}

// most is how many requests of a user may wait for a slot. Who asks without a pause over some connections is held
// up by waiting, which costs less than being refused again and again.
const most = 50

// Take waits for a slot, which release gives back. It refuses who waits for many already, or for long.
func (s *Slots) Take(ctx context.Context, user int64) (release func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting[user] >= most {
		return nil, TooMany("errors.busy", time.Second)
	}
	s.waiting[user]++
	defer s.drop(s.waiting, user)
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	for s.busy >= s.total || s.running[user] >= s.each {
		freed := s.freed
		s.mu.Unlock()
		select {
		case <-freed:
		case <-ctx.Done():
		}
		s.mu.Lock()
		if ctx.Err() != nil {
			return nil, TooMany("errors.busy", time.Second)
		}
	}
	s.busy++
	s.running[user]++
	return sync.OnceFunc(func() { s.release(user) }), nil
}

func (s *Slots) release(user int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	s.drop(s.running, user)
	close(s.freed)
	s.freed = make(chan struct{})
}

// drop counts one less.
func (s *Slots) drop(counts map[int64]int, user int64) {
	if counts[user]--; counts[user] == 0 {
		delete(counts, user)
	}
}

// Costly answers in a slot of the viewer's, who is signed in.
func Costly(next Handler) Handler {
	return func(r *Request) error {
		release, err := r.Site.costly.Take(r.UserContext(), r.Viewer.User.ID)
		if err != nil {
			return err
		}
		defer release()
		return next(r)
	}
}

// Unfolding waits until nobody else's file is unpacked, which may take some hundred MB.
func (r *Request) Unfolding() (release func(), err error) {
	return r.Site.unfolding.Take(r.UserContext(), r.Viewer.User.ID)
}

// Stream writes an answer that takes long while it is made, one at a time for a viewer.
func (r *Request) Stream(write func(out *bufio.Writer)) error {
	release, err := r.Site.streams.Take(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	r.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		defer release()
		write(out)
	})
	return nil
}
