package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"
)

// Installation is where a database lives. A copy of the database, however it was made, lives elsewhere.
type Installation struct {
	Cluster  string // the system identifier of Postgres, "" where the role may not ask for it
	Database uint32 // oid
	Relation uint32 // oid of the table that keeps this: restoring a dump gives it a new one
	Folder   string // what tells the files of a private cluster from a copy of them, else ""
}

// Same tells whether both are one place. What one of them does not know says nothing.
func (i Installation) Same(other Installation) bool {
	return i.Database == other.Database && i.Relation == other.Relation &&
		(i.Cluster == other.Cluster || i.Cluster == "" || other.Cluster == "") &&
		(i.Folder == other.Folder || i.Folder == "" || other.Folder == "")
}

// Hold says whether emails of mailings are kept back, and why.
type Hold struct {
	On     bool
	Copied bool      // because the database is a copy, else because an operator asked for it
	Since  time.Time // zero: nobody has noted it yet
}

// SecretFingerprint tells secrets apart and gives none away.
func SecretFingerprint(secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("skychimp installation\x00")) // no other use of the secret signs the same bytes
	return mac.Sum(nil)[:16]
}
