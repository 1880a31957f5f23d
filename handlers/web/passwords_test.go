package web

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"skychimp/domain"
)

// The order in which requests get their turn, without a hash: each is held until the test lets it end.
func TestTurns(t *testing.T) {
	p := NewPasswords()
	var wg sync.WaitGroup
	defer wg.Wait()
	begun, end := make(chan string), make(chan bool)
	ask := func(ctx context.Context, turn Turn) chan error {
		result := make(chan error, 1)
		wg.Go(func() {
			result <- p.inTurn(ctx, turn, func() error { begun <- turn.Key; <-end; return nil })
		})
		return result
	}
	waits := func(n int) {
		for {
			p.mu.Lock()
			waiting := p.waiting
			p.mu.Unlock()
			if waiting == n {
				return
			}
			runtime.Gosched()
		}
	}
	flood := Turn{Key: "flood"}
	for range hashesAtOnce {
		ask(t.Context(), flood)
		<-begun
	}
	for i := range waitingOfKey {
		ask(t.Context(), flood)
		waits(i + 1)
	}
	if err := p.inTurn(t.Context(), flood, nil); domain.KindOf(err) != domain.Busy {
		t.Errorf("one network waits without end: %v", err)
	}
	gone, giveUp := context.WithCancel(t.Context())
	left := ask(gone, Turn{Key: "gone"})
	waits(waitingOfKey + 1)
	giveUp()
	if err := <-left; domain.KindOf(err) != domain.Busy {
		t.Errorf("who gives up is told %v", err)
	}
	ask(t.Context(), Turn{Key: "owner"})
	waits(waitingOfKey + 1)
	ask(t.Context(), Turn{Key: "known", Known: true})
	waits(waitingOfKey + 2)
	for i, want := range []string{"known", "flood", "owner", "flood", "flood", "flood"} {
		end <- true
		if got := <-begun; got != want {
			t.Errorf("turn %d is of %s, not of %s", i, got, want)
		}
	}
	// Many networks fill what there is; who is known gets in all the same.
	for i := range waitingOfMany {
		ask(t.Context(), Turn{Key: strconv.Itoa(i)})
		waits(i + 1)
	}
	if err := p.inTurn(t.Context(), Turn{Key: "one more"}, nil); domain.KindOf(err) != domain.Busy {
		t.Errorf("all networks wait without end: %v", err)
	}
	ask(t.Context(), Turn{Key: "known", Known: true})
	waits(waitingOfMany + 1)
	end <- true
	if got := <-begun; got != "known" {
		t.Errorf("%s goes before somebody known", got)
	}
	go func() {
		for range waitingOfMany + hashesAtOnce {
			end <- true
		}
	}()
	for range waitingOfMany {
		<-begun
	}
	wg.Wait()
	if p.running != 0 || p.waiting != 0 || len(p.lines) != 0 {
		t.Errorf("left over: %d running, %d waiting, %d lines", p.running, p.waiting, len(p.lines))
	}
}
