// Package series has the rules of series: steps that each client goes through once, counted from the day of its own entry.
package series

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"skychimp/domain"
)

// Entry says how clients come into a series.
type Entry string

// The entries of the contract.
const (
	Added  Entry = "added"
	Tag    Entry = "tag"
	Form   Entry = "form"
	Date   Entry = "date"
	Manual Entry = "manual"
)

// Entries are all of them, the commonest first.
func Entries() []Entry { return []Entry{Added, Tag, Form, Date, Manual} }

// The limits of series.
const (
	MaxSteps = 50
	MaxWait  = 1000 // days
	MaxDays  = 365  // before or after a date
)

// Series is what a mailing of the kind series has besides what all mailings have: who comes in, and the steps.
type Series struct {
	ID      int64 `bun:",pk"` // the mailing's
	OwnerID int64
	Entry   Entry
	Tag     string // of Tag
	FormID  int64  `bun:",nullzero"` // of Form; 0: it was deleted, and nobody comes in
	FieldID int64  `bun:",nullzero"` // of Date, likewise
	Days    int    // after the date, before it when negative
	Yearly  bool
	GoalTag string // ends the series for whoever gets it; "": nothing does
	// Who qualified at the launch is let in part by part: those with numbers after JoinAfter up to JoinTo; 0: all are in.
	JoinAfter int64     `bun:",nullzero"`
	JoinTo    int64     `bun:",nullzero"`
	LookedAt  time.Time `bun:",nullzero"` // when the dates of clients were looked at last

	Mailing domain.Mailing `bun:"-"`
	Steps   []Step         `bun:"-"` // in order
}

// Step is one message of a series.
type Step struct {
	ID        int64 `bun:",pk,autoincrement"`
	SeriesID  int64
	Position  int              // 1 is the first
	MessageID int64            `bun:",nullzero"` // 0: it was deleted
	WaitDays  int              // after the step before, or the entry
	At        string           // 15:04; "": at any hour
	Weekdays  []domain.Weekday `bun:",array"` // none: all
	Asks      bool             // added or moved: do those who have passed its place get it?
}

// Why a client has left a series, besides the words of its suppression.
const (
	LeftFinished = "finished"
	LeftGoal     = "goal"
	LeftTopic    = domain.SkippedTopic
	LeftRemoved  = "removed"
	LeftHoldout  = domain.SkippedHoldout
)

// LeftKey is the text that says so.
func LeftKey(reason string) string {
	switch reason {
	case LeftFinished:
		return "series.state_finished"
	case LeftGoal, LeftTopic, LeftRemoved, string(domain.Unsubscribed):
		return "series.left_" + reason
	}
	return "series.left_suppressed"
}

// Active reports whether the series sends and lets in.
func (s Series) Active() bool {
	return s.Mailing.Status == domain.Running && !s.Mailing.Disabled() && !s.Mailing.Paused() && s.Mailing.DeletedAt.IsZero()
}

// Step is the one with the number, nil when there is none.
func (s Series) Step(id int64) *Step {
	at := slices.IndexFunc(s.Steps, func(one Step) bool { return one.ID == id })
	if at < 0 {
		return nil
	}
	return &s.Steps[at]
}

// Next is the step that follows the one at position for somebody who has passed some already; nil: the series is over.
func (s Series) Next(position int, passed []int64) *Step {
	for i, one := range s.Steps {
		if one.Position > position && !slices.Contains(passed, one.ID) {
			return &s.Steps[i]
		}
	}
	return nil
}

// Ready refuses to launch what can't go out.
func (s Series) Ready() error {
	switch {
	case len(s.Steps) == 0:
		return domain.Errorf(domain.Conflict, "", "series.steps_required")
	case slices.ContainsFunc(s.Steps, func(one Step) bool { return one.MessageID == 0 }):
		return domain.Errorf(domain.Conflict, "", "series.message_required")
	case s.Entry == Form && s.FormID == 0:
		return domain.Errorf(domain.Conflict, "", "series.form_gone")
	case s.Entry == Date && s.FieldID == 0:
		return domain.Errorf(domain.Conflict, "", "series.field_gone")
	}
	return nil
}

// EntryValue is what the entry means, as forms have it; field is the key of FieldID.
func (s Series) EntryValue(field string) string {
	switch {
	case s.Entry == Tag:
		return s.Tag
	case s.Entry == Form && s.FormID != 0:
		return strconv.FormatInt(s.FormID, 10)
	case s.Entry == Date && field != "":
		text := field
		if s.Days != 0 {
			text += fmt.Sprintf("%+d", s.Days)
		}
		if s.Yearly {
			text += " " + yearly
		}
		return text
	}
	return ""
}

// yearly stands behind a field in an entry value.
const yearly = "yearly"
