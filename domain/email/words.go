package email

import (
	"encoding/base64"
	"unicode/utf8"
)

// foldAt is the length that header lines keep to where they can (RFC 5322, section 2.1.1).
const foldAt = 78

// isPlain reports whether a header may hold text as it is, without encoded words.
func isPlain(text []byte) bool {
	for i, c := range text {
		if c < ' ' || c > '~' || c == '=' && i+1 < len(text) && text[i+1] == '?' {
			return false
		}
	}
	return true
}

// appendText appends an unstructured value: plain text folded at spaces, or encoded words.
func appendText(dst []byte, column int, text []byte) []byte {
	if !isPlain(text) || !foldable(text) {
		dst, _ = appendWords(dst, column, text)
		return dst
	}
	for len(text) > 0 {
		n := chunk(text)
		if column+n > foldAt && text[0] == ' ' {
			dst, column = append(dst, crlf...), 0
		}
		dst = append(dst, text[:n]...)
		text, column = text[n:], column+n
	}
	return dst
}

// chunk is the length of the spaces and the word that text begins with.
func chunk(text []byte) int {
	n := 0
	for n < len(text) && text[n] == ' ' {
		n++
	}
	for n < len(text) && text[n] != ' ' {
		n++
	}
	return n
}

func foldable(text []byte) bool {
	for len(text) > 0 {
		n := chunk(text)
		if n > 60 {
			return false
		}
		text = text[n:]
	}
	return true
}

// appendWords appends text as encoded words (RFC 2047), one to a line of at most 76, each
// holding whole characters.
func appendWords(dst []byte, column int, text []byte) ([]byte, int) {
	const start, end = "=?utf-8?b?", "?="
	for len(text) > 0 {
		n := (76 - column - len(start) - len(end)) / 4 * 3
		if n >= len(text) {
			n = len(text)
		} else {
			for back := 0; back < 3 && !utf8.RuneStart(text[n]); back++ {
				n--
			}
		}
		dst = append(dst, start...)
		dst = base64.StdEncoding.AppendEncode(dst, text[:n])
		dst = append(dst, end...)
		column += len(start) + base64.StdEncoding.EncodedLen(n) + len(end)
		if text = text[n:]; len(text) > 0 {
			dst, column = append(dst, "\r\n "...), 1
		}
	}
	return dst, column
}
