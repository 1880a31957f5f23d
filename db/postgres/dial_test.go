package postgres_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"skychimp/db/dbtest"
	"skychimp/db/dbtest/faultproxy"
	"skychimp/db/postgres"
)

// watched is a proxy before a fresh database, with a listener before it that counts who comes.
type watched struct {
	*faultproxy.Proxy
	db    *postgres.DB
	dials atomic.Int32
	open  atomic.Int32
	most  atomic.Int32 // connections at once that have not been answered
	hangs atomic.Bool
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	config, err := pgx.ParseConfig(dbtest.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(config.Host, config.Port)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	c := &watched{Proxy: faultproxy.Start(t, network, address)}
	go c.serve(listener)
	c.db, err = postgres.Open("postgres://" + config.User + ":" + config.Password + "@" + listener.Addr().String() + "/" + config.Database + "?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.db.Close)
	return c
}

func (c *watched) serve(listener net.Listener) {
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		c.dials.Add(1)
		if c.hangs.Load() {
			go func() {
				c.most.Store(max(c.most.Load(), c.open.Add(1)))
				_, _ = from.Read(make([]byte, 1<<10)) // what the program says first, to which nobody answers
				_, _ = from.Read(make([]byte, 1<<10))
				c.open.Add(-1)
				_ = from.Close()
			}()
			continue
		}
		to, err := net.Dial("tcp", c.Addr())
		if err != nil {
			_ = from.Close()
			continue
		}
		go relay(from, to)
		go relay(to, from)
	}
}

func relay(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// ask has that many ask for the database again and again until stop.
func (c *watched) ask(callers int, stop <-chan struct{}) *sync.WaitGroup {
	var asking sync.WaitGroup
	for range callers {
		asking.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					ctx, cancel := context.WithTimeout(context.Background(), time.Second)
					_, _, _ = c.db.Clock(ctx)
					cancel()
				}
			}
		})
	}
	return &asking
}

// However many ask for a database that is away, few connections are tried, and soon after it is
// back everybody has it again.
func TestDialsToLostDatabase(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(c *watched, yes bool){
		"refuses": func(c *watched, yes bool) { c.Refuse(yes) },
		"hangs":   func(c *watched, yes bool) { c.hangs.Store(yes) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newWatched(t)
			if _, _, err := c.db.Clock(t.Context()); err != nil {
				t.Fatal(err)
			}
			lose(c, true)
			c.Cut()
			before, begun := c.dials.Load(), time.Now()
			stop := make(chan struct{})
			asking := c.ask(50, stop)
			time.Sleep(3 * time.Second)
			// 4 at once, pauses of 25 ms and more that double up to 300 ms, and 10 in 3 s then.
			allowed := int32(4 + 5 + 4*(1+time.Since(begun)/time.Second))
			if dials := c.dials.Load() - before; dials > allowed {
				t.Errorf("%d connections were tried, want at most %d", dials, allowed)
			}
			if most := c.most.Load(); most > 4 {
				t.Errorf("%d connections were tried at once", most)
			}
			lose(c, false)
			back := time.Now()
			for {
				if _, _, err := c.db.Clock(t.Context()); err == nil {
					break
				}
				if time.Since(back) > time.Minute {
					t.Fatal("the database is back, and nobody notices")
				}
			}
			t.Logf("%d connections tried; back after %v", c.dials.Load()-before, time.Since(back))
			close(stop)
			asking.Wait()
		})
	}
}

// Who has little time is told in it that the database is away, whoever else waits for it.
func TestDialsWithinContext(t *testing.T) {
	t.Parallel()
	c := newWatched(t)
	c.hangs.Store(true)
	stop := make(chan struct{})
	asking := c.ask(30, stop)
	for begun := time.Now(); c.most.Load() < 4 && time.Since(begun) < time.Minute; {
		time.Sleep(10 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, _, err := c.db.Clock(ctx); err == nil || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %v", err, time.Since(begun))
	}
	close(stop)
	asking.Wait()
}
