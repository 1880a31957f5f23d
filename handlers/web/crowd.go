package web

import (
	"io"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// How many connections, or requests through a proxy, one network may have open. On this very machine
// a proxy may stand that nobody has named.
const (
	networkMost  = 256
	loopbackMost = 1000
)

// crowd counts what each network has open.
type crowd struct {
	mu   sync.Mutex
	open map[netip.Prefix]int
}

// enter counts one more, unless the network has too many; leave has to follow then.
func (c *crowd) enter(from netip.Prefix) bool {
	most := networkMost
	if from.Addr().IsLoopback() {
		most = loopbackMost
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[from] >= most {
		return false
	}
	if c.open == nil {
		c.open = map[netip.Prefix]int{}
	}
	c.open[from]++
	return true
}

func (c *crowd) leave(from netip.Prefix) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open[from]--; c.open[from] == 0 {
		delete(c.open, from)
	}
}

// crowded holds back a network that has too many requests under way through a proxy.
func (s *Site) crowded(c *fiber.Ctx) error {
	r := s.Request(c)
	if !r.Remote().trusts() {
		return c.Next()
	}
	address, _ := netip.ParseAddr(r.Remote().IP())
	from := network(address)
	if !s.crowd.enter(from) {
		return TooMany("errors.too_many_requests", time.Second)
	}
	defer s.crowd.leave(from)
	return c.Next()
}

// Gate accepts few connections of each network, and lets who is refused read why. Those of proxies,
// which are addresses and networks, are not counted.
func Gate(listener net.Listener, proxies []string, log *slog.Logger) (net.Listener, error) {
	known, err := parseProxies(proxies)
	return &gate{Listener: listener, proxies: known, log: log}, err
}

type gate struct {
	net.Listener
	proxies []proxy
	log     *slog.Logger
	crowd   crowd
	said    time.Time
}

// Accept is called by one goroutine, as servers do.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		stream, ok := conn.(*net.TCPConn)
		if !ok {
			return conn, nil
		}
		address := stream.RemoteAddr().(*net.TCPAddr).AddrPort().Addr().Unmap()
		if isProxy(g.proxies, address) {
			return &polite{TCPConn: stream, leave: func() {}}, nil
		}
		from := network(address)
		if g.crowd.enter(from) {
			return &polite{TCPConn: stream, leave: func() { g.crowd.leave(from) }}, nil
		}
		if time.Since(g.said) > time.Minute {
			g.said = time.Now()
			g.log.Warn("a network has too many connections; is it a proxy that TRUSTED_PROXIES doesn't name?", slog.Any("network", from))
		}
		_, _ = io.WriteString(stream, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
		_ = stream.Close()
	}
}

// polite is a connection whose peer can read the last answer: closing it while something of the
// request is still on its way would take the answer back.
type polite struct {
	*net.TCPConn
	once  sync.Once
	leave func()
}

// lingering is how long what is still on its way is waited for.
const lingering = time.Second

// Close implements net.Conn.
func (p *polite) Close() error {
	p.once.Do(func() {
		if p.TCPConn.CloseWrite() != nil || p.TCPConn.SetReadDeadline(time.Now().Add(lingering)) != nil {
			_ = p.TCPConn.Close()
			p.leave()
			return
		}
		go func() {
			_, _ = io.Copy(io.Discard, p.TCPConn)
			_ = p.TCPConn.Close()
			p.leave()
		}()
	})
	return nil
}
