package db

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"skychimp/domain"
)

const flushEvery = time.Second

// views counts readers in memory, so that none of them waits for a write, and adds them to the
// posts every second. A process that is killed loses what it counted since.
type views struct {
	mu      sync.Mutex
	pending map[int64]int64 // counted and not yet on their way to the database, by post
	known   map[int64]int64 // at least this many are stored or on their way

	stop context.CancelFunc
	done sync.WaitGroup
}

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
func (ps Posts) CountView(post domain.Post) {
	v := &ps.db.views
	v.mu.Lock()
	defer v.mu.Unlock()
	v.note(post.ID, post.Views)
	if v.pending == nil {
		v.pending = map[int64]int64{}
	}
	v.pending[post.ID]++
}

// Views is how often a post was read: what is stored and what is not written down yet.
func (ps Posts) Views(post domain.Post) int64 {
	v := &ps.db.views
	v.mu.Lock()
	defer v.mu.Unlock()
	return max(v.known[post.ID], post.Views) + v.pending[post.ID]
}

// note: stored numbers only grow, so the largest one seen is the newest.
func (v *views) note(id, stored int64) {
	if v.known == nil {
		v.known = map[int64]int64{}
	}
	v.known[id] = max(v.known[id], stored)
}

// flushViews adds what was counted to the posts, in one statement. On an error it is kept for
// the next time; the statement may have been carried out when the connection broke just then.
func (ps Posts) flushViews(ctx context.Context) error {
	v := &ps.db.views
	v.mu.Lock()
	batch := v.pending
	v.pending = nil
	for id, n := range batch {
		v.known[id] += n
	}
	v.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	stored, err := ps.addViews(ctx, batch)
	v.mu.Lock()
	defer v.mu.Unlock()
	if err == nil {
		for id, n := range stored {
			v.note(id, n)
		}
		return nil
	}
	if v.pending == nil {
		v.pending = map[int64]int64{}
	}
	for id, n := range batch {
		v.known[id] -= n
		v.pending[id] += n
	}
	return err
}

// addViews returns the new numbers. Posts that were deleted meanwhile are not among them.
func (ps Posts) addViews(ctx context.Context, batch map[int64]int64) (map[int64]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ids, counts := []int64{}, []int64{}
	for id, n := range batch {
		ids, counts = append(ids, id), append(counts, n)
	}
	rows, err := ps.db.Pool.Query(ctx, `UPDATE posts SET views = views + n
		FROM unnest($1::bigint[], $2::bigint[]) AS counted (post, n) WHERE id = post
		RETURNING id, views`, ids, counts)
	if err != nil {
		return nil, explain(err)
	}
	defer rows.Close()
	stored := map[int64]int64{}
	for rows.Next() {
		var id, n int64
		if err := rows.Scan(&id, &n); err != nil {
			return nil, err
		}
		stored[id] = n
	}
	return stored, explain(rows.Err())
}
