package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"
)

const unsubscribeMAC = 16 // bytes of the HMAC that a token carries

// unsubscribePrefix stands before the token in the local part of an address to unsubscribe at.
const unsubscribePrefix = "unsubscribe+"

// UnsubscribeTokens makes many tokens of one secret. One goroutine uses it.
type UnsubscribeTokens struct {
	mac    hash.Hash
	client int64 // whose token raw is
	raw    []byte
}

// NewUnsubscribeTokens prepares the secret.
func NewUnsubscribeTokens(secret []byte) *UnsubscribeTokens {
	return &UnsubscribeTokens{mac: hmac.New(sha256.New, secret)}
}

// Token names a client in the link of an email: the base64url of the id as a varint and of 16
// bytes of an HMAC-SHA-256 over it. It never expires, because emails don't.
func (t *UnsubscribeTokens) Token(clientID int64) string {
	return base64.RawURLEncoding.EncodeToString(t.signed(clientID))
}

// Mailbox is the address at host that an email unsubscribes the client at. It holds the bytes of Token in
// base32, because mail servers may change the case of a local part, and the suffix of the run where there is room.
func (t *UnsubscribeTokens) Mailbox(clientID int64, suffix, host string) string {
	local := unsubscribePrefix + returnEncoding.EncodeToString(t.signed(clientID))
	if len(local)+len(suffix) > maxLocal {
		suffix = ""
	}
	return local + suffix + "@" + host
}

// maxLocal is how long a local part may be (RFC 5321).
const maxLocal = 64

// signed is the id with its signature, until the next call.
func (t *UnsubscribeTokens) signed(clientID int64) []byte {
	if t.client != clientID || len(t.raw) == 0 {
		t.raw = binary.AppendUvarint(t.raw[:0], uint64(clientID))
		t.raw = append(t.raw, t.sum(t.raw)...)
		t.client = clientID
	}
	return t.raw
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
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token {
		return 0, false
	}
	return clientOfToken(raw, secret)
}

// ParseUnsubscribeMailbox is the client that an address at this host unsubscribes, signed by one of the secrets.
func ParseUnsubscribeMailbox(address, host string, secrets ...[]byte) (link RecipientLink, ok bool) {
	local, at, _ := strings.Cut(strings.ToLower(address), "@")
	token, ours := strings.CutPrefix(local, unsubscribePrefix)
	token, run, _ := strings.Cut(token, ".")
	raw, err := returnEncoding.DecodeString(token)
	if !ours || !strings.EqualFold(at, host) || err != nil || returnEncoding.EncodeToString(raw) != token {
		return link, false
	}
	link.RunID, _ = strconv.ParseInt(run, 36, 64)
	for _, secret := range secrets {
		if link.ClientID, ok = clientOfToken(raw, secret); ok {
			return link, true
		}
	}
	return RecipientLink{}, false
}

func clientOfToken(raw, secret []byte) (clientID int64, ok bool) {
	if len(raw) <= unsubscribeMAC {
		return 0, false
	}
	id, sum := raw[:len(raw)-unsubscribeMAC], raw[len(raw)-unsubscribeMAC:]
	if !hmac.Equal(sum, NewUnsubscribeTokens(secret).sum(id)) {
		return 0, false
	}
	value, length := binary.Uvarint(id)
	return int64(value), length == len(id) && int64(value) > 0
}

// ViewToken names one email of a client in the link that opens it as a page: the client's token, a dot and the run.
// It needs no signature of its own: a client may read whatever emails it got.
func ViewToken(client string, run int64) string { return client + "." + strconv.FormatInt(run, 36) }

// ParseViewToken takes the client's token and the run apart.
func ParseViewToken(token string) (client string, run int64, ok bool) {
	client, number, found := strings.Cut(token, ".")
	run, err := strconv.ParseInt(number, 36, 64)
	return client, run, found && err == nil && run > 0
}
