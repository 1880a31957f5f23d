package bounces

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skychimp/domain"
)

var secret = []byte("a secret of thirty-two characters")

// received is what an intake has kept.
type received struct {
	run    int64
	seq    int
	report domain.Report
	size   int
}

// kept collects it; fail, when set, is the error of each try.
type kept struct {
	mu   sync.Mutex
	all  []received
	fail error
	left []domain.RecipientLink // that unsubscribed
	news chan struct{}
}

func (k *kept) unsubscribe(_ context.Context, link domain.RecipientLink, _ domain.LeaveReason) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fail != nil {
		return k.fail
	}
	k.left = append(k.left, link)
	return nil
}

func (k *kept) receive(_ context.Context, run int64, seq int, report domain.Report, raw []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	defer func() { k.news <- struct{}{} }()
	if k.fail != nil {
		return k.fail
	}
	k.all = append(k.all, received{run, seq, report, len(raw)})
	return nil
}

func (k *kept) list() []received {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.all
}

func intake(t *testing.T, k *kept) (in *Intake, ctx context.Context) {
	k.news = make(chan struct{}, 1000)
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	return &Intake{Domain: "bounces.example.com", Secrets: [][]byte{[]byte("the one of now"), secret}, Log: slog.New(slog.DiscardHandler), Receive: k.receive, Unsubscribe: k.unsubscribe}, ctx
}

func address(run int64, seq int) string {
	token := domain.NewReturnTokens(secret).Append(nil, run, seq)
	return string(domain.AppendReturnAddress(nil, token, "bounces.example.com"))
}

// bounce is a report whose envelope recipient the reader has to know already.
const bounce = `From: MAILER-DAEMON@mx.example.org
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx

Final-Recipient: rfc822; ivan@example.net
Action: failed
Status: 5.1.1

--x
Content-Type: text/rfc822-headers

Message-ID: <%s>

--x--
`

// talk is a mail server that hands a report over.
type talk struct {
	*textproto.Conn
	t *testing.T
}

func dial(t *testing.T, addr string) talk {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c := talk{textproto.NewConn(conn), t}
	t.Cleanup(func() { c.Close() })
	c.want(220)
	return c
}

func (c talk) want(code int) string {
	c.t.Helper()
	_, text, err := c.ReadResponse(code)
	if err != nil {
		c.t.Fatalf("want %d: %v", code, err)
	}
	return text
}

func (c talk) say(code int, line string) {
	c.t.Helper()
	if err := c.PrintfLine("%s", line); err != nil {
		c.t.Fatal(err)
	}
	c.want(code)
}

func (c talk) data(code int, text string) {
	c.t.Helper()
	c.say(354, "DATA")
	w := c.DotWriter()
	fmt.Fprint(w, text)
	w.Close()
	c.want(code)
}

func serve(t *testing.T, k *kept) string {
	in, ctx := intake(t, k)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go in.Serve(ctx, ln)
	return ln.Addr().String()
}

func TestAReportIsKeptBeforeItIsAccepted(t *testing.T) {
	var k kept
	c := dial(t, serve(t, &k))
	c.say(250, "EHLO mx.example.org")
	for i := range 3 { // in whatever case, on one connection
		c.say(250, "MAIL FROM:<>")
		to := address(7, 12+i)
		if i == 1 {
			to = strings.ToUpper(to)
		}
		c.say(250, "RCPT TO:<"+to+">")
		c.data(250, fmt.Sprintf(bounce, "none@example.com"))
	}
	all := k.list()
	if len(all) != 3 || all[1].run != 7 || all[1].seq != 13 || all[1].report.Kind != domain.ReportDelivery {
		t.Fatalf("kept %+v", all)
	}

	k.mu.Lock()
	k.fail = errors.New("the database is away")
	k.mu.Unlock()
	c.say(250, "MAIL FROM:<>")
	c.say(250, "RCPT TO:<"+address(7, 99)+">")
	c.data(451, fmt.Sprintf(bounce, "none@example.com"))

	k.mu.Lock()
	k.fail = domain.Errorf(domain.NotFound, "", "errors.not_found")
	k.mu.Unlock()
	c.say(250, "MAIL FROM:<>")
	c.say(250, "RCPT TO:<"+address(7, 99)+">")
	c.data(550, fmt.Sprintf(bounce, "none@example.com"))
}

func TestWhoeverWasNoSenderIsRefusedAtRCPT(t *testing.T) {
	var k kept
	addr := serve(t, &k)
	forged := []byte(address(7, 12))
	forged[5]++
	for _, to := range []string{"ivan@bounces.example.com", "b+aaaa@bounces.example.com", string(forged), "fbl@example.com",
		strings.Replace(address(7, 12), "bounces.", "", 1)} {
		c := dial(t, addr)
		c.say(250, "EHLO mx.example.org")
		c.say(250, "MAIL FROM:<ivan@example.net>")
		c.say(550, "RCPT TO:<"+to+">")
		c.say(502, "DATA")
		c.say(221, "QUIT")
	}
	c := dial(t, addr)
	c.say(250, "EHLO mx.example.org")
	c.say(250, "MAIL FROM:<>")
	c.say(250, "RCPT TO:<"+address(7, 12)+">")
	c.say(452, "RCPT TO:<"+address(7, 13)+">") // it comes on its own
	for range maxUnknown + 1 {
		if c.PrintfLine("RCPT TO:<x@bounces.example.com>") != nil {
			break
		}
		if _, _, err := c.ReadResponse(0); err != nil {
			break
		}
	}
	if len(k.list()) != 0 {
		t.Errorf("kept %+v", k.list())
	}
}

func TestAnEmailUnsubscribes(t *testing.T) {
	var k kept
	addr := serve(t, &k)
	mailbox := domain.NewUnsubscribeTokens(secret).Mailbox(42, domain.RunSuffix(7), "bounces.example.com")
	c := dial(t, addr)
	c.say(250, "EHLO mx.example.org")
	for i := range 2 { // in whatever case, and again
		to := mailbox
		if i == 1 {
			to = strings.ToUpper(mailbox)
		}
		c.say(250, "MAIL FROM:<ivan@example.net>")
		c.say(250, "RCPT TO:<"+to+">")
		c.data(250, "Subject: unsubscribe\n\n")
	}
	c.say(250, "MAIL FROM:<>") // a report on the same connection is one
	c.say(250, "RCPT TO:<"+address(7, 12)+">")
	c.data(250, fmt.Sprintf(bounce, "none@example.com"))
	if k.mu.Lock(); !slices.Equal(k.left, []domain.RecipientLink{{ClientID: 42, RunID: 7}, {ClientID: 42, RunID: 7}}) || len(k.all) != 1 {
		t.Errorf("unsubscribed %v, kept %+v", k.left, k.all)
	}
	k.fail = errors.New("the database is away")
	k.mu.Unlock()
	c.say(250, "MAIL FROM:<ivan@example.net>")
	c.say(250, "RCPT TO:<"+mailbox+">")
	c.data(451, "Subject: unsubscribe\n\n")
	for _, to := range []string{"unsubscribe@bounces.example.com", strings.Replace(mailbox, "+", "+b", 1),
		strings.Replace(mailbox, "bounces.", "", 1), domain.NewUnsubscribeTokens([]byte("another")).Mailbox(42, domain.RunSuffix(7), "bounces.example.com")} {
		c.say(250, "MAIL FROM:<eve@example.net>")
		c.say(550, "RCPT TO:<"+to+">")
		c.say(250, "RSET")
	}
}

func TestAComplaintIsKnownByWhatItReturns(t *testing.T) {
	var k kept
	c := dial(t, serve(t, &k))
	token, _, _ := strings.Cut(address(9, 4)[2:], "@")
	c.say(250, "EHLO mx.example.org")
	c.say(250, "MAIL FROM:<abuse@example.net>")
	c.say(250, "RCPT TO:<fbl@bounces.example.com>")
	c.data(250, fmt.Sprintf(bounce, token+"@example.com"))
	c.say(250, "MAIL FROM:<ivan@example.net>")
	c.say(250, "RCPT TO:<postmaster@bounces.example.com>")
	c.data(550, "Subject: hello\n\nWho reads this?\n")
	if all := k.list(); len(all) != 1 || all[0].run != 9 || all[0].seq != 4 {
		t.Errorf("kept %+v", all)
	}
}

func TestAHugeReportIsReadToABound(t *testing.T) {
	var k kept
	c := dial(t, serve(t, &k))
	c.say(250, "EHLO mx.example.org")
	c.say(250, "MAIL FROM:<>")
	c.say(250, "RCPT TO:<"+address(1, 1)+">")
	c.data(250, fmt.Sprintf(bounce, "x@y")+strings.Repeat(strings.Repeat("x", 76)+"\n", 40_000))
	if all := k.list(); len(all) != 1 || all[0].size != 256<<10 || len(all[0].report.Recipients) != 1 {
		t.Errorf("kept %+v", all)
	}
	c.say(250, "MAIL FROM:<>")
	c.say(250, "RCPT TO:<"+address(1, 1)+">")
	c.data(552, strings.Repeat(strings.Repeat("x", 76)+"\n", 300_000))
	if len(k.list()) != 1 {
		t.Error("a report of 23 MB was kept")
	}
}

func TestAHostHasABoundOfConnections(t *testing.T) {
	var k kept
	addr := serve(t, &k)
	var open []talk
	for range maxConnsOfHost {
		c := dial(t, addr)
		c.say(250, "EHLO mx.example.org")
		open = append(open, c)
	}
	late := dial(t, addr)
	late.say(421, "EHLO mx.example.org")
	open[0].say(221, "QUIT")
	for deadline := time.Now().Add(time.Minute); ; { // the server may see the end of a connection late
		c := dial(t, addr)
		c.PrintfLine("EHLO mx.example.org")
		if _, _, err := c.ReadResponse(250); err == nil {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("nobody else may come: %v", err)
		}
	}
}
