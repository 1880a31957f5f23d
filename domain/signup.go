package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Signup is what a visitor has typed into a form. Only who has the mailbox makes a client of it, by confirming.
type Signup struct {
	ID          int64 `bun:",pk,autoincrement"`
	FormID      int64
	OwnerID     int64
	AgreementID int64
	Email       string
	FullName    string
	Fields      FieldValues `bun:"type:jsonb,nullzero,default:'{}'"`
	TopicIDs    []int64     `bun:"topic_ids,array"`
	Language    string
	Page        string    // where the form stood
	IP          string    `bun:"ip"` // shortened
	AskedAt     time.Time `bun:",nullzero"`
	ConfirmedAt time.Time `bun:",nullzero"`
	ClientID    int64     `bun:",nullzero"` // who was made or completed
	CreatedAt   time.Time `bun:",nullzero,default:now()"`
	SentAt      time.Time `bun:",nullzero,default:now()"`
}

// SignupInput is a form as a visitor sends it; Fields are texts by the names of fields, Topics numbers of topics.
type SignupInput struct {
	Email, FullName string
	Fields          map[string]string
	Topics          []string
	Agreed          bool
}

// The times of sign-ups.
const (
	SignupLife   = 7 * 24 * time.Hour // of one that nobody confirms
	AskInterval  = 24 * time.Hour     // between two confirmations to a mailbox
	trapEarliest = 3 * time.Second    // nobody fills a form in faster
	trapLatest   = 24 * time.Hour
)

// SignUp reads what a visitor sends.
func (f Form) SignUp(in SignupInput, own FormChoices, now time.Time) (Signup, error) {
	var p ValidationErrors
	s := Signup{FormID: f.ID, OwnerID: f.OwnerID, AgreementID: f.AgreementID, Email: NormalEmail(in.Email), Fields: FieldValues{}, TopicIDs: []int64{}, CreatedAt: now, SentAt: now}
	if f.Closed() {
		return s, Errorf(Conflict, "", "forms.closed")
	}
	checkEmail(&p, "email", s.Email)
	if asked, required := f.Asks(0); asked {
		s.FullName = strings.Join(strings.Fields(in.FullName), " ")
		switch {
		case s.FullName == "" && required:
			p.Add(FullName, "forms.value_required")
		case utf8.RuneCountInString(s.FullName) > 200 || hasHidden(s.FullName):
			p.Add(FullName, "clients.full_name_long", "Max", 200)
		}
	}
	for _, one := range f.AskedFields(own.Fields) {
		value, err := one.Parse(in.Fields[one.Name()])
		_, required := f.Asks(one.ID)
		switch {
		case err != nil:
			p = append(p, err)
		case value != nil:
			s.Fields[one.ID] = value
		case required:
			p.Add(one.Name(), "forms.value_required")
		}
	}
	s.chooseTopics(in, f.OfferedTopics(own.Topics), &p)
	if f.Tick && !in.Agreed {
		p.Add("agree", "forms.agree_required")
	}
	return s, p.Err()
}

// chooseTopics takes the chosen topics over. Whoever chooses none of them would get nothing.
func (s *Signup) chooseTopics(in SignupInput, offered []Topic, p *ValidationErrors) {
	for _, one := range offered {
		if namesTopic(in.Topics, one) {
			s.TopicIDs = append(s.TopicIDs, one.ID)
		}
	}
	if len(offered) > 0 && len(s.TopicIDs) == 0 {
		p.Add("topics", "forms.topics_required")
	}
}

// namesTopic tells whether the number or the name of a topic is among those typed.
func namesTopic(typed []string, one Topic) bool {
	number := strconv.FormatInt(one.ID, 10)
	return slices.ContainsFunc(typed, func(text string) bool { return text == number || strings.EqualFold(text, one.Name) })
}

// Complete gives the client what it has not yet, and what the form gives; nothing that is there is lost. Bare leaves
// out what was typed beside the address. Who confirms gets emails, whatever was before.
func (s Signup) Complete(c *Client, f Form, bare bool) {
	if !bare {
		if c.FullName == "" {
			c.FullName = s.FullName
		}
		values := FieldValues{}
		maps.Copy(values, s.Fields)
		maps.Copy(values, c.Fields)
		c.Fields = values
	}
	for _, tag := range f.Tags {
		with := append(slices.Clone(c.Tags), tag)
		var p ValidationErrors
		if checkTags(&p, with); p == nil && !slices.ContainsFunc(c.Tags, func(t string) bool { return strings.EqualFold(t, tag) }) {
			c.Tags = with
		}
	}
	c.SuppressedAt, c.SuppressedReason = time.Time{}, ""
}

// Waits tells whether nobody has confirmed yet.
func (s Signup) Waits() bool { return s.ConfirmedAt.IsZero() }

// AskAgain tells whether a mailbox that has been asked may be asked once more.
func (s Signup) AskAgain(now time.Time) bool {
	return !s.AskedAt.IsZero() && now.Sub(s.AskedAt) >= AskInterval
}

const signupMAC = 16 // bytes of the HMAC that a code or a trap carries

func signupSum(secret []byte, parts ...string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("skychimp form\x00" + strings.Join(parts, "\x00")))
	return mac.Sum(nil)[:signupMAC]
}

// Code names the sign-up in the link of its confirmation: the base64url of its number and of an HMAC over it. The
// moment is in it because numbers come again in a database that was restored.
func (s Signup) Code(secret []byte) string {
	id := binary.AppendUvarint(nil, uint64(s.ID))
	return base64.RawURLEncoding.EncodeToString(append(id, s.codeSum(secret)...))
}

func (s Signup) codeSum(secret []byte) []byte {
	return signupSum(secret, "confirm", strconv.FormatInt(s.ID, 10), strconv.FormatInt(s.FormID, 10), strconv.FormatInt(s.CreatedAt.UnixMicro(), 10))
}

// SignupOfCode is the number in a code, 0 where it has none. Signed is what tells whether it is right.
func SignupOfCode(code string) int64 {
	raw, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil || len(raw) <= signupMAC || base64.RawURLEncoding.EncodeToString(raw) != code {
		return 0
	}
	id, length := binary.Uvarint(raw[:len(raw)-signupMAC])
	if length != len(raw)-signupMAC || int64(id) <= 0 {
		return 0
	}
	return int64(id)
}

// Signed tells whether the code is this sign-up's, made with one of the secrets.
func (s Signup) Signed(code string, secrets ...[]byte) bool {
	raw, err := base64.RawURLEncoding.DecodeString(code)
	if err != nil || len(raw) <= signupMAC || SignupOfCode(code) != s.ID {
		return false
	}
	return slices.ContainsFunc(secrets, func(secret []byte) bool {
		return len(secret) > 0 && hmac.Equal(raw[len(raw)-signupMAC:], s.codeSum(secret))
	})
}

// Trap is what a form says about when it was shown.
type Trap int

// What a trap comes to. A pasted form is the same for ever, so that it says no time.
const (
	TrapBroken Trap = iota // missing, forged or of another form
	TrapEarly              // faster than anybody types
	TrapLate
	TrapPasted
	TrapGood
)

// NewTrap signs when a form was shown; the zero time is for one that is pasted into other sites.
func NewTrap(secret []byte, form string, at time.Time) string {
	when := "0"
	if !at.IsZero() {
		when = strconv.FormatInt(at.Unix(), 10)
	}
	return when + "." + base64.RawURLEncoding.EncodeToString(signupSum(secret, "trap", form, when))
}

// ReadTrap judges a trap that came back.
func ReadTrap(trap, form string, now time.Time, secrets ...[]byte) Trap {
	when, sum, _ := strings.Cut(trap, ".")
	raw, err := base64.RawURLEncoding.DecodeString(sum)
	right := func(secret []byte) bool {
		return len(secret) > 0 && hmac.Equal(raw, signupSum(secret, "trap", form, when))
	}
	seconds, bad := strconv.ParseInt(when, 10, 64)
	if err != nil || bad != nil || !slices.ContainsFunc(secrets, right) {
		return TrapBroken
	}
	switch shown := now.Sub(time.Unix(seconds, 0)); {
	case seconds == 0:
		return TrapPasted
	case shown < trapEarliest:
		return TrapEarly
	case shown > trapLatest:
		return TrapLate
	}
	return TrapGood
}

// PageOf is the address of the page that a form was sent from, without what may be about the visitor; "" for none.
func PageOf(referer string) string {
	u, err := url.Parse(referer)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || hasHidden(referer) {
		return ""
	}
	page := u.Scheme + "://" + u.Host + u.EscapedPath()
	return page[:min(len(page), 500)]
}

// ShortIP is a network address without what tells one machine from another: the last of four numbers of IPv4, and all
// but the first 48 bits of IPv6.
func ShortIP(ip string) string {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	bits := 48
	if address = address.Unmap().WithZone(""); address.Is4() {
		bits = 24
	}
	prefix, _ := address.Prefix(bits)
	return prefix.String()
}
