package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Role says what an account may do.
type Role string

// The roles of the contract.
const (
	RoleUser    Role = "user"
	RoleManager Role = "manager"
	RoleContent Role = "content"
	RoleAdmin   Role = "admin"
)

// Roles are all roles, in the order of a form.
func Roles() []Role { return []Role{RoleUser, RoleManager, RoleContent, RoleAdmin} }

// Languages are the languages of the pages, the default first.
func Languages() []string { return []string{"en", "ru"} }

// User is somebody with an account.
type User struct {
	ID            int64 `bun:",pk,autoincrement"`
	Email         string
	Name          string
	PasswordHash  string
	Role          Role
	Language      string
	Timezone      string
	WeeklyCap     int       // emails to one client within seven days, over all mailings; 0: as many as there are
	VerifiedAt    time.Time `bun:",nullzero,default:now()"` // nobody has an account before
	BlockedAt     time.Time `bun:",nullzero"`
	BlockedReason string
	HeldAt        time.Time `bun:",nullzero"` // since when all runs wait for a manager because of complaints
	ReleasedAt    time.Time `bun:",nullzero"` // when one has looked last: older runs count no more
	LiftedAt      time.Time `bun:",nullzero"` // when the limit of a new account was
	LiftedReason  string

	ApprovedName   string    // which a manager let pass although it is like somebody else's
	ApprovedAt     time.Time `bun:",nullzero"`
	ApprovedReason string
	MonthlyResults bool      // wants an email with the results of each month
	LastSignInAt   time.Time `bun:",nullzero"`
	NoNotices      bool      // wants no email on the day before a mailing goes out
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
}

// MayOwn: has clients, messages and mailings.
func (u User) MayOwn() bool { return u.Role == RoleUser || u.Role == RoleAdmin }

// MayOversee: sees all mailings and users, blocks users, disables mailings.
func (u User) MayOversee() bool { return u.Role == RoleManager || u.Role == RoleAdmin }

// MayPublish: writes the blog.
func (u User) MayPublish() bool { return u.Role == RoleContent || u.Role == RoleAdmin }

// MayAdminister: gives roles, reads the audit log and the queue.
func (u User) MayAdminister() bool { return u.Role == RoleAdmin }

// MayBlock: nobody blocks an admin or their own account.
func (u User) MayBlock(other User) bool {
	return u.MayOversee() && u.ID != other.ID && other.Role != RoleAdmin
}

// MayGiveRole: an admin gives roles to others only, so that one admin always remains.
func (u User) MayGiveRole(other User) bool { return u.MayAdminister() && u.ID != other.ID }

// Blocked reports whether a manager has blocked the account.
func (u User) Blocked() bool { return !u.BlockedAt.IsZero() }

// Location is the user's time zone, UTC when this machine doesn't know it.
func (u User) Location() *time.Location {
	if zone, err := time.LoadLocation(u.Timezone); err == nil {
		return zone
	}
	return time.UTC
}

// UserForm is what users type about themselves.
type UserForm struct {
	Name, Email, Password, Language, Timezone string
	NoNotices                                 bool
	WeeklyCap                                 string // "" or 0: none
}

const maxWeeklyCap = 100

// Change applies name, language, time zone and how many emails a client gets in a week.
func (u *User) Change(form UserForm) error {
	var p ValidationErrors
	u.Name, u.Language, u.Timezone = strings.TrimSpace(form.Name), form.Language, strings.TrimSpace(form.Timezone)
	u.NoNotices = form.NoNotices
	checkName(&p, u.Name)
	if !slices.Contains(Languages(), u.Language) {
		p.Add("language", "account.language_unknown")
	}
	if _, err := LoadZone(u.Timezone); err != nil {
		p.Add("timezone", "account.timezone_unknown")
	}
	u.WeeklyCap = 0
	if text := strings.TrimSpace(form.WeeklyCap); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > maxWeeklyCap {
			p.Add("weekly_cap", "account.weekly_cap_wrong", "Max", maxWeeklyCap)
		} else {
			u.WeeklyCap = n
		}
	}
	return p.Err()
}

// Block blocks the account for a reason.
func (u *User) Block(by User, reason string, now time.Time) error {
	if !by.MayBlock(*u) {
		return Errorf(Forbidden, "", "staff.block_refused")
	}
	reason, err := readReason(reason)
	if err == nil && !u.Blocked() {
		u.BlockedAt, u.BlockedReason = now, reason
	}
	return err
}

// Unblock lifts the block.
func (u *User) Unblock(by User) error {
	if !by.MayBlock(*u) {
		return Errorf(Forbidden, "", "staff.block_refused")
	}
	u.BlockedAt, u.BlockedReason = time.Time{}, ""
	return nil
}

// Held tells whether the user's runs wait for a manager because of complaints.
func (u User) Held() bool { return !u.HeldAt.IsZero() }

// Release lets the runs of a user go on that wait because of complaints. An admin may be the only one
// who is there, so it may be the admin's own account.
func (u *User) Release(by User, now time.Time) error {
	if !by.MayOversee() {
		return Errorf(Forbidden, "", "staff.block_refused")
	}
	if u.Held() {
		u.HeldAt, u.ReleasedAt = time.Time{}, now
	}
	return nil
}

// Lift takes the limit of a new account away, by a manager and with a reason.
func (u *User) Lift(by User, reason string, now time.Time) error {
	if !by.MayOversee() || by.ID == u.ID {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	reason, err := readReason(reason)
	if err == nil && u.LiftedAt.IsZero() {
		u.LiftedAt, u.LiftedReason = now, reason
	}
	return err
}

// Limit brings the limit back.
func (u *User) Limit(by User) error {
	if !by.MayOversee() {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	u.LiftedAt, u.LiftedReason = time.Time{}, ""
	return nil
}

// NameHeld reports whether the name is like somebody else's, and no manager has let it pass.
func (u User) NameHeld() bool { return u.Name != u.ApprovedName && Impersonates(u.Name) != "" }

// MayLaunch refuses an account whose name is held.
func (u User) MayLaunch() error {
	if u.NameHeld() {
		return Errorf(Conflict, "", "account.name_held", "Name", u.Name)
	}
	return nil
}

// SenderName is what emails show as their sender: the address, which is confirmed, while the name is held.
func (u User) SenderName() string {
	if u.NameHeld() {
		return u.Email
	}
	return u.Name
}

// ApproveName lets the name pass as it is now, by a manager and with a reason.
func (u *User) ApproveName(by User, reason string, now time.Time) error {
	if !by.MayOversee() || by.ID == u.ID {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	reason, err := readReason(reason)
	if err == nil && u.ApprovedName != u.Name {
		u.ApprovedName, u.ApprovedAt, u.ApprovedReason = u.Name, now, reason
	}
	return err
}

// HoldName takes that back.
func (u *User) HoldName(by User) error {
	if !by.MayOversee() {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	u.ApprovedName, u.ApprovedAt, u.ApprovedReason = "", time.Time{}, ""
	return nil
}

// GiveRole changes the role.
func (u *User) GiveRole(by User, role Role) error {
	switch {
	case !by.MayAdminister():
		return Errorf(Forbidden, "", "errors.forbidden")
	case !slices.Contains(Roles(), role):
		return Errorf(Invalid, "role", "staff.role_unknown")
	case !by.MayGiveRole(*u) && role != u.Role:
		return Errorf(Invalid, "role", "staff.role_own")
	}
	u.Role = role
	return nil
}

// Verify takes the address for confirmed, on the word of an admin.
func (u *User) Verify(by User, now time.Time) error {
	if !by.MayAdminister() {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	if u.VerifiedAt.IsZero() {
		u.VerifiedAt = now
	}
	return nil
}

// Remove checks that an admin may delete the account: that of somebody else, so that one admin always remains.
func (u User) Remove(by User) error {
	if !by.MayGiveRole(u) {
		return Errorf(Forbidden, "", "staff.delete_own")
	}
	return nil
}

// Leave checks that the user may delete the account. An admin may not, so that one always remains.
func (u User) Leave() error {
	if u.Role == RoleAdmin {
		return Errorf(Conflict, "", "account.admin_stays")
	}
	return nil
}

// ReasonMax is how many characters a reason has at most.
const ReasonMax = 500

const passwordMin, passwordMax = 10, 200

// CheckPassword adds an error for a password that is too short, too long, all digits or the email itself.
func CheckPassword(p *ValidationErrors, password, email string) {
	local, _, _ := strings.Cut(email, "@")
	switch length := utf8.RuneCountInString(password); {
	case length < passwordMin:
		p.Add("password", "account.password_short", "Min", passwordMin)
	case length > passwordMax:
		p.Add("password", "account.password_long", "Max", passwordMax)
	case strings.Trim(password, "0123456789") == "":
		p.Add("password", "account.password_digits")
	case strings.EqualFold(password, email), strings.EqualFold(password, local):
		p.Add("password", "account.password_email")
	}
}

// TooLongToSignIn tells what no account has, so that nobody need look for it.
func TooLongToSignIn(email, password string) bool {
	return len(email) > emailRead || utf8.RuneCountInString(password) > passwordMax
}

func checkName(p *ValidationErrors, name string) {
	switch {
	case name == "":
		p.Add("name", "account.name_required")
	case utf8.RuneCountInString(name) > 100:
		p.Add("name", "account.name_long", "Max", 100)
	case hasHidden(name):
		p.Add("name", "account.name_control")
	}
}

// readReason checks and trims a reason; the person concerned reads it.
func readReason(text string) (string, error) {
	text = strings.TrimSpace(dropControls(text))
	switch length := utf8.RuneCountInString(text); {
	case length == 0:
		return "", Errorf(Invalid, "reason", "staff.reason_required")
	case length > ReasonMax:
		return "", Errorf(Invalid, "reason", "staff.reason_long", "Max", ReasonMax)
	}
	return text, nil
}

// hasControl also reports bytes that are not UTF-8: the database takes neither.
func hasControl(text string) bool {
	return strings.IndexFunc(text, unicode.IsControl) >= 0 || !utf8.ValidString(text)
}

// hidden are characters that nobody sees and that make a name look like another one: they turn the direction of
// writing, end a line, or stand for nothing. Those that join letters are part of words in some languages, and stay.
const hidden = "\u00ad\u200b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"

// hasHidden is hasControl for names by which others know somebody.
func hasHidden(text string) bool { return hasControl(text) || strings.ContainsAny(text, hidden) }

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
