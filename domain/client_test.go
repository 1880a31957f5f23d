package domain

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestClientChange(t *testing.T) {
	tests := []struct {
		name string
		form ClientForm
		want Client
		errs string
	}{
		{"all fields", ClientForm{"ann@x.org", "Ann", "met in May", "vip, news"},
			Client{Email: "ann@x.org", FullName: "Ann", Comment: "met in May", Tags: []string{"vip", "news"}}, ""},
		{"only an address", ClientForm{Email: "ann@x.org"}, Client{Email: "ann@x.org", Tags: []string{}}, ""},
		{"spaces around", ClientForm{" ann@X.ORG\t", "  Анна  ", "\n да \n", " , a ,, A , b c ,b   c"},
			Client{Email: "ann@x.org", FullName: "Анна", Comment: "да", Tags: []string{"a", "b c"}}, ""},
		{"browser's line ends", ClientForm{Email: "a@x.org", Comment: "one\r\ntwo\tthree"},
			Client{Email: "a@x.org", Comment: "one\ntwo\tthree", Tags: []string{}}, ""},
		{"nothing", ClientForm{}, Client{Tags: []string{}}, "email: clients.email_required"},
		{"all wrong", ClientForm{"ann", "A\nB", strings.Repeat("я", 5001), strings.Repeat("t", 51)},
			Client{Email: "ann", FullName: "A\nB", Comment: strings.Repeat("я", 5001), Tags: []string{strings.Repeat("t", 51)}},
			"email: clients.email_invalid; full_name: clients.full_name_control; comment: clients.comment_long; tags: clients.tag_long"},
		{"longest", ClientForm{"a@x.org", strings.Repeat("я", 200), strings.Repeat("я", 5000), strings.Repeat("ю", 50)},
			Client{Email: "a@x.org", FullName: strings.Repeat("я", 200), Comment: strings.Repeat("я", 5000), Tags: []string{strings.Repeat("ю", 50)}}, ""},
		{"long name", ClientForm{"a@x.org", strings.Repeat("я", 201), "", ""},
			Client{Email: "a@x.org", FullName: strings.Repeat("я", 201), Tags: []string{}}, "full_name: clients.full_name_long"},
		{"NUL", ClientForm{"a@x.org", "", "a\x00b", ""},
			Client{Email: "a@x.org", Comment: "a\x00b", Tags: []string{}}, "comment: clients.comment_control"},
		{"no UTF-8", ClientForm{"a@x.org", "\xff", "\xff", "\xff"},
			Client{Email: "a@x.org", FullName: "\xff", Comment: "\xff", Tags: []string{"\xff"}},
			"full_name: clients.full_name_control; comment: clients.comment_control; tags: clients.tag_long"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c Client
			err := c.Change(tt.form)
			if text(err) != tt.errs {
				t.Errorf("errors %q, want %q", text(err), tt.errs)
			}
			if !reflect.DeepEqual(c, tt.want) {
				t.Errorf("client %+v, want %+v", c, tt.want)
			}
		})
	}
}

func TestClientChangeAndSuppression(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		reason     Suppression
		email      string
		suppressed bool
	}{
		{Bounced, "new@x.org", false},
		{Bounced, "Old@X.org", true}, // the same mailbox for every server that matters
		{Unsubscribed, "new@x.org", true},
		{Unsubscribed, "old@x.org", true},
	}
	for _, tt := range tests {
		c := Client{Email: "old@x.org", SuppressedAt: at, SuppressedReason: tt.reason}
		if err := c.Change(ClientForm{Email: tt.email}); err != nil {
			t.Fatal(err)
		}
		if c.Suppressed() != tt.suppressed || (c.SuppressedReason != "") != tt.suppressed {
			t.Errorf("%s, now %s: %v %q, want suppressed %v", tt.reason, tt.email, c.SuppressedAt, c.SuppressedReason, tt.suppressed)
		}
	}
}

func TestTags(t *testing.T) {
	many := func(n, length int, first rune) string {
		tags := make([]string, n)
		for i := range tags {
			tags[i] = strings.Repeat(string(first+rune(i)), length)
		}
		return strings.Join(tags, ",")
	}
	tests := []struct{ name, text, errs string }{
		{"20 of 50 Cyrillic letters", many(20, 50, 'а'), ""},
		{"21", many(21, 3, 'а'), "tags: clients.tags_many"},
		{"51 letters", many(1, 51, 'а'), "tags: clients.tag_long"},
		{"20 of 50 Chinese signs", many(20, 50, '一'), "tags: clients.tags_long"},
	}
	for _, tt := range tests {
		c := Client{}
		if err := c.Change(ClientForm{Email: "a@x.org", Tags: tt.text}); text(err) != tt.errs {
			t.Errorf("%s: %q, want %q", tt.name, text(err), tt.errs)
		}
	}
	if got := ParseTags("Vip,vip, VIP ,ВАЖНО,важно"); !slices.Equal(got, []string{"Vip", "ВАЖНО"}) {
		t.Errorf("repetitions: %q", got)
	}
}

// text is what err says, "" for none.
func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestRetry(t *testing.T) {
	for reason, want := range map[Suppression]string{Bounced: "", Unsubscribed: "clients.not_bounced", "": "clients.not_bounced"} {
		c := Client{SuppressedReason: reason}
		if reason != "" {
			c.SuppressedAt = time.Now()
		}
		err := c.Retry()
		if text(err) != want || (c.SuppressedReason == reason) != (want != "") && reason != "" {
			t.Errorf("%q: %q, now %q", reason, text(err), c.SuppressedReason)
		}
	}
}
