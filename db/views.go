package db

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun/dialect/pgdialect"

	"skychimp/db/postgres"
	"skychimp/domain"
)

const flushEvery = time.Second

// views counts readers in memory, so that none of them waits for a write, and adds them to the
// posts every second. A process that is killed loses what it counted since.
type views struct {
	mu sync.Mutex
	of map[int64]viewCount // by post

	stop context.CancelFunc
	done sync.WaitGroup
}

// viewCount is the largest number that was shown, since views only grow, and how many of them are still to be
// written.
type viewCount struct{ shown, pending int64 }

// StartViews begins to write views down; Close writes the last ones.
func (ps Posts) StartViews(log *slog.Logger) {
	ctx, stop := context.WithCancel(context.Background())
	ps.db.views.stop = stop
	ps.db.views.done.Go(func() {
		every := time.NewTicker(flushEvery)
		defer every.Stop()
		for open, failed := true, false; open; {
			select {
			case <-every.C:
			case <-ctx.Done():
				open = false
			}
			err := ps.flushViews(context.WithoutCancel(ctx))
			if err != nil && (!failed || !open) {
				log.Error("views: not written down", "error", err)
			}
			failed = err != nil
		}
	})
}

func (v *views) close() {
	if v.stop != nil {
		v.stop()
		v.done.Wait()
	}
}

// CountView notes one more reader of a post.
func (ps Posts) CountView(post domain.Post) { ps.db.views.count(post, 1) }

// Views is how often a post was read: what is stored and what is not written down yet.
func (ps Posts) Views(post domain.Post) int64 { return ps.db.views.count(post, 0) }

func (v *views) count(post domain.Post, more int64) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.of == nil {
		v.of = map[int64]viewCount{}
	}
	c := v.of[post.ID]
	c.shown, c.pending = max(c.shown, post.Views+c.pending)+more, c.pending+more
	v.of[post.ID] = c
	return c.shown
}

// flushViews adds what was counted to the posts that there still are. On an error it is kept for the next time; the
// statement may have been carried out when the connection broke just then.
func (ps Posts) flushViews(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	v, ids, counts := &ps.db.views, []int64{}, []int64{}
	v.mu.Lock()
	for id, c := range v.of {
		if c.pending > 0 {
			ids, counts = append(ids, id), append(counts, c.pending)
			v.of[id] = viewCount{shown: c.shown}
		}
	}
	v.mu.Unlock()
	if len(ids) == 0 {
		return nil
	}
	var stored []domain.Post
	err := ps.db.pg.Bun.NewRaw(`UPDATE posts SET views = views + n FROM unnest(?::bigint[], ?::bigint[]) AS counted (post, n)
		WHERE id = post RETURNING id, views`, pgdialect.Array(ids), pgdialect.Array(counts)).Scan(ctx, &stored)
	if err == nil {
		for _, post := range stored {
			v.count(post, 0)
		}
		return nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for n, id := range ids {
		c := v.of[id]
		v.of[id] = viewCount{c.shown, c.pending + counts[n]}
	}
	return postgres.TranslateError(err)
}
