package bounces

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/client"

	"skychimp/domain/email/report"
)

// Mailbox is where returned emails are read from, by IMAP.
type Mailbox struct {
	Addr           string // host:port
	TLS            bool   // from the start
	Plain          bool   // no TLS at all, on loopback
	User, Password string
	Name           string        // such as INBOX
	Poll           time.Duration // how often it is looked into though the server tells of nothing; 0: every minute
}

// ParseMailbox reads imaps://user:password@host/INBOX, or imap://, which has STARTTLS unless the host is
// a loopback address.
func ParseMailbox(text string) (Mailbox, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "imaps" && u.Scheme != "imap" || u.Hostname() == "" || u.User == nil || u.RawQuery != "" || u.Fragment != "" {
		return Mailbox{}, errors.New("it is no address of a mailbox")
	}
	password, ok := u.User.Password()
	if u.User.Username() == "" || !ok {
		return Mailbox{}, errors.New("it lacks the user or the password")
	}
	box := Mailbox{TLS: u.Scheme == "imaps", User: u.User.Username(), Password: password, Name: strings.Trim(u.Path, "/")}
	port := u.Port()
	if port == "" {
		port = map[bool]string{true: "993", false: "143"}[box.TLS]
	}
	box.Addr = net.JoinHostPort(u.Hostname(), port)
	ip := net.ParseIP(u.Hostname())
	box.Plain = !box.TLS && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
	if box.Name == "" {
		box.Name = "INBOX"
	}
	return box, nil
}

const (
	imapTimeout  = 30 * time.Second
	longestRetry = 5 * time.Minute
	imapBatch    = 50
)

// Read takes what is in the mailbox, and what comes, until ctx ends. Reports are deleted there when they
// are durable here; whatever else is there stays, marked as read.
func (in *Intake) Read(ctx context.Context, box Mailbox) {
	wait := time.Second
	for ctx.Err() == nil {
		begun := time.Now()
		err := in.readOnce(ctx, box)
		if ctx.Err() != nil {
			return
		}
		if time.Since(begun) > longestRetry {
			wait = time.Second
		}
		in.Log.Warn("bounces: the mailbox cannot be read", "host", box.Addr, "again_in", wait, "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, longestRetry)
	}
}

// readOnce works on one connection until that is lost or ctx ends.
func (in *Intake) readOnce(ctx context.Context, box Mailbox) error {
	c, err := box.connect()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Terminate() })
	defer stop()
	defer func() { _ = c.Logout() }()
	news := listen(c)
	if _, err := c.Select(box.Name, false); err != nil {
		return err
	}
	for {
		if err := in.readNew(ctx, c); err != nil {
			return err
		}
		if err := idle(c, news, cmp.Or(box.Poll, time.Minute)); err != nil {
			return err
		}
	}
}

// listen gets a token when the server has told that the mailbox has changed. It takes all updates, as
// the client would wait for that, until the connection ends.
func listen(c *client.Client) <-chan struct{} {
	updates, news := make(chan client.Update, 16), make(chan struct{}, 1)
	c.Updates = updates
	go func() {
		for {
			select {
			case update := <-updates:
				if _, changed := update.(*client.MailboxUpdate); changed {
					select {
					case news <- struct{}{}:
					default:
					}
				}
			case <-c.LoggedOut():
				return
			}
		}
	}()
	return news
}

func (b Mailbox) connect() (c *client.Client, err error) {
	dialer := &net.Dialer{Timeout: imapTimeout}
	host, _, _ := net.SplitHostPort(b.Addr)
	if b.TLS {
		c, err = client.DialWithDialerTLS(dialer, b.Addr, &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
	} else {
		c, err = client.DialWithDialer(dialer, b.Addr)
	}
	if err != nil {
		return nil, err
	}
	c.Timeout = imapTimeout
	if !b.TLS && !b.Plain {
		err = c.StartTLS(&tls.Config{ServerName: host, MinVersion: tls.VersionTLS12})
	}
	if err == nil {
		err = c.Login(b.User, b.Password)
	}
	if err != nil {
		_ = c.Terminate()
		return nil, err
	}
	return c, nil
}

// idle returns when something may have come.
func idle(c *client.Client, news <-chan struct{}, poll time.Duration) error {
	c.Timeout = 0 // an idle connection is silent
	defer func() { c.Timeout = imapTimeout }()
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() { done <- c.Idle(stop, &client.IdleOptions{LogoutTimeout: 2 * poll, PollInterval: poll}) }()
	again := time.NewTimer(poll)
	defer again.Stop()
	select {
	case <-news:
	case <-again.C:
	case err := <-done:
		if err == nil {
			err = errors.New("the connection was closed")
		}
		return err
	}
	close(stop)
	return <-done
}

// readNew handles all emails that nobody has seen.
func (in *Intake) readNew(ctx context.Context, c *client.Client) error {
	unseen := imap.NewSearchCriteria()
	unseen.WithoutFlags = []string{imap.SeenFlag, imap.DeletedFlag}
	ids, err := c.UidSearch(unseen)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, imapBatch) {
		for _, id := range some {
			if err := in.readEmail(ctx, c, id); err != nil {
				return err
			}
		}
		if err := c.Expunge(nil); err != nil {
			return err
		}
	}
	return nil
}

// readEmail handles one email: its flags follow when it is durable.
func (in *Intake) readEmail(ctx context.Context, c *client.Client, id uint32) error {
	set := new(imap.SeqSet)
	set.AddNum(id)
	section := &imap.BodySectionName{Peek: true, Partial: []int{0, report.MaxBytes}}
	found := make(chan *imap.Message, 4)
	if err := c.UidFetch(set, []imap.FetchItem{imap.FetchUid, section.FetchItem()}, found); err != nil {
		return err
	}
	var raw []byte
	for message := range found {
		if body := message.GetBody(section); body != nil && message.Uid == id {
			var err error
			if raw, err = io.ReadAll(body); err != nil {
				return err
			}
		}
	}
	if raw == nil {
		return nil // somebody has deleted it
	}
	kept, err := in.keep(ctx, raw)
	if err != nil {
		return fmt.Errorf("keep a report: %w", err)
	}
	flags := []any{imap.SeenFlag}
	if kept {
		flags = append(flags, imap.DeletedFlag)
	}
	return c.UidStore(set, imap.FormatFlagsOp(imap.AddFlags, true), flags, nil)
}
