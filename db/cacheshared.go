package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/eko/gocache/lib/v4/store"
	"github.com/gomodule/redigo/redis"
)

const (
	sharedPrefix  = "skychimp:1:" // counts up when the cached types change their shape
	sharedTimeout = 100 * time.Millisecond
	sharedPause   = 5 * time.Second
)

// shared is the layer in Redis. After one failure it is left alone for sharedPause, so that a
// Redis that is away costs one short wait now and then, never an error.
type shared struct {
	pool   *redis.Pool
	closed atomic.Int64 // until when, in Unix nanoseconds
	log    *slog.Logger
}

func openShared(address string, log *slog.Logger) (*shared, error) {
	if address == "" {
		return nil, nil
	}
	dial, err := redisDialer(address)
	if err != nil {
		return nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return &shared{log: log, pool: &redis.Pool{
		DialContext: dial, MaxIdle: 10, MaxActive: 64, Wait: true, IdleTimeout: 5 * time.Minute,
		// After a restart of Redis the first one to meet a dead connection must not make all wait again.
		TestOnBorrowContext: func(ctx context.Context, conn redis.Conn, last time.Time) error {
			if time.Since(last) < time.Second {
				return nil
			}
			_, err := redis.DoContext(conn, ctx, "PING")
			return err
		},
	}}, nil
}

// redisDialer reads redis://user:password@host:6379/0, rediss:// with TLS, or
// unix://user:password@/path/to/redis.sock?db=0.
func redisDialer(address string) (func(context.Context) (redis.Conn, error), error) {
	at, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	options := []redis.DialOption{redis.DialConnectTimeout(sharedTimeout), redis.DialTLSHandshakeTimeout(sharedTimeout),
		redis.DialReadTimeout(sharedTimeout), redis.DialWriteTimeout(sharedTimeout)}
	number := strings.Trim(at.Path, "/")
	if at.Scheme == "unix" {
		number = at.Query().Get("db")
	}
	chosen, err := strconv.Atoi("0" + number)
	if err != nil {
		return nil, fmt.Errorf("database %q is not a number", number)
	}
	switch at.Scheme {
	case "redis", "rediss":
		return func(ctx context.Context) (redis.Conn, error) { return redis.DialURLContext(ctx, address, options...) }, nil
	case "unix":
		password, _ := at.User.Password()
		options = append(options, redis.DialUsername(at.User.Username()), redis.DialPassword(password), redis.DialDatabase(chosen))
		return func(ctx context.Context) (redis.Conn, error) {
			return redis.DialContext(ctx, "unix", at.Path, options...)
		}, nil
	}
	return nil, fmt.Errorf("scheme %q is none of redis, rediss and unix", at.Scheme)
}

func (s *shared) close() {
	if s != nil {
		_ = s.pool.Close()
	}
}

var errPaused = errors.New("redis failed a moment ago")

// do has Redis carry out a command within the time-out, whatever becomes of the caller.
func (s *shared) do(ctx context.Context, command string, args ...any) (any, error) {
	if time.Now().UnixNano() < s.closed.Load() {
		return nil, errPaused
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sharedTimeout)
	defer cancel()
	conn, err := s.pool.GetContext(ctx)
	var reply any
	if err == nil {
		reply, err = redis.DoContext(conn, ctx, command, args...)
		_ = conn.Close()
	}
	if err != nil {
		s.closed.Store(time.Now().Add(sharedPause).UnixNano())
		s.log.Warn("cache: going on without Redis", "pause", sharedPause, "error", err)
	}
	return reply, err
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
	text, err := redis.Bytes(s.shared.do(ctx, "GET", sharedPrefix+key.(string)))
	if err != nil {
		return nil, 0, err
	}
	var kept sharedValue[T]
	if err := json.Unmarshal(text, &kept); err != nil {
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
	_, err = s.shared.do(ctx, "SET", sharedPrefix+key.(string), text, "PX", ttl.Milliseconds())
	return err
}

// GetType implements gocache's store.
func (s *sharedStore[T]) GetType() string { return "redis" }
