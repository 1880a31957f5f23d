// Package embedded runs the private Postgres of the program, so that nothing has to be set up
// before the first start.
//
// A folder holds owner.lock and the cluster in data. The process that holds the lock owns the
// server; another process of ours that finds the lock held joins as a guest. The server listens
// on a unix socket only, and lets in root and the owner's user: not the system's postgres, whose
// account it may run as. When the owner stops or dies, the server ends, and with it the guests'
// connections: no guest takes over.
//
// Postgres refuses to run as root. Started as root, it gets the user of the existing data, else
// the user postgres, else nobody. When that user cannot reach the folder (say, below /root), the
// cluster lives in /var/lib/skychimp/<hash of the folder's path>, and data in the folder is a link
// to it; a link that somebody made to another disk is followed the same way.
//
// On Linux the server is told by the kernel when its owner dies, even by kill -9, and shuts down.
// Elsewhere it stays, and the next start stops it first.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options of the server; the zero value is fit for production.
type Options struct {
	Log *slog.Logger // what the server says; nil: nowhere
	// NoFsync is for tests: much faster, but a power cut loses the whole database.
	NoFsync  bool
	Settings map[string]string // of postgresql.conf; they win over ours
}

// Postgres is a running server, owned or joined.
type Postgres struct {
	url      string
	mark     string
	done     chan struct{}
	server   *server            // nil for a guest
	leave    context.CancelFunc // nil for the owner
	stopping atomic.Bool
}

// Start starts the private Postgres in dir, or joins the one another process of ours already runs
// there, waiting until it is ready. When ctx ends before that, what was started is stopped again.
func Start(ctx context.Context, dir string, opts Options) (*Postgres, error) {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	at, err := locate(dir)
	if err != nil {
		return nil, fmt.Errorf("private Postgres: %w", err)
	}
	var guest *Postgres
	for {
		lock, err := acquire(filepath.Join(at.home, "owner.lock"))
		if err != nil {
			return nil, fmt.Errorf("private Postgres: %w", err)
		}
		if lock == nil && guest != nil {
			return guest, nil
		}
		if lock != nil {
			if guest != nil {
				guest.leave() // the owner was dying while we joined
			}
			p, err := own(ctx, at, lock, opts)
			if err != nil {
				_ = lock.Close()
				return nil, fmt.Errorf("private Postgres in %s: %w", at.data, err)
			}
			return p, nil
		}
		if guest, err = join(ctx, at); err == nil {
			continue
		}
		if pause(ctx, 20*time.Millisecond) != nil {
			return nil, fmt.Errorf("private Postgres in %s: its owner is another process, and joining it failed: %w", at.data, err)
		}
	}
}

// URL is the address for pgx, over the unix socket: database skychimp, role skychimp, which owns
// the database and is no superuser.
func (p *Postgres) URL() string { return p.url }

// Joined tells that another process owns the server; Stop leaves it running then.
func (p *Postgres) Joined() bool { return p.leave != nil }

// Mark tells the cluster's files from a copy of them. Restarts and moves within a file system leave it; it is
// empty where the files can't be asked.
func (p *Postgres) Mark() string { return p.mark }

// Done is closed when the server has ended, by a crash too. For a guest: when the server cut it off,
// so not by the guest's own Stop.
func (p *Postgres) Done() <-chan struct{} { return p.done }

// Stop ends the server by a fast shutdown (open transactions roll back) and waits for it. When ctx
// ends first, the server stops at once, recovers at the next start, and the error says so.
// A second call is harmless.
func (p *Postgres) Stop(ctx context.Context) error {
	p.stopping.Store(true)
	if p.Joined() {
		p.leave()
		return nil
	}
	_ = p.server.process.Signal(syscall.SIGINT) // fails only when the server has ended already
	select {
	case <-p.done:
		return nil
	case <-ctx.Done():
	}
	p.server.kill()
	<-p.done
	return fmt.Errorf("private Postgres: stopped the hard way: %w", ctx.Err())
}

// own starts the server for the process that holds the lock. The lock's file tells guests the
// address, and is empty while there is none.
func own(ctx context.Context, at place, lock *os.File, opts Options) (*Postgres, error) {
	if err := lock.Truncate(0); err != nil {
		return nil, err
	}
	if err := stopOrphan(ctx, at.data, opts.Log); err != nil {
		return nil, err
	}
	at, err := findBinaries(ctx, at)
	if err != nil {
		return nil, err
	}
	prepare := func() error { return ownSuperuser(ctx, at) }
	if !exists(at.data) {
		prepare = func() error { return create(ctx, at, opts) }
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	if err := admit(at); err != nil {
		return nil, err
	}
	sockets, err := socketFolder(at)
	if err != nil {
		return nil, err
	}
	// A killed server leaves it, with a number that may be another process's by now.
	if err := os.Remove(sockets + socketName + ".lock"); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	s, err := launch(ctx, at, sockets, opts)
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "postgres", User: url.User("skychimp"), Path: "/skychimp",
		RawQuery: url.Values{"host": {sockets}, "port": {port}, "sslmode": {"disable"}}.Encode()}
	p := &Postgres{url: address.String(), mark: markOf(at.data), server: s, done: make(chan struct{})}
	go func() {
		<-s.ended
		if !p.stopping.Load() {
			opts.Log.Error("the private Postgres ended by itself", "error", s.err)
		}
		if sockets != at.data {
			_ = os.Remove(sockets)
		}
		_ = lock.Truncate(0)
		_ = lock.Close()
		close(p.done)
	}()
	if _, err := lock.WriteString(p.url); err != nil {
		return nil, errors.Join(err, p.Stop(ctx))
	}
	return p, nil
}

// join connects to the server of another process. The connection stays open and shows the end of
// the server by breaking.
func join(ctx context.Context, at place) (*Postgres, error) {
	address, err := os.ReadFile(filepath.Join(at.home, "owner.lock"))
	if err != nil {
		return nil, err
	}
	if len(address) == 0 {
		return nil, errors.New("it is not ready yet")
	}
	conn, err := pgx.Connect(ctx, string(address))
	if err != nil {
		return nil, err
	}
	watch, leave := context.WithCancel(context.Background())
	p := &Postgres{url: string(address), mark: markOf(at.data), leave: leave, done: make(chan struct{})}
	go func() {
		_, _ = conn.WaitForNotification(watch) // nobody notifies: it returns when the connection breaks
		_ = conn.Close(context.Background())
		if watch.Err() == nil {
			close(p.done)
		}
	}()
	return p, nil
}

// pause waits, but not longer than ctx.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
