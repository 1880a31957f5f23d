package emailauth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
)

// The algorithms as the k= of a record names them.
const (
	RSA     = "rsa"
	Ed25519 = "ed25519"
)

// Key is a new key of DKIM.
type Key struct {
	Algorithm string // k= of its record
	Selector  string
	Public    string // p= of its record: base64 of a SubjectPublicKeyInfo for RSA, of the bare 32 bytes for ed25519 (RFC 8463)
	PEM       []byte // PKCS #8
}

// NewKeys makes an RSA key of 2048 bits and one of ed25519. Their selectors are random: several owners
// may have keys at one domain.
func NewKeys() (rsaKey, edKey Key, err error) {
	name := "sky-" + strings.ToLower(rand.Text()[:8])
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return rsaKey, edKey, err
	}
	public, err := Published(&private.PublicKey)
	if err != nil {
		return rsaKey, edKey, err
	}
	rsaKey = Key{Algorithm: RSA, Selector: name + "-" + RSA, Public: public}
	if rsaKey.PEM, err = encode(private); err != nil {
		return rsaKey, edKey, err
	}
	small, secret, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return rsaKey, edKey, err
	}
	if public, err = Published(small); err != nil {
		return rsaKey, edKey, err
	}
	edKey = Key{Algorithm: Ed25519, Selector: name + "-" + Ed25519, Public: public}
	edKey.PEM, err = encode(secret)
	return rsaKey, edKey, err
}

func encode(private any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(private)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), err
}

// Published is a public key as p= has it.
func Published(public any) (string, error) {
	if small, ok := public.(ed25519.PublicKey); ok {
		return base64.StdEncoding.EncodeToString(small), nil
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	return base64.StdEncoding.EncodeToString(der), err
}

// Record is the TXT record that publishes a key.
func Record(algorithm, public string) string {
	return "v=DKIM1; k=" + algorithm + "; p=" + public
}

// Vault seals private keys with SECRET: who has a copy of the database alone can sign nothing.
type Vault struct {
	ciphers []cipher.AEAD // the first seals, all open
}

// NewVault takes SECRET and, behind it, the one of before. Empty ones are left out.
func NewVault(secrets ...[]byte) (*Vault, error) {
	v := &Vault{}
	for _, secret := range slices.DeleteFunc(slices.Clone(secrets), func(s []byte) bool { return len(s) == 0 }) {
		key, err := hkdf.Key(sha256.New, secret, nil, "skychimp dkim keys", 32) // no other use of the secret has this key
		if err != nil {
			return nil, err
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		sealer, err := cipher.NewGCMWithRandomNonce(block)
		if err != nil {
			return nil, err
		}
		v.ciphers = append(v.ciphers, sealer)
	}
	if len(v.ciphers) == 0 {
		return nil, errors.New("no secret to seal keys with")
	}
	return v, nil
}

// ErrSealed is a key that none of the secrets opens.
var ErrSealed = errors.New("the key was sealed with another secret")

// Seal encrypts a key. The selector is bound to it, so that no row can be given the key of another.
func (v *Vault) Seal(selector string, plain []byte) []byte {
	return v.ciphers[0].Seal(nil, nil, plain, []byte(selector)) //nolint:gosec // the cipher draws the nonce itself
}

// Open decrypts a key; old tells that it should be sealed again, since the secret of before opened it.
func (v *Vault) Open(selector string, sealed []byte) (plain []byte, old bool, err error) {
	for i, one := range v.ciphers {
		if plain, err := one.Open(nil, nil, sealed, []byte(selector)); err == nil {
			return plain, i > 0, nil
		}
	}
	return nil, false, ErrSealed
}
