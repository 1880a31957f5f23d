// Package holdout has the rules of what a mailing or series leaves out on purpose: a random share of its clients, so that
// it can be seen how many come back without it.
package holdout

import (
	"slices"
	"strconv"
	"time"

	"skychimp/domain/trial"
)

// Holdout is the share that gets nothing, and what counts as coming back: a tag that a client gets, or a day in a field.
// The zero Holdout leaves nobody out.
type Holdout struct {
	Share   int // percent
	Seed    trial.Seed
	Tag     string
	FieldID int64     `bun:",nullzero"`  // 0: a tag counts, or the field was deleted
	EndedAt time.Time `bun:",nullzero"`  // from here on everybody gets it, and what clients do counts no more
	Result  *Groups   `bun:"type:jsonb"` // what is left when the clients of an old comparison are forgotten
}

// Groups are those who were to get it and those who were left out, with how many of each came back.
type Groups struct{ Got, Left trial.Group }

// Form is what forms ask for. Share is "" for none, Field 0 where Tag counts.
type Form struct {
	Share, Tag string
	Field      int64
}

// Shares are what can be left out, in percent.
func Shares() []int { return []int{5, 10, 15, 20} }

// On reports whether clients are left out now.
func (h Holdout) On() bool { return h.Share > 0 && h.EndedAt.IsZero() }

// Bound is the place in the draw below which clients are left out.
func (h Holdout) Bound() []byte { return trial.Bound(float64(h.Share) / 100) }

// LeavesOut reports whether a client is: the same one every time.
func (h Holdout) LeavesOut(client int64) bool { return h.On() && h.Seed.Below(client, h.Bound()) }

// Expected is about how many of so many are left out.
func (h Holdout) Expected(of int64) int64 {
	if !h.On() {
		return 0
	}
	return (of*int64(h.Share) + 50) / 100
}

// Form is the form as it is stored; of a comparison that is over it is that of none.
func (h Holdout) Form() Form {
	if !h.On() {
		return Form{}
	}
	return Form{Share: strconv.Itoa(h.Share), Tag: h.Tag, Field: h.FieldID}
}

// Change applies the form. Once emails went out (begun) all but the end is fixed: who was left out stays so, and nobody
// chooses what counts after seeing what came of it. A problem is named with the field it is of.
func (h *Holdout) Change(form Form, begun bool, now time.Time) (field, problem string) {
	share, known := readShare(form.Share)
	if form.Field != 0 {
		form.Tag = ""
	}
	switch {
	case !known:
		return "leave_out", "holdout.share_unknown"
	case begun && h.Share > 0:
		return h.changeBegun(share, form, now)
	case share == 0:
		*h = Holdout{}
	case form.Field == 0 && form.Tag == "":
		return "came_back_tag", "holdout.tag_required"
	default:
		*h = Holdout{Share: share, Seed: h.Seed, Tag: form.Tag, FieldID: form.Field}
		if h.Seed == nil {
			h.Seed = trial.NewSeed()
		}
	}
	return "", ""
}

func readShare(text string) (share int, known bool) {
	if text == "" || text == "0" {
		return 0, true
	}
	share, _ = strconv.Atoi(text)
	return share, slices.Contains(Shares(), share)
}

// changeBegun is Change where somebody has been left out.
func (h *Holdout) changeBegun(share int, form Form, now time.Time) (field, problem string) {
	switch {
	case h.On() && share == 0:
		h.EndedAt = now
	case share == 0:
	case !h.On():
		return "leave_out", "holdout.over"
	case share != h.Share || form.Field != h.FieldID || form.Tag != h.Tag:
		return "leave_out", "holdout.fixed"
	}
	return "", ""
}

// Copy is the same for another mailing, which leaves others out.
func (h Holdout) Copy() Holdout {
	if h.Share == 0 || h.Tag == "" && h.FieldID == 0 {
		return Holdout{}
	}
	return Holdout{Share: h.Share, Seed: trial.NewSeed(), Tag: h.Tag, FieldID: h.FieldID}
}

// Outcome is what a comparison has come to.
type Outcome struct {
	Groups
	Difference        trial.Difference
	Low, Likely, High int64 // how many more of those who got it came back than would have without
	Needed            int64 // about how many clients would show a difference like this one; 0: there is none to show
}

// Outcome compares the two.
func (g Groups) Outcome() Outcome {
	o := Outcome{Groups: g, Difference: trial.Compare(g.Got, g.Left), Needed: trial.Needed(g.Got, g.Left)}
	o.Low, o.Likely, o.High = o.Difference.Clients(g.Got.Of)
	return o
}

// All are the clients of both.
func (g Groups) All() int64 { return g.Got.Of + g.Left.Of }
