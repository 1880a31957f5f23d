package db

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"skychimp/db/postgres"

	gocache "github.com/eko/gocache/lib/v4/cache"
	"github.com/eko/gocache/lib/v4/store"
	memorystore "github.com/eko/gocache/store/go_cache/v4"
	memory "github.com/patrickmn/go-cache"
)

const (
	loadLimit    = 10 * time.Second
	loadPatience = time.Second    // of who could have the last value
	lastTTL      = 24 * time.Hour // of a last value: posts that were deleted go some day
)

// layers are the two caches for values of one type. What is in neither is loaded once for all who
// wait for it. Behind them stands the last value of each name, for as long as the database is away
// or slow: a reader gets something old rather than an error.
type layers[T any] struct {
	local   *memory.Cache
	chain   *gocache.ChainCache[T]
	log     *slog.Logger
	ctx     context.Context // ends what is being loaded
	running sync.WaitGroup

	mu      sync.Mutex
	loads   map[string]*loading[T] // under way, by key
	failing bool
}

// lookup is what a value is kept under and how it is loaded. Each version is loaded anew.
type lookup[T any] struct {
	name, version string
	ttl           time.Duration
	patience      time.Duration // after it a load is left to go on alone, where there is a last value
	limit         time.Duration // of a load
	load          func(context.Context) (T, error)
}

// loading is a load; value and err stand when done is closed.
type loading[T any] struct {
	begun time.Time
	done  chan struct{}
	value T
	err   error
}

// last is the value of a name that was loaded last, and when that began.
type last[T any] struct {
	begun time.Time
	value T
}

func newLayers[T any](ctx context.Context, local *memory.Cache, shared *shared, log *slog.Logger) *layers[T] {
	caches := []gocache.SetterCacheInterface[T]{gocache.New[T](memorystore.NewGoCache(local))}
	if shared != nil {
		caches = append(caches, gocache.New[T](&sharedStore[T]{shared: shared}))
	}
	return &layers[T]{local: local, chain: gocache.NewChain(caches...), log: log, ctx: ctx, loads: map[string]*loading[T]{}}
}

// get answers from the layers, or loads. The value is shared: nobody may change it.
func (l *layers[T]) get(ctx context.Context, asked lookup[T]) (T, error) {
	if l == nil {
		return asked.load(ctx)
	}
	key := asked.name + ":" + asked.version
	if value, ok := l.local.Get(key); ok {
		return value.(T), nil
	}
	one := l.begin(key, asked)
	before, kept := l.last(asked.name)
	var late <-chan time.Time
	if kept {
		late = time.After(time.Until(one.begun.Add(asked.patience)))
	}
	select {
	case <-one.done:
		if one.err == nil || !kept {
			return one.value, one.err
		}
	case <-late:
	case <-ctx.Done():
		if !kept {
			return before, postgres.TranslateError(context.Cause(ctx))
		}
	}
	return before, nil
}

// begin loads the value, if nobody does yet. That its first reader goes away must not fail the others.
func (l *layers[T]) begin(key string, asked lookup[T]) *loading[T] {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.loads[key]
	if ok {
		return one
	}
	one = &loading[T]{begun: time.Now(), done: make(chan struct{})}
	if value, ok := l.local.Get(key); ok { // it came meanwhile
		one.value = value.(T)
		close(one.done)
		return one
	}
	l.loads[key] = one
	l.running.Go(func() { l.finish(key, asked, one) })
	return one
}

func (l *layers[T]) finish(key string, asked lookup[T], one *loading[T]) {
	ctx, cancel := context.WithTimeout(l.ctx, asked.limit)
	defer cancel()
	if one.value, one.err = l.chain.Get(ctx, key); one.err != nil {
		one.value, one.err = asked.load(ctx)
		if one.err == nil {
			_ = l.chain.Set(ctx, key, one.value, store.WithExpiration(asked.ttl)) // Redis may be away
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.loads, key)
	if one.err == nil {
		l.keep(asked.name, last[T]{one.begun, one.value})
	} else if !l.failing && l.ctx.Err() == nil { // once an outage
		l.log.Warn("cache: going on with the last values", "name", asked.name, "error", one.err)
	}
	l.failing = one.err != nil
	close(one.done)
}

// keep makes a value the last of its name, unless one that was loaded later is there.
func (l *layers[T]) keep(name string, value last[T]) {
	if old, ok := l.local.Get("last:" + name); !ok || old.(last[T]).begun.Before(value.begun) {
		l.local.Set("last:"+name, value, lastTTL)
	}
}

func (l *layers[T]) last(name string) (value T, ok bool) {
	kept, ok := l.local.Get("last:" + name)
	if !ok {
		return value, false
	}
	return kept.(last[T]).value, true
}

func (l *layers[T]) close() {
	l.running.Wait()
	_ = l.chain.Close()
}
