package letter

import (
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
	"strings"
)

// Signer signs letters with DKIM (RFC 6376, and RFC 8463 for ed25519).
type Signer struct {
	key              crypto.Signer
	hash             crypto.Hash // of what key.Sign is given, as it wants it
	algorithm        string
	selector, domain string
	size             int // of a signature in base64
}

// NewSigner reads an RSA (PKCS #1 or #8) or ed25519 (PKCS #8) private key in PEM. Its public
// half stands in the TXT record of <selector>._domainkey.<domain>.
func NewSigner(pemKey []byte, selector, domain string) (*Signer, error) {
	if !isHostname(selector) {
		return nil, fmt.Errorf("DKIM selector %q is not a name of letters, digits, dots and hyphens", selector)
	}
	if !isHostname(domain) {
		return nil, fmt.Errorf("DKIM domain %q is not a name of letters, digits, dots and hyphens", domain)
	}
	key, err := parseKey(pemKey)
	if err != nil {
		return nil, err
	}
	s := &Signer{selector: selector, domain: domain}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		if key.N.BitLen() < 1024 {
			return nil, fmt.Errorf("DKIM key: RSA of %d bits is too short, use 2048", key.N.BitLen())
		}
		s.key, s.hash, s.algorithm = key, crypto.SHA256, "rsa-sha256"
		s.size = base64.StdEncoding.EncodedLen(key.Size())
	case ed25519.PrivateKey:
		s.key, s.algorithm = key, "ed25519-sha256"
		s.size = base64.StdEncoding.EncodedLen(ed25519.SignatureSize)
	default:
		return nil, fmt.Errorf("DKIM key: %T can't sign, use rsa or ed25519", key)
	}
	return s, nil
}

func parseKey(pemKey []byte) (any, error) {
	block, _ := pem.Decode(pemKey)
	switch {
	case block == nil:
		return nil, errors.New("DKIM key: not a PEM file")
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

// seal is a DKIM-Signature header with room for the two values that differ per letter. Their
// length is known, so the header can stand first and be filled in last.
type seal struct {
	signer              *Signer
	header              []byte
	bodyHash, signature int // where the values begin
}

// The headers that Append writes first and in this order.
const (
	signedHeaders = "From:To:Subject:Date:Message-ID"
	signedOfLists = signedHeaders + ":List-Unsubscribe:List-Unsubscribe-Post"
)

// signatureLine is how much of the signature stands on one line.
const signatureLine = 72

func (s *Signer) seal(bulk bool) *seal {
	names := signedHeaders
	if bulk {
		names = signedOfLists
	}
	h := fmt.Appendf(nil, "DKIM-Signature: v=1; a=%s; c=relaxed/relaxed;\r\n d=%s; s=%s;\r\n h=%s;\r\n bh=",
		s.algorithm, s.domain, s.selector, strings.Replace(names, ":List", ":\r\n List", 1))
	sealed := &seal{signer: s, bodyHash: len(h)}
	h = append(h, make([]byte, base64.StdEncoding.EncodedLen(sha256.Size))...)
	h = append(h, ";\r\n b="...)
	sealed.signature = len(h)
	for left := s.size; left > 0; left -= signatureLine {
		if left < s.size {
			h = append(h, "\r\n "...)
		}
		h = append(h, make([]byte, min(left, signatureLine))...)
	}
	h = append(h, crlf...)
	sealed.header = h
	return sealed
}

// close fills in the header, which letter begins with, for the headers to be signed and the
// body. The body is relaxed already: see appendQuoted.
func (s *seal) close(letter, headers, body []byte) error {
	hash := sha256.Sum256(body)
	base64.StdEncoding.Encode(letter[s.bodyHash:], hash[:])
	var stack [2048]byte
	canonical := append(appendRelaxed(stack[:0], headers), crlf...)
	hash = sha256.Sum256(appendRelaxed(canonical, letter[:s.signature]))
	signature, err := s.signer.key.Sign(rand.Reader, hash[:], s.signer.hash)
	if err != nil {
		return fmt.Errorf("letter: DKIM: %w", err)
	}
	text := base64.StdEncoding.AppendEncode(stack[:0], signature)
	for at := s.signature; len(text) > 0; at += signatureLine + len("\r\n ") {
		n := copy(letter[at:], text[:min(len(text), signatureLine)])
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
