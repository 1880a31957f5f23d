package postgres

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

const (
	connectTimeout = 5 * time.Second
	dialsAtOnce    = 4
	firstPause     = 50 * time.Millisecond
	longestPause   = 600 * time.Millisecond
)

// dialer makes all connections of a process to the database. Postgres that has just come back
// starts a process for each that is tried, given up or not, so few are tried at a time, and after
// some failures in a row one by one with growing pauses. Whoever waits for a turn fails with the next
// one that fails: a page has to say soon that the database is away.
type dialer struct {
	dial  pgconn.DialFunc
	slots chan struct{}

	mu    sync.Mutex
	fails int // in a row
	last  error
	next  time.Time // not before
}

// limitDials leads the connections of a configuration, and of its copies, through one dialer.
func limitDials(config *pgconn.Config) {
	d := &dialer{dial: config.DialFunc, slots: make(chan struct{}, dialsAtOnce)}
	config.ConnectTimeout = connectTimeout
	config.DialFunc = d.connect
	config.AfterConnect = func(_ context.Context, conn *pgconn.PgConn) error {
		d.established(conn.Conn())
		return nil
	}
}

func (d *dialer) connect(ctx context.Context, network, address string) (net.Conn, error) {
	if err := d.turn(ctx); err != nil {
		return nil, err
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		d.failed(err)
		<-d.slots
		return nil, err
	}
	end := func(err error) {
		if err != nil {
			d.failed(err)
		}
		<-d.slots
	}
	return &dialed{Conn: conn, end: end}, nil
}

// turn waits until a connection may be tried. The slot is the caller's then.
func (d *dialer) turn(ctx context.Context) error {
	d.mu.Lock()
	before := d.fails
	d.mu.Unlock()
	select {
	case d.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		wait, err := d.wait(before)
		if err == nil && wait <= 0 {
			return nil
		}
		if err == nil {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(min(wait, 20*time.Millisecond)): // another one may succeed meanwhile
			}
		}
		if err != nil {
			<-d.slots
			return err
		}
	}
}

// wait is how long to wait still, an error when another one has failed since before.
func (d *dialer) wait(before int) (time.Duration, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fails < dialsAtOnce {
		return 0, nil
	}
	if d.fails > before {
		return 0, fmt.Errorf("another connection has just failed: %w", d.last)
	}
	wait := time.Until(d.next)
	if wait <= 0 {
		d.next = time.Now().Add(d.pause()) // the others', even if this one hangs
	}
	return wait, nil
}

func (d *dialer) failed(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fails++
	d.last = err
	d.next = time.Now().Add(d.pause())
}

// pause is between half and all of the time that the failures call for, so that many processes
// don't come at once.
func (d *dialer) pause() time.Duration {
	pause := min(firstPause<<min(max(d.fails-dialsAtOnce, 0), 10), longestPause)
	return pause/2 + rand.N(pause/2)
}

func (d *dialer) established(conn net.Conn) {
	if encrypted, ok := conn.(*tls.Conn); ok {
		conn = encrypted.NetConn()
	}
	if ours, ok := conn.(*dialed); ok {
		d.mu.Lock()
		d.fails = 0
		d.mu.Unlock()
		ours.over(nil)
	}
}

// dialed is a connection that has a slot until Postgres has let it in.
type dialed struct {
	net.Conn
	once sync.Once
	end  func(error)
}

func (c *dialed) over(err error) { c.once.Do(func() { c.end(err) }) }

// Close before that is a failure.
func (c *dialed) Close() error {
	c.over(errNotLetIn)
	return c.Conn.Close()
}

var errNotLetIn = errors.New("the database did not let a connection in")
