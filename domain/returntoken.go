package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
	"strings"
)

const (
	returnMAC      = 8  // bytes of the HMAC that a return token carries
	maxReturnToken = 37 // letters: two varints of 10 and 5 bytes and the HMAC
)

// A label is signed too, so that no use of the secret signs what another does: whoever is given a link of an email can't
// make its address come back.
const returnLabel, visitLabel = "skychimp return\x00", "skychimp visit\x00"

// returnPrefix stands before the token in the local part of an envelope sender.
const returnPrefix = "b+"

// returnEncoding is base32 in lower case: mail servers may change the case of a local part.
var returnEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// ReturnTokens makes many tokens of one secret. One goroutine uses it.
type ReturnTokens struct {
	label    string
	mac      hash.Hash
	raw, sum []byte
}

// NewReturnTokens prepares the secret.
func NewReturnTokens(secret []byte) *ReturnTokens {
	return &ReturnTokens{label: returnLabel, mac: hmac.New(sha256.New, secret)}
}

// NewVisitTokens makes those of tracked links and pictures.
func NewVisitTokens(secret []byte) *ReturnTokens {
	return &ReturnTokens{label: visitLabel, mac: hmac.New(sha256.New, secret)}
}

// Append adds the token of a delivery to dst: what comes back carries it, in the envelope
// recipient, the Message-ID or the envelope id. It never expires.
func (t *ReturnTokens) Append(dst []byte, run int64, seq int) []byte {
	t.raw = binary.AppendUvarint(append(t.raw[:0], t.label...), uint64(run))
	t.raw = binary.AppendUvarint(t.raw, uint64(seq))
	t.raw = append(t.raw, t.signature(t.raw)...)
	return returnEncoding.AppendEncode(dst, t.raw[len(t.label):])
}

// Parse is the delivery that one of its tokens names, in whatever case it came back.
func (t *ReturnTokens) Parse(token string) (run int64, seq int, ok bool) {
	if len(token) > maxReturnToken {
		return 0, 0, false
	}
	token = strings.ToLower(token)
	raw, err := returnEncoding.DecodeString(token)
	if err != nil || len(raw) <= returnMAC || returnEncoding.EncodeToString(raw) != token {
		return 0, 0, false
	}
	named, signature := raw[:len(raw)-returnMAC], raw[len(raw)-returnMAC:]
	t.raw = append(append(t.raw[:0], t.label...), named...)
	first, n := binary.Uvarint(named)
	if !hmac.Equal(signature, t.signature(t.raw)) || n <= 0 {
		return 0, 0, false
	}
	second, m := binary.Uvarint(named[n:])
	if m <= 0 || n+m != len(named) || int64(first) <= 0 || second == 0 || second > 1<<31-1 {
		return 0, 0, false
	}
	return int64(first), int(second), true
}

// signature is that of the label and the name of the delivery.
func (t *ReturnTokens) signature(labelled []byte) []byte {
	t.mac.Reset()
	t.mac.Write(labelled)
	t.sum = t.mac.Sum(t.sum[:0])
	return t.sum[:returnMAC]
}

// AppendReturnAddress adds the envelope sender `b+<token>@host` to dst.
func AppendReturnAddress(dst, token []byte, host string) []byte {
	return append(append(append(append(dst, returnPrefix...), token...), '@'), host...)
}

// ParseReturnToken is the delivery that a token of one of the secrets names, in whatever case it came back.
func ParseReturnToken(token string, secrets ...[]byte) (run int64, seq int, ok bool) {
	for _, secret := range secrets {
		if len(secret) == 0 {
			continue
		}
		if run, seq, ok = NewReturnTokens(secret).Parse(token); ok {
			break
		}
	}
	return run, seq, ok
}

// ParseReturnAddress is the delivery whose envelope sender the address is, at this host.
func ParseReturnAddress(address, host string, secrets ...[]byte) (run int64, seq int, ok bool) {
	local, at, found := strings.Cut(address, "@")
	if !found || !strings.EqualFold(at, host) || len(local) <= len(returnPrefix) ||
		!strings.EqualFold(local[:len(returnPrefix)], returnPrefix) {
		return 0, 0, false
	}
	return ParseReturnToken(local[len(returnPrefix):], secrets...)
}
