package domain

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestAnswerStatus(t *testing.T) {
	for _, c := range []struct {
		stage Stage
		code  int
		text  string
		want  AttemptStatus
		hard  bool
	}{
		{StageEndOfData, 250, "2.0.0 ok", Accepted, false},
		{StageRcpt, 250, "2.1.5 ok", NotTried, false},
		{StageEndOfData, 0, "connection reset", Unknown, false},
		{StageEndOfData, 354, "go on", Unknown, false},

		{StageConnect, 0, "connection refused", NotTried, false},
		{StageData, 0, "EOF", NotTried, false},
		{StageConnect, 421, "4.3.2 closing", NotTried, false},
		{StageMail, 421, "", NotTried, false},
		{StageRcpt, 421, "", NotTried, false},
		{StageData, 421, "", NotTried, false},
		{StageEndOfData, 421, "", NotTried, false},
		{StageConnect, 450, "busy", NotTried, false},
		{StageTLS, 454, "4.7.0 no TLS now", NotTried, false},
		{StageAuth, 454, "4.7.0 try later", NotTried, false},

		{StageMail, 451, "4.3.0 try later", NotTried, false},
		{StageMail, 450, "4.7.1 Greylisted, try again", Deferred, false},
		{StageRcpt, 450, "4.2.0 Greylisted", Deferred, false},
		{StageData, 451, "4.3.0 try later", Deferred, false},
		{StageEndOfData, 451, "4.3.0 try later", Deferred, false},

		{StageMail, 452, "4.5.3 limit", NotTried, false},
		{StageRcpt, 452, "4.5.3 Too many recipients", NotTried, false},
		{StageRcpt, 452, "limit reached", NotTried, false},
		{StageRcpt, 450, "4.7.1 too many letters on this connection", NotTried, false},
		{StageMail, 550, "5.7.1 Too many messages in this session", NotTried, false},
		{StageRcpt, 452, "4.2.2 mailbox full", Deferred, false},
		{StageRcpt, 452, "4.3.1 no storage", Deferred, false},
		{StageEndOfData, 452, "Insufficient system storage", Deferred, false},
		{StageConnect, 452, "too many", NotTried, false},

		{StageRcpt, 550, "5.1.1 no such user", Failed, true},
		{StageRcpt, 550, "no such user", Failed, true},
		{StageRcpt, 551, "user not local", Failed, true},
		{StageRcpt, 553, "5.1.3 bad address", Failed, true},
		{StageRcpt, 550, "5.2.1 mailbox disabled", Failed, true},
		{StageRcpt, 554, "5.1.2 no such domain", Failed, true},
		{StageRcpt, 554, "no", Failed, false},
		{StageRcpt, 550, "5.7.1 blocked by policy", Failed, false},
		{StageRcpt, 550, "5.2.2 mailbox full", Failed, false},
		{StageRcpt, 552, "5.2.2 mailbox full", Failed, false},
		{StageRcpt, 550, "5.6.7 no UTF-8 addresses", Failed, false},
		{StageRcpt, 550, "5.1.8 bad sender's domain", Failed, false},
		{StageRcpt, 550, "relay not permitted", Failed, false},
		{StageData, 554, "5.5.1 no valid recipients", Failed, false},
		{StageEndOfData, 554, "5.7.1 spam", Failed, false},
		{StageEndOfData, 550, "refused", Failed, false},
		{StageEndOfData, 550, "5.1.1 no such user", Failed, true},

		{StageConnect, 554, "no service", SenderBroken, false},
		{StageHello, 550, "who are you", SenderBroken, false},
		{StageTLS, 0, "certificate has expired", SenderBroken, false},
		{StageTLS, 501, "no", SenderBroken, false},
		{StageAuth, 535, "5.7.8 wrong password", SenderBroken, false},
		{StageAuth, 504, "5.5.4 no such mechanism", SenderBroken, false},
		{StageMail, 530, "5.7.0 authenticate first", SenderBroken, false},
		{StageMail, 550, "5.7.1 sender refused", SenderBroken, false},
		{StageMail, 552, "5.3.4 too large", Failed, false},
		{StageMail, 552, "message size exceeds fixed maximum message size", Failed, false},
		{StageMail, 452, "4.3.4 too large for now", NotTried, false},
		{StageRcpt, 530, "5.7.0 authenticate first", SenderBroken, false},
		{StageEndOfData, 535, "5.7.8 no", SenderBroken, false},
	} {
		a := NewAnswer(c.stage, c.code, c.text)
		if got := a.Status(); got != c.want {
			t.Errorf("%s: %s: got %s, want %s", c.stage, a, got, c.want)
		}
		if got := a.HardBounce(); got != c.hard {
			t.Errorf("%s: %s: hard bounce %v, want %v", c.stage, a, got, c.hard)
		}
	}
}

func TestEnhanced(t *testing.T) {
	for text, want := range map[string]string{
		"5.1.1 no": "5.1.1", "4.7.650 slow": "4.7.650", "2.0.0": "2.0.0",
		"": "", "no such user": "", "10.0.0.1 is blocked": "", "5.1 no": "", "5.x.1 no": "", "5.1. no": "",
	} {
		if got := (Answer{Text: text}).Enhanced(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAnswerText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"2.0.0 ok", "250 2.0.0 ok"},
		{"", "250"},
		{" a\r\nb\x00c\x7f ", "250 a  b c"},
		{"caf\xe9", "250 café"},
		{"Bo\xeete aux lettres pleine", "250 Boîte aux lettres pleine"},
		{"5.1.1 \xcd\xe5\xf2 \xf2\xe0\xea\xee\xe3\xee \xef\xee\xeb\xfc\xe7\xee\xe2\xe0\xf2\xe5\xeb\xff", "250 5.1.1 Нет такого пользователя"},
		{"5.1.1 \xee\xc5\xd4 \xd4\xc1\xcb\xcf\xc7\xcf \xd0\xcf\xcc\xd8\xda\xcf\xd7\xc1\xd4\xc5\xcc\xd1", "250 5.1.1 Нет такого пользователя"},
		{"\xff\xfe\x98", "250 яю\ufffd"},
		{"почта", "250 почта"},
	} {
		if got := NewAnswer(StageEndOfData, 250, c.text).String(); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
	if got := NewAnswer(StageEndOfData, 0, "no answer").String(); got != "no answer" {
		t.Errorf("without a code: %q", got)
	}
	long := NewAnswer(StageEndOfData, 550, "x"+strings.Repeat("ы", 400)).Text
	if len(long) != 499 || !utf8.ValidString(long) {
		t.Errorf("cut to %d bytes, valid %v", len(long), utf8.ValidString(long))
	}
}

func TestRetryAfter(t *testing.T) {
	for n, minutes := range map[int]time.Duration{0: 1, 1: 1, 2: 5, 3: 15, 4: 30, 5: 60, 6: 120, 7: 240, 8: 240, 40: 240} {
		if got, want := RetryAfter(n, 0.5), minutes*time.Minute; got.Round(time.Second) != want {
			t.Errorf("after try %d: %s, want %s", n, got, want)
		}
	}
	if low, high := RetryAfter(1, 0), RetryAfter(1, 1); low.Round(time.Second) != 54*time.Second || high.Round(time.Second) != 66*time.Second {
		t.Errorf("jitter gives %s to %s", low, high)
	}
}
