package web

import (
	"context"

	"github.com/alexedwards/argon2id"
)

// Passwords hashes with Argon2id. Each hash takes 64 MB and both cores for a tenth of a second, so
// only two run at once; others wait.
type Passwords struct {
	slots chan struct{}
}

// NewPasswords makes the hasher of a process.
func NewPasswords() *Passwords {
	return &Passwords{slots: make(chan struct{}, 2)}
}

func strength() *argon2id.Params {
	return &argon2id.Params{Memory: 64 << 10, Iterations: 2, Parallelism: 2, SaltLength: 16, KeyLength: 32}
}

// nobody is the hash of a random password with the parameters of strength: it costs a stranger's try
// with an unknown address as much time as one with a known address.
const nobody = "$argon2id$v=19$m=65536,t=2,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Hash is what is stored of a password.
func (p *Passwords) Hash(ctx context.Context, password string) (hash string, err error) {
	err = p.inTurn(ctx, func() error {
		hash, err = argon2id.CreateHash(password, strength())
		return err
	})
	return hash, err
}

// Match reports whether the password is the one of the hash. An empty hash, of an address without
// an account, takes as long and matches nothing.
func (p *Passwords) Match(ctx context.Context, password, hash string) (match bool, err error) {
	if hash == "" {
		hash = nobody
	}
	err = p.inTurn(ctx, func() error {
		match, err = argon2id.ComparePasswordAndHash(password, hash)
		return err
	})
	return match && hash != nobody, err
}

func (p *Passwords) inTurn(ctx context.Context, do func() error) error {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	return do()
}
