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
	p := NewPasswords(HashMemory)
	var wg sync.WaitGroup
	defer wg.Wait()
	begun, end := make(chan string), map[string]chan bool{}
	for _, key := range []string{"flood", "other", "gone", "owner", "known"} {
		end[key] = make(chan bool)
	}
	for i := range waitingOfMany {
		end[strconv.Itoa(i)] = make(chan bool)
	}
	ask := func(ctx context.Context, turn Turn) chan error {
		result := make(chan error, 1)
		wg.Go(func() {
			result <- p.inTurn(ctx, turn, func() error { begun <- turn.Key; <-end[turn.Key]; return nil })
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
	then := func(ends, begins string) {
		t.Helper()
		end[ends] <- true
		if got := <-begun; got != begins {
			t.Errorf("after %s begins %s, not %s", ends, got, begins)
		}
	}
	flood := Turn{Key: "flood"}
	for _, key := range []string{"flood", "other"} {
		ask(t.Context(), Turn{Key: key})
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
	then("other", "known")
	then("known", "owner")
	end["owner"] <- true // and one slot is free, of which the flood gets none: it has one
	ask(t.Context(), Turn{Key: "other"})
	if got := <-begun; got != "other" {
		t.Errorf("%s begins", got)
	}
	for range waitingOfKey {
		then("flood", "flood")
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
	then("flood", "known")
	then("known", "0")
	then("other", "1")
	for i := range waitingOfMany - hashesAtOnce {
		then(strconv.Itoa(i), strconv.Itoa(i+hashesAtOnce))
	}
	for i := waitingOfMany - hashesAtOnce; i < waitingOfMany; i++ {
		end[strconv.Itoa(i)] <- true
	}
	wg.Wait()
	if len(p.running) != 0 || p.waiting != 0 || len(p.lines) != 0 {
		t.Errorf("left over: %v running, %d waiting, %d lines", p.running, p.waiting, len(p.lines))
	}
}
