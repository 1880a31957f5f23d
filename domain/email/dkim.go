package email

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"skychimp/domain/emailauth"
)

// Signer signs emails with DKIM (RFC 6376, and RFC 8463 for ed25519), once with each of its keys.
type Signer struct {
	domain string
	keys   []signingKey
}

type signingKey struct {
	crypto.Signer
	hash      crypto.Hash // of what Sign is given, as it wants it
	algorithm string
	selector  string
	size      int // of a signature in base64
}

// NewSigner reads RSA (PKCS #1 or #8) and ed25519 (PKCS #8) private keys, one after the other in PEM, with a
// selector for each between commas. The public half of a key stands in the TXT record of
// <selector>._domainkey.<domain>.
func NewSigner(pemKeys []byte, selectors, domain string) (*Signer, error) {
	if !isHostname(domain) {
		return nil, fmt.Errorf("DKIM domain %q is not a name of letters, digits, dots and hyphens", domain)
	}
	s := &Signer{domain: domain}
	for selector := range strings.SplitSeq(selectors, ",") {
		selector = strings.TrimSpace(selector)
		if !isHostname(selector) {
			return nil, fmt.Errorf("DKIM selector %q is not a name of letters, digits, dots and hyphens", selector)
		}
		block, rest := pem.Decode(pemKeys)
		key, err := newSigningKey(block, selector)
		if err != nil {
			return nil, err
		}
		s.keys, pemKeys = append(s.keys, key), rest
	}
	if block, _ := pem.Decode(pemKeys); block != nil {
		return nil, fmt.Errorf("DKIM key: the PEM file holds more keys than the %d selectors in %q", len(s.keys), selectors)
	}
	return s, nil
}

// SignsWithRSA reports whether receivers that know no ed25519, which most are, can verify.
func (s *Signer) SignsWithRSA() bool {
	return slices.ContainsFunc(s.keys, func(k signingKey) bool { return k.algorithm == "rsa-sha256" })
}

// Domain is that of the signatures, d=.
func (s *Signer) Domain() string { return s.domain }

// Keys are the public halves, as DNS has to have them.
func (s *Signer) Keys() ([]emailauth.Key, error) {
	keys := make([]emailauth.Key, len(s.keys))
	for i, one := range s.keys {
		public, err := emailauth.Published(one.Public())
		if err != nil {
			return nil, err
		}
		keys[i] = emailauth.Key{Algorithm: strings.TrimSuffix(one.algorithm, "-sha256"), Selector: one.selector, Public: public}
	}
	return keys, nil
}

func newSigningKey(block *pem.Block, selector string) (signingKey, error) {
	s := signingKey{selector: selector}
	key, err := parseKey(block)
	if err != nil {
		return s, err
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < 1024 {
			return s, fmt.Errorf("DKIM key: RSA of %d bits is too short, use 2048", key.N.BitLen())
		}
		s.Signer, s.hash, s.algorithm = key, crypto.SHA256, "rsa-sha256"
		s.size = base64.StdEncoding.EncodedLen(key.Size())
	case ed25519.PrivateKey:
		s.Signer, s.algorithm = key, "ed25519-sha256"
		s.size = base64.StdEncoding.EncodedLen(ed25519.SignatureSize)
	default:
		return s, fmt.Errorf("DKIM key: %T can't sign, use rsa or ed25519", key)
	}
	return s, nil
}

func parseKey(block *pem.Block) (any, error) {
	switch {
	case block == nil:
		return nil, errors.New("DKIM key: not a PEM file, or one with fewer keys than selectors")
	case block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "":
		return nil, errors.New("DKIM key: it is encrypted; store it without a passphrase")
	case block.Type == "RSA PRIVATE KEY":
		key, err := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("DKIM key: %w", err)
		}
		return key, nil
	case block.Type != "PRIVATE KEY":
		return nil, fmt.Errorf("DKIM key: the PEM file holds a %q, not a private key of rsa or ed25519", block.Type)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("DKIM key: %w", err)
	}
	return key, nil
}

// isHostname takes what may stand in a tag of the signature and in a DNS name.
func isHostname(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return isDotAtom(s) && len(s) <= 253 && strings.Trim(s, letters) == ""
}

// sealTime is how long a signature is good for: an email waits for days at most on its way.
const sealTime = 14 * 24 * time.Hour

// seal is a DKIM-Signature header with room for the values that differ per email. Their length is
// known, so the header can stand first and be filled in last.
type seal struct {
	key                        signingKey
	header                     []byte
	times, bodyHash, signature int    // where the values begin
	tail                       []byte // the signed headers that are the same for all, in canonical form
}

// The headers that Append writes behind the signatures and in this order; those of withHead follow.
var (
	signedHeaders = []string{"From", "To", "Subject", "Date", "Message-ID"}
	signedOfLists = append(slices.Clone(signedHeaders), "List-Unsubscribe", "List-Unsubscribe-Post")
)

// oversigned are the headers that nobody may add on the way: each is named once more than it is there
// (RFC 6376, section 8.15).
var oversigned = []string{"From", "To", "Subject", "Date", "Message-ID", "Reply-To", "MIME-Version", "Content-Type",
	"List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Feedback-ID"}

// signatureLine is how much of the signature stands on one line.
const signatureLine = 72

// seals are the signatures of an email that has tail as the signed headers that are the same for all.
func (s *Signer) seals(bulk bool, tail []byte) []*seal {
	names := signedHeaders
	if bulk {
		names = signedOfLists
	}
	names = slices.Clone(names)
	for line := range bytes.Lines(tail) {
		if name, _, ok := bytes.Cut(line, []byte(":")); ok && line[0] != ' ' {
			names = append(names, string(name))
		}
	}
	names = append(names, oversigned...)
	seals := make([]*seal, len(s.keys))
	for i, key := range s.keys {
		seals[i] = newSeal(key, s.domain, names, appendRelaxed(nil, tail))
	}
	return seals
}

func newSeal(key signingKey, domain string, names []string, tail []byte) *seal {
	sealed := &seal{key: key, tail: tail}
	h := fmt.Appendf(nil, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n d=%s; s=%s;\r\n", key.algorithm, domain, key.selector)
	sealed.times = len(h) + len(" t=")
	h = append(h, " t=0123456789; x=0123456789;\r\n h="...)
	for i, name := range names {
		if i > 0 {
			h = append(h, ':')
		}
		if i > 0 && i%5 == 0 {
			h = append(h, "\r\n "...)
		}
		h = append(h, name...)
	}
	h = append(h, ";\r\n bh="...)
	sealed.bodyHash = len(h)
	h = append(h, make([]byte, base64.StdEncoding.EncodedLen(sha256.Size))...)
	h = append(h, ";\r\n b="...)
	sealed.signature = len(h)
	for left := key.size; left > 0; left -= signatureLine {
		if left < key.size {
			h = append(h, "\r\n "...)
		}
		h = append(h, make([]byte, min(left, signatureLine))...)
	}
	h = append(h, crlf...)
	sealed.header = h
	return sealed
}

// close fills in own, the seal's header in the email, for the headers in front of the tail and the hash
// of the body. The body is relaxed already: see appendQuoted.
func (s *seal) close(own, headers []byte, bodyHash [sha256.Size]byte, at time.Time) error {
	var stack [4096]byte
	times := strconv.AppendInt(append(strconv.AppendInt(stack[:0], at.Unix(), 10), "; x="...), at.Add(sealTime).Unix(), 10)
	copy(own[s.times:s.times+len("0123456789; x=0123456789")], times)
	base64.StdEncoding.Encode(own[s.bodyHash:], bodyHash[:])
	canonical := append(appendRelaxed(stack[:0], headers), crlf...)
	if len(s.tail) > 0 {
		canonical = append(append(canonical, s.tail...), crlf...)
	}
	hash := sha256.Sum256(appendRelaxed(canonical, own[:s.signature]))
	signature, err := s.key.Sign(rand.Reader, hash[:], s.key.hash)
	if err != nil {
		return fmt.Errorf("email: DKIM: %w", err)
	}
	text := base64.StdEncoding.AppendEncode(stack[:0], signature)
	for at := s.signature; len(text) > 0; at += signatureLine + len("\r\n ") {
		n := copy(own[at:], text[:min(len(text), signatureLine)])
		text = text[n:]
	}
	return nil
}

// appendRelaxed appends header lines in the canonical form "relaxed" (RFC 6376, section 3.4.2).
func appendRelaxed(dst, headers []byte) []byte {
	inName, space, start := true, false, 0
	for i, c := range headers {
		switch {
		case c == '\n' && i+1 < len(headers) && headers[i+1] != ' ':
			dst = append(dst, crlf...)
			inName = true
		case inName:
			if 'A' <= c && c <= 'Z' {
				c |= 0x20
			}
			dst = append(dst, c)
			if c == ':' {
				inName, space, start = false, false, len(dst)
			}
		case c == ' ' || c == '\t':
			space = len(dst) > start
		case c == '\r' || c == '\n':
		default:
			if space {
				dst, space = append(dst, ' '), false
			}
			dst = append(dst, c)
		}
	}
	return dst
}
