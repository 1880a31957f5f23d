// Package dnstest is a DNS server on loopback for tests.
package dnstest

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"codeberg.org/miekg/dns"
)

// Server answers what it was told, and that there is no such name for anything else.
type Server struct {
	Addr string // host:port

	mu      sync.Mutex
	records map[string][]dns.RR // by name
	failing map[string]bool
	asked   map[string]int
}

// New listens until the test ends.
func New(t testing.TB) *Server {
	t.Helper()
	packets, streams := listen(t)
	s := &Server{Addr: packets.LocalAddr().String(), records: map[string][]dns.RR{}, failing: map[string]bool{}, asked: map[string]int{}}
	for _, one := range []*dns.Server{{Net: "udp", PacketConn: packets}, {Net: "tcp", Listener: streams}} {
		one.Handler = dns.HandlerFunc(s.answer)
		started := make(chan struct{})
		one.NotifyStartedFunc = func(context.Context) { close(started) }
		go func() { _ = one.ListenAndServe() }()
		select {
		case <-started:
		case <-time.After(time.Minute):
			t.Fatal("the DNS server does not start")
		}
		t.Cleanup(func() { one.Shutdown(context.Background()) })
	}
	return s
}

// listen takes a port for UDP that is free for TCP as well: on a busy machine many are not.
func listen(t testing.TB) (net.PacketConn, net.Listener) {
	t.Helper()
	for try := 0; ; try++ {
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		streams, err := net.Listen("tcp", packets.LocalAddr().String())
		if err == nil {
			return packets, streams
		}
		_ = packets.Close()
		if try == 100 {
			t.Fatal(err)
		}
	}
}

// Set has the name answer with records as a zone file has them, instead of what it answered: `TXT "v=spf1 -all"`,
// `MX 10 mx.example.com.`, `A 192.0.2.1`. Without any there is no such name any more.
func (s *Server) Set(t testing.TB, name string, records ...string) {
	t.Helper()
	var parsed []dns.RR
	for _, one := range records {
		record, err := dns.New(name + ". 60 IN " + one)
		if err != nil {
			t.Fatal(one, err)
		}
		parsed = append(parsed, record)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[strings.ToLower(name)] = parsed
}

// Fail has the name answer SERVFAIL, or no more.
func (s *Server) Fail(name string, fails bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[strings.ToLower(name)] = fails
}

// Asked is how often somebody has asked for the name.
func (s *Server) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[strings.ToLower(name)]
}

func (s *Server) answer(_ context.Context, w dns.ResponseWriter, question *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reply := &dns.Msg{MsgHeader: dns.MsgHeader{ID: question.ID, Response: true, RecursionDesired: true, RecursionAvailable: true}, Question: question.Question}
	name := strings.ToLower(strings.TrimSuffix(question.Question[0].Header().Name, "."))
	s.asked[name]++
	switch known := s.records[name]; {
	case s.failing[name]:
		reply.Rcode = dns.RcodeServerFailure
	case len(known) == 0:
		reply.Rcode = dns.RcodeNameError
	default:
		for _, one := range known {
			if dns.RRToType(one) == dns.RRToType(question.Question[0]) {
				reply.Answer = append(reply.Answer, one)
			}
		}
	}
	if err := reply.Pack(); err == nil {
		if _, udp := w.LocalAddr().(*net.UDPAddr); udp && len(reply.Data) > int(max(question.UDPSize, dns.MinMsgSize)) {
			reply.Answer, reply.Truncated = nil, true
			reply.Data = nil
			_ = reply.Pack()
		}
		_, _ = io.Copy(w, reply)
	}
}
