package inbox

import (
	"bytes"
	"io"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // words in any charset
	"github.com/emersion/go-message/mail"
)

// content is what an email says; of what can't be read the source tells.
type content struct{ Text, HTML string }

// read takes the first part of each kind.
func read(raw []byte) (c content) {
	parts, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		return c
	}
	for {
		part, err := parts.NextPart()
		if err != nil && !message.IsUnknownCharset(err) { // io.EOF at the end
			return c
		}
		head, shown := part.Header.(*mail.InlineHeader)
		if !shown {
			continue
		}
		kind, _, _ := head.ContentType()
		text, err := io.ReadAll(part.Body)
		switch {
		case err != nil:
			return c
		case kind == "text/html" && c.HTML == "":
			c.HTML = string(text)
		case kind == "text/plain" && c.Text == "":
			c.Text = string(text)
		}
	}
}
