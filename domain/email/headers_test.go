package email

import (
	"errors"
	"mime"
	"regexp"
	"strings"
	"testing"

	"skychimp/domain"
)

func TestHeaders(t *testing.T) {
	email := string(write(t, compile(t, benchSource()), benchRecipient()))
	head, _, _ := strings.Cut(email, "\r\n\r\n")
	want := strings.Join([]string{
		`From: "Ivan's Bakery" <noreply@example.com>`,
		`To: =?utf-8?b?0JDQvdC90LAg0J/QtdGC0YDQvtCy0LA=?= <anna.petrova@example.net>`,
		`Subject: =?utf-8?b?0JDQvdC90LAg0J/QtdGC0YDQvtCy0LAsIHRoZSBuZXdzIG9mIE5v?=`,
		` =?utf-8?b?dmVtYmVyIGFyZSBoZXJl?=`,
		`Date: Mon, 23 Nov 2026 09:30:00 +0000`,
		`Message-ID: ` + benchRecipient().MessageID,
		`List-Unsubscribe:`,
		` <https://mail.example.com/unsubscribe/3q2-7wAAAAAAAAAAKgAAAAAAAAAHf4Xk0gJ0Q1c>`,
		`List-Unsubscribe-Post: List-Unsubscribe=One-Click`,
		`Precedence: bulk`,
		`Reply-To: "Ivan" <ivan@example.org>`,
		`List-Id: "Ivan's Bakery" <owner-3.example.com>`,
		`Feedback-ID: 7:3:mailing:abcdefghijklm`,
		`Content-Language: en`,
		`MIME-Version: 1.0`,
		`Content-Type: multipart/alternative; boundary="=_skychimp"`,
	}, "\r\n")
	if head != want {
		t.Errorf("got\n%s\nwant\n%s", head, want)
	}
}

func TestAddressesBeyondASCII(t *testing.T) {
	for email, want := range map[string]string{
		"ivan@пример.рф": "<ivan@xn--e1afmkfd.xn--p1ai>\r\n", // RFC 5891
		"иван@пример.рф": "<иван@xn--e1afmkfd.xn--p1ai>\r\n", // RFC 6532
	} {
		written, err := compile(t, benchSource()).Append(nil, addressed(email))
		if err != nil || !strings.Contains(string(written), want) {
			t.Errorf("%s: %v, no %q in\n%.300s", email, err, want, written)
		}
	}
	for owner, want := range map[string]bool{"owner@пример.рф": true, "хозяин@пример.рф": false, "owner@x.org": true} {
		s := benchSource()
		s.ReplyTo.Address = owner
		written, err := compile(t, s).Append(nil, benchRecipient())
		if err != nil || strings.Contains(string(written), "Reply-To: ") != want {
			t.Errorf("%s: %v, Reply-To there: %v", owner, err, !want)
		}
	}
}

func addressed(email string) Recipient {
	r := benchRecipient()
	r.Email = email
	return r
}

func TestUnsafeRecipientRefused(t *testing.T) {
	s := benchSource()
	s.Subject = "{{name}} {{comment}}"
	l := compile(t, s)
	for _, bad := range []string{"\r", "\n", "\r\nBcc: eve@example.org", "\x00", "\r\n\r\nbody"} {
		for field, r := range map[string]Recipient{
			"name":            {Name: "Anna" + bad},
			"email":           {Email: "anna@example.net" + bad},
			"message_id":      {MessageID: "<a@b" + bad + ">"},
			"unsubscribe_url": {UnsubscribeURL: "https://example.com/u" + bad},
		} {
			refused(t, l, r, field)
		}
	}
	for _, email := range []string{
		"@", "a@", "@b", "a", "a b@c.d", "a@b@c", "a@b,c@d", "a@b, c@d", "<a@b>", "a@b>", "a..b@c.d", ".a@b", "a@b.",
		`"a b"@c.d`, "a@[127.0.0.1]", "(x)a@b", "a@b:c", "a;b@c", "a@..рф", "a\xff@b.cd", strings.Repeat("a", 250) + "@b.cd",
	} {
		refused(t, l, Recipient{Email: email}, "email")
	}
	for _, url := range []string{"ftp://a", "javascript:alert(1)", "https://a b", "https://a>,<https://b", "https://ü"} {
		refused(t, l, Recipient{UnsubscribeURL: url}, "unsubscribe_url")
	}
	refused(t, l, Recipient{MessageID: "a@b"}, "message_id")
	refused(t, l, Recipient{MessageID: "<a@b> <c@d>"}, "message_id")
	refused(t, l, Recipient{Comment: "a\x00"}, "comment")
	if _, err := l.Append(nil, Recipient{Email: "a@b.c", MessageID: "<a@b>"}); err == nil {
		t.Error("an email to a list without an unsubscribe address was written")
	}
}

// refused fills what r leaves empty and wants Append to refuse the named field.
func refused(t *testing.T, l *Template, r Recipient, field string) {
	t.Helper()
	base := benchRecipient()
	if r.Email == "" {
		r.Email = base.Email
	}
	if r.MessageID == "" {
		r.MessageID = base.MessageID
	}
	if r.UnsubscribeURL == "" {
		r.UnsubscribeURL = base.UnsubscribeURL
	}
	dst, err := l.Append([]byte("before"), r)
	refusal, ok := errors.AsType[*domain.Error](err)
	if !ok || refusal.Field != field || string(dst) != "before" {
		t.Errorf("%+v: got %q, %v, want a refusal of %s", r, dst, err, field)
	}
}

func TestUnsafeSourceRefused(t *testing.T) {
	for _, bad := range []string{"\r", "\nBcc: eve@example.org", "\x00"} {
		for field, change := range map[string]func(*Source){
			"from":        func(s *Source) { s.From.Name += bad },
			"reply_to":    func(s *Source) { s.ReplyTo.Address += bad },
			"list_id":     func(s *Source) { s.List.ID += bad },
			"feedback_id": func(s *Source) { s.FeedbackID += bad },
		} {
			s := benchSource()
			change(&s)
			_, err := Compile(s)
			if refusal, ok := errors.AsType[*domain.Error](err); !ok || refusal.Field != field {
				t.Errorf("%s with %q: %v", field, bad, err)
			}
		}
	}
	s := benchSource()
	s.Subject += "\r\nBcc: eve@example.org"
	if _, err := Compile(s); domain.KindOf(err) != domain.Invalid {
		t.Errorf("subject with a line break: %v", err)
	}
}

func TestHeaderLinesAreFolded(t *testing.T) {
	for _, subject := range []string{
		strings.Repeat("word ", 39), strings.Repeat("слово ", 33), strings.Repeat("x", 200), strings.Repeat("👋", 200),
		"a" + strings.Repeat(" ", 150) + "b",
	} {
		s := benchSource()
		s.Subject = subject
		l := compile(t, s)
		email := write(t, l, benchRecipient())
		if p := parse(t, email); p.subject != strings.TrimSpace(subject) {
			t.Errorf("subject %q came back as %q", subject, p.subject)
		}
		head, _, _ := strings.Cut(string(email), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			if len(line) > 78 && !strings.HasPrefix(line, " <https://") {
				t.Errorf("header line of %d bytes: %s", len(line), line)
			}
		}
	}
}

// TestWordsHoldWholeCharacters wants every encoded word to be UTF-8 by itself.
func TestWordsHoldWholeCharacters(t *testing.T) {
	word := regexp.MustCompile(`=\?utf-8\?b\?[^?]*\?=`)
	for shift := range 50 {
		text := strings.Repeat("a", shift) + strings.Repeat("👩🏽‍🚀ж€", 20)
		encoded, _ := appendWords(nil, len("Subject: "), []byte(text))
		var decoded strings.Builder
		for _, one := range word.FindAllString(string(encoded), -1) {
			if len(one) > 75 {
				t.Errorf("encoded word of %d bytes", len(one))
			}
			part, err := new(mime.WordDecoder).Decode(one)
			if err != nil || strings.ContainsRune(part, '\uFFFD') {
				t.Errorf("%s is %q, %v", one, part, err)
			}
			decoded.WriteString(part)
		}
		if decoded.String() != text {
			t.Errorf("got %q, want %q", decoded.String(), text)
		}
	}
}

func TestUnsubscribeHeaders(t *testing.T) {
	const mailbox = "unsubscribe+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa@bounces.example.com"
	for name, row := range map[string]struct{ link, mailbox, want, not string }{
		"link": {"https://example.com/u/1", "", "List-Unsubscribe: <https://example.com/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", "mailto:"},
		"both": {"https://example.com/u/1", mailbox,
			"List-Unsubscribe: <https://example.com/u/1>,\r\n <mailto:" + mailbox + "?subject=unsubscribe>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", ""},
		"link that anybody on the way can change": {"http://example.com/u/1", mailbox, "<mailto:" + mailbox, "List-Unsubscribe-Post"},
	} {
		r := benchRecipient()
		r.UnsubscribeURL, r.UnsubscribeMailbox = row.link, row.mailbox
		email := string(write(t, compile(t, benchSource()), r))
		if !strings.Contains(email, row.want) || row.not != "" && strings.Contains(email, row.not) {
			t.Errorf("%s:\n%.1200s", name, email)
		}
	}
	r := benchRecipient()
	r.UnsubscribeMailbox = "a@b>, <mailto:eve@example.org"
	refused(t, compile(t, benchSource()), r, "unsubscribe_mailbox")
}
