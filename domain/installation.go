package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"
)

// Installation identifies where a database lives. A copy of it, however it was made, lives elsewhere.
type Installation struct {
	Cluster  string // the system identifier of Postgres, "" where the role may not ask for it
	Database uint32 // oid
	Relation uint32 // oid of the table that keeps this: restoring a dump gives it a new one
	Folder   string // what tells the files of a private cluster from a copy of them, else ""
}

// Same reports whether both are the same place. A value that one of them lacks is ignored.
func (i Installation) Same(other Installation) bool {
	return i.Database == other.Database && i.Relation == other.Relation &&
		(i.Cluster == other.Cluster || i.Cluster == "" || other.Cluster == "") &&
		(i.Folder == other.Folder || i.Folder == "" || other.Folder == "")
}

// Hold says whether mailings are on hold, and why.
type Hold struct {
	On     bool
	Copied bool      // on hold because the database is a copy; otherwise an operator asked for it
	Since  time.Time // zero: not yet recorded
}

// SecretFingerprint identifies a secret without revealing it.
func SecretFingerprint(secret []byte) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("skychimp installation\x00")) // no other use of the secret signs the same bytes
	return mac.Sum(nil)[:16]
}

// FeedbackSender is how the provider of many mailboxes tells the emails of this installation from those of others
// that send for the same domain: the last part of a Feedback-ID, 13 letters and digits that last as long as the secret.
func FeedbackSender(secret []byte, host string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("skychimp feedback\x00" + host)) // no other use of the secret signs the same bytes
	return returnEncoding.EncodeToString(mac.Sum(nil)[:8])
}

// Stats are the numbers of the home page: mailings, those of them that send at their times, and
// different addresses among the clients of all owners.
type Stats struct {
	Mailings, Active, Clients int64
}
