package clientindex

import (
	"encoding/binary"
	"math"
)

// texts is a column of texts: where each row's stands in bytes, behind its length. A few different ones stand there
// once. Row's 0 is no text at all.
type texts struct {
	at    []uint32
	bytes []byte
	known map[string]uint32
	built []uint32 // where texts stand one after the other, by rows; nil: nobody searches here
}

const (
	knownMost = 4096    // different texts of a column that are kept once
	memoMost  = 1 << 20 // bytes of a column up to which a text is looked at once, not row by row
)

func newTexts(once bool, rows int) *texts {
	t := &texts{at: make([]uint32, 0, rows), bytes: []byte{0}}
	if once {
		t.known = map[string]uint32{}
	}
	return t
}

// put gives a row, the next or an earlier one, its text, nil for none.
func (t *texts) put(row int, text []byte) {
	at := uint32(0)
	if text != nil {
		at = t.place(text)
	}
	if row == len(t.at) {
		t.at = append(t.at, at)
	} else {
		t.at[row] = at
	}
}

func (t *texts) place(text []byte) uint32 {
	if at, known := t.known[string(text)]; known {
		return at
	}
	at := uint32(len(t.bytes)) // a table ends long before
	t.bytes = append(binary.AppendUvarint(t.bytes, uint64(len(text))), text...)
	if t.known != nil && len(t.known) < knownMost {
		t.known[string(text)] = at
	}
	return at
}

func (t *texts) text(at uint32) []byte {
	length, n := binary.Uvarint(t.bytes[at:])
	begin := uint64(at) + uint64(n) // whole: its own making
	return t.bytes[begin : begin+length]
}

// where adds those of the rows whose text matches.
func (t *texts) where(found, among set, matches func([]byte) bool) {
	if len(t.bytes) > memoMost {
		among.each(0, len(t.at), func(row int) {
			if at := t.at[row]; at != 0 && matches(t.text(at)) {
				found.add(row)
			}
		})
		return
	}
	memo := make([]uint8, len(t.bytes)) // by place: 1 does not match, 2 does
	for row, at := range t.at {
		if at == 0 {
			continue
		}
		if memo[at] == 0 {
			memo[at] = 1
			if matches(t.text(at)) {
				memo[at] = 2
			}
		}
		if memo[at] == 2 {
			found.add(row)
		}
	}
}

func (t *texts) missing(found set) {
	for row, at := range t.at {
		if at == 0 {
			found.add(row)
		}
	}
}

func (t *texts) size() int { return 4*cap(t.at) + 4*cap(t.built) + cap(t.bytes) + 64*len(t.known) }

// numbers is a column of numbers. NaN is a value that is no number and compares with none, none is no value.
type numbers []float64

var none = math.Float64frombits(0x7ff8_dead_0000_0001) //nolint:gochecknoglobals // a constant that can't be one

func isNone(n float64) bool { return math.Float64bits(n) == math.Float64bits(none) }

func (c *numbers) put(row int, n float64) {
	if row == len(*c) {
		*c = append(*c, n)
	} else {
		(*c)[row] = n
	}
}

func (c numbers) where(found set, matches func(float64) bool) {
	for row, n := range c {
		if matches(n) {
			found.add(row)
		}
	}
}

// moments is a column of times in microseconds, never where there is none.
type moments []int64

const never = math.MinInt64

func (c *moments) put(row int, at int64) {
	if row == len(*c) {
		*c = append(*c, at)
	} else {
		(*c)[row] = at
	}
}

// between adds the rows from from on and before until.
func (c moments) between(found set, from, until int64) {
	for row, at := range c {
		if at != never && at >= from && at < until {
			found.add(row)
		}
	}
}

func (c moments) missing(found set) {
	for row, at := range c {
		if at == never {
			found.add(row)
		}
	}
}
