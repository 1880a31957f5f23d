package db

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	memory "github.com/patrickmn/go-cache"

	"skychimp/db/postgres"
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
	config := db.pg.Pool.Config().ConnConfig
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
// doesn't wait to hear it, so that writers read what they wrote.
func (db *DB) changed(ctx context.Context, tx Tx, topic string) error {
	announcement := postgres.NewCacheVersion(topic)
	tx.AfterCommit(func() { db.cache.hear(announcement) })
	return tx.Notify(ctx, announcement)
}

// hear takes over an announcement, of one topic or of all.
func (c *cache) hear(announcement postgres.CacheChanged) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latest == nil { // not started
		return
	}
	if announcement.Topic != postgres.AllTopics {
		c.latest[announcement.Topic] = announcement.Version
		return
	}
	c.deaf = false
	for topic := range c.latest {
		c.latest[topic] = announcement.Version
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
	if err := postgres.Listen(ctx, conn, postgres.ChannelCache); err != nil {
		return err
	}
	if err := postgres.NotifyOn(ctx, conn, postgres.NewCacheVersion(postgres.AllTopics)); err != nil {
		return err
	}
	for {
		heard, err := postgres.WaitForNotification(ctx, conn, cacheTTL)
		if err != nil {
			return err
		}
		if announcement, ok := heard.(postgres.CacheChanged); ok {
			c.hear(announcement)
		}
	}
}
