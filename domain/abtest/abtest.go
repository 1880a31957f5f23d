// Package abtest has the rules of mailings that try several subjects or messages on a part of their recipients: what can be
// tried, how clients are split, what the results say, and which one the others get.
package abtest

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"skychimp/domain/trial"
)

// Goal is what makes one variant better than another.
type Goal string

// The goals. Opens are counted by a picture that many programs load by themselves or not at all.
const (
	Clicked      Goal = "clicked"
	Opened       Goal = "opened"
	Unsubscribed Goal = "unsubscribed" // the fewest
)

// Goals are all of them, the most reliable first.
func Goals() []Goal { return []Goal{Clicked, Unsubscribed, Opened} }

// The limits of a test.
const (
	MaxVariants = 4 // with the message of the mailing
	MaxHours    = 72
	maxSubject  = 200 // characters
)

// Shares are of a hundred recipients those that a test may take.
func Shares() []int { return []int{10, 20, 30, 40, 50} }

// Variant is another subject, another message, or another message under another subject.
type Variant struct {
	MessageID int64  `json:",omitempty"` // 0: the message of the mailing
	Subject   string `json:",omitempty"` // empty: that of the message
}

// Setup is what a mailing tries. The zero Setup is nothing.
type Setup struct {
	Variants []Variant `bun:"ab_variants,type:jsonb,nullzero"` // beside the message of the mailing as it is, which is the first
	Share    int       `bun:"ab_share"`                        // percent of the recipients
	Goal     Goal      `bun:"ab_goal"`
	Hours    int       `bun:"ab_hours"` // after which the best goes out by itself, 0: the owner decides
}

// On reports whether anything is tried.
func (s Setup) On() bool { return len(s.Variants) > 0 }

// All are the variants in their order, the first is the message of the mailing as it is.
func (s Setup) All() []Variant { return append([]Variant{{}}, s.Variants...) }

// MessageIDs are the messages that it needs beside that of the mailing.
func (s Setup) MessageIDs() (ids []int64) {
	for _, one := range s.Variants {
		if one.MessageID != 0 {
			ids = append(ids, one.MessageID)
		}
	}
	return ids
}

// Beside is what else a mailing does that a test has to get along with.
type Beside struct {
	Clicks, Opens, Rotation, ZoneOfClient bool
	Wait                                  time.Duration // how long the rest can wait
}

// Problem is a field of the form and the key of what is wrong with it.
type Problem struct{ Field, Key string }

// Take is the setup of a form without the rows that were left empty, and what is wrong with it. Without a share nothing is
// tried.
func (s Setup) Take(beside Beside) (taken Setup, wrong []Problem) {
	add := func(field, key string) { wrong = append(wrong, Problem{field, "mailings." + key}) }
	for _, one := range s.Variants {
		if one.Subject = strings.TrimSpace(one.Subject); one != (Variant{}) {
			taken.Variants = append(taken.Variants, one)
		}
	}
	if s.Share == 0 && !taken.On() {
		return Setup{}, nil
	}
	taken.Share, taken.Goal, taken.Hours = s.Share, s.Goal, s.Hours
	if key := taken.variantProblem(); key != "" {
		add("ab_subject", key)
	}
	if !slices.Contains(Shares(), s.Share) {
		add("ab_share", "ab_share_missing")
	}
	if key := s.Goal.problem(beside); key != "" {
		add("ab_goal", key)
	}
	switch {
	case s.Hours < 0 || s.Hours > MaxHours:
		add("ab_hours", "ab_hours_wrong")
	case time.Duration(s.Hours)*time.Hour >= beside.Wait:
		add("ab_hours", "ab_hours_late")
	}
	if beside.Rotation {
		add("ab_share", "ab_no_rotation")
	}
	if beside.ZoneOfClient {
		add("ab_share", "ab_no_zones")
	}
	return taken, wrong
}

func (s Setup) variantProblem() string {
	switch {
	case !s.On():
		return "ab_nothing"
	case len(s.Variants) >= MaxVariants:
		return "ab_many"
	case twice(s.All()):
		return "ab_twice"
	case slices.ContainsFunc(s.Variants, func(v Variant) bool { return utf8.RuneCountInString(v.Subject) > maxSubject }):
		return "ab_subject_long"
	}
	return ""
}

func (g Goal) problem(beside Beside) string {
	switch {
	case !slices.Contains(Goals(), g):
		return "ab_goal_missing"
	case g == Clicked && !beside.Clicks:
		return "ab_needs_clicks"
	case g == Opened && !beside.Opens:
		return "ab_needs_opens"
	}
	return ""
}

func twice(all []Variant) bool {
	for i, one := range all {
		if slices.Contains(all[:i], one) {
			return true
		}
	}
	return false
}

// Split is which clients get a variant: those whose place is from From on and below To.
type Split struct {
	Seed     trial.Seed
	From, To []byte
}

// SplitOf are the clients of a variant, from 1, or of 0 those who wait for the best. All variants have equally many, and
// nobody is in two.
func (s Setup) SplitOf(seed trial.Seed, variant int) Split {
	tried, all := float64(s.Share)/100, float64(len(s.All()))
	if variant == 0 {
		return Split{seed, trial.Bound(tried), trial.Bound(1)}
	}
	return Split{seed, trial.Bound(tried * float64(variant-1) / all), trial.Bound(tried * float64(variant) / all)}
}

// Has reports whether a client is among them. Db asks the same of Postgres.
func (s Split) Has(client int64) bool {
	return s.Seed.Below(client, s.To) && !s.Seed.Below(client, s.From)
}

// Test is one occurrence of a mailing that tries several.
type Test struct {
	ID       int64
	Share    int
	Goal     Goal
	Hours    int
	Chosen   int       // the variant that the others get; 0: not decided
	ByOwner  bool      // who decided
	ChosenAt time.Time `bun:",nullzero"`
	SentAt   time.Time `bun:",nullzero"` // when the emails of all variants were out
}

// DueAt is when it decides by itself, zero: it doesn't, or that is not known yet.
func (t Test) DueAt() time.Time {
	if t.Hours == 0 || t.SentAt.IsZero() {
		return time.Time{}
	}
	return t.SentAt.Add(time.Duration(t.Hours) * time.Hour)
}

// Patience is how long those who wait for the best do so at most.
const Patience = 30 * 24 * time.Hour
