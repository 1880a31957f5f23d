package email

import "strings"

// AppendMessageID adds to dst the header value of the email whose delivery the token names. It is always the
// same one, so that an email sent twice after a crash is recognised as one, and nobody else's, because
// the installation's secret has signed the token.
func AppendMessageID(dst, token []byte, host string) []byte {
	return append(append(append(append(append(dst, '<'), token...), '@'), host...), '>')
}

// Host is the part of an address behind its @.
func Host(address string) string { return address[strings.LastIndexByte(address, '@')+1:] }
