package domain

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

var segmentFields = []Field{{ID: 1, Key: "city", Label: "City", Type: FieldText}, {ID: 2, Key: "spent", Label: "Spent", Type: FieldNumber},
	{ID: 3, Key: "born", Label: "Born", Type: FieldDate}, {ID: 4, Key: "member", Label: "Member", Type: FieldYesNo},
	{ID: 5, Key: "plan", Label: "Plan", Type: FieldChoice, Choices: []string{"Gold", "Silver"}}}

func TestSegmentChange(t *testing.T) {
	many := slices.Repeat([]Condition{{Where: "tag", Op: OpIs, Value: "vip"}}, MaxConditions+1)
	for _, tt := range []struct {
		name string
		form SegmentForm
		want string // the keys of what is wrong, by field
	}{
		{"all is well", SegmentForm{"Gold", "all", []Condition{{Where: "plan", Op: OpIs, Value: "gold"}}}, ""},
		{"nothing", SegmentForm{}, "name segments.name_required,  segments.no_conditions, match segments.match_unknown"},
		{"a long name", SegmentForm{strings.Repeat("я", 101), "any", many[:1]}, "name segments.name_long"},
		{"too many", SegmentForm{"x", "any", many}, " segments.many_conditions"},
		{"an unknown field", SegmentForm{"x", "all", []Condition{{Where: "town", Op: OpIs, Value: "a"}}}, "where-0 segments.where_unknown"},
		{"an empty where", SegmentForm{"x", "all", []Condition{{Op: OpIs, Value: "a"}}}, "where-0 segments.where_unknown"},
		{"a comparison of another type", SegmentForm{"x", "all", []Condition{{Where: "city", Op: OpAbove, Value: "a"}}}, "op-0 segments.op_unknown"},
		{"no comparison", SegmentForm{"x", "all", []Condition{{Where: "city", Value: "a"}}}, "op-0 segments.op_unknown"},
		{"no value", SegmentForm{"x", "all", []Condition{{Where: "city", Op: OpIs, Value: "  "}}}, "value-0 segments.value_required"},
		{"no days", SegmentForm{"x", "all", []Condition{{Where: "born", Op: OpWithinDays, Value: "0"}}}, "value-0 segments.value_days"},
		{"a date instead of days", SegmentForm{"x", "all", []Condition{{Where: "added_at", Op: OpWithinDays, Value: "2026-01-01"}}}, "value-0 segments.value_days"},
		{"no date", SegmentForm{"x", "all", []Condition{{Where: "added_at", Op: OpAbove, Value: "soon"}}}, "value-0 segments.value_date"},
		{"no number", SegmentForm{"x", "all", []Condition{{Where: "spent", Op: OpAbove, Value: "much"}}}, "value-0 fields.value_number"},
		{"half an email", SegmentForm{"x", "all", []Condition{{Where: "emails_accepted", Op: OpAbove, Value: "1,5"}}}, "value-0 segments.value_count"},
		{"no choice", SegmentForm{"x", "all", []Condition{{Where: "plan", Op: OpIs, Value: "Iron"}}}, "value-0 fields.value_choice"},
		{"the second of three", SegmentForm{"x", "all", []Condition{{Where: "tag", Op: OpEmpty}, {Where: "tag", Op: OpIs}, {Where: "tag", Op: OpNotEmpty}}}, "value-1 segments.value_required"},
	} {
		var s Segment
		err := s.Change(tt.form, segmentFields, time.Now())
		broken, _ := errors.AsType[ValidationErrors](err)
		var got []string
		for _, one := range broken {
			got = append(got, one.Field+" "+one.Key)
		}
		if strings.Join(got, ", ") != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A field stands under its number, so that another key changes nothing.
func TestSegmentKeepsFieldsByNumber(t *testing.T) {
	var s Segment
	err := s.Change(SegmentForm{" Gold  ones ", "all", []Condition{{Where: "spent", Op: OpAbove, Value: "1 000,50"}, {Where: "born", Op: OpIs, Value: "31.5.1990"}}}, segmentFields, time.Now())
	want := []Condition{{Field: 2, Op: OpAbove, Value: "1000.5"}, {Field: 3, Op: OpIs, Value: "1990-05-31"}}
	if err != nil || s.Name != "Gold ones" || !slices.Equal(s.Conditions, want) || !s.Uses(2) || s.Uses(1) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestSegmentSelection(t *testing.T) {
	zone := time.FixedZone("x", 3*3600)
	now := time.Date(2026, 5, 31, 22, 30, 0, 0, time.UTC) // the first of June there
	date := func(y int, m time.Month, d int, in *time.Location) time.Time {
		return time.Date(y, m, d, 0, 0, 0, 0, in)
	}
	for _, tt := range []struct {
		name string
		c    Condition
		want Test
	}{
		{"text", Condition{Field: 1, Op: OpIsNot, Value: "Казань"}, Test{Field: 1, Type: FieldText, Relation: RelEqual, Not: true, Text: "казань"}},
		{"number", Condition{Field: 2, Op: OpBelow, Value: "10.5"}, Test{Field: 2, Type: FieldNumber, Relation: RelBelow, Text: "10.5", Number: 10.5}},
		{"yes", Condition{Field: 4, Op: OpIs, Value: "yes"}, Test{Field: 4, Type: FieldYesNo, Relation: RelEqual, Text: "yes", Yes: true}},
		{"nothing", Condition{Where: OfTag, Op: OpNotEmpty}, Test{Where: OfTag, Type: valueTag, Relation: RelMissing, Not: true}},
		{"a date in days", Condition{Field: 3, Op: OpWithinDays, Value: "2"},
			Test{Field: 3, Type: FieldDate, Relation: RelBetween, Text: "2", Number: 2, From: date(2026, 5, 30, time.UTC), Until: date(2026, 6, 2, time.UTC)}},
		{"a moment not in days", Condition{Where: OfLastAccepted, Op: OpNotWithinDays, Value: "2"},
			Test{Where: OfLastAccepted, Type: valueMoment, Relation: RelBetween, Not: true, Text: "2", Number: 2, From: now.AddDate(0, 0, -2)}},
		{"on a day", Condition{Where: OfAdded, Op: OpIs, Value: "2026-05-31"},
			Test{Where: OfAdded, Type: valueMoment, Relation: RelBetween, Text: "2026-05-31", From: date(2026, 5, 31, zone), Until: date(2026, 6, 1, zone)}},
		{"after a day", Condition{Where: OfAdded, Op: OpAbove, Value: "2026-05-31"},
			Test{Where: OfAdded, Type: valueMoment, Relation: RelBetween, Text: "2026-05-31", From: date(2026, 6, 1, zone)}},
		{"before a day", Condition{Field: 3, Op: OpBelow, Value: "2026-05-31"},
			Test{Field: 3, Type: FieldDate, Relation: RelBetween, Text: "2026-05-31", Until: date(2026, 5, 31, time.UTC)}},
	} {
		got := Segment{Match: MatchAny, Conditions: []Condition{tt.c}}.Selection(segmentFields, zone, now)
		if !got.Any || len(got.Tests) != 1 || !got.Tests[0].From.Equal(tt.want.From) || !got.Tests[0].Until.Equal(tt.want.Until) {
			t.Errorf("%s: %+v", tt.name, got)
			continue
		}
		got.Tests[0].From, got.Tests[0].Until, tt.want.From, tt.want.Until = time.Time{}, time.Time{}, time.Time{}, time.Time{}
		if got.Tests[0] != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got.Tests[0], tt.want)
		}
	}
	// Whatever happens to a field in use, nobody is chosen by what nobody knows.
	lost := Segment{Match: MatchAll, Conditions: []Condition{{Field: 99, Op: OpIsNot, Value: "x"}}}.Selection(segmentFields, zone, now)
	if lost.Tests[0].Not || lost.Tests[0].Type != FieldYesNo {
		t.Errorf("%+v", lost)
	}
	if s := (Selection{Tests: []Test{{Where: OfTag}}}); !s.OnlyTags() || s.Results() {
		t.Error("tags")
	}
	if s := (Selection{Tests: []Test{{Where: OfTag}, {Where: OfAccepted}}}); s.OnlyTags() || !s.Results() {
		t.Error("results")
	}
}

// FuzzSegment reads what anybody may send as a segment: what is saved can be saved again as it is, and be asked.
func FuzzSegment(f *testing.F) {
	for _, one := range []Condition{{Where: "city", Op: OpIs, Value: "Kazan"}, {Where: "spent", Op: OpAbove, Value: "1 000,50"}, {Where: "born", Op: OpNotWithinDays, Value: "30"}, {Where: "added_at", Op: OpIs, Value: "31.12.2025"},
		{Where: "emails_accepted", Op: OpBelow, Value: "1e300"}, {Where: "plan", Op: OpIsNot, Value: "gold"}, {Where: "member", Op: OpIs, Value: "да"}, {Where: "tag", Op: OpContains, Value: "\x00"}} {
		f.Add("x", "all", one.Where, string(one.Op), one.Value, int64(0))
	}
	f.Fuzz(func(t *testing.T, name, match, where, op, value string, field int64) {
		form := SegmentForm{name, match, []Condition{{Where: where, Field: field, Op: Op(op), Value: value}}}
		var s, again Segment
		if s.Change(form, segmentFields, time.Unix(0, 0)) != nil {
			return
		}
		for i, c := range s.Conditions { // as the form of a saved one shows it
			if trait, known := c.Trait(Traits(segmentFields)); known {
				s.Conditions[i].Where = trait.Where
			}
		}
		if err := again.Change(SegmentForm{s.Name, string(s.Match), s.Conditions}, segmentFields, time.Unix(0, 0)); err != nil || len(again.Conditions) != 1 || again.Conditions[0].Value != s.Conditions[0].Value {
			t.Errorf("%+v was kept as %+v, %v", s, again, err)
		}
		if chosen := again.Selection(segmentFields, time.UTC, time.Unix(1_800_000_000, 0)); len(chosen.Tests) != 1 || chosen.Tests[0].Type == "" {
			t.Errorf("%+v is asked as %+v", again, chosen)
		}
	})
}
