package letter

import (
	"crypto/sha1"
	"encoding/hex"
	"strconv"
)

// namespace is a random UUID: the space that the names of letters live in.
var namespace = [16]byte{0x5d, 0x0b, 0x6c, 0xf1, 0x2e, 0x93, 0x4a, 0x47, 0x9c, 0x38, 0xe1, 0x7a, 0x04, 0xbb, 0x52, 0xd6}

// MessageID is the header value for a client's letter in a run, always the same one, so that
// a letter sent twice after a crash is recognised as one.
func MessageID(runID, clientID int64, domain string) string {
	var stack [64]byte
	name := strconv.AppendInt(stack[:0], runID, 10)
	name = append(name, '/')
	name = strconv.AppendInt(name, clientID, 10)
	id := uuid5(namespace, name)
	return "<" + string(id[:]) + "@" + domain + ">"
}

// uuid5 is the text of a UUID version 5 (RFC 9562, section 5.5).
func uuid5(space [16]byte, name []byte) (text [36]byte) {
	var stack [96]byte
	sum := sha1.Sum(append(append(stack[:0], space[:]...), name...))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	at := 0
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			text[at] = '-'
			at++
		}
		hex.Encode(text[at:], sum[i:i+1])
		at += 2
	}
	return text
}
