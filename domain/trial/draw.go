package trial

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
)

// Seed draws clients: every client has a place that only the seed decides, so whoever is drawn once is drawn every time.
type Seed []byte

// NewSeed is one that nobody can guess.
func NewSeed() Seed {
	seed := make(Seed, 16)
	_, _ = rand.Read(seed) // never fails
	return seed
}

// Bound is the place below which the share (0 to 1) of all clients are. A larger share takes in all of a smaller one.
func Bound(share float64) []byte {
	if share >= 1 {
		return bytes.Repeat([]byte{0xff}, sha256.Size+1)
	}
	return binary.BigEndian.AppendUint32(nil, uint32(max(0, share)*(1<<32)))
}

// Below reports whether the client's place is below a bound. Db asks the same of Postgres: see db/holdout.
func (s Seed) Below(client int64, bound []byte) bool {
	place := sha256.Sum256(binary.BigEndian.AppendUint64(bytes.Clone(s), uint64(client)))
	return bytes.Compare(place[:], bound) < 0
}
