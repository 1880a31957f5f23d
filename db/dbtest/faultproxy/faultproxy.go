// Package faultproxy stands between a program and its database or mail server. It cuts, refuses,
// stalls and slows what passes; of Postgres it also tells each statement, before it is passed on
// and after it was answered, so that a test can end a program at an exact point without any hook
// in that program.
package faultproxy

import (
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Proxy is a listening proxy. All its methods may be called at any time.
type Proxy struct {
	listener net.Listener
	config   *pgx.ConnConfig // nil: what passes is not Postgres's
	serving  sync.WaitGroup

	mu               sync.Mutex
	network, address string
	refusing, closed bool
	latency          time.Duration
	gate             chan struct{} // closed when what comes may pass
	watch            func(Statement, Moment) Action
	links            map[*link]struct{}
}

// Start runs a proxy before a server (network is tcp or unix) for the length of a test.
func Start(t testing.TB, network, address string) *Proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, network: network, address: address, gate: make(chan struct{}), links: map[*link]struct{}{}}
	close(p.gate)
	p.serving.Go(p.accept)
	t.Cleanup(p.close)
	return p
}

// Postgres runs a proxy before a Postgres, whose connections must not be encrypted.
func Postgres(t testing.TB, address string) *Proxy {
	t.Helper()
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	network, at := pgconn.NetworkAddress(config.Host, config.Port)
	p := Start(t, network, at)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config = config
	return p
}

// Addr is where the proxy listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// URL is the database's address by way of the proxy.
func (p *Proxy) URL() string {
	u := url.URL{Scheme: "postgres", User: url.User(p.config.User), Host: p.Addr(), Path: "/" + p.config.Database, RawQuery: "sslmode=disable"}
	return u.String()
}

// To leads new connections to another server.
func (p *Proxy) To(network, address string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.network, p.address = network, address
}

// Cut resets all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// Refuse ends every new connection at once, until it is taken back.
func (p *Proxy) Refuse(yes bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refusing = yes
}

// Stall lets nothing pass any more, on living and new connections, until resume.
func (p *Proxy) Stall() (resume func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	gate := make(chan struct{})
	p.gate = gate
	return sync.OnceFunc(func() { close(gate) })
}

// Mute makes the living connections die without a word: nothing passes on them any more, and
// neither side is told. New ones work.
func (p *Proxy) Mute() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.mute.Store(true)
	}
}

// Slow makes everything that passes wait, in both directions.
func (p *Proxy) Slow(latency time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.latency = latency
}

// Watch has each statement told, by all connections at once; nil ends it. What watch does is done
// before anything more passes on the statement's connection.
func (p *Proxy) Watch(watch func(Statement, Moment) Action) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watch = watch
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.serving.Go(func() { p.serve(client) })
		}
	}
}

func (p *Proxy) serve(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	network, address, refusing, postgres := p.network, p.address, p.refusing, p.config != nil
	p.mu.Unlock()
	if refusing {
		return
	}
	server, err := net.Dial(network, address)
	if err != nil {
		return
	}
	l := &link{proxy: p, client: client, server: server, over: make(chan struct{}), answers: [][]Statement{nil}}
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		_ = server.Close()
		return
	}
	p.links[l] = struct{}{}
	p.mu.Unlock()
	l.run(postgres)
	p.mu.Lock()
	delete(p.links, l)
	p.mu.Unlock()
}

func (p *Proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for l := range p.links {
		l.cut()
	}
	p.mu.Unlock()
	p.serving.Wait()
}
