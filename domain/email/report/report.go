// Package report reads emails that come back: delivery reports, complaints and automatic replies.
package report

import (
	"bytes"
	"io"
	"mime"
	"regexp"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // words in any charset

	"skychimp/domain"
)

// MaxBytes is how much of an email is read; what a report says stands before the email that it returns.
const MaxBytes = 256 << 10

const (
	maxDepth      = 6
	maxParts      = 40
	maxRecipients = 20
	maxTokens     = 40
	maxText       = 64 << 10 // of one part
	maxHeader     = 64 << 10
)

// Parse reads an email. Anything can come in, so there is no error: what cannot be understood is
// domain.ReportOther.
func Parse(raw []byte) domain.Report {
	raw = raw[:min(len(raw), MaxBytes)]
	var p parser
	top := p.open(bytes.NewReader(raw))
	if top != nil {
		p.header(top.Header)
		p.walk(top, 0)
	}
	if len(p.recipients) == 0 && !p.complaint && (top == nil || isDaemon(top.Header)) {
		p.status(raw) // broken MIME: the fields may stand there all the same
	}
	reply := top != nil && isReply(top.Header)
	if len(p.recipients) == 0 && !p.complaint && !reply && top != nil {
		p.words(top.Header)
	}
	r := domain.Report{Kind: domain.ReportOther, Recipients: p.recipients}
	switch {
	case p.complaint:
		r.Kind, r.Recipients = domain.ReportComplaint, nil
	case len(p.recipients) > 0:
		r.Kind = domain.ReportDelivery
	case reply:
		r.Kind = domain.ReportReply
	}
	p.findTokens(string(raw))
	r.Tokens = p.tokens()
	return r
}

// parser gathers what the parts of one email say.
type parser struct {
	parts      int
	recipients []domain.ReportedRecipient
	complaint  bool
	text       strings.Builder // for people
	found      [rankText + 1][]string
}

// open begins to read an email or a part with a header; nil when it has none that can be read.
func (p *parser) open(r io.Reader) *message.Entity {
	entity, err := message.ReadWithOptions(r, &message.ReadOptions{MaxHeaderBytes: maxHeader})
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil
	}
	return entity
}

// walk reads a part and those inside it. What a broken email says up to its fault counts.
func (p *parser) walk(part *message.Entity, depth int) {
	if p.parts++; p.parts > maxParts || depth > maxDepth {
		return
	}
	kind, _, err := part.Header.ContentType()
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(part.Header.Get("Content-Type")), ";")
	}
	if several := part.MultipartReader(); several != nil {
		for {
			next, err := several.NextPart()
			if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
				return
			}
			p.walk(next, depth+1)
			if p.parts > maxParts {
				return
			}
		}
	}
	p.leaf(strings.TrimSpace(kind), part, depth)
}

func (p *parser) leaf(kind string, part *message.Entity, depth int) {
	switch kind {
	case "message/delivery-status", "message/global-delivery-status":
		p.status(body(part))
	case "message/feedback-report":
		p.feedback(body(part))
	case "message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers":
		p.returned(part, depth)
	case "text/plain", "text/html", "":
		_, params, _ := part.Header.ContentDisposition()
		if params["filename"] == "" && p.text.Len() < maxText {
			p.text.Write(body(part))
			p.text.WriteByte('\n')
		}
	}
}

// returned reads the email that a report is about, or a report that somebody forwarded.
func (p *parser) returned(part *message.Entity, depth int) {
	inner := p.open(bytes.NewReader(append(body(part), "\r\n\r\n"...))) // headers alone may lack their end
	if inner == nil {
		return
	}
	p.add(rankReturned, inner.Header.Get("Return-Path"), inner.Header.Get("Message-Id"))
	if kind, _, _ := inner.Header.ContentType(); kind == "multipart/report" {
		p.walk(inner, depth+1)
	}
}

// body is what a part holds, decoded as far as that works.
func body(part *message.Entity) []byte {
	var b bytes.Buffer
	_, _ = io.Copy(&b, io.LimitReader(part.Body, maxText))
	return b.Bytes()
}

// addressed are the headers that say where an email came to.
var addressed = []string{"Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "X-Delivered-To", "To"}

// addressIn finds the addresses in such a header, with whatever stands around them.
var addressIn = regexp.MustCompile(`[^\s<>,;:"()]{1,64}@[^\s<>,;:"()]{1,255}`)

// Addressees are the addresses that an email came to, as far as its headers say.
func Addressees(raw []byte) (all []string) {
	top := new(parser).open(bytes.NewReader(raw[:min(len(raw), MaxBytes)]))
	if top == nil {
		return nil
	}
	for _, name := range addressed {
		all = append(all, addressIn.FindAllString(top.Header.Get(name), maxTokens)...)
	}
	return all
}

// header reads where the email came to, when it was taken from a mailbox.
func (p *parser) header(h message.Header) {
	for _, name := range addressed {
		p.add(rankEnvelope, h.Get(name))
	}
	p.add(rankReturned, h.Get("In-Reply-To"), h.Get("References"))
}

// decoded is a header's text, whatever its charset.
func decoded(text string) string {
	words := mime.WordDecoder{CharsetReader: message.CharsetReader}
	if plain, err := words.DecodeHeader(text); err == nil {
		return plain
	}
	return text
}
