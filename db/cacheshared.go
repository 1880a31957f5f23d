package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	redisstore "github.com/eko/gocache/store/redis/v4"
	"github.com/redis/go-redis/v9"
)

const (
	sharedPrefix  = "skychimp:1:" // counts up when the cached types change their shape
	sharedTimeout = 100 * time.Millisecond
	sharedPause   = 5 * time.Second
)

// shared is the layer in Redis. After one failure it is left alone for sharedPause, so that a
// Redis that is away costs one short wait now and then, never an error.
type shared struct {
	client *redis.Client
	store  *redisstore.RedisStore
	closed atomic.Int64 // until when, in Unix nanoseconds
	log    *slog.Logger
}

func openShared(url string, log *slog.Logger) (*shared, error) {
	if url == "" {
		return nil, nil
	}
	options, err := redis.ParseURL(url)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	options.DialTimeout, options.ReadTimeout, options.WriteTimeout = sharedTimeout, sharedTimeout, sharedTimeout
	options.PoolTimeout, options.ContextTimeoutEnabled, options.MaxRetries = sharedTimeout, true, -1
	client := redis.NewClient(options)
	return &shared{client: client, store: redisstore.NewRedis(client), log: log}, nil
}

func (s *shared) close() {
	if s != nil {
		_ = s.client.Close()
	}
}

var errPaused = errors.New("redis failed a moment ago")

// try runs do within the time-out, whatever becomes of the caller.
func (s *shared) try(ctx context.Context, do func(context.Context) error) error {
	if time.Now().UnixNano() < s.closed.Load() {
		return errPaused
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTimeout)
	defer cancel()
	err := do(ctx)
	if err != nil && !errors.Is(err, redis.Nil) {
		s.closed.Store(time.Now().Add(sharedPause).UnixNano())
		s.log.Warn("cache: going on without Redis", "pause", sharedPause, "error", err)
	}
	return err
}

// sharedStore shows the layer to gocache for one type. A value carries its own end, because
// gocache reads value and time to live in two steps, between which a key can expire.
type sharedStore[T any] struct {
	store.StoreInterface // what the chain never calls
	shared               *shared
}

type sharedValue[T any] struct {
	Until time.Time
	Value T
}

// GetWithTTL reads and decodes a value.
func (s *sharedStore[T]) GetWithTTL(ctx context.Context, key any) (any, time.Duration, error) {
	var text any
	err := s.shared.try(ctx, func(ctx context.Context) (err error) {
		text, err = s.shared.store.Get(ctx, sharedPrefix+key.(string))
		return err
	})
	if err != nil {
		return nil, 0, err
	}
	var kept sharedValue[T]
	if err := json.Unmarshal([]byte(text.(string)), &kept); err != nil {
		return nil, 0, err
	}
	left := time.Until(kept.Until)
	if left <= 0 {
		return nil, 0, store.NotFoundWithCause(errPaused)
	}
	return kept.Value, left, nil
}

// Set encodes and writes a value.
func (s *sharedStore[T]) Set(ctx context.Context, key, value any, options ...store.Option) error {
	ttl := store.ApplyOptions(options...).Expiration
	text, err := json.Marshal(sharedValue[T]{time.Now().Add(ttl), value.(T)})
	if err != nil {
		return err
	}
	return s.shared.try(ctx, func(ctx context.Context) error {
		return s.shared.store.Set(ctx, sharedPrefix+key.(string), text, options...)
	})
}

// GetType implements gocache's store.
func (s *sharedStore[T]) GetType() string { return redisstore.RedisType }
