package domain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// Stage is the step of an SMTP session that an Answer belongs to.
type Stage string

// The stages in their order. StageData is the DATA command up to the 354, StageEndOfData the
// wait for the answer to the whole email.
const (
	StageConnect   Stage = "connect"
	StageHello     Stage = "hello"
	StageTLS       Stage = "tls"
	StageAuth      Stage = "auth"
	StageMail      Stage = "mail"
	StageRcpt      Stage = "rcpt"
	StageData      Stage = "data"
	StageEndOfData Stage = "end of data"
)

// inSession tells whether an email was under way.
func (s Stage) inSession() bool {
	return s == StageMail || s == StageRcpt || s == StageData || s == StageEndOfData
}

// maxAnswer is how many bytes of a server's words are kept.
const maxAnswer = 500

// Answer is what a mail server said at a stage, or why it said nothing (Code 0).
type Answer struct {
	Stage Stage
	Code  int    // 0: no answer came
	Text  string // the server's own words, one line of printable UTF-8, at most 500 bytes
}

// NewAnswer makes an Answer whose text any page and any database can hold: a server may
// send every byte there is, and Postgres takes no NUL.
func NewAnswer(stage Stage, code int, text string) Answer {
	clean := func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}
	text = strings.TrimSpace(strings.Map(clean, readable(text)))
	if len(text) > maxAnswer {
		text = strings.ToValidUTF8(text[:maxAnswer], "")
	}
	return Answer{Stage: stage, Code: code, Text: text}
}

// readable guesses the charset of what is no UTF-8. Russian text is mostly small letters, which stand in the upper half
// of its letters in windows-1251 and in the lower half in KOI8-R; letters of western Europe stand among ASCII ones.
func readable(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	var upper, lower, western int
	for i := range len(text) {
		switch b := text[i]; {
		case b < 0x80:
		case i > 0 && isASCIILetter(text[i-1]) || i+1 < len(text) && isASCIILetter(text[i+1]):
			western++
		case b >= 0xe0:
			upper++
		case b >= 0xc0:
			lower++
		}
	}
	charset := charmap.Windows1251
	switch {
	case western > upper+lower:
		charset = charmap.Windows1252
	case lower > upper:
		charset = charmap.KOI8R
	}
	decoded, err := charset.NewDecoder().String(text)
	if err != nil {
		return strings.ToValidUTF8(text, "?")
	}
	return decoded
}

func isASCIILetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

func (a Answer) String() string {
	switch {
	case a.Code == 0:
		return a.Text
	case a.Text == "":
		return strconv.Itoa(a.Code)
	}
	return fmt.Sprintf("%d %s", a.Code, a.Text)
}

// AttemptStatus is what an Answer says of the email, taken alone. The first four are recorded.
type AttemptStatus string

// The statuses.
const (
	Accepted     AttemptStatus = "accepted"
	Deferred     AttemptStatus = "deferred"      // the server takes it later
	Failed       AttemptStatus = "failed"        // it is refused for good
	Unknown      AttemptStatus = "unknown"       // no answer after the end of data: it may have arrived
	NotTried     AttemptStatus = "not_tried"     // the server took no email at all from this connection
	SenderBroken AttemptStatus = "sender_broken" // the server takes none from this sender
)

// Status reads the answer. What follows from it, Dispose says.
func (a Answer) Status() AttemptStatus {
	switch a.Code {
	case 421:
		return NotTried
	case 530, 534, 535, 538: // RFC 4954 section 6
		return SenderBroken
	}
	switch class := a.Code / 100; {
	case a.Code == 0 && a.Stage == StageTLS:
		return SenderBroken
	case class == 2 && a.Stage == StageEndOfData:
		return Accepted
	case a.ConnectionLimit():
		return NotTried
	case class == 4 && (a.Stage.aboutEmail() || a.greylisted()):
		return Deferred
	case class == 5:
		return a.refused()
	case class != 4 && a.Stage == StageEndOfData: // silence, or neither yes nor no
		return Unknown
	}
	return NotTried
}

// refused tells whether a refusal for good is about the email or about its sender.
func (a Answer) refused() AttemptStatus {
	if a.Stage.aboutEmail() || a.tooLarge() {
		return Failed
	}
	return SenderBroken
}

// tooLarge tells that the server takes no email of this size, whoever gets it: it may say so at MAIL already.
func (a Answer) tooLarge() bool {
	return a.Stage == StageMail && a.Code/100 == 5 && a.Class() == ClassSize
}

// ThrottleScope is whose emails are to go more slowly.
type ThrottleScope int

// The scopes: of those to the receiving domain, or of all that go to this mail server.
const (
	ThrottleNone ThrottleScope = iota
	ThrottleDomain
	ThrottleServer
)

// throttles tells whether a temporary refusal asks for fewer emails. What it says of the one recipient, of greylisting or
// of the connection does not.
func (a Answer) throttles() ThrottleScope {
	about := a.Stage.aboutEmail()
	if a.Code/100 != 4 || !about && a.Stage != StageMail {
		return ThrottleNone
	}
	code, class := a.Enhanced(), a.Class()
	spoken := strings.HasPrefix(code, "4.7.") || code == ""
	switch {
	case class == ClassSenderLimit:
		return ThrottleServer
	case !about, class == ClassGreylist, a.ConnectionLimit() && !strings.HasPrefix(code, "4.7."), a.ConnectionLimit() && a.names("connection", "session"):
		return ThrottleNone
	case class == ClassRate && spoken && (a.Code != 450 || a.names("rate", "too many", "too fast", "throttl", "slow", "frequen")),
		a.Code == 421 && strings.HasPrefix(code, "4.7."):
		return ThrottleDomain
	}
	return ThrottleNone
}

func (a Answer) greylisted() bool {
	return a.Stage == StageMail && a.names("greylist", "graylist")
}

// aboutEmail tells that an answer speaks of this email, not of the connection or the sender.
func (s Stage) aboutEmail() bool { return s == StageRcpt || s == StageData || s == StageEndOfData }

// ConnectionLimit tells that the server takes no more emails on this connection; on a
// new one it will. 452 also stands for a full disk or mailbox, which no reconnect cures.
func (a Answer) ConnectionLimit() bool {
	switch {
	case !a.Stage.inSession():
		return false
	case a.Code/100 == 5:
		return a.names("too many") && a.names("connection", "session")
	case a.Code/100 != 4:
		return false
	case a.names("too many") || a.Enhanced() == "4.5.3":
		return true
	}
	return a.Code == 452 && !strings.HasPrefix(a.Enhanced(), "4.2.") && a.Enhanced() != "4.3.1" &&
		!a.names("storage", "space", "quota", "full")
}

// Enhanced is the status code at the start of the text (RFC 3463: "5.1.1"), empty when
// the server gave none.
func (a Answer) Enhanced() string {
	word, _, _ := strings.Cut(a.Text, " ")
	parts := strings.Split(word, ".")
	if len(parts) != 3 || len(parts[0]) != 1 {
		return ""
	}
	for _, part := range parts {
		if part == "" || len(part) > 3 || strings.Trim(part, "0123456789") != "" {
			return ""
		}
	}
	return word
}

func (a Answer) names(words ...string) bool {
	text := strings.ToLower(a.Text)
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// Attempt is one try to hand one email to the mail server.
type Attempt struct {
	RunID    int64
	Seq      int // of its delivery
	ClientID int64
	Email    string
	N        int // 1 for the first try of a delivery
	At       time.Time
	Status   AttemptStatus // accepted, deferred, failed or unknown
	Code     int           // 0: no answer came
	Answer   string        // Answer.Text
	Class    Class         // of what was not accepted; empty on old records
}

// Meaning is the class of what was not accepted, empty for the rest.
func (a Attempt) Meaning() Class {
	switch {
	case a.Status == "", a.Status == Accepted:
		return ""
	case a.Class != "":
		return a.Class
	}
	return Answer{Code: a.Code, Text: a.Answer}.Class()
}

// Standstill is how long emails that could be sent may not be before the service is not ready.
const Standstill = 30 * time.Second

// StandstillText is for logs, and for programs that ask whether the service is ready.
const StandstillText = "emails are open and nothing has moved for 30 s"

// RetryFor is how long after its run's time a delivery is retried.
const RetryFor = 5 * 24 * time.Hour

// RetryAfter is how long to wait after try n (1 is the first). jitter from 0 up to 1
// spreads it from -10 % to +10 %, so that deferred emails don't come back as one crowd.
func RetryAfter(n int, jitter float64) time.Duration {
	minutes := []float64{1, 5, 15, 30, 60, 120, 240}
	wait := minutes[min(max(n, 1), len(minutes))-1] * float64(time.Minute)
	return time.Duration(wait * (0.9 + 0.2*jitter))
}
