package email

import (
	"bytes"
	"net/mail"
	"strings"
	"unicode/utf8"

	"skychimp/domain"
)

// unsafe refuses a value that would break its header.
func unsafe(field string) error {
	return domain.Errorf(domain.Invalid, field, "errors.email_header")
}

func breaksHeader(value string) bool { return strings.ContainsAny(value, "\r\n\x00") }

// wireAddress is the address as header fields carry it: dot-atom@dot-atom (RFC 5322, section 3.4.1,
// with the letters of RFC 6532 where smtputf8), so no comments, no quoted local parts, nothing that
// could end the address and begin another.
func wireAddress(s string) (wire string, smtputf8, ok bool) {
	wire, smtputf8, ok = domain.WireEmail(s)
	at := strings.IndexByte(wire, '@')
	return wire, smtputf8, ok && len(wire) <= 254 && isDotAtom(wire[:at]) && isDotAtom(wire[at+1:])
}

func isDotAtom(s string) bool {
	dot := true // an atom has to follow
	for i := range len(s) {
		if s[i] == '.' && dot || s[i] != '.' && !isAtom[s[i]] && s[i] < utf8.RuneSelf {
			return false
		}
		dot = s[i] == '.'
	}
	return !dot && utf8.ValidString(s)
}

// isAtom has the characters of an atom (RFC 5322, section 3.2.3).
var isAtom = func() (table [256]bool) {
	for _, c := range []byte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-/=?^_`{|}~") {
		table[c] = true
	}
	return table
}()

func isMessageID(s string) bool {
	return len(s) > 2 && len(s) < 900 && s[0] == '<' && s[len(s)-1] == '>' && isVisible(s[1:len(s)-1])
}

func isWebAddress(s string) bool {
	return len(s) < 900 && (strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")) && isVisible(s)
}

// isVisible takes what may stand between angle brackets: printed ASCII without spaces.
func isVisible(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == '<' || c == '>' {
			return false
		}
	}
	return true
}

// appendField appends a header line of plain ASCII, or nothing for an empty value. Like
// appendMailbox it takes the line's start and the name of the field to blame.
func appendField(dst []byte, start, field, value string) ([]byte, error) {
	if value == "" {
		return dst, nil
	}
	if len(value) > 900 || !isPlain([]byte(value)) {
		return nil, unsafe(field)
	}
	dst = appendText(append(dst, start...), len(start), []byte(value))
	return append(dst, crlf...), nil
}

func appendMailbox(dst []byte, start, field string, who mail.Address) ([]byte, error) {
	address, _, ok := wireAddress(who.Address)
	if !ok {
		return nil, domain.Errorf(domain.Invalid, field, "errors.email_address")
	}
	if breaksHeader(who.Name) {
		return nil, unsafe(field)
	}
	return appendNameAddress(append(dst, start...), len(start), who.Name, address), nil
}

func appendRecipient(dst []byte, r *Recipient) []byte {
	return appendNameAddress(append(dst, "To: "...), 4, r.Name, r.wire)
}

// appendNameAddress appends one mailbox and ends the line: a short ASCII name as a quoted
// string, any other in encoded words.
func appendNameAddress(dst []byte, column int, name, address string) []byte {
	var stack [512]byte
	if text := append(stack[:0], strings.TrimSpace(name)...); len(text) > 0 {
		if len(text) <= 60 && isPlain(text) {
			start := len(dst)
			dst = append(dst, '"')
			for _, c := range text {
				if c == '"' || c == '\\' {
					dst = append(dst, '\\')
				}
				dst = append(dst, c)
			}
			dst = append(dst, '"')
			column += len(dst) - start
		} else {
			dst, column = appendWords(dst, column, text)
		}
		if column+len(address)+3 > foldAt {
			dst = append(dst, crlf...)
		}
		dst = append(dst, ' ')
	}
	dst = append(append(dst, '<'), address...)
	return append(dst, ">\r\n"...)
}

func (t *Template) appendSubject(dst []byte, r *Recipient) []byte {
	var stack [1024]byte
	const name = "Subject: "
	dst = append(dst, name...)
	dst = appendText(dst, len(name), oneLine(appendPieces(stack[:0], t.subject, r)))
	return append(dst, crlf...)
}

// oneLine turns the line breaks that a comment may bring into spaces, in place.
func oneLine(text []byte) []byte {
	line := text[:0]
	for i, c := range text {
		switch {
		case c == '\r' && i+1 < len(text) && text[i+1] == '\n':
			continue
		case c == '\r' || c == '\n' || c == '\t':
			c = ' '
		}
		line = append(line, c)
	}
	return bytes.Trim(line, " ")
}

// appendUnsubscribe appends what mail programs unsubscribe with. They may post to the link without asking
// anybody only where nobody can change it on the way (RFC 8058, section 3.1).
func appendUnsubscribe(dst []byte, r *Recipient) []byte {
	const name = "List-Unsubscribe:"
	dst = append(dst, name...)
	if len(name)+len(r.UnsubscribeURL)+4 > foldAt {
		dst = append(dst, crlf...)
	}
	dst = append(append(append(dst, " <"...), r.UnsubscribeURL...), '>')
	if r.UnsubscribeMailbox != "" {
		dst = append(append(append(dst, ",\r\n <mailto:"...), r.UnsubscribeMailbox...), "?subject=unsubscribe>"...)
	}
	dst = append(dst, crlf...)
	if strings.HasPrefix(r.UnsubscribeURL, "https://") {
		dst = append(dst, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"...)
	}
	return dst
}

// appendListID appends what all emails of a list have in common (RFC 2919), or nothing where there is none.
func appendListID(dst []byte, list List) ([]byte, error) {
	if list.ID == "" {
		return dst, nil
	}
	if breaksHeader(list.Name) || !isDotAtom(list.ID) || !isVisible(list.ID) || len(list.ID) > 255 {
		return nil, unsafe("list_id")
	}
	const name = "List-Id: "
	return appendNameAddress(append(dst, name...), len(name), list.Name, list.ID), nil
}
