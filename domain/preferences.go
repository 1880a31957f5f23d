package domain

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// RecipientLink is whom a link in an email means, and the run whose email it stood in.
type RecipientLink struct {
	ClientID int64
	RunID    int64 // 0: the link is older, or is cut. It is not signed: whoever uses it looks whether the client was in it
}

// RunSuffix is what follows a client's token in the links of a run's emails.
func RunSuffix(run int64) string { return "." + strconv.FormatInt(run, 36) }

// ParseRecipientLink reads the token of a link, signed by one of the secrets. What mail programs and people leave at
// its end is forgiven.
func ParseRecipientLink(token string, secrets ...[]byte) (link RecipientLink, ok bool) {
	token = strings.TrimRight(strings.ReplaceAll(token, "%20", " "), " .,;:!?)]>\"'")
	client, run, of := strings.Cut(token, ".")
	if of {
		n, err := strconv.ParseInt(run, 36, 64)
		if err != nil || n <= 0 {
			return link, false
		}
		link.RunID = n
	}
	for _, secret := range secrets {
		if secret == nil {
			continue
		}
		if link.ClientID, ok = ParseUnsubscribeToken(secret, client); ok {
			return link, true
		}
	}
	return RecipientLink{}, false
}

// Frequency is how often a client wants to be written to at most, over all mailings of its owner.
type Frequency string

// The frequencies; empty: as often as there is something.
const (
	AtMostWeekly  Frequency = "week"
	AtMostMonthly Frequency = "month"
)

// Frequencies are all of them, the most frequent first.
func Frequencies() []Frequency { return []Frequency{"", AtMostWeekly, AtMostMonthly} }

// Preferences are what a client wants of its owner's emails.
type Preferences struct {
	LeftTopics  []int64   `bun:",array"`
	PausedUntil time.Time `bun:",nullzero"` // the zero time: not paused
	Frequency   Frequency `bun:",nullzero"`
}

// Leaves reports whether the client has left the topic.
func (p Preferences) Leaves(topic int64) bool { return slices.Contains(p.LeftTopics, topic) }

// PreferencesForm is the form of the recipient's page.
type PreferencesForm struct {
	Topics    []int64 // that are wanted
	Shown     []int64 // that there was a choice of; nil: all
	Frequency string
}

// Change applies the form; topics are the owner's. What was not to choose from stays as it is.
func (p *Preferences) Change(form PreferencesForm, topics []Topic) error {
	frequency := Frequency(form.Frequency)
	if !slices.Contains(Frequencies(), frequency) {
		return ValidationErrors{Errorf(Invalid, "frequency", "recipients.frequency_unknown")}
	}
	p.Frequency = frequency
	left := []int64{}
	for _, one := range topics {
		stays := p.Leaves(one.ID)
		if form.Shown == nil || slices.Contains(form.Shown, one.ID) {
			stays = !slices.Contains(form.Topics, one.ID)
		}
		if stays {
			left = append(left, one.ID)
		}
	}
	p.LeftTopics = left
	return nil
}

// maxPause is how long a client can pause.
const maxPause = 366 * 24 * time.Hour

// Pause keeps emails back until a date in the zone of who chose it.
func (p *Preferences) Pause(date string, zone *time.Location, now time.Time) error {
	until, err := time.ParseInLocation(time.DateOnly, strings.TrimSpace(date), zone)
	switch {
	case err != nil || !until.After(now):
		return ValidationErrors{Errorf(Invalid, "until", "recipients.until_invalid")}
	case until.After(now.Add(maxPause)):
		return ValidationErrors{Errorf(Invalid, "until", "recipients.until_far")}
	}
	p.PausedUntil = until
	return nil
}

// LeaveReason is why somebody unsubscribed, chosen with one tap.
type LeaveReason string

// LeaveReasons are all that can be chosen, besides none. There is no free text: the sender would read what a stranger
// typed.
func LeaveReasons() []LeaveReason {
	return []LeaveReason{"too_many", "not_relevant", "never_asked", "other"}
}

// ParseLeaveReason refuses what is none of them; empty is no reason.
func ParseLeaveReason(text string) (LeaveReason, error) {
	if text != "" && !slices.Contains(LeaveReasons(), LeaveReason(text)) {
		return "", ValidationErrors{Errorf(Invalid, "", "recipients.reason_unknown")}
	}
	return LeaveReason(text), nil
}
