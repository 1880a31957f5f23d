package faultproxy

import (
	"bufio"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// link is one connection through the proxy.
type link struct {
	proxy          *Proxy
	client, server net.Conn
	ending         sync.Once
	over           chan struct{} // closed by end
	mute           atomic.Bool

	conversation
	mu      sync.Mutex
	answers [][]Statement // whose answers are awaited; the first is the greeting's
}

// run passes bytes both ways until one side ends.
func (l *link) run(postgres bool) {
	up, down := l.copy, l.copy
	if postgres {
		up, down = l.statements, l.results
	}
	var ways sync.WaitGroup
	ways.Go(func() { defer l.end(); up(l.pipe(l.client, l.server)) })
	ways.Go(func() { defer l.end(); down(l.pipe(l.server, l.client)) })
	ways.Wait()
}

// end closes both sides, so that a server learns of a client's death as it does without a proxy.
func (l *link) end() {
	l.ending.Do(func() {
		close(l.over)
		_ = l.client.Close()
		_ = l.server.Close()
	})
}

// cut ends the link like a broken network: by a reset where there is one.
func (l *link) cut() {
	for _, conn := range []net.Conn{l.client, l.server} {
		if tcp, ok := conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
	}
	l.end()
}

// pipe reads from one side and writes to the other when the proxy lets it.
type pipe struct {
	*link
	in  *bufio.Reader
	out *bufio.Writer
}

func (l *link) pipe(from, to net.Conn) *pipe {
	p := &pipe{link: l, in: bufio.NewReaderSize(from, 64<<10)}
	p.out = bufio.NewWriterSize(passage{l, to}, 64<<10)
	return p
}

// passage is what every write to either side goes through.
type passage struct {
	*link
	to net.Conn
}

func (p passage) Write(b []byte) (int, error) {
	p.proxy.mu.Lock()
	gate, latency := p.proxy.gate, p.proxy.latency
	p.proxy.mu.Unlock()
	if p.mute.Load() {
		<-p.over
		return 0, net.ErrClosed
	}
	select {
	case <-gate:
	case <-p.over:
		return 0, net.ErrClosed
	}
	if latency > 0 {
		select {
		case <-time.After(latency):
		case <-p.over:
			return 0, net.ErrClosed
		}
	}
	return p.to.Write(b)
}

// copy passes bytes as they come.
func (l *link) copy(p *pipe) {
	for {
		if _, err := p.in.Peek(1); err != nil {
			return
		}
		if _, err := io.CopyN(p.out, p.in, int64(p.in.Buffered())); err != nil || p.out.Flush() != nil {
			return
		}
	}
}
