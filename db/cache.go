package db

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	memory "github.com/patrickmn/go-cache"

	"skychimp/domain"
)

const (
	cacheTTL = 30 * time.Second
	deafTTL  = time.Second // while no notification can be heard
)

// cache keeps what the public pages show: first in this process, then in Redis. Every key
// ends in a version. A writing transaction announces a new version when it commits (changed),
// all instances hear the announcements in the same order, so they always agree on the keys
// without asking anybody, and a value that was loaded too early lies under a key that nobody
// reads any more. The zero cache keeps nothing.
type cache struct {
	stats  *layers[domain.Stats]
	posts  *layers[[]domain.Post]
	shared *shared

	mu     sync.RWMutex
	latest map[string]string // version by topic
	deaf   bool

	stop context.CancelFunc
	done sync.WaitGroup
}

// StartCache begins to cache the public pages' data, with Redis as a second layer unless
// redisURL is empty. Close ends it.
func (db *DB) StartCache(redisURL string, log *slog.Logger) error {
	c, err := &db.cache, error(nil)
	if c.shared, err = openShared(redisURL, log); err != nil {
		return err
	}
	local := memory.New(memory.NoExpiration, time.Minute)
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.stats = newLayers[domain.Stats](ctx, local, c.shared, log)
	c.posts = newLayers[[]domain.Post](ctx, local, c.shared, log)
	c.forget()
	if err := db.Home().recall(ctx); err != nil {
		log.Warn("cache: the numbers of the home page are not known yet", "error", err)
	}
	config := db.Pool.Config().ConnConfig
	config.RuntimeParams["application_name"] = "skychimp cache"
	c.done.Go(func() { c.listen(ctx, config, log) })
	c.done.Go(func() { db.Home().refresh(ctx) })
	return nil
}

func (c *cache) close() {
	if c.stop == nil {
		return
	}
	c.stop()
	c.done.Wait()
	c.stats.close()
	c.posts.close()
	c.shared.close()
}

// forget starts versions of this process's own, because announcements may have been missed. It
// tells whether they were heard until now.
func (c *cache) forget() (heard bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	own := rand.Text()
	heard = c.latest != nil && !c.deaf
	c.latest, c.deaf = map[string]string{"stats": own, "posts": own}, true
	return heard
}

// changed makes every instance forget what it has cached of a topic (`stats`, `posts`) when the
// transaction commits: it announces the version that all of them go on with. This instance
// doesn't wait to hear it, so that who has written reads what he wrote.
func changed(ctx context.Context, tx Tx, topic string) error {
	announcement := topic + " " + rand.Text()
	*tx.announced = append(*tx.announced, announcement)
	return notify(ctx, tx, "cache", announcement)
}

// hear takes over an announcement: `<topic> <version>`, topic `all` for every topic.
func (c *cache) hear(payload string) {
	topic, version, _ := strings.Cut(payload, " ")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest == nil { // not started
		return
	}
	if topic != "all" {
		c.latest[topic] = version
		return
	}
	c.deaf = false
	for topic := range c.latest {
		c.latest[topic] = version
	}
}

// version is the current version of a topic and how long a value of it may be kept.
func (c *cache) version(topic string) (string, time.Duration) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.deaf {
		return c.latest[topic], deafTTL
	}
	return c.latest[topic], cacheTTL
}

// listen follows the announcements until ctx ends, on a connection of its own.
func (c *cache) listen(ctx context.Context, config *pgx.ConnConfig, log *slog.Logger) {
	for ctx.Err() == nil {
		err := c.follow(ctx, config)
		if c.forget() && ctx.Err() == nil { // once an outage
			log.Warn("cache: no announcements from the database", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// follow begins with an announcement for all instances: it is what gives the newcomer the
// same versions as the others.
func (c *cache) follow(ctx context.Context, config *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	}()
	if _, err := conn.Exec(ctx, "LISTEN cache"); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, "SELECT pg_notify('cache', $1)", "all "+rand.Text()); err != nil {
		return err
	}
	for {
		heard, err := hear(ctx, conn)
		if err != nil {
			return err
		}
		c.hear(heard.Payload)
	}
}
