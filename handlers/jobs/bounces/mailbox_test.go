package bounces

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap"
	"github.com/emersion/go-imap/backend"
	"github.com/emersion/go-imap/backend/memory"
	"github.com/emersion/go-imap/server"

	"skychimp/domain"
)

// box is a mailbox that a server and a test may use at once. flagged gets a token when flags were set.
type box struct {
	backend.Mailbox
	mu      sync.Mutex
	flagged chan struct{}
}

func (b *box) ListMessages(uid bool, set *imap.SeqSet, items []imap.FetchItem, ch chan<- *imap.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Mailbox.ListMessages(uid, set, items, ch)
}

func (b *box) SearchMessages(uid bool, criteria *imap.SearchCriteria) ([]uint32, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Mailbox.SearchMessages(uid, criteria)
}

func (b *box) UpdateMessagesFlags(uid bool, set *imap.SeqSet, op imap.FlagsOp, flags []string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer func() { b.flagged <- struct{}{} }()
	return b.Mailbox.UpdateMessagesFlags(uid, set, op, flags)
}

func (b *box) Expunge() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Mailbox.Expunge()
}

func (b *box) put(t *testing.T, raw string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.CreateMessage(nil, time.Now(), strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
}

// flags are those of each email that is there.
func (b *box) flags() (all []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, one := range b.Mailbox.(*memory.Mailbox).Messages {
		all = append(all, strings.Join(one.Flags, " "))
	}
	return all
}

type user struct {
	backend.User
	box *box
}

func (u user) Login(*imap.ConnInfo, string, string) (backend.User, error) { return u, nil }

func (u user) GetMailbox(string) (backend.Mailbox, error) { return u.box, nil }

// imapServer has a mailbox with one email that somebody has read.
func imapServer(t *testing.T) (*box, Mailbox) {
	account, err := memory.New().Login(nil, "username", "password")
	if err != nil {
		t.Fatal(err)
	}
	inner, err := account.GetMailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	b := &box{Mailbox: inner, flagged: make(chan struct{}, 100)}
	s := server.New(user{account, b})
	s.AllowInsecureAuth = true
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve(ln)
	t.Cleanup(func() { s.Close() })
	read, err := ParseMailbox("imap://username:password@" + ln.Addr().String() + "/INBOX")
	if err != nil {
		t.Fatal(err)
	}
	read.Poll = 20 * time.Millisecond
	return b, read
}

func within(t *testing.T, news <-chan struct{}) {
	t.Helper()
	select {
	case <-news:
	case <-time.After(time.Minute):
		t.Fatal("nothing happens")
	}
}

func TestAMailboxIsReadOnceAndEmptiedOfWhatIsKept(t *testing.T) {
	var k kept
	in, ctx := intake(t, &k)
	b, mailbox := imapServer(t)
	token, _, _ := strings.Cut(address(7, 12)[2:], "@")
	b.put(t, fmt.Sprintf(bounce, token+"@example.com"))
	b.put(t, "Subject: to a person\n\nHello\n")
	b.put(t, "Delivered-To: "+address(7, 13)+"\n"+fmt.Sprintf(bounce, "gone@example.com"))
	b.put(t, "To: "+domain.NewUnsubscribeTokens(secret).Mailbox(42, domain.RunSuffix(7), "bounces.example.com")+"\nSubject: unsubscribe\n\n")
	go in.Read(ctx, mailbox)
	for range 4 {
		within(t, b.flagged)
	}
	b.put(t, fmt.Sprintf(bounce, strings.ToUpper(token)+"@example.com")) // while it waits
	within(t, b.flagged)
	all := k.list()
	if len(all) != 3 || all[0].seq != 12 || all[1].seq != 13 || all[2].seq != 12 || all[0].run != 7 {
		t.Fatalf("kept %+v", all)
	}
	for deadline := time.Now().Add(time.Minute); len(b.flags()) != 2; { // the one of before, the one to a person
		if time.Now().After(deadline) {
			t.Fatalf("there are %q", b.flags())
		}
		time.Sleep(time.Millisecond)
	}
	if k.mu.Lock(); !slices.Equal(k.left, []domain.RecipientLink{{ClientID: 42, RunID: 7}}) {
		t.Errorf("unsubscribed %v", k.left)
	}
	k.mu.Unlock()
	if got := b.flags(); got[0] != imap.SeenFlag || got[1] != imap.SeenFlag {
		t.Errorf("flags %q", got)
	}
}

func TestWhatIsNotKeptStaysUnseen(t *testing.T) {
	k := kept{fail: errors.New("the database is away")}
	in, ctx := intake(t, &k)
	b, mailbox := imapServer(t)
	b.put(t, "Delivered-To: "+address(7, 13)+"\n"+fmt.Sprintf(bounce, "gone@example.com"))
	go in.Read(ctx, mailbox)
	within(t, k.news)
	if got := b.flags(); got[1] != "" {
		t.Errorf("flags %q before it was kept", got)
	}
	k.mu.Lock()
	k.fail = nil
	k.mu.Unlock()
	within(t, b.flagged) // after it has connected anew
	if len(k.list()) != 1 {
		t.Errorf("kept %+v", k.list())
	}
}

func TestParseMailbox(t *testing.T) {
	for text, want := range map[string]Mailbox{
		"imaps://ivan:pass@mail.example.com/INBOX":                 {Addr: "mail.example.com:993", TLS: true, User: "ivan", Password: "pass", Name: "INBOX"},
		"imaps://ivan%40example.com:p%3A@mail.example.com":         {Addr: "mail.example.com:993", TLS: true, User: "ivan@example.com", Password: "p:", Name: "INBOX"},
		"imap://ivan:pass@mail.example.com:1143/Returned/By%20day": {Addr: "mail.example.com:1143", User: "ivan", Password: "pass", Name: "Returned/By day"},
		"imap://ivan:pass@127.0.0.1":                               {Addr: "127.0.0.1:143", Plain: true, User: "ivan", Password: "pass", Name: "INBOX"},
	} {
		if got, err := ParseMailbox(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "mail.example.com", "https://a:b@mail.example.com/INBOX", "imaps://mail.example.com/INBOX",
		"imaps://ivan@mail.example.com/INBOX", "imaps://:p@mail.example.com", "imaps:///INBOX", "imaps://a:b@host/INBOX?x=1"} {
		if _, err := ParseMailbox(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
