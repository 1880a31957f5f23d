package domain

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Match says whether a client of a segment meets all its conditions or any of them.
type Match string

// The two of the contract.
const (
	MatchAll Match = "all"
	MatchAny Match = "any"
)

// Op is how a condition compares.
type Op string

// The comparisons of the contract. Each that says not is the exact opposite of the other, so clients without a value
// are among those that it finds.
const (
	OpIs            Op = "is"
	OpIsNot         Op = "is_not"
	OpContains      Op = "contains"
	OpAbove         Op = "gt"
	OpBelow         Op = "lt"
	OpWithinDays    Op = "within_days"
	OpNotWithinDays Op = "not_within_days"
	OpEmpty         Op = "empty"
	OpNotEmpty      Op = "not_empty"
)

// What conditions look at beside fields, by the names of the contract.
const (
	OfTag          = "tag"
	OfEmail        = "email"
	OfAdded        = "added_at"
	OfLastAccepted = "last_accepted_at"
	OfLastOpened   = "last_opened_at"
	OfLastClicked  = "last_clicked_at"
	OfAccepted     = "emails_accepted"
)

// Values that only segments look at, beside the types of fields.
const (
	valueTag    FieldType = "tag"
	valueEmail  FieldType = "email"
	valueMoment FieldType = "moment"
	valueCount  FieldType = "count"
)

// The limits of segments.
const (
	MaxSegments   = 100 // of an owner
	MaxConditions = 20
	maxWithinDays = 3650
)

// Trait is what a condition can look at: a field of the owner, or what every client has.
type Trait struct {
	Where string // a field's key, or one of the names above
	Field int64  // 0: it is none
	Label string // of a field
	Type  FieldType

	field Field
}

// Traits are all traits of an owner's clients.
func Traits(fields []Field) []Trait {
	list := []Trait{{Where: OfTag, Type: valueTag}, {Where: OfEmail, Type: valueEmail}, {Where: OfAdded, Type: valueMoment}}
	for _, f := range fields {
		list = append(list, Trait{Where: f.Key, Field: f.ID, Label: f.Label, Type: f.Type, field: f})
	}
	return append(list, Trait{Where: OfLastAccepted, Type: valueMoment}, Trait{Where: OfAccepted, Type: valueCount},
		Trait{Where: OfLastOpened, Type: valueMoment}, Trait{Where: OfLastClicked, Type: valueMoment})
}

// Choices are what the value is chosen from, none: it is typed.
func (t Trait) Choices() []string { return t.field.Choices }

// Ops are the comparisons that make sense for it, the commonest first.
func (t Trait) Ops() []Op {
	switch t.Type {
	case FieldNumber:
		return []Op{OpIs, OpIsNot, OpAbove, OpBelow, OpNotEmpty, OpEmpty}
	case valueCount:
		return []Op{OpAbove, OpBelow, OpIs, OpIsNot, OpNotEmpty, OpEmpty}
	case FieldDate, valueMoment:
		return []Op{OpWithinDays, OpNotWithinDays, OpIs, OpIsNot, OpAbove, OpBelow, OpNotEmpty, OpEmpty}
	case FieldYesNo, FieldChoice:
		return []Op{OpIs, OpIsNot, OpNotEmpty, OpEmpty}
	}
	return []Op{OpIs, OpIsNot, OpContains, OpNotEmpty, OpEmpty}
}

// Condition is one condition as people write it. In the database a field stands under its number, because its key may
// change; in forms Where is the key.
type Condition struct {
	Where string `json:"where,omitempty"`
	Field int64  `json:"field,omitempty"`
	Op    Op     `json:"op"`
	Value string `json:"value,omitempty"`
}

// HasValue reports whether the comparison is with something.
func (c Condition) HasValue() bool { return c.Op != OpEmpty && c.Op != OpNotEmpty }

// Days reports whether the value is a number of days.
func (c Condition) Days() bool { return c.Op == OpWithinDays || c.Op == OpNotWithinDays }

// Trait is what the condition looks at, among those of its owner's clients.
func (c Condition) Trait(traits []Trait) (Trait, bool) {
	at := slices.IndexFunc(traits, func(t Trait) bool {
		return c.Field != 0 && t.Field == c.Field || c.Field == 0 && t.Where == c.Where
	})
	if at < 0 {
		return Trait{}, false
	}
	return traits[at], true
}

// Segment is saved conditions that choose clients. It belongs to one user, its owner.
type Segment struct {
	ID         int64 `bun:",pk,autoincrement"`
	OwnerID    int64
	Name       string
	Match      Match
	Conditions []Condition `bun:"type:jsonb"`
	Clients    *int64      // how many it had at CountedAt, nil: it has not been counted
	CountedAt  time.Time   `bun:",nullzero"`
	CreatedAt  time.Time   `bun:",nullzero,default:now()"`
	UpdatedAt  time.Time   `bun:",nullzero,default:now()"`
}

// SegmentForm is the form of a segment.
type SegmentForm struct {
	Name, Match string
	Conditions  []Condition
}

// Change applies the form; fields are the owner's.
func (s *Segment) Change(form SegmentForm, fields []Field, now time.Time) error {
	var p ValidationErrors
	s.Name, s.UpdatedAt = strings.Join(strings.Fields(form.Name), " "), now
	switch {
	case s.Name == "":
		p.Add("name", "segments.name_required")
	case utf8.RuneCountInString(s.Name) > 100 || hasHidden(s.Name):
		p.Add("name", "segments.name_long", "Max", 100)
	}
	if len(form.Conditions) == 0 {
		p.Add("", "segments.no_conditions")
	}
	return s.choose(p, form, fields)
}

// Choose applies the conditions of the form alone, to be counted. Without any, everybody is chosen.
func (s *Segment) Choose(form SegmentForm, fields []Field) error { return s.choose(nil, form, fields) }

func (s *Segment) choose(p ValidationErrors, form SegmentForm, fields []Field) error {
	if s.Match = Match(form.Match); s.Match != MatchAll && s.Match != MatchAny {
		p.Add("match", "segments.match_unknown")
	}
	if len(form.Conditions) > MaxConditions {
		p.Add("", "segments.many_conditions", "Max", MaxConditions)
		return p.Err()
	}
	s.Conditions = []Condition{}
	traits := Traits(fields)
	for i, typed := range form.Conditions {
		place := strconv.Itoa(i)
		trait, known := typed.Trait(traits)
		if !known {
			p.Add("where-"+place, "segments.where_unknown")
			continue
		}
		if !slices.Contains(trait.Ops(), typed.Op) {
			p.Add("op-"+place, "segments.op_unknown")
			continue
		}
		value, err := trait.parse(typed)
		if err != nil {
			err.Field = "value-" + place
			p = append(p, err)
			continue
		}
		one := Condition{Where: trait.Where, Field: trait.Field, Op: typed.Op, Value: value}
		if one.Field != 0 {
			one.Where = ""
		}
		s.Conditions = append(s.Conditions, one)
	}
	return p.Err()
}

// parse is the value of a condition as it is kept.
func (t Trait) parse(c Condition) (string, *Error) {
	text := strings.Join(strings.Fields(c.Value), " ")
	if !c.HasValue() {
		return "", nil
	}
	if text == "" {
		return "", Errorf(Invalid, "", "segments.value_required")
	}
	if c.Days() {
		return parseDays(text)
	}
	return t.parseValue(text)
}

// parseDays is a number of days as it is kept.
func parseDays(text string) (string, *Error) {
	days, err := strconv.Atoi(text)
	if err != nil || days < 1 || days > maxWithinDays {
		return "", Errorf(Invalid, "", "segments.value_days", "Max", maxWithinDays)
	}
	return strconv.Itoa(days), nil
}

// parseValue is a value of the trait's type as it is kept.
func (t Trait) parseValue(text string) (string, *Error) {
	switch t.Type {
	case valueMoment:
		day, ok := parseDate(text)
		if !ok {
			return "", Errorf(Invalid, "", "segments.value_date")
		}
		return day, nil
	case valueCount:
		n, ok := parseNumber(text)
		if !ok || n != math.Trunc(n) {
			return "", Errorf(Invalid, "", "segments.value_count")
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	case valueTag, valueEmail:
		if utf8.RuneCountInString(text) > 254 || hasControl(text) {
			return "", Errorf(Invalid, "", "segments.value_long", "Max", 254)
		}
		return text, nil
	}
	value, err := t.field.Parse(text)
	if err != nil {
		return "", err
	}
	return t.field.Text(FieldValues{t.field.ID: value}), nil
}

// Same reports whether two segments choose by the same conditions.
func (s Segment) Same(other Segment) bool {
	return s.Match == other.Match && slices.Equal(s.Conditions, other.Conditions)
}

// Uses reports whether a condition looks at the field.
func (s Segment) Uses(field int64) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool { return c.Field == field })
}

// Relation is how a test compares, without its opposite.
type Relation string

// The relations of tests.
const (
	RelEqual    Relation = "equal"
	RelContains Relation = "contains"
	RelAbove    Relation = "above"
	RelBelow    Relation = "below"
	RelBetween  Relation = "between"
	RelMissing  Relation = "missing"
)

// Test is a condition made ready to be asked of a client: what it looks at, and what that is compared with.
type Test struct {
	Where    string    `json:",omitempty"` // as in conditions, "" for a field
	Field    int64     `json:",omitempty"`
	Type     FieldType // of the value
	Relation Relation
	Not      bool      `json:",omitempty"` // its exact opposite
	Text     string    `json:",omitempty"` // lowered
	Number   float64   `json:",omitempty"`
	Yes      bool      `json:",omitempty"`
	From     time.Time // of RelBetween: from From on and before Until; zero is no bound
	Until    time.Time
}

// Selection is a segment as it is asked: with the days that its conditions mean now. A run keeps it while it is planned.
type Selection struct {
	Any   bool `json:",omitempty"`
	Tests []Test
}

// Selection makes a segment's conditions ready: days are those of the zone at now.
func (s Segment) Selection(fields []Field, zone *time.Location, now time.Time) Selection {
	chosen, traits := Selection{Any: s.Match == MatchAny, Tests: []Test{}}, Traits(fields)
	for _, c := range s.Conditions {
		trait, known := c.Trait(traits)
		if !known { // can't be: a field in use stays; whatever happens, nobody is chosen by what nobody knows
			trait = Trait{Where: c.Where, Field: c.Field, Type: FieldYesNo}
			c = Condition{Op: OpIs, Value: "unknown"}
		}
		chosen.Tests = append(chosen.Tests, trait.test(c, zone, now))
	}
	return chosen
}

// test is the condition's, which was checked when it was saved.
func (t Trait) test(c Condition, zone *time.Location, now time.Time) Test {
	made := Test{Where: t.Where, Field: t.Field, Type: t.Type, Relation: c.Op.relation(), Text: strings.ToLower(c.Value)}
	if t.Field != 0 {
		made.Where = ""
	}
	made.Not = c.Op == OpIsNot || c.Op == OpNotWithinDays || c.Op == OpNotEmpty
	made.Number, _ = strconv.ParseFloat(c.Value, 64)
	made.Yes = c.Value == "yes"
	if t.Type == FieldDate {
		now, zone = wallOf(now, zone), time.UTC // a date has none
	}
	switch {
	case c.Days():
		days, _ := strconv.Atoi(c.Value)
		made.Relation, made.From = RelBetween, now.AddDate(0, 0, -days)
		if t.Type == FieldDate {
			made.From, made.Until = made.From.Truncate(day), now.Truncate(day).AddDate(0, 0, 1)
		}
	case (t.Type == FieldDate || t.Type == valueMoment) && made.Relation != RelMissing:
		made.From, made.Until = bounds(made.Relation, c.Value, zone)
		made.Relation = RelBetween
	}
	return made
}

// relation is how the comparison is tested; one that says not is tested as its opposite.
func (o Op) relation() Relation {
	switch o {
	case OpContains:
		return RelContains
	case OpAbove:
		return RelAbove
	case OpBelow:
		return RelBelow
	case OpEmpty, OpNotEmpty:
		return RelMissing
	}
	return RelEqual
}

// bounds are those of the time that compares so with a date: the day itself, what comes after it or before it.
func bounds(relation Relation, date string, zone *time.Location) (from, until time.Time) {
	begin, _ := time.ParseInLocation(time.DateOnly, date, zone)
	end := begin.AddDate(0, 0, 1)
	switch relation {
	case RelAbove:
		return end, time.Time{}
	case RelBelow:
		return time.Time{}, begin
	}
	return begin, end
}

// OnlyTags reports whether nothing but tags is looked at.
func (s Selection) OnlyTags() bool {
	return !slices.ContainsFunc(s.Tests, func(t Test) bool { return t.Where != OfTag })
}

// Results reports whether it looks at what happened to emails.
func (s Selection) Results() bool {
	return slices.ContainsFunc(s.Tests, func(t Test) bool {
		return slices.Contains([]string{OfLastAccepted, OfLastOpened, OfLastClicked, OfAccepted}, t.Where)
	})
}
