package email

import "bytes"

// piece is a stretch of fixed text and the personal value behind it.
type piece struct {
	text          string
	before, after string // stand around the value unless that is empty
	without       string // stands there when it is empty
	use           *use   // nil: no value follows
	escape        escape

	quoted []byte     // text in quoted-printable, from column 0; of a part in base64 the text with CRLF
	lines  *[3][]byte // see encode; nil: the text is short
	first  int        // room its first line needs
	last   int        // length of its last line
	broken bool       // it has more than one line
}

// prepared is p with its text encoded.
func (p piece) prepared() piece {
	p.quoted, p.last = appendQuoted(make([]byte, 0, len(p.text)+len(p.text)/16), 0, []byte(p.text))
	p.first = bytes.Index(p.quoted, crlf)
	if p.broken = p.first >= 0; !p.broken {
		p.first = len(p.quoted) + 1 // a soft break may follow
	}
	return p
}

// value is what the Recipient puts behind p.
func (p *piece) value(r *Recipient) string {
	value := ""
	switch u := p.use; u.field {
	case fieldName:
		value = r.Name
	case fieldFirst:
		value = r.FirstName
	case fieldLast:
		value = r.LastName
	case fieldEmail:
		value = r.Email
	case fieldComment:
		value = r.Comment
	case fieldUnsubscribe:
		value = r.UnsubscribeURL
	case fieldToken:
		value = r.Token
	case fieldVisit:
		value = r.VisitToken
	case fieldOwn:
		value = u.own.Say(r.language, r.Fields)
	}
	if value == "" {
		return p.use.fallback
	}
	return value
}

// appendValue appends r's value with what joins it, written for the place where it stands.
func (p *piece) appendValue(dst []byte, r *Recipient) []byte {
	if p.use == nil {
		return dst
	}
	value := p.value(r)
	if value == "" {
		return append(dst, p.without...)
	}
	dst = append(dst, p.before...)
	switch p.escape {
	case escapeHTML:
		dst = appendHTML(dst, value, "<br>\n")
	case escapeAttribute:
		dst = appendHTML(dst, value, "\n")
	case escapeURL:
		dst = appendURL(dst, value)
	default:
		dst = append(dst, value...)
	}
	return append(dst, p.after...)
}

// appendPieces appends the text as it reads.
func appendPieces(dst []byte, pieces []piece, r *Recipient) []byte {
	for i := range pieces {
		dst = append(dst, pieces[i].text...)
		dst = pieces[i].appendValue(dst, r)
	}
	return dst
}

// appendQuotedPieces appends the text in quoted-printable. The fixed stretches were encoded
// once, each from column 0, so one that doesn't fit behind a value starts on a new line.
func appendQuotedPieces(dst []byte, pieces []piece, r *Recipient) []byte {
	var stack [512]byte
	column := 0
	for i := range pieces {
		p := &pieces[i]
		if column+p.first > maxQuoted {
			dst = append(dst, "=\r\n"...)
			column = 0
		}
		dst = append(dst, p.quoted...)
		if p.broken {
			column = p.last
		} else {
			column += len(p.quoted)
		}
		if p.use != nil {
			dst, column = appendQuoted(dst, column, p.appendValue(stack[:0], r))
		}
	}
	return dst
}

// escape says how a value is written so that it stays a value.
type escape byte

const (
	verbatim escape = iota
	escapeHTML
	escapeAttribute // as escapeHTML, its line breaks as they are
	escapeURL
)

func appendHTML(dst []byte, value, lineBreak string) []byte {
	for i := range len(value) {
		switch c := value[i]; c {
		case '&':
			dst = append(dst, "&amp;"...)
		case '<':
			dst = append(dst, "&lt;"...)
		case '>':
			dst = append(dst, "&gt;"...)
		case '"':
			dst = append(dst, "&#34;"...)
		case '\'':
			dst = append(dst, "&#39;"...)
		case '\r', '\n':
			if c == '\n' || i+1 == len(value) || value[i+1] != '\n' {
				dst = append(dst, lineBreak...)
			}
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendURL leaves only unreserved characters as they are (RFC 3986, section 2.3), so that a
// value can't change which address a link leads to.
func appendURL(dst []byte, value string) []byte {
	for i := range len(value) {
		switch c := value[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '.', c == '_', c == '~':
			dst = append(dst, c)
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}
