package db

import (
	"context"
	"sync"
	"time"

	"skychimp/domain"
)

// Stats are the numbers of the home page.
func (db *DB) Stats(ctx context.Context) (domain.Stats, error) {
	version, ttl := db.cache.version("stats")
	stats, err := db.cache.stats.get(ctx, "mailings", version, ttl, db.countMailings)
	if err != nil {
		return domain.Stats{}, err
	}
	stats.Clients, err = db.uniqueClients(ctx, version, ttl)
	return stats, err
}

// countMailings counts all mailings, and as active those that send at their times.
func (db *DB) countMailings(ctx context.Context) (stats domain.Stats, err error) {
	err = db.bun.NewRaw(`SELECT count(*) AS mailings,
			count(*) FILTER (WHERE status = 'running' AND disabled_at IS NULL AND blocked_at IS NULL) AS active
		FROM mailings JOIN users ON users.id = owner_id WHERE deleted_at IS NULL`).Scan(ctx, &stats)
	return stats, explain(err)
}

const (
	countLimit    = 10 * time.Second
	countPatience = 50 * time.Millisecond // of who could have the number of before
)

// clientCount guards the one expensive number: telling a million addresses apart takes a second.
type clientCount struct {
	mu      sync.Mutex
	version string    // of the number that is shown
	last    int64     // the number counted last
	again   time.Time // when it may be counted again
	busy    bool      // somebody is counting
	counts  sync.WaitGroup
}

// uniqueClients is the number of different addresses of all owners. However often clients
// change, counting takes no more than a tenth of the time; who comes while somebody counts, or has
// waited for countPatience, gets the number of before.
func (db *DB) uniqueClients(ctx context.Context, version string, ttl time.Duration) (int64, error) {
	c := &db.clients
	c.mu.Lock()
	if c.version != version && !c.busy && !time.Now().Before(c.again) {
		c.version = version
	}
	version, last, busy := c.version, c.last, c.busy
	c.mu.Unlock()
	if busy && last > 0 {
		return last, nil
	}
	if last == 0 {
		stats, err := db.cache.stats.get(ctx, "clients", version, ttl, db.countClients)
		return stats.Clients, err
	}
	var stats domain.Stats
	var err error
	counted := make(chan struct{})
	c.counts.Go(func() {
		defer close(counted)
		stats, err = db.cache.stats.get(context.WithoutCancel(ctx), "clients", version, ttl, db.countClients)
	})
	select {
	case <-counted:
		return stats.Clients, err
	case <-time.After(countPatience):
		return last, nil
	}
}

func (db *DB) countClients(ctx context.Context) (stats domain.Stats, err error) {
	c, begun := &db.clients, time.Now()
	c.mu.Lock()
	c.busy = true
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countLimit)
	defer cancel()
	err = db.bun.NewRaw(`SELECT count(*) AS clients FROM (SELECT DISTINCT lower(email) FROM clients) AS emails`).
		Scan(ctx, &stats)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy = false
	if err == nil {
		c.last, c.again = stats.Clients, time.Now().Add(9*time.Since(begun))
	}
	return stats, explain(err)
}
