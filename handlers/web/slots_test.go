package web

import (
	"context"
	"sync"
	"testing"
	"time"

	"skychimp/domain"
)

func TestSlots(t *testing.T) {
	s := NewSlots(2, 1, time.Minute)
	first, err := s.Take(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Take(t.Context(), 2)
	if err != nil {
		t.Fatal("one user holds another up")
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := s.Take(ended, 1); domain.KindOf(err) != domain.TooMany {
		t.Errorf("a second slot: %v", err)
	}
	if _, err := s.Take(ended, 3); domain.KindOf(err) != domain.TooMany {
		t.Errorf("a third user: %v", err)
	}
	var wait sync.WaitGroup
	for user := range int64(3) {
		for range 4 {
			wait.Go(func() {
				release, err := s.Take(t.Context(), user)
				if err != nil {
					t.Errorf("user %d: %v", user, err)
					return
				}
				release()
				release() // once is enough
			})
		}
	}
	first()
	second()
	wait.Wait()
	if s.busy != 0 || len(s.running) != 0 || len(s.waiting) != 0 {
		t.Errorf("%d slots stay busy, %v, %v", s.busy, s.running, s.waiting)
	}
}

// Who waits for many is refused at once.
func TestSlotsOfOneUser(t *testing.T) {
	s := NewSlots(1, 1, time.Minute)
	release, err := s.Take(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	refused := make(chan error)
	for range most + 1 {
		go func() {
			release, err := s.Take(t.Context(), 1)
			if err == nil {
				release()
			}
			refused <- err
		}()
	}
	if err := <-refused; domain.KindOf(err) != domain.TooMany {
		t.Errorf("who is one too many: %v", err)
	}
	release()
	for range 4 {
		if err := <-refused; err != nil {
			t.Error(err)
		}
	}
}
