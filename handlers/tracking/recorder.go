// Package tracking answers the links and pictures of emails that tell whether they were read.
package tracking

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"skychimp/db"
	store "skychimp/db/tracking"
	"skychimp/domain/tracking"
)

const (
	flushEvery = time.Second
	// judgedAfter is when the visits of an email are judged: those that come together have come by then.
	judgedAfter = tracking.AtOnce + time.Second
	// maxWaiting visits are in memory at most, some 20 MB. What comes beyond them is not counted.
	maxWaiting = 200_000
	// atATime emails are written in one transaction.
	atATime = 4000
)

// Recorder keeps visits in memory for some seconds and writes them down in batches, so that nobody who follows a link
// waits for the database. A process that is killed loses what came since.
type Recorder struct {
	store store.Tracking
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[store.Key]*waiting
	order   []store.Key // by their first visit
	visits  int         // in waiting
	lost    int

	stop context.CancelFunc
	done sync.WaitGroup
}

type waiting struct {
	first  time.Time
	visits []tracking.Visit
}

// NewRecorder writes nothing down before Start or Flush.
func NewRecorder(d *db.DB, log *slog.Logger) *Recorder {
	return &Recorder{store: store.New(d), log: log, waiting: map[store.Key]*waiting{}}
}

// Add keeps a visit.
func (r *Recorder) Add(key store.Key, visit tracking.Visit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.visits >= maxWaiting {
		r.lost++
		return
	}
	w := r.waiting[key]
	if w == nil {
		w = &waiting{first: visit.At}
		r.waiting[key] = w
		r.order = append(r.order, key)
	}
	w.visits = append(w.visits, visit)
	r.visits++
}

// Start writes down what comes, until Close.
func (r *Recorder) Start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.done.Go(func() {
		every := time.NewTicker(flushEvery)
		defer every.Stop()
		for failed := false; ; {
			select {
			case <-every.C:
			case <-ctx.Done():
				if err := r.Flush(context.WithoutCancel(ctx), time.Time{}); err != nil {
					r.log.Error("visits of emails: not written down", "error", err)
				}
				return
			}
			err := r.Flush(ctx, time.Now().Add(-judgedAfter))
			if err != nil && !failed {
				r.log.Error("visits of emails: not written down yet", "error", err)
			}
			failed = err != nil
		}
	})
}

// Close writes down the last ones.
func (r *Recorder) Close() {
	if r.stop != nil {
		r.stop()
		r.done.Wait()
	}
}

// Flush writes down the visits of the emails that were first visited before; zero: of all. On an error they are kept for
// the next time; those that were written when the connection broke just then are counted twice, their clients are not.
func (r *Recorder) Flush(ctx context.Context, before time.Time) error {
	for {
		batch := r.take(before)
		if len(batch) == 0 {
			return nil
		}
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		err := r.store.Write(limited, batch)
		cancel()
		if err != nil {
			r.putBack(batch)
			return err
		}
	}
}

func (r *Recorder) take(before time.Time) map[store.Key][]tracking.Visit {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost > 0 {
		r.log.Error("visits of emails: too many to keep", "lost", r.lost)
		r.lost = 0
	}
	batch, n := map[store.Key][]tracking.Visit{}, 0
	for n < len(r.order) && len(batch) < atATime {
		key := r.order[n]
		w := r.waiting[key]
		if !before.IsZero() && !w.first.Before(before) {
			break
		}
		batch[key] = w.visits
		r.visits -= len(w.visits)
		delete(r.waiting, key)
		n++
	}
	r.order = append(r.order[:0], r.order[n:]...)
	return batch
}

func (r *Recorder) putBack(batch map[store.Key][]tracking.Visit) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for key, visits := range batch {
		w := r.waiting[key]
		if w == nil {
			w = &waiting{first: visits[0].At}
			r.waiting[key] = w
			r.order = append(r.order, key)
		}
		w.visits = append(visits, w.visits...)
		r.visits += len(visits)
	}
}
