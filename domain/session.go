package domain

import "time"

// Session is one browser in which a user is signed in. Hash is the SHA-256 of the cookie's
// 32 random bytes.
type Session struct {
	Hash      []byte `bun:",pk"`
	UserID    int64
	UserAgent string
	IP        string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// SessionLife is how long an unused session lasts.
const SessionLife = 30 * 24 * time.Hour

// TokenPurpose says what a link in an email is for.
type TokenPurpose string

// The purposes of a link.
const (
	TokenVerify TokenPurpose = "verify"
	TokenReset  TokenPurpose = "reset"

	TokenOldEmail TokenPurpose = "email_old" // the mailbox of before confirms a new address
	TokenNewEmail TokenPurpose = "email_new" // the new one does

	TokenSender TokenPurpose = "sender" // the mailbox confirms that a sender may write from it
)

// Life is how long a link is valid.
func (p TokenPurpose) Life() time.Duration {
	if p == TokenReset {
		return time.Hour
	}
	return 48 * time.Hour
}
