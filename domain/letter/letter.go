// Package letter writes one email as bytes: headers, MIME, personal parts, the address to
// unsubscribe at, and the DKIM signature. What all recipients share is prepared once by
// Compile; Append then only puts the personal parts in between.
package letter

import (
	"crypto/sha256"
	"errors"
	"html/template"
	"net/mail"
	"strings"
	"time"

	"skychimp/domain"
)

// Source is what is the same for all recipients of a run.
type Source struct {
	Subject, Body   string // as the owner wrote them; Body is Markdown, both may hold placeholders
	Language        string // of the email: "ru", "en"
	From, ReplyTo   mail.Address
	ListID          string // header value (RFC 2919), like "<mailing-7.example.com>"; may be empty
	FeedbackID      string // header value, like "7:3:mailing:skychimp"; may be empty
	UnsubscribeText string // the visible words of the link
	FooterText      string // one line: why the reader got this email
	Signer          *Signer
}

// Recipient is the one person an email goes to, with what is personal in it.
type Recipient struct {
	Email, Name, Comment string
	wire                 string // Email as header fields carry it
	MessageID            string // with its angle brackets
	UnsubscribeURL       string // http or https
	Date                 time.Time
}

// Letter is a compiled Source. Goroutines may share it.
type Letter struct {
	from, tail []byte // the From line; the header lines behind the signed ones, with the blank line
	subject    []piece
	text, html []piece
	bulk       bool // goes to a list: has unsubscribe headers
	seals      []*seal
}

// The two parts of an email. "=_" makes a boundary that quoted-printable can't contain.
const (
	partHead = "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
	opening  = "--=_skychimp\r\nContent-Type: text/plain; charset=utf-8\r\n" + partHead
	between  = "\r\n--=_skychimp\r\nContent-Type: text/html; charset=utf-8\r\n" + partHead
	closing  = "\r\n--=_skychimp--\r\n"
	mimeHead = "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_skychimp\"\r\n\r\n"
)

// Compile prepares the emails of a run. Its error is a domain.Error or domain.ValidationErrors
// where the owner's words or addresses are at fault.
func Compile(s Source) (*Letter, error) {
	if s.UnsubscribeText == "" {
		return nil, errors.New("letter: no words for the unsubscribe link")
	}
	if p := problems(s.Subject, s.Body); len(p) > 0 {
		return nil, p
	}
	m := newMarks(s.Subject, s.Body, s.From.Name, s.FooterText, s.UnsubscribeText)
	subject := m.hide(s.Subject)
	content, err := parseMarkdown(m, s.Body)
	if err != nil {
		return nil, err
	}
	markup, err := content.html()
	if err != nil {
		return nil, err
	}
	html, err := page{
		Language: s.Language, Subject: subject, Sender: s.From.Name, Preheader: preheader(content.paragraphs()), Content: markup, Footer: s.FooterText,
		UnsubscribeText: s.UnsubscribeText, UnsubscribeURL: template.URL(m.mark(fieldUnsubscribe)),
	}.html()
	if err != nil {
		return nil, err
	}
	text := content.text() + textFooter(s.FooterText, s.UnsubscribeText+": "+m.mark(fieldUnsubscribe))
	l := &Letter{bulk: true, subject: m.split(subject, verbatim), text: m.split(text, verbatim), html: m.split(html, escapeHTML)}
	return l.withHead(s)
}

// withHead is l with the header lines that don't depend on the recipient.
func (l *Letter) withHead(s Source) (*Letter, error) {
	var err error
	if l.from, err = appendMailbox(nil, "From: ", "from", s.From); err != nil {
		return nil, err
	}
	kind := "Precedence: bulk\r\n"
	if !l.bulk {
		kind = "Auto-Submitted: auto-generated\r\n"
	}
	l.tail = append(l.tail, kind...)
	unsigned := len(l.tail)
	// A header field with letters beyond ASCII in an address would need SMTPUTF8 on the whole way to each
	// recipient: answers go to From instead.
	if _, smtputf8, _ := wireAddress(s.ReplyTo.Address); s.ReplyTo.Address != "" && !smtputf8 {
		if l.tail, err = appendMailbox(l.tail, "Reply-To: ", "reply_to", s.ReplyTo); err != nil {
			return nil, err
		}
	}
	if l.tail, err = appendField(l.tail, "List-Id: ", "list_id", s.ListID); err != nil {
		return nil, err
	}
	if l.tail, err = appendField(l.tail, "Feedback-ID: ", "feedback_id", s.FeedbackID); err != nil {
		return nil, err
	}
	l.tail = append(l.tail, mimeHead...)
	if s.Signer != nil {
		l.seals = s.Signer.seals(l.bulk, l.tail[unsigned:len(l.tail)-len(crlf)])
	}
	return l, nil
}

// Append appends the email to r, in CRLF lines of at most 998 bytes, and returns the longer
// slice. No line begins with a dot, so SMTP has nothing to stuff (RFC 5321, section 4.5.2).
// What can't stand in a header is refused with a domain.Error, and dst comes back as it was.
func (l *Letter) Append(dst []byte, r Recipient) ([]byte, error) {
	if err := r.check(l.bulk); err != nil {
		return dst, err
	}
	letter := dst
	for _, one := range l.seals {
		letter = append(letter, one.header...)
	}
	signed := len(letter)
	letter = append(letter, l.from...)
	letter = appendRecipient(letter, &r)
	letter = l.appendSubject(letter, &r)
	letter = append(letter, "Date: "...)
	letter = r.Date.AppendFormat(letter, time.RFC1123Z)
	letter = append(letter, "\r\nMessage-ID: "...)
	letter = append(letter, r.MessageID...)
	letter = append(letter, "\r\n"...)
	if l.bulk {
		letter = appendUnsubscribe(letter, r.UnsubscribeURL)
	}
	unsigned := len(letter)
	letter = append(letter, l.tail...)
	body := len(letter)
	letter = append(letter, opening...)
	letter = appendQuotedPieces(letter, l.text, &r)
	letter = append(letter, between...)
	letter = appendQuotedPieces(letter, l.html, &r)
	letter = append(letter, closing...)
	if err := l.sign(letter[len(dst):signed], letter[signed:unsigned], letter[body:], r.Date); err != nil {
		return dst, err
	}
	return letter, nil
}

// sign fills in the signatures that the email begins with.
func (l *Letter) sign(seals, headers, body []byte, at time.Time) error {
	if len(l.seals) == 0 {
		return nil
	}
	hash := sha256.Sum256(body)
	for _, one := range l.seals {
		if err := one.close(seals[:len(one.header)], headers, hash, at); err != nil {
			return err
		}
		seals = seals[len(one.header):]
	}
	return nil
}

// HTML is the page that the recipient's mail program shows.
func (l *Letter) HTML(r Recipient) string { return string(appendPieces(nil, l.html, &r)) }

// Subject is the subject line that the recipient reads.
func (l *Letter) Subject(r Recipient) string {
	return string(oneLine(appendPieces(nil, l.subject, &r)))
}

// check refuses what would break a header or address a second recipient.
func (r *Recipient) check(bulk bool) error {
	var ok bool
	r.wire, _, ok = wireAddress(r.Email)
	switch {
	case !ok:
		return domain.Errorf(domain.Invalid, "email", "errors.email_address")
	case breaksHeader(r.Name):
		return unsafe("name")
	case strings.IndexByte(r.Comment, 0) >= 0:
		return unsafe("comment")
	case !isMessageID(r.MessageID):
		return unsafe("message_id")
	case bulk && !isWebAddress(r.UnsubscribeURL):
		return unsafe("unsubscribe_url")
	}
	return nil
}
