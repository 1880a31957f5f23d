package email

import (
	"html"
	"net/mail"
	"strings"
	"time"

	"skychimp/domain"
	"skychimp/domain/markup"
)

// Notice is an email of the program to one person: plain words and at most one button.
type Notice struct {
	Subject    string
	Paragraphs []string
	ButtonText string // empty: no button
	ButtonURL  string
	FooterText string // one line: why the reader got this email
	Language   string
	Brand      domain.Brand // whose look it has
	MediaURL   string       // stands before the file of its logo
	From, To   mail.Address
	ReplyTo    mail.Address // empty: From
	MessageID  string       // with its angle brackets
	Date       time.Time
	Signer     *Signer
}

// Bytes is the whole email. What can't stand in a header is refused with a domain.Error.
func (n Notice) Bytes() ([]byte, error) {
	if breaksHeader(n.Subject) {
		return nil, unsafe("subject")
	}
	if n.ButtonText != "" && !isWebAddress(n.ButtonURL) {
		return nil, unsafe("button_url")
	}
	l, err := n.compile()
	if err != nil {
		return nil, err
	}
	return l.Append(nil, Recipient{Email: n.To.Address, Name: n.To.Name, MessageID: n.MessageID, Date: n.Date})
}

func (n Notice) compile() (*Template, error) {
	var body strings.Builder
	for _, paragraph := range n.Paragraphs {
		body.WriteString("<p>" + html.EscapeString(paragraph) + "</p>")
	}
	if n.ButtonText != "" {
		body.WriteString(markup.ButtonBegins + `<a href="` + html.EscapeString(n.ButtonURL) + `">` + html.EscapeString(n.ButtonText) + "</a>" + markup.ButtonEnds)
	}
	look := lookOf(n.Brand, n.From.Name, n.MediaURL)
	content, err := style(body.String(), n.Language, look)
	if err != nil {
		return nil, err
	}
	whole, err := page{
		Language: n.Language, Subject: n.Subject, Look: look, Preheader: preheader(n.Paragraphs),
		Body: content, Footer: n.FooterText,
	}.html()
	if err != nil {
		return nil, err
	}
	text := strings.Join(n.Paragraphs, "\n\n")
	if n.ButtonText != "" {
		text += "\n\n" + buttonText(n.ButtonText, n.ButtonURL)
	}
	l := &Template{subject: fixed(n.Subject), text: newPart(fixed(text + textFooter(n.FooterText))), html: newPart(fixed(whole))}
	return l.withHead(Source{From: n.From, ReplyTo: n.ReplyTo, Language: n.Language, Signer: n.Signer})
}

// fixed is a text without personal parts.
func fixed(text string) []piece { return []piece{piece{text: text}.prepared()} }
