package clientindex

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"time"

	"skychimp/domain"
)

// table is what is kept of an owner's clients: a row each, the newest last, as one snapshot of the database saw them.
type table struct {
	snapshot string
	fields   []domain.Field

	ids        []int64
	added      moments
	here       set // not deleted since
	suppressed set
	tags       *texts // joined by tagEnd, none is an empty text
	search     *texts
	texts      map[int64]*texts
	numbers    map[int64]*numbers
	accepted   numbers
	last       map[string]*moments

	late     map[int64]int // rows of clients that came since it was built
	built    int           // rows until then
	byID     []uint32      // these by id, nil: they stand in that order
	names    []uint32      // rows by name, then by id; nil: the database orders texts otherwise
	moved    []uint32      // those that changed since
	gone     int
	unsorted bool // somebody came, or came back, who is not the newest
}

const tagEnd = '\x01' // no tag has it

func newTable(rows int) *table {
	t := &table{tags: newTexts(true, rows), search: newTexts(false, rows), late: map[int64]int{},
		texts: map[int64]*texts{}, numbers: map[int64]*numbers{}, last: map[string]*moments{}, ids: make([]int64, 0, rows), added: make(moments, 0, rows)}
	for _, name := range lastOf {
		t.last[name] = &moments{}
	}
	return t
}

// addField makes a column in which nobody has a value yet.
func (t *table) addField(f domain.Field) {
	t.fields = append(t.fields, f)
	if f.Type != domain.FieldNumber {
		t.texts[f.ID] = newTexts(true, cap(t.ids))
		t.texts[f.ID].at = t.texts[f.ID].at[:len(t.ids)]
		return
	}
	column := slices.Repeat(numbers{none}, cap(t.ids))[:len(t.ids)]
	t.numbers[f.ID] = &column
}

func (t *table) fieldIDs() []int64 {
	ids := make([]int64, 0, len(t.fields))
	for _, f := range t.fields {
		ids = append(ids, f.ID)
	}
	return ids
}

// lastOf are the times in the results of emails, as they are read.
var lastOf = []string{domain.OfLastAccepted, domain.OfLastOpened, domain.OfLastClicked}

// fill takes the values of a client, as columns reads them in binary, into a row.
func (t *table) fill(row int, values [][]byte) {
	id, added := number(values[0]), moment(values[1])
	if row == len(t.ids) {
		t.unsorted = t.unsorted || row > 0 && (added < t.added[row-1] || added == t.added[row-1] && id < t.ids[row-1])
		t.ids = append(t.ids, id)
		t.here, t.suppressed = t.here.grown(row+1), t.suppressed.grown(row+1)
	} else {
		t.unsorted = t.unsorted || added != t.added[row]
	}
	t.added.put(row, added)
	t.here.add(row)
	t.suppressed.drop(row)
	if values[2][0] != 0 {
		t.suppressed.add(row)
	}
	t.tags.put(row, values[3])
	t.search.put(row, values[4])
	values = values[5:]
	for i, f := range t.fields {
		if f.Type == domain.FieldNumber {
			t.numbers[f.ID].put(row, float(values[i]))
		} else {
			t.texts[f.ID].put(row, values[i])
		}
	}
	values = values[len(t.fields):]
	t.accepted.put(row, float(values[0]))
	for i, name := range lastOf {
		t.last[name].put(row, moment(values[1+i]))
	}
}

func number(raw []byte) int64 { return int64(binary.BigEndian.Uint64(raw)) }

// moment is a time of Postgres, which counts microseconds from 2000 on.
func moment(raw []byte) int64 {
	if raw == nil {
		return never
	}
	return number(raw) + 946_684_800_000_000
}

func float(raw []byte) float64 {
	if raw == nil {
		return none
	}
	return math.Float64frombits(binary.BigEndian.Uint64(raw))
}

// finish makes rows findable by their ids.
func (t *table) finish() {
	t.built = len(t.ids)
	t.search.built = slices.Clone(t.search.at)
	if slices.IsSorted(t.ids) {
		return
	}
	t.byID = make([]uint32, t.built)
	for row := range t.byID {
		t.byID[row] = uint32(row) // a table ends long before
	}
	slices.SortFunc(t.byID, func(a, b uint32) int { return cmp.Compare(t.ids[a], t.ids[b]) })
}

func (t *table) row(id int64) (row int, found bool) {
	if row, found := t.late[id]; found {
		return row, true
	}
	at := sort.Search(t.built, func(i int) bool { return t.ids[t.builtRow(i)] >= id })
	if at == t.built {
		return 0, false
	}
	row = t.builtRow(at)
	return row, t.ids[row] == id
}

func (t *table) builtRow(i int) int {
	if t.byID != nil {
		return int(t.byID[i])
	}
	return i
}

// change takes what has become of a client: its values, nil when it is gone.
func (t *table) change(id int64, values [][]byte) {
	row, known := t.row(id)
	switch {
	case values == nil:
		if known && t.here.has(row) {
			t.here.drop(row)
			t.gone++
		}
		return
	case !known:
		row = len(t.ids)
		t.late[id] = row
	case !t.here.has(row):
		t.gone--
	}
	t.fill(row, values)
	t.moved = append(t.moved, uint32(row)) // a table ends long before
}

// worn reports whether it is better made anew.
func (t *table) worn() bool {
	return t.unsorted || t.gone > len(t.ids)/4 || len(t.late) > 10_000+len(t.ids)/4 || len(t.search.bytes) > 100_000+200*len(t.ids)
}

func (t *table) size() int {
	n := 8*cap(t.ids) + 8*cap(t.added) + 40*len(t.late) + 4*len(t.byID) + 4*len(t.names) + t.tags.size() + t.search.size() + 8*cap(t.accepted)
	for _, c := range t.texts {
		n += c.size()
	}
	for _, c := range t.numbers {
		n += 8 * cap(*c)
	}
	for _, c := range t.last {
		n += 8 * cap(*c)
	}
	return n
}

// choose are the rows that a selection chooses; not ok: it asks for what is not kept here.
func (t *table) choose(s domain.Selection) (chosen set, ok bool) {
	tests := slices.Clone(s.Tests) // what is looked at row by row last, among those who are left
	slices.SortStableFunc(tests, func(a, b domain.Test) int { return cmp.Compare(t.cost(a), t.cost(b)) })
	for i, test := range tests {
		among := t.here
		if i > 0 && !s.Any {
			among = chosen
		}
		found, ok := t.test(test, among)
		switch {
		case !ok:
			return nil, false
		case test.Not:
			found.not()
		}
		switch {
		case i == 0:
			chosen = found
		case s.Any:
			chosen.or(found)
		default:
			chosen.and(found)
		}
	}
	if chosen == nil {
		return slices.Clone(t.here), true
	}
	chosen.and(t.here)
	return chosen, true
}

// cost is how much a test has to look at.
func (t *table) cost(one domain.Test) int {
	switch one.Where {
	case domain.OfEmail:
		return len(t.search.bytes)
	case "":
		if c, known := t.texts[one.Field]; known && len(c.bytes) > memoMost {
			return len(c.bytes)
		}
	}
	return 0
}

// test answers for some of the rows as db's conditions do in SQL; that is held by a test.
func (t *table) test(one domain.Test, among set) (found set, ok bool) {
	found = make(set, len(t.here))
	switch one.Where {
	case domain.OfTag:
		t.tags.where(found, among, tagMatch(one))
	case domain.OfEmail:
		t.search.search(found, among, []byte(one.Text), 0, emailMatch(one))
	case domain.OfAdded:
		between(t.added, found, one)
	case domain.OfAccepted:
		t.accepted.where(found, numberMatch(one))
	case domain.OfLastAccepted, domain.OfLastOpened, domain.OfLastClicked:
		between(*t.last[one.Where], found, one)
	case "":
		return found, t.field(found, among, one)
	default:
		return nil, false
	}
	return found, true
}

func (t *table) field(found, among set, one domain.Test) (known bool) {
	if c, known := t.numbers[one.Field]; known {
		if one.Relation == domain.RelMissing {
			c.where(found, isNone)
		} else {
			c.where(found, numberMatch(one))
		}
		return true
	}
	c, known := t.texts[one.Field]
	switch {
	case !known:
	case one.Relation == domain.RelMissing:
		c.missing(found)
	case one.Type == domain.FieldDate:
		c.where(found, among, dateMatch(one))
	case one.Type == domain.FieldYesNo:
		want := "false"
		if one.Yes {
			want = "true"
		}
		c.where(found, among, func(text []byte) bool { return string(text) == want })
	default:
		c.where(found, among, textMatch(one))
	}
	return known
}

func tagMatch(one domain.Test) func([]byte) bool {
	if one.Relation == domain.RelMissing {
		return func(tags []byte) bool { return len(tags) == 0 }
	}
	matches := textMatch(one)
	return func(tags []byte) bool {
		for tag := range bytes.SplitSeq(tags, []byte{tagEnd}) {
			if len(tag) > 0 && matches(tag) {
				return true
			}
		}
		return false
	}
}

// emailMatch looks at the first line of what the search looks in.
func emailMatch(one domain.Test) func([]byte) bool {
	matches := textMatch(one)
	return func(search []byte) bool {
		email, _, _ := bytes.Cut(search, []byte{'\n'})
		return matches(email)
	}
}

func textMatch(one domain.Test) func([]byte) bool {
	want := []byte(one.Text)
	switch one.Relation {
	case domain.RelMissing:
		return func(text []byte) bool { return len(text) == 0 }
	case domain.RelContains:
		return func(text []byte) bool { return bytes.Contains(text, want) }
	}
	return func(text []byte) bool { return bytes.Equal(text, want) }
}

func dateMatch(one domain.Test) func([]byte) bool {
	from, until := "", ""
	if !one.From.IsZero() {
		from = one.From.Format(time.DateOnly)
	}
	if !one.Until.IsZero() {
		until = one.Until.Format(time.DateOnly)
	}
	return func(date []byte) bool { return string(date) >= from && (until == "" || string(date) < until) }
}

func numberMatch(one domain.Test) func(float64) bool {
	switch one.Relation {
	case domain.RelMissing: // of emails
		return func(n float64) bool { return n == 0 }
	case domain.RelAbove:
		return func(n float64) bool { return n > one.Number }
	case domain.RelBelow:
		return func(n float64) bool { return n < one.Number }
	}
	return func(n float64) bool { return n == one.Number }
}

func between(c moments, found set, one domain.Test) {
	if one.Relation == domain.RelMissing {
		c.missing(found)
		return
	}
	from, until := int64(never), int64(math.MaxInt64)
	if !one.From.IsZero() {
		from = one.From.UnixMicro()
	}
	if !one.Until.IsZero() {
		until = one.Until.UnixMicro()
	}
	c.between(found, from, until)
}
