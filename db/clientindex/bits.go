package clientindex

import "math/bits"

// set is a set of rows, a bit each.
type set []uint64

func (s set) has(row int) bool { return s[row>>6]&(1<<(row&63)) != 0 }
func (s set) add(row int)      { s[row>>6] |= 1 << (row & 63) }
func (s set) drop(row int)     { s[row>>6] &^= 1 << (row & 63) }

// grown is the set with place for so many rows.
func (s set) grown(rows int) set {
	for len(s) < (rows+63)/64 {
		s = append(s, 0)
	}
	return s
}

func (s set) and(other set) {
	for i := range s {
		s[i] &= other[i]
	}
}

func (s set) or(other set) {
	for i := range s {
		s[i] |= other[i]
	}
}

// not leaves what is not in it; what there is beyond the last row has to be cut off again.
func (s set) not() {
	for i := range s {
		s[i] = ^s[i]
	}
}

func (s set) count() (n int) {
	for _, word := range s {
		n += bits.OnesCount64(word)
	}
	return n
}

// both counts the rows that are in two sets.
func both(a, b set) (n int) {
	for i := range a {
		n += bits.OnesCount64(a[i] & b[i])
	}
	return n
}

// descend passes over the rows of the set from below a row on, and over skip of them; it collects up to most.
func (s set) descend(below, skip, most int) (rows []int) {
	for at := (below - 1) >> 6; at >= 0 && below > 0 && len(rows) < most; at-- {
		word := s[at]
		if at == (below-1)>>6 && below&63 != 0 {
			word &= 1<<(below&63) - 1
		}
		if n := bits.OnesCount64(word); n <= skip {
			skip -= n
			continue
		}
		for word != 0 && len(rows) < most {
			top := 63 - bits.LeadingZeros64(word)
			word &^= 1 << top
			if skip > 0 {
				skip--
				continue
			}
			rows = append(rows, at<<6+top)
		}
	}
	return rows
}

// ascend collects up to most rows of the set, from a row on.
func (s set) ascend(from, most int) (rows []int) {
	for at := from >> 6; at < len(s) && len(rows) < most; at++ {
		word := s[at]
		if at == from>>6 {
			word &^= 1<<(from&63) - 1
		}
		for word != 0 && len(rows) < most {
			low := bits.TrailingZeros64(word)
			word &^= 1 << low
			rows = append(rows, at<<6+low)
		}
	}
	return rows
}

// each calls do with the rows of the set, from from on and before until.
func (s set) each(from, until int, do func(row int)) {
	for at := from >> 6; at < len(s) && at<<6 < until; at++ {
		for word := s[at]; word != 0; word &= word - 1 {
			if row := at<<6 + bits.TrailingZeros64(word); row >= from && row < until {
				do(row)
			}
		}
	}
}

// before counts the rows of the set before a row.
func (s set) before(row int) int {
	n := s[:row>>6].count()
	if row&63 != 0 {
		n += bits.OnesCount64(s[row>>6] & (1<<(row&63) - 1))
	}
	return n
}
