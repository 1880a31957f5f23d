package postgres

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
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

// call connects, which takes an answer of the server; so is a refusal, unless it starts or stops.
func (db *DB) call() error {
	begun := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), pulseLimit)
	defer cancel()
	config := db.Pool.Config().ConnConfig
	config.DialFunc = (&net.Dialer{}).DialContext // waits for nobody's turn
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		db.pulse.beat()
		_ = conn.Close(ctx)
		return nil
	}
	var server *pgconn.PgError
	if errors.As(err, &server) && server.Code[:3] != "57P" || db.pulse.since(begun) {
		return nil
	}
	if time.Since(begun) > pulseLimit+starved { // this process got no time itself, so a silence says nothing
		return nil
	}
	return unavailable(err)
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
