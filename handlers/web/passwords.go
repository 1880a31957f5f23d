package web

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"skychimp/domain"
)

// Each hash takes 64 MB and both cores for a tenth of a second, so only few run at once. Others wait,
// few of each key and not too many of all.
const (
	hashesAtOnce  = 2
	waitingOfKey  = 4
	waitingOfMany = 64
)

// refusedAfter is how long who is refused waits for that: a hundred connections that ask again at once would take
// the processor by being refused.
const refusedAfter = time.Second

// Passwords hashes with Argon2id. Keys take turns, one hash of each at once, so that one with many requests holds
// up nobody else.
type Passwords struct {
	strength argon2id.Params

	mu      sync.Mutex
	running []string // keys
	waiting int      // in all lines
	lines   []*line  // none is empty; the first is next
}

// Turn says for whom a password is hashed.
type Turn struct {
	Key   string // the network, or what is known of somebody
	Known bool   // goes before strangers
}

// line are the requests of a key that wait; each is told when it is its turn.
type line struct {
	Turn
	waiting []chan struct{}
}

// HashMemory is what a hash takes, in KiB: 64 MB and 0.1 s of a core.
const HashMemory = 64 << 10

// NewPasswords makes the hasher of a process. With less memory than HashMemory it is for tests.
func NewPasswords(memory uint32) *Passwords {
	return &Passwords{strength: argon2id.Params{Memory: memory, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 32}}
}

// nobody is the hash of a random password: it costs a stranger's try with an unknown address as much time
// as one with a known address.
func (p *Passwords) nobody() string {
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
		p.strength.Memory, p.strength.Iterations, p.strength.Parallelism)
}

// Hash is what is stored of a password. It fails with Busy when too many wait.
func (p *Passwords) Hash(ctx context.Context, turn Turn, password string) (hash string, err error) {
	err = p.inTurn(ctx, turn, func() error {
		hash, err = argon2id.CreateHash(password, &p.strength)
		return err
	})
	return hash, err
}

// Match tells whether the password is the one of the hash. An empty hash, of an address without
// an account, takes as long and matches nothing. It fails with Busy when too many wait.
func (p *Passwords) Match(ctx context.Context, turn Turn, password, hash string) (match bool, err error) {
	unknown := hash == ""
	if unknown {
		hash = p.nobody()
	}
	err = p.inTurn(ctx, turn, func() error {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match && !unknown, err
}

func (p *Passwords) inTurn(ctx context.Context, turn Turn, do func() error) error {
	called, ok := p.enter(turn)
	if !ok {
		select {
		case <-time.After(refusedAfter):
		case <-ctx.Done():
		}
		return Busy(time.Second)
	}
	if called != nil {
		select {
		case <-called:
		case <-ctx.Done():
			if p.leave(turn.Key, called) {
				return Busy(time.Second)
			}
		}
	}
	defer p.end(turn.Key)
	return do()
}

// enter begins at once (nil), or waits until it is called.
func (p *Passwords) enter(turn Turn) (called chan struct{}, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.running) < hashesAtOnce && !slices.Contains(p.running, turn.Key) {
		p.running = append(p.running, turn.Key)
		return nil, true
	}
	if p.waiting >= waitingOfMany && !turn.Known {
		return nil, false
	}
	at := p.lineOf(turn.Key)
	if at < 0 {
		at = len(p.lines)
		p.lines = append(p.lines, &line{Turn: turn})
	}
	own := p.lines[at]
	if len(own.waiting) >= waitingOfKey {
		return nil, false
	}
	called = make(chan struct{})
	own.waiting = append(own.waiting, called)
	p.waiting++
	return called, true
}

func (p *Passwords) lineOf(key string) int {
	return slices.IndexFunc(p.lines, func(l *line) bool { return l.Key == key })
}

// leave waits no longer; false when it has just been called.
func (p *Passwords) leave(key string, called chan struct{}) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := p.lineOf(key)
	if at < 0 {
		return false
	}
	own := p.lines[at]
	place := slices.Index(own.waiting, called)
	if place < 0 {
		return false
	}
	own.waiting = slices.Delete(own.waiting, place, place+1)
	p.waiting--
	if len(own.waiting) == 0 {
		p.lines = slices.Delete(p.lines, at, at+1)
	}
	return true
}

// end hands the slots that are free to known ones that wait, then to the keys whose turn it is.
func (p *Passwords) end(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := slices.Index(p.running, key)
	p.running = slices.Delete(p.running, at, at+1)
	for range hashesAtOnce - len(p.running) {
		p.next()
	}
}

// next calls who is next, when anybody may be.
func (p *Passwords) next() {
	free := func(l *line) bool { return !slices.Contains(p.running, l.Key) }
	at := slices.IndexFunc(p.lines, func(l *line) bool { return l.Known && free(l) })
	if at < 0 {
		at = slices.IndexFunc(p.lines, free)
	}
	if at < 0 {
		return
	}
	own := p.lines[at]
	p.running = append(p.running, own.Key)
	p.lines = slices.Delete(p.lines, at, at+1)
	close(own.waiting[0])
	own.waiting = own.waiting[1:]
	p.waiting--
	if len(own.waiting) > 0 {
		p.lines = append(p.lines, own)
	}
}

// Busy refuses because too much waits; after is when it may be better.
func Busy(after time.Duration) error {
	return slowDown{domain.Errorf(domain.Busy, "", "errors.busy_what"), after}
}
