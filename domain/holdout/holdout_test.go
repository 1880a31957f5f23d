package holdout_test

import (
	"testing"
	"time"

	"skychimp/domain/holdout"
	"skychimp/domain/trial"
)

var now = time.Date(2031, 1, 6, 9, 0, 0, 0, time.UTC)

func TestChange(t *testing.T) {
	ten := holdout.Holdout{Share: 10, Seed: trial.Seed("seed"), Tag: "back"}
	over := ten
	over.EndedAt = now.Add(-time.Hour)
	for name, c := range map[string]struct {
		before  holdout.Holdout
		form    holdout.Form
		begun   bool
		field   string
		problem string
		share   int
		on      bool
	}{
		"none":                     {form: holdout.Form{Share: "0"}},
		"begins with a tag":        {form: holdout.Form{Share: "5", Tag: "back"}, share: 5, on: true},
		"begins with a day":        {form: holdout.Form{Share: "20", Field: 7, Tag: "unused"}, share: 20, on: true},
		"of a running mailing":     {form: holdout.Form{Share: "15", Tag: "back"}, begun: true, share: 15, on: true},
		"without what counts":      {form: holdout.Form{Share: "5"}, field: "came_back_tag", problem: "holdout.tag_required"},
		"an unknown share":         {form: holdout.Form{Share: "50", Tag: "back"}, field: "leave_out", problem: "holdout.share_unknown"},
		"no number":                {form: holdout.Form{Share: "x", Tag: "back"}, field: "leave_out", problem: "holdout.share_unknown"},
		"changes before the start": {before: ten, form: holdout.Form{Share: "20", Tag: "other"}, share: 20, on: true},
		"taken back before it":     {before: ten, form: holdout.Form{}},
		"stays":                    {before: ten, form: ten.Form(), begun: true, share: 10, on: true},
		"another share":            {before: ten, form: holdout.Form{Share: "20", Tag: "back"}, begun: true, field: "leave_out", problem: "holdout.fixed", share: 10, on: true},
		"another tag":              {before: ten, form: holdout.Form{Share: "10", Tag: "other"}, begun: true, field: "leave_out", problem: "holdout.fixed", share: 10, on: true},
		"a day instead":            {before: ten, form: holdout.Form{Share: "10", Field: 7, Tag: "back"}, begun: true, field: "leave_out", problem: "holdout.fixed", share: 10, on: true},
		"ends":                     {before: ten, form: holdout.Form{}, begun: true, share: 10},
		"stays over":               {before: over, form: over.Form(), begun: true, share: 10},
		"again":                    {before: over, form: ten.Form(), begun: true, field: "leave_out", problem: "holdout.over", share: 10},
	} {
		h := c.before
		field, problem := h.Change(c.form, c.begun, now)
		if field != c.field || problem != c.problem || h.Share != c.share || h.On() != c.on {
			t.Errorf("%s: %q %q, %+v", name, field, problem, h)
		}
		if h.On() && (len(h.Seed) == 0 || (h.Tag == "") == (h.FieldID == 0)) {
			t.Errorf("%s: %+v", name, h)
		}
		if c.before.Seed != nil && h.Share > 0 && string(h.Seed) != string(c.before.Seed) {
			t.Errorf("%s draws others", name)
		}
	}
}

func TestLeavesOut(t *testing.T) {
	h := holdout.Holdout{Share: 20, Seed: trial.Seed("seed"), Tag: "back"}
	left := 0
	for client := range int64(1000) {
		if h.LeavesOut(client) {
			left++
		}
	}
	if left < 120 || left > 280 {
		t.Errorf("%d of 1000", left)
	}
	if none := (holdout.Holdout{}); none.LeavesOut(1) || none.Expected(100) != 0 {
		t.Error("nothing leaves somebody out")
	}
	if h.Expected(1903) != 381 {
		t.Error(h.Expected(1903))
	}
	h.EndedAt = now
	for client := range int64(100) {
		if h.LeavesOut(client) {
			t.Error("what is over leaves somebody out")
		}
	}
}

func TestCopyDrawsOthers(t *testing.T) {
	h := holdout.Holdout{Share: 20, Seed: trial.Seed("seed"), Tag: "back", EndedAt: now, Result: &holdout.Groups{}}
	if c := h.Copy(); c.Share != 20 || c.Tag != "back" || !c.On() || c.Result != nil || string(c.Seed) == "seed" || len(c.Seed) == 0 {
		t.Errorf("%+v", c)
	}
	if c := (holdout.Holdout{Share: 20}).Copy(); c.Share != 0 { // its field was deleted
		t.Errorf("%+v", c)
	}
}

// By hand: 100/1900 - 2/200 = 4.26 points; Wilson's intervals are 4.35 to 6.36 % and 0.27 to 3.57 %.
func TestOutcome(t *testing.T) {
	o := holdout.Groups{Got: trial.Group{Came: 100, Of: 1900}, Left: trial.Group{Came: 2, Of: 200}}.Outcome()
	if o.Low != 29 || o.Likely != 81 || o.High != 106 || !o.Difference.Seen() || o.All() != 2100 {
		t.Errorf("%+v", o)
	}
	o = holdout.Groups{Got: trial.Group{Came: 38, Of: 380}, Left: trial.Group{Came: 1, Of: 20}}.Outcome()
	if o.Difference.Seen() || o.Needed != 5000 || o.All() != 400 {
		t.Errorf("%+v", o)
	}
}
