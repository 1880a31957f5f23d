package postgres

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/uptrace/bun"
	"golang.org/x/sync/singleflight"

	"skychimp/domain"
)

const (
	lately     = 300 * time.Millisecond
	pulseLimit = 350 * time.Millisecond
	starved    = 50 * time.Millisecond // a limit that ends so late says how busy this machine is
)

// pulse tells a database that is away from one that is slow.
type pulse struct {
	heard  atomic.Int64 // when it answered anything, in Unix nanoseconds
	asking singleflight.Group
	ready  atomic.Pointer[readiness]
}

// readiness is what Ready found last.
type readiness struct {
	until time.Time
	still bool
}

// readyFor is how long an answer of Ready holds: probes come by the thousand, and their answers change by the second.
const readyFor = 200 * time.Millisecond

// BeforeQuery implements bun's QueryHook.
func (*pulse) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery takes each answer for a sign of life.
func (p *pulse) AfterQuery(_ context.Context, event *bun.QueryEvent) {
	if event.Err == nil {
		p.beat()
	}
}

func (p *pulse) beat() { p.heard.Store(time.Now().UnixNano()) }

// since tells whether the database answered anything after at.
func (p *pulse) since(at time.Time) bool { return p.heard.Load() > at.UnixNano() }

// Alive fails when the database is away. It is asked only when it hasn't answered anything lately,
// by one for all who want to know, and on a connection of its own: that all of the pool are busy
// says nothing.
func (db *DB) Alive() error {
	if db.pulse.since(time.Now().Add(-lately)) {
		return nil
	}
	_, err, _ := db.pulse.asking.Do("", func() (any, error) { return nil, db.call() })
	return err
}

// call asks whether anybody is there. Its limit is short, so it asks for little: a new connection takes Postgres a
// hundred times as long as the answer to a question about encryption, and beside others at work that was too long.
func (db *DB) call() error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), pulseLimit)
	defer cancel()
	config := &db.Pool.Config().ConnConfig.Config
	err := greet(ctx, config.Host, config.Port)
	for i := 0; err != nil && i < len(config.Fallbacks); i++ {
		err = greet(ctx, config.Fallbacks[i].Host, config.Fallbacks[i].Port)
	}
	if err == nil {
		db.pulse.beat()
		return nil
	}
	if db.pulse.since(begun) {
		return nil
	}
	if time.Since(begun) > pulseLimit+starved { // this process got no time itself, so a silence says nothing
		return nil
	}
	return unavailable(err)
}

// sslRequest asks whether the server speaks TLS; it answers with one byte before it looks at who asks.
// https://www.postgresql.org/docs/15/protocol-message-formats.html
var sslRequest = [8]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}

// greet waits for a sign of life of a server, on a connection that waits for nobody's turn.
func greet(ctx context.Context, host string, port uint16) error {
	network, address := pgconn.NetworkAddress(host, port)
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if _, err := conn.Write(sslRequest[:]); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, 1))
	return err
}

// Ready answers whether the database and the queue in it can be used, and whether an instance has had emails to send
// that stood still all the time of domain.Standstill. One asks for all, and a good answer holds for readyFor.
func (db *DB) Ready(ctx context.Context) (still bool, err error) {
	if known := db.pulse.ready.Load(); known != nil && time.Now().Before(known.until) {
		return known.still, nil
	}
	asked := db.pulse.asking.DoChan("ready", func() (any, error) {
		known := &readiness{}
		err := db.askReady(known)
		return known.still, err
	})
	select {
	case answer := <-asked:
		return answer.Val.(bool), answer.Err
	case <-ctx.Done():
		return false, TranslateError(context.Cause(ctx))
	}
}

func (db *DB) askReady(known *readiness) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var one int
	err := db.Bun.NewRaw(`SELECT count(*), EXISTS (SELECT FROM instances WHERE still_since < now() - make_interval(secs => ?))
		FROM (SELECT FROM river_job LIMIT 1) j, (SELECT FROM users LIMIT 1) u`, domain.Standstill.Seconds()).Scan(ctx, &one, &known.still)
	if err == nil {
		known.until = time.Now().Add(readyFor)
		db.pulse.ready.Store(known)
	}
	return TranslateError(err)
}
