package db

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/uptrace/bun"

	"skychimp/db/postgres"
	"skychimp/domain"
)

// Quotas count events for all processes together. A crash of Postgres may forget them.
type Quotas struct{ db *DB }

// Quotas of this database.
func (db *DB) Quotas() Quotas { return Quotas{db} }

// Take counts one event of each quota, in their order, until one is used up: wait is how long that one
// stays so. The narrowest comes first, so that whoever has used it up takes nothing from others.
func (q Quotas) Take(ctx context.Context, now time.Time, quotas ...domain.Quota) (wait time.Duration, err error) {
	for _, one := range quotas {
		if wait, err = takeQuota(ctx, q.db.pg.Bun, now, one); wait > 0 || err != nil {
			return wait, postgres.TranslateError(err)
		}
	}
	// Few at a time, so that nobody waits; more than one, so that none are left over.
	_, err = q.db.pg.Bun.NewRaw(`DELETE FROM quotas WHERE key IN
		(SELECT key FROM quotas WHERE ends_at <= ? ORDER BY ends_at LIMIT 10 FOR UPDATE SKIP LOCKED)`, now).Exec(ctx)
	return 0, postgres.TranslateError(err)
}

// Forget starts quotas anew.
func (q Quotas) Forget(ctx context.Context, quotas ...domain.Quota) error {
	for _, one := range quotas {
		if _, err := q.db.pg.Bun.NewRaw(`DELETE FROM quotas WHERE key = ?`, quotaKey(one)).Exec(ctx); err != nil {
			return postgres.TranslateError(err)
		}
	}
	return nil
}

// quotaKey is short, however long the key is that a stranger typed, and no address stands in it.
func quotaKey(q domain.Quota) []byte {
	sum := sha256.Sum256([]byte(q.Key))
	return sum[:]
}

func takeQuota(ctx context.Context, on bun.IDB, now time.Time, q domain.Quota) (wait time.Duration, err error) {
	var found struct {
		Taken  bool
		EndsAt time.Time
	}
	err = on.NewRaw(`WITH taken AS (
			INSERT INTO quotas AS quota (key, used, ends_at) VALUES (?0, 1, ?1)
			ON CONFLICT (key) DO UPDATE SET used = CASE WHEN quota.ends_at <= ?2 THEN 1 ELSE quota.used + 1 END,
				ends_at = CASE WHEN quota.ends_at <= ?2 THEN excluded.ends_at ELSE quota.ends_at END
			WHERE quota.ends_at <= ?2 OR quota.used < ?3 RETURNING ends_at
		) SELECT true AS taken, ends_at FROM taken
		UNION ALL SELECT false, max(ends_at) FROM quotas WHERE key = ?0 AND NOT EXISTS (SELECT FROM taken) HAVING count(*) > 0`,
		quotaKey(q), now.Add(q.Window), now, q.Max).Scan(ctx, &found)
	switch {
	case domain.KindOf(postgres.TranslateError(err)) == domain.NotFound:
		return q.Window, nil // others used it up since this statement began
	case err != nil || found.Taken:
		return 0, err
	}
	return max(found.EndsAt.Sub(now), time.Second), nil
}
