package db

import (
	"context"
	"sync"
	"time"

	"skychimp/db/postgres"

	"skychimp/domain"
)

// Home keeps the numbers of the home page.
type Home struct{ db *DB }

// Home of this database.
func (db *DB) Home() Home { return Home{db} }

// Stats are the numbers of the home page. They are counted behind its readers and kept in
// home_stats, so that the first reader after a start needs not wait for them either.
func (h Home) Stats(ctx context.Context) (domain.Stats, error) {
	version, ttl := h.db.cache.version("stats")
	stats, err := h.db.cache.stats.get(ctx, lookup[domain.Stats]{"mailings", version, ttl, loadPatience, loadLimit, h.countMailings})
	if err != nil {
		return domain.Stats{}, err
	}
	clients, err := h.db.cache.stats.get(ctx, h.db.clients.lookup(version, ttl, h.countClients))
	stats.Clients = clients.Clients
	return stats, err
}

// recall begins with the numbers of before.
func (h Home) recall(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var stats domain.Stats
	err := h.db.pg.Bun.NewRaw(`SELECT mailings, active, clients FROM home_stats`).Scan(ctx, &stats)
	if err == nil {
		h.db.cache.stats.keep("mailings", last[domain.Stats]{value: stats})
		h.db.cache.stats.keep("clients", last[domain.Stats]{value: stats})
	}
	return postgres.TranslateError(err)
}

// refresh counts what has changed although nobody looks, so that who comes then is not told
// the numbers of long ago.
func (h Home) refresh(ctx context.Context) {
	every := time.NewTicker(cacheTTL)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			_, _ = h.Stats(ctx)
		}
	}
}

// countMailings counts all mailings, and as active those that send at their times. A series is none in the words of the page.
func (h Home) countMailings(ctx context.Context) (stats domain.Stats, err error) {
	err = h.db.pg.Bun.NewRaw(`SELECT count(*) AS mailings,
			count(*) FILTER (WHERE status = 'running' AND disabled_at IS NULL AND blocked_at IS NULL) AS active
		FROM mailings JOIN users ON users.id = owner_id WHERE deleted_at IS NULL AND kind = 'mailing'`).Scan(ctx, &stats)
	if err == nil {
		_, err = h.db.pg.Bun.NewRaw(`UPDATE home_stats SET mailings = ?0, active = ?1 WHERE (mailings, active) <> (?0, ?1)`,
			stats.Mailings, stats.Active).Exec(ctx)
	}
	return stats, postgres.TranslateError(err)
}

const (
	countLimit    = time.Minute
	countPatience = 20 * time.Millisecond
)

// clientCount guards the one expensive number: telling a million addresses apart takes a second.
type clientCount struct {
	mu      sync.Mutex
	version string    // of the number that is shown
	again   time.Time // when it may be counted again
	busy    bool      // somebody is counting
	quick   bool      // it was counted within countPatience
}

// lookup: however often clients change, counting takes no more than a tenth of the time; while none
// change it is hardly done at all. Who would have to wait longer than countPatience gets the number
// of before. Where counting is quick that is nobody, unless the database is busy otherwise.
func (c *clientCount) lookup(version string, ttl time.Duration, count func(context.Context) (domain.Stats, error)) lookup[domain.Stats] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.busy && !time.Now().Before(c.again) {
		c.version = version
	}
	patience := countPatience
	if c.quick {
		patience = loadPatience
	}
	return lookup[domain.Stats]{"clients", c.version, max(10*ttl, time.Until(c.again)), patience, countLimit, count}
}

// countClients counts the different addresses that can get emails: whoever left or is dead is no client for a mailing, nor is
// anybody's whose account is blocked.
func (h Home) countClients(ctx context.Context) (stats domain.Stats, err error) {
	c, begun := &h.db.clients, time.Now()
	c.mu.Lock()
	c.busy = true
	c.mu.Unlock()
	err = h.db.pg.Bun.NewRaw(`SELECT count(*) AS clients FROM (SELECT DISTINCT lower(email) FROM clients
		WHERE suppressed_at IS NULL AND owner_id NOT IN (SELECT id FROM users WHERE blocked_at IS NOT NULL)) AS emails`).
		Scan(ctx, &stats)
	c.mu.Lock()
	c.busy = false
	if took := time.Since(begun); err == nil {
		c.quick, c.again = took < countPatience, time.Now().Add(9*took)
	}
	c.mu.Unlock()
	if err == nil {
		_, err = h.db.pg.Bun.NewRaw(`UPDATE home_stats SET clients = ?0 WHERE clients <> ?0`, stats.Clients).Exec(ctx)
	}
	return stats, postgres.TranslateError(err)
}
