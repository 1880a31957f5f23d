package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
)

const unsubscribeMAC = 16 // bytes of the HMAC that a token carries

// UnsubscribeToken names a client in the link of a letter: the base64url of the id as a varint
// and of 16 bytes of an HMAC-SHA-256 over it. It never expires, because letters don't.
func UnsubscribeToken(secret []byte, clientID int64) string {
	id := binary.AppendUvarint(make([]byte, 0, binary.MaxVarintLen64+unsubscribeMAC), uint64(clientID))
	return base64.RawURLEncoding.EncodeToString(append(id, unsubscribeSum(secret, id)...))
}

// ParseUnsubscribeToken is the client that a token of this secret names.
func ParseUnsubscribeToken(secret []byte, token string) (clientID int64, ok bool) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) <= unsubscribeMAC || base64.RawURLEncoding.EncodeToString(raw) != token {
		return 0, false
	}
	id, sum := raw[:len(raw)-unsubscribeMAC], raw[len(raw)-unsubscribeMAC:]
	if !hmac.Equal(sum, unsubscribeSum(secret, id)) {
		return 0, false
	}
	value, length := binary.Uvarint(id)
	return int64(value), length == len(id) && int64(value) > 0
}

func unsubscribeSum(secret, id []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("skychimp unsubscribe\x00")) // no other use of the secret signs the same bytes
	mac.Write(id)
	return mac.Sum(nil)[:unsubscribeMAC]
}
