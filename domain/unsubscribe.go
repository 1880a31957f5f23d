package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
)

const unsubscribeMAC = 16 // bytes of the HMAC that a token carries

// UnsubscribeTokens makes many tokens of one secret. One goroutine uses it.
type UnsubscribeTokens struct {
	mac hash.Hash
	raw []byte
}

// NewUnsubscribeTokens prepares the secret.
func NewUnsubscribeTokens(secret []byte) *UnsubscribeTokens {
	return &UnsubscribeTokens{mac: hmac.New(sha256.New, secret)}
}

// Token names a client in the link of an email: the base64url of the id as a varint and of 16
// bytes of an HMAC-SHA-256 over it. It never expires, because emails don't.
func (t *UnsubscribeTokens) Token(clientID int64) string {
	t.raw = binary.AppendUvarint(t.raw[:0], uint64(clientID))
	t.raw = append(t.raw, t.sum(t.raw)...)
	return base64.RawURLEncoding.EncodeToString(t.raw)
}

func (t *UnsubscribeTokens) sum(id []byte) []byte {
	t.mac.Reset()
	t.mac.Write([]byte("skychimp unsubscribe\x00")) // no other use of the secret signs the same bytes
	t.mac.Write(id)
	return t.mac.Sum(nil)[:unsubscribeMAC]
}

// ParseUnsubscribeToken is the client that a token of this secret names.
func ParseUnsubscribeToken(secret []byte, token string) (clientID int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= unsubscribeMAC || base64.RawURLEncoding.EncodeToString(raw) != token {
		return 0, false
	}
	id, sum := raw[:len(raw)-unsubscribeMAC], raw[len(raw)-unsubscribeMAC:]
	if !hmac.Equal(sum, NewUnsubscribeTokens(secret).sum(id)) {
		return 0, false
	}
	value, length := binary.Uvarint(id)
	return int64(value), length == len(id) && int64(value) > 0
}
