// Package email writes one email as bytes: headers, MIME, personal parts, the address to
// unsubscribe at, and the DKIM signature. What all recipients share is prepared once by
// Compile; Append then only puts the personal parts in between.
package email

import (
	"crypto/sha256"
	"errors"
	"html/template"
	"net/mail"
	"slices"
	"strings"
	"time"

	"skychimp/domain"
)

// Source is what is the same for all recipients of a run.
type Source struct {
	Preheader       string // what a mailbox shows beside the subject, may hold placeholders; empty: a sentence of the body
	Subject, Body   string // as the owner wrote them; Body is Markdown, both may hold placeholders
	Language        string // of the email, one of domain.MessageLanguages
	From, ReplyTo   mail.Address
	List            List   // may be empty
	FeedbackID      string // header value, like "7:3:mailing:skychimp"; may be empty
	UnsubscribeText string // the visible words of the link
	FooterText      string // one line: why the reader got this email, unless the brand says it
	Brand           domain.Brand
	MediaURL        string // stands before the names of pictures
	ViewText        string // the visible words of the link that opens the email as a page
	ViewURL         string // its address, Token in it; empty: no such link
	Tracked         Tracked
	Signer          *Signer
	Fields          []domain.Field // of the owner, whose values the texts may name
}

// List names what a recipient gets email after email of (RFC 2919): in words, and like "owner-7.example.com".
type List struct{ Name, ID string }

// Token stands in Source.ViewURL for the Token of the Recipient.
const Token = "{token}"

// Recipient is the one person an email goes to, with what is personal in it.
type Recipient struct {
	Email, Name, Comment string
	FirstName, LastName  string
	Fields               domain.FieldValues
	language             string // of the email
	wire                 string // Email as header fields carry it
	MessageID            string // with its angle brackets
	UnsubscribeURL       string // http or https
	Token                string // see Source.ViewURL
	VisitToken           string // see Tracked
	UnsubscribeMailbox   string // an address that does the same; may be empty
	Date                 time.Time
}

// Template is a compiled Source. Goroutines may share it.
type Template struct {
	from, tail []byte // the From line; the other header lines that are the same for all, with the blank line
	subject    []piece
	preheader  []piece
	text, html part
	bulk       bool // goes to a list: has unsubscribe headers
	language   string
	parts      bool      // names a first or last name
	variants   *variants // nil: the message has no conditions
	seals      []*seal
}

// What stands around the two parts of an email. "=_" makes a boundary that neither encoding can contain.
const (
	opening  = "--=_skychimp\r\nContent-Type: text/plain; charset=utf-8\r\n"
	between  = "\r\n--=_skychimp\r\nContent-Type: text/html; charset=utf-8\r\n"
	closing  = "\r\n--=_skychimp--\r\n"
	mimeHead = "MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"=_skychimp\"\r\n\r\n"
)

// Compile prepares the emails of a run. Its error is a domain.Error or domain.ValidationErrors
// where the owner's words or addresses are at fault.
func Compile(s Source) (*Template, error) {
	if s.UnsubscribeText == "" {
		return nil, errors.New("email: no words for the unsubscribe link")
	}
	if p := problems(s.Subject, s.Body, s.Fields); len(p) > 0 {
		return nil, p
	}
	if p := CheckPreheader(s.Preheader, s.Fields...); p != nil {
		return nil, p
	}
	s = s.asToday()
	names := conditions(s.Subject, s.Preheader, s.Body)
	if len(names) == 0 {
		return compileOne(s)
	}
	v := &variants{source: s, names: names, made: map[uint16]*Template{}}
	for _, name := range names {
		asked, _, _ := readUse(name, s.Fields)
		v.asked = append(v.asked, asked)
	}
	first, err := v.of(&Recipient{}) // what is wrong with the owner's addresses shows at once
	if err != nil {
		return nil, err
	}
	t := *first
	t.variants = v
	return &t, nil
}

// compileOne prepares the emails of a message without conditions.
func compileOne(s Source) (*Template, error) {
	look := lookOf(s.Brand, s.From.Name, s.MediaURL)
	if s.Brand.Reason != "" {
		s.FooterText = s.Brand.Reason
	}
	m := newMarks(s.Fields, s.Subject, s.Preheader, s.Body, s.FooterText, s.UnsubscribeText, s.ViewText, s.ViewURL, look.words())
	subject := m.hide(s.Subject)
	content, err := parseMarkdown(m, s.Body)
	if err != nil {
		return nil, err
	}
	markup, err := content.html(s.Language, look)
	if err != nil {
		return nil, err
	}
	markup.Hero, markup.Content = s.Tracked.links(m, markup.Hero), s.Tracked.links(m, markup.Content)
	beside := m.hide(s.Preheader)
	if beside == "" {
		beside = preheader(content.paragraphs())
	}
	html, err := page{
		Language: s.Language, Subject: subject, Look: look, Preheader: beside, Body: markup, Footer: s.FooterText,
		UnsubscribeText: s.UnsubscribeText, UnsubscribeURL: template.URL(m.unsubscribe()),
		ViewText: s.ViewText, ViewURL: template.URL(m.view(s.ViewURL)),
		Picture: s.Tracked.picture(m),
	}.html()
	if err != nil {
		return nil, err
	}
	text := content.text() + textFooter(s.closing(m, look)...)
	t := &Template{bulk: true, language: s.Language, subject: m.split(subject, verbatim), preheader: m.split(beside, verbatim),
		text: newPart(m.split(text, verbatim)), html: newPart(m.split(html, escapeHTML))}
	t.parts = slices.ContainsFunc(*m.uses, func(u use) bool { return u.field == fieldFirst || u.field == fieldLast })
	return t.withHead(s)
}

// closing are the lines that end the text part.
func (s Source) closing(m marks, look look) []string {
	lines := append([]string{s.FooterText}, look.text()...)
	if s.ViewURL != "" {
		lines = append(lines, s.ViewText+": "+m.view(s.ViewURL))
	}
	return append(lines, s.UnsubscribeText+": "+m.unsubscribe())
}

// withHead is t with the header lines that don't depend on the recipient.
func (t *Template) withHead(s Source) (*Template, error) {
	var err error
	if t.from, err = appendMailbox(nil, "From: ", "from", s.From); err != nil {
		return nil, err
	}
	kind := "Precedence: bulk\r\n"
	if !t.bulk {
		kind = "Auto-Submitted: auto-generated\r\n"
	}
	t.tail = append(t.tail, kind...)
	unsigned := len(t.tail)
	// A header field with letters beyond ASCII in an address would need SMTPUTF8 on the whole way to each
	// recipient: answers go to From instead.
	if _, smtputf8, _ := wireAddress(s.ReplyTo.Address); s.ReplyTo.Address != "" && !smtputf8 {
		if t.tail, err = appendMailbox(t.tail, "Reply-To: ", "reply_to", s.ReplyTo); err != nil {
			return nil, err
		}
	}
	if t.tail, err = appendListID(t.tail, s.List); err != nil {
		return nil, err
	}
	if t.tail, err = appendField(t.tail, "Feedback-ID: ", "feedback_id", s.FeedbackID); err != nil {
		return nil, err
	}
	if t.tail, err = appendField(t.tail, "Content-Language: ", "language", s.Language); err != nil {
		return nil, err
	}
	t.tail = append(t.tail, mimeHead...)
	if s.Signer != nil {
		t.seals = s.Signer.seals(t.bulk, t.tail[unsigned:len(t.tail)-len(crlf)])
	}
	return t, nil
}

// Append appends the email to r, in CRLF lines of at most 998 bytes, and returns the longer
// slice. No line begins with a dot, so SMTP has nothing to stuff (RFC 5321, section 4.5.2).
// What can't stand in a header is refused with a domain.Error, and dst comes back as it was.
func (t *Template) Append(dst []byte, r Recipient) ([]byte, error) {
	if err := r.check(t.bulk); err != nil {
		return dst, err
	}
	if r.language = t.language; t.variants != nil {
		one, err := t.variants.of(&r)
		if err != nil {
			return dst, err
		}
		t = one
	}
	email := dst
	for _, one := range t.seals {
		email = append(email, one.header...)
	}
	signed := len(email)
	email = append(email, t.from...)
	email = appendRecipient(email, &r)
	email = t.appendSubject(email, &r)
	email = append(email, "Date: "...)
	email = r.Date.AppendFormat(email, time.RFC1123Z)
	email = append(email, "\r\nMessage-ID: "...)
	email = append(email, r.MessageID...)
	email = append(email, "\r\n"...)
	if t.bulk {
		email = appendUnsubscribe(email, &r)
	}
	unsigned := len(email)
	email = append(email, t.tail...)
	body := len(email)
	email = t.text.append(append(email, opening...), &r)
	email = t.html.append(append(email, between...), &r)
	email = append(email, closing...)
	if err := t.sign(email[len(dst):signed], email[signed:unsigned], email[body:], r.Date); err != nil {
		return dst, err
	}
	return email, nil
}

// sign fills in the signatures that the email begins with.
func (t *Template) sign(seals, headers, body []byte, at time.Time) error {
	if len(t.seals) == 0 {
		return nil
	}
	hash := sha256.Sum256(body)
	for _, one := range t.seals {
		if err := one.close(seals[:len(one.header)], headers, hash, at); err != nil {
			return err
		}
		seals = seals[len(one.header):]
	}
	return nil
}

// HTML is the page that the recipient's mail program shows.
func (t *Template) HTML(r Recipient) string {
	return string(appendPieces(nil, t.of(&r).html.pieces, &r))
}

// of is the template that the recipient's email is made of, where it is only shown.
func (t *Template) of(r *Recipient) *Template {
	if r.language = t.language; t.variants != nil {
		if one, err := t.variants.of(r); err == nil {
			return one
		}
	}
	return t
}

// Subject is the subject line that the recipient reads.
func (t *Template) Subject(r Recipient) string {
	return string(oneLine(appendPieces(nil, t.of(&r).subject, &r)))
}

// Preheader is what the recipient's mailbox shows beside the subject.
func (t *Template) Preheader(r Recipient) string {
	return string(oneLine(appendPieces(nil, t.of(&r).preheader, &r)))
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
	case !isVisible(r.UnsubscribeMailbox):
		return unsafe("unsubscribe_mailbox")
	}
	return nil
}

// NamesParts reports whether the email may name or ask about a first or a last name, which takes time to tell.
func (t *Template) NamesParts() bool { return t.parts || t.variants != nil }
