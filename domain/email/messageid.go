package email

import (
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// namespace is a random UUID: the space that the names of emails live in.
var namespace = uuid.UUID{0x5d, 0x0b, 0x6c, 0xf1, 0x2e, 0x93, 0x4a, 0x47, 0x9c, 0x38, 0xe1, 0x7a, 0x04, 0xbb, 0x52, 0xd6}

// MessageID is the header value for a client's email in a run, always the same one, so that
// an email sent twice after a crash is recognised as one.
func MessageID(runID, clientID int64, domain string) string {
	var stack [64]byte
	name := strconv.AppendInt(stack[:0], runID, 10)
	name = append(name, '/')
	name = strconv.AppendInt(name, clientID, 10)
	return "<" + uuid.NewSHA1(namespace, name).String() + "@" + domain + ">"
}

// Host is the part of an address behind its @.
func Host(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
