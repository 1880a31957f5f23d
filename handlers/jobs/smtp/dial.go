package smtp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"skychimp/domain"
)

// Failure is why there is no connection. Err is nil where the server itself refused.
type Failure struct {
	domain.Answer
	Err error
}

func (f *Failure) Error() string { return string(f.Stage) + ": " + f.Answer.String() }

func (f *Failure) Unwrap() error { return f.Err }

// AnswerOf is what a server answered when it let nobody in.
func AnswerOf(err error) domain.Answer {
	if failure, ok := errors.AsType[*Failure](err); ok {
		return failure.Answer
	}
	return domain.NewAnswer(domain.StageConnect, 0, err.Error())
}

// Dial connects, greets, starts TLS and signs in. Its error is a *Failure. A password goes
// only over a checked certificate or to this machine.
func Dial(ctx context.Context, s Server) (*Conn, error) {
	c, err := dial(ctx, s)
	if f, ok := errors.AsType[*Failure](err); ok && f.Stage == domain.StageTLS && s.TLS == TLSOpportunistic && s.User == "" {
		s.TLS = TLSNone // TLS that doesn't work must not be worse than none
		return dial(ctx, s)
	}
	return c, err
}

func dial(ctx context.Context, s Server) (*Conn, error) {
	dialer := net.Dialer{Timeout: s.ConnectTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", s.Addr)
	if ctx.Err() != nil && err != nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, &Failure{domain.NewAnswer(domain.StageConnect, 0, err.Error()), err}
	}
	c := &Conn{wire: newWire(conn), server: s}
	if err := c.enter(ctx); err != nil {
		return nil, c.fail(domain.StageConnect, 0, nil, err)
	}
	defer c.leave()
	if err := c.begin(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Conn) begin(ctx context.Context) error {
	if c.server.Implicit {
		if err := c.handshake(ctx); err != nil {
			return err
		}
	}
	if code, words, err := c.read(c.server.CommandTimeout); err != nil || code/100 != 2 {
		return c.fail(domain.StageConnect, code, words, err)
	}
	if err := c.hello(); err != nil {
		return err
	}
	if err := c.secure(ctx); err != nil {
		return err
	}
	if c.server.User == "" {
		return nil
	}
	return c.signIn()
}

func (c *Conn) hello() error {
	name := c.server.Name
	if name == "" {
		name = literal(c.raw.LocalAddr())
	}
	c.extensions = extensions{}
	c.out = append(c.out, "EHLO "+name+"\r\n"...)
	code, words, err := c.ask(c.server.CommandTimeout)
	if err == nil && code/100 == 5 {
		c.out = append(c.out, "HELO "+name+"\r\n"...)
		code, words, err = c.ask(c.server.CommandTimeout)
		if err == nil && code/100 == 2 {
			return nil
		}
	}
	if err != nil || code/100 != 2 {
		return c.fail(domain.StageHello, code, words, err)
	}
	c.extensions = offered(string(words))
	return nil
}

// offered are the extensions that an answer to EHLO names, one a line.
func offered(answer string) (list extensions) {
	for line := range strings.Lines(strings.ToUpper(answer)) {
		keyword, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch keyword {
		case "PIPELINING":
			list.pipelining = true
		case "8BITMIME":
			list.eightBit = true
		case "SMTPUTF8":
			list.smtputf8 = true
		case "SIZE":
			list.size = true
			if n, err := strconv.Atoi(strings.TrimSpace(rest)); err == nil && n > 0 {
				list.maxSize = n
			}
		case "DSN":
			list.dsn = true
		case "STARTTLS":
			list.starttls = true
		case "AUTH":
			list.auth = append(list.auth, strings.Fields(rest)...)
		default:
			if first, old := strings.CutPrefix(keyword, "AUTH="); old { // as servers before RFC 2554 wrote it
				list.auth = append(append(list.auth, first), strings.Fields(rest)...)
			}
		}
	}
	return list
}

// literal names a client without a domain of its own (RFC 5321 section 4.1.3).
func literal(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "localhost"
	}
	if ip := tcp.IP.To4(); ip != nil {
		return "[" + ip.String() + "]"
	}
	return "[IPv6:" + tcp.IP.String() + "]"
}

// secure starts TLS as the mode wants it, and refuses to go on where a password would
// travel in the clear.
func (c *Conn) secure(ctx context.Context) error {
	if c.server.Implicit {
		return nil
	}
	needed := c.server.TLS == TLSRequired || c.server.User != "" && !c.local()
	switch {
	case c.server.TLS != TLSNone && c.starttls:
		c.out = append(c.out, "STARTTLS\r\n"...)
		code, words, err := c.ask(c.server.CommandTimeout)
		if err != nil || code == 421 || needed && code/100 != 2 {
			return c.fail(domain.StageTLS, code, words, err)
		}
		if code/100 != 2 {
			return nil
		}
		if c.in.Buffered() > 0 { // somebody on the way has added plain answers
			return c.fail(domain.StageTLS, 0, nil, errors.New("the server sent more than the answer to STARTTLS"))
		}
		if err := c.handshake(ctx); err != nil {
			return err
		}
		return c.hello()
	case needed:
		return c.fail(domain.StageTLS, 0, nil, errors.New("the server offers no STARTTLS, which tls=required and a password need"))
	}
	return nil
}

// local tells that the server runs on this machine, where nobody listens in between.
func (c *Conn) local() bool {
	tcp, ok := c.raw.RemoteAddr().(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

func (c *Conn) handshake(ctx context.Context) error {
	host, _, err := net.SplitHostPort(c.server.Addr)
	if err != nil {
		return c.fail(domain.StageConnect, 0, nil, err)
	}
	checked := c.server.TLS == TLSRequired || c.server.User != "" && !c.local()
	conn := tls.Client(c.raw, &tls.Config{
		ServerName: host, RootCAs: c.server.RootCAs, MinVersion: tls.VersionTLS12,
		InsecureSkipVerify: !checked, //nolint:gosec // opportunistic: the other choice is no TLS at all
	})
	ctx, cancel := context.WithTimeout(ctx, c.server.CommandTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return c.fail(domain.StageTLS, 0, nil, err)
	}
	c.net = conn
	c.in.Reset(conn)
	return nil
}

// fail ends a connection that has not got as far as emails. Where the network is to
// blame, a failed TLS handshake is no fault of TLS.
func (c *Conn) fail(stage domain.Stage, code int, words []byte, err error) error {
	if stage == domain.StageTLS && networkFault(err) {
		stage = domain.StageConnect
	}
	return &Failure{c.lost(stage, code, words, err), err}
}

func networkFault(err error) bool {
	for _, fault := range []error{
		io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, os.ErrDeadlineExceeded, syscall.ECONNRESET, syscall.EPIPE,
		context.Canceled, context.DeadlineExceeded,
	} {
		if errors.Is(err, fault) {
			return true
		}
	}
	return false
}
