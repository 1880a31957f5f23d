package email

import (
	"bytes"
	"encoding/base64"
)

// part is the text or the HTML of an email. It is quoted-printable, which leaves markup as it is and was encoded
// when the template was compiled; or base64 where that is shorter, as it is for Cyrillic words, which triple.
// 8bit would need servers with 8BITMIME, and breaks DKIM where a relay encodes anew.
type part struct {
	pieces []piece
	base64 bool
}

func newPart(pieces []piece) part {
	p := part{pieces: pieces}
	length, quoted := 0, 0
	for _, one := range pieces {
		length, quoted = length+len(one.text), quoted+len(one.quoted)
	}
	if p.base64 = base64.StdEncoding.EncodedLen(length)*(base64Line+2)/base64Line < quoted; p.base64 {
		for i := range pieces {
			pieces[i].encode()
		}
	}
	return p
}

// append appends the header line that names the encoding, and the part.
func (p *part) append(dst []byte, r *Recipient) []byte {
	if p.base64 {
		return appendBase64Pieces(append(dst, "Content-Transfer-Encoding: base64\r\n\r\n"...), p.pieces, r)
	}
	return appendQuotedPieces(append(dst, "Content-Transfer-Encoding: quoted-printable\r\n\r\n"...), p.pieces, r)
}

// base64Line is the length of a line of base64 (RFC 2045, section 6.8), which holds lineBytes.
const (
	base64Line = 76
	lineBytes  = base64Line / 4 * 3
)

// encode prepares a piece of a part in base64. What stands before it may leave one or two bytes of a group of
// three, which take the first of the text: so a long text is encoded from each of its first three bytes on.
func (p *piece) encode() {
	p.quoted = appendCRLF(nil, []byte(p.text))
	if len(p.quoted) < lineBytes {
		return
	}
	p.lines = new([3][]byte)
	for from := range p.lines {
		whole := p.quoted[from : len(p.quoted)-(len(p.quoted)-from)%3]
		for len(whole) > 0 {
			n := min(len(whole), lineBytes)
			p.lines[from] = append(base64.StdEncoding.AppendEncode(p.lines[from], whole[:n]), crlf...)
			whole = whole[n:]
		}
	}
}

func appendBase64Pieces(dst []byte, pieces []piece, r *Recipient) []byte {
	var stack, raw [512]byte
	lines := base64Lines{dst: dst}
	for i := range pieces {
		p := &pieces[i]
		if p.lines != nil {
			lines.append(p)
		} else {
			lines.write(p.quoted)
		}
		if p.use != nil {
			lines.write(appendCRLF(raw[:0], p.appendValue(stack[:0], r)))
		}
	}
	return lines.close()
}

// base64Lines writes base64 in lines, whatever the lengths in which the text comes.
type base64Lines struct {
	dst  []byte
	rest [lineBytes]byte // what makes no whole line yet
	n    int
}

func (l *base64Lines) write(text []byte) {
	for len(text) > 0 {
		if l.n == 0 && len(text) >= lineBytes {
			l.line(text[:lineBytes])
			text = text[lineBytes:]
			continue
		}
		n := copy(l.rest[l.n:], text)
		text = text[n:]
		if l.n += n; l.n == lineBytes {
			l.line(l.rest[:])
			l.n = 0
		}
	}
}

// append ends the line with as much of the piece as makes groups whole, and takes the rest as it was prepared.
func (l *base64Lines) append(p *piece) {
	from := (3 - l.n%3) % 3
	l.n += copy(l.rest[l.n:], p.quoted[:from])
	if l.n > 0 {
		l.line(l.rest[:l.n])
	}
	l.dst = append(l.dst, p.lines[from]...)
	l.n = copy(l.rest[:], p.quoted[len(p.quoted)-(len(p.quoted)-from)%3:])
}

func (l *base64Lines) line(text []byte) {
	l.dst = append(base64.StdEncoding.AppendEncode(l.dst, text), crlf...)
}

// close ends the part; its last line ends with the boundary.
func (l *base64Lines) close() []byte {
	if l.n == 0 {
		return bytes.TrimSuffix(l.dst, crlf)
	}
	return base64.StdEncoding.AppendEncode(l.dst, l.rest[:l.n])
}

// appendCRLF appends text with every line break as CRLF.
func appendCRLF(dst, text []byte) []byte {
	for {
		i := bytes.IndexAny(text, "\r\n")
		if i < 0 {
			return append(dst, text...)
		}
		dst = append(append(dst, text[:i]...), crlf...)
		if bytes.HasPrefix(text[i:], crlf) {
			i++
		}
		text = text[i+1:]
	}
}
