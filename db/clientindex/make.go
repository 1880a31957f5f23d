package clientindex

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"time"

	"skychimp/db/postgres"
)

// entry is the owner's, used now.
func (x *Index) entry(owner int64) *entry {
	x.mu.Lock()
	defer x.mu.Unlock()
	e := x.owners[owner]
	if e == nil {
		e = &entry{}
		e.timer = time.AfterFunc(tended, func() { x.tend(owner, e) })
		x.owners[owner] = e
	}
	e.used = time.Now()
	return e
}

// tend brings a table up to date, before too much has changed to do so while somebody waits, and forgets an owner whom nobody
// asks for.
func (x *Index) tend(owner int64, e *entry) {
	x.mu.Lock()
	kept := x.owners[owner] == e && x.live.Err() == nil
	if kept && (time.Since(e.used) > idle || e.size == 0 && !e.making) {
		delete(x.owners, owner)
		kept = false
	}
	if !kept {
		x.mu.Unlock()
		return
	}
	x.work.Go(func() {
		ctx, cancel := context.WithTimeout(x.live, loading)
		defer cancel()
		e.mu.Lock()
		defer e.mu.Unlock()
		x.fresh(ctx, owner, e, "")
	})
	e.timer.Reset(tended)
	x.mu.Unlock()
}

// make has the owner's table made, unless it is being made or was made a moment ago.
func (x *Index) make(owner int64, e *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if e.making || time.Now().Before(e.next) || x.live.Err() != nil {
		return
	}
	e.making = true
	x.work.Go(func() {
		begun := time.Now()
		err := x.load(owner, e)
		x.mu.Lock()
		defer x.mu.Unlock()
		e.making, e.next = false, time.Now().Add(pause*time.Since(begun))
		if err != nil {
			e.next = time.Now().Add(retry)
		}
		if err != nil && !errors.Is(err, errFew) && !errors.Is(err, errLarge) && x.live.Err() == nil {
			slog.Warn("clients are not kept in memory", "owner", owner, "error", err)
		}
	})
}

// errFew says that an owner has so few clients that the database is as quick.
var errFew = errors.New("few clients")

func (x *Index) load(owner int64, e *entry) error {
	ctx, cancel := context.WithTimeout(x.live, loading)
	defer cancel()
	var clients int
	err := x.pg.Pool.QueryRow(ctx, `SELECT coalesce(sum(clients), 0)::bigint FROM tag_counts WHERE owner_id = $1`, owner).Scan(&clients)
	if err == nil && clients < x.fewest {
		err = errFew
	}
	if err != nil {
		return err
	}
	x.making.Lock()
	defer x.making.Unlock()
	t, err := load(ctx, x.pg, owner, clients, x.memory)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.table = t
	e.mu.Unlock()
	x.mu.Lock()
	e.size = t.size()
	x.mu.Unlock()
	x.evict(e)
	debug.FreeOSMemory() // making takes several times what is kept
	return nil
}

// evict forgets the owners who were asked for longest ago until there is memory enough.
func (x *Index) evict(but *entry) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		total, eldest, of := 0, (*entry)(nil), int64(0)
		for owner, e := range x.owners {
			total += e.size
			if e != but && e.size > 0 && (eldest == nil || e.used.Before(eldest.used)) {
				eldest, of = e, owner
			}
		}
		if total <= x.memory || eldest == nil {
			return
		}
		delete(x.owners, of)
	}
}

// Prune forgets what changed more than an hour ago. A table whose snapshot may not have seen it is made anew.
func Prune(ctx context.Context, pg *postgres.DB) error {
	_, err := pg.Pool.Exec(ctx, `WITH gone AS (DELETE FROM client_changes WHERE at < now() - interval '1 hour' RETURNING xid)
		UPDATE client_changes_since SET xid = least(greatest(xid, (SELECT (max(xid::text::bigint) + 1)::text::xid8 FROM gone)), pg_snapshot_xmax(pg_current_snapshot()))
		WHERE EXISTS (SELECT FROM gone) OR xid > pg_snapshot_xmax(pg_current_snapshot())`)
	return postgres.TranslateError(err)
}
