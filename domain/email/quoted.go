package email

// maxQuoted is the length of a quoted-printable line (RFC 2045, section 6.7).
const maxQuoted = 76

const upperHex = "0123456789ABCDEF"

var crlf = []byte("\r\n")

// isLiteral has the bytes that quoted-printable leaves as they are, wherever they stand.
var isLiteral = func() (table [256]bool) {
	for c := '!'; c <= '~'; c++ {
		table[c] = c != '='
	}
	return table
}()

// appendQuoted appends text in quoted-printable to dst, whose last line is column bytes long,
// and returns the new length of the last line. Every line break becomes CRLF.
//
// Beyond the RFC it encodes a dot that begins a line, tabs, and spaces that end a line or stand
// beside another: so nothing needs dot-stuffing, and the relaxed body of DKIM (RFC 6376,
// section 3.4.4) is the body itself.
//
//nolint:gocyclo // every byte of every email passes here: a call for each would cost more than the cases save
func appendQuoted(dst []byte, column int, text []byte) ([]byte, int) {
	for i := 0; i < len(text); {
		if column > 0 || text[i] != '.' {
			start, end := i, min(len(text), i+maxQuoted-1-column)
			for i < end && isLiteral[text[i]] {
				i++
			}
			if i > start {
				dst = append(dst, text[start:i]...)
				column += i - start
				continue
			}
		}
		c, last := text[i], i+1 == len(text)
		switch i++; {
		case c == '\r' && !last && text[i] == '\n':
		case c == '\n' || c == '\r':
			dst, column = append(dst, '\r', '\n'), 0
		case column+1 >= maxQuoted || column+3 >= maxQuoted && !isLiteral[c]:
			dst, column = append(dst, "=\r\n"...), 0
			i--
		case c == ' ' && !last && text[i] > ' ':
			dst, column = append(dst, ' '), column+1
		default:
			dst, column = append(dst, '=', upperHex[c>>4], upperHex[c&15]), column+3
		}
	}
	return dst, column
}
