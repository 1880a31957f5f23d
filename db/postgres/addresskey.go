package postgres

import (
	"bytes"
	"errors"
)

// addressKey is the key of an HMAC-SHA-256 as SQL takes it: mixed into its first block, for each of the two rounds.
type addressKey struct{ inner, outer []byte }

// UseAddressKey sets the key under which addresses of erased clients are hashed.
func (db *DB) UseAddressKey(key []byte) {
	block := append(bytes.Clone(key), make([]byte, 64-len(key))...)
	mixed := func(with byte) []byte {
		out := bytes.Clone(block)
		for i := range out {
			out[i] ^= with
		}
		return out
	}
	db.addresses.Store(&addressKey{mixed(0x36), mixed(0x5c)})
}

// AddressKey is that key for statements, as arguments: written into a statement it would stand in logs of the server.
func (db *DB) AddressKey() (inner, outer []byte, err error) {
	key := db.addresses.Load()
	if key == nil {
		return nil, nil, errors.New("the key for addresses of erased clients is not unlocked")
	}
	return key.inner, key.outer, nil
}

// AddressKey is that of the database.
func (tx Tx) AddressKey() (inner, outer []byte, err error) { return tx.db.AddressKey() }
