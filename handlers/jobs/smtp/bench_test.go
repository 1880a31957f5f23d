package smtp_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"skychimp/domain"
	"skychimp/handlers/jobs/smtp"
	"skychimp/handlers/jobs/smtp/smtptest"
)

// email is 3 kB long, as an ordinary mailing's text and HTML parts are.
func email() []byte {
	head := "From: a@sender.example\r\nTo: b@client.example\r\nSubject: News\r\nMessage-ID: <1@sender.example>\r\n\r\n"
	line := "Lines of about seventy characters are what a quoted-printable text has.\r\n"
	return append([]byte(head), bytes.Repeat([]byte(line), (3000-len(head))/len(line))...)
}

// send hands over n emails in all on conns connections, as the engine does: the next
// envelope goes out with the end of data. wait stands for the commit of a result.
func send(b *testing.B, server smtp.Server, conns, n int, wait func()) {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	body := email()
	var all sync.WaitGroup
	for range conns {
		all.Go(func() {
			c, err := smtp.Dial(b.Context(), server)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.Close()
			next := func() bool {
				i := left.Add(-1)
				if i >= 0 {
					c.Envelope("news@sender.example", fmt.Sprintf("client%d@client.example", i), len(body), "")
				}
				return i >= 0
			}
			for more := next(); more; {
				if answer, ok := c.Ready(b.Context()); !ok {
					b.Errorf("%s: %s", answer.Stage, answer)
					return
				}
				c.Email(body)
				more = next()
				if answer := c.Result(b.Context()); answer.Status() != domain.Accepted {
					b.Errorf("%s: %s", answer.Stage, answer)
					return
				}
				wait()
			}
		})
	}
	all.Wait()
}

func measure(b *testing.B, url string, conns int, wait func()) {
	b.Helper()
	server, err := smtp.ParseURL(url)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	start := time.Now()
	send(b, server, conns, b.N, wait)
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "emails/s")
}

func BenchmarkSmtptest(b *testing.B) {
	s := smtptest.Start(b, smtptest.Script{Count: true})
	measure(b, s.URL(), 10, func() {})
	if s.Accepted() < b.N {
		b.Errorf("%d of %d emails have come", s.Accepted(), b.N)
	}
}

func BenchmarkFarServer(b *testing.B) {
	s := smtptest.Start(b, smtptest.Script{Count: true, Latency: 20 * time.Millisecond})
	measure(b, s.URL(), 1, func() {})
}

// BenchmarkSmtpSink sends to Postfix's test server, a program of its own.
func BenchmarkSmtpSink(b *testing.B) {
	path, err := exec.LookPath("smtp-sink")
	if err != nil {
		b.Skip("smtp-sink of the postfix package is not installed")
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := free.Addr().String()
	_ = free.Close()
	args := []string{addr, "1000"}
	if os.Getuid() == 0 { // it refuses to stay root
		args = append([]string{"-u", "nobody"}, args...)
	}
	sink := exec.CommandContext(b.Context(), path, args...)
	if err := sink.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = sink.Process.Kill(); _ = sink.Wait() })
	for tries := 0; ; tries++ { // it doesn't tell when it listens
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			_ = conn.Close()
			break
		}
		if tries == 5000 {
			b.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	measure(b, "smtp://"+addr, 10, func() {})
}
