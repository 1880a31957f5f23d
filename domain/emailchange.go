package domain

import "time"

// EmailChange is a new address that a user asked for. It takes effect when both mailboxes have confirmed it: the
// old one shows that it is the user who asks, the new one that it is theirs.
type EmailChange struct {
	ID             int64 `bun:",pk,autoincrement"`
	UserID         int64
	Email          string
	OldConfirmedAt time.Time `bun:",nullzero"`
	NewConfirmedAt time.Time `bun:",nullzero"`
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
}

// Confirm notes what the link of one of the mailboxes says.
func (c *EmailChange) Confirm(link TokenPurpose, now time.Time) {
	switch link {
	case TokenOldEmail:
		c.OldConfirmedAt = now
	case TokenNewEmail:
		c.NewConfirmedAt = now
	}
}

// Confirmed reports whether both mailboxes have.
func (c EmailChange) Confirmed() bool {
	return !c.OldConfirmedAt.IsZero() && !c.NewConfirmedAt.IsZero()
}
