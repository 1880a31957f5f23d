package clientindex

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
)

// name is a row's in small letters: the second line of what the search looks in.
func (t *table) name(row uint32) []byte {
	_, rest, _ := bytes.Cut(t.search.text(t.search.at[row]), []byte{'\n'})
	name, _, _ := bytes.Cut(rest, []byte{'\n'})
	return name
}

func (t *table) compareNames(a, b uint32) int {
	return cmp.Or(bytes.Compare(t.name(a), t.name(b)), cmp.Compare(t.ids[a], t.ids[b]))
}

// orderNames puts the rows in the order of their names.
func (t *table) orderNames() {
	type begin struct { // of a name: most differ there, and a number is compared at once
		letters uint64
		row     uint32
	}
	order := make([]begin, len(t.ids))
	for row := range t.ids {
		var letters [8]byte
		copy(letters[:], t.name(uint32(row))) // a table ends long before
		order[row] = begin{binary.BigEndian.Uint64(letters[:]), uint32(row)}
	}
	slices.SortFunc(order, func(a, b begin) int {
		if a.letters != b.letters {
			return cmp.Compare(a.letters, b.letters)
		}
		return t.compareNames(a.row, b.row)
	})
	t.names = make([]uint32, len(order))
	for i, one := range order {
		t.names[i] = one.row
	}
}

// placeMoved puts the rows that changed where they belong now.
func (t *table) placeMoved() {
	if len(t.moved) == 0 {
		return
	}
	moved := make(set, len(t.here))
	for _, row := range t.moved {
		moved.add(int(row))
	}
	stayed := slices.DeleteFunc(t.names, func(row uint32) bool { return moved.has(int(row)) })
	slices.SortFunc(t.moved, t.compareNames)
	names, from := make([]uint32, 0, len(t.ids)), 0
	for _, row := range slices.Compact(t.moved) {
		at := from + sort.Search(len(stayed)-from, func(i int) bool { return t.compareNames(stayed[from+i], row) > 0 })
		names = append(append(names, stayed[from:at]...), row)
		from = at
	}
	names = append(names, stayed[from:]...)
	t.names, t.moved = names, nil
}

// byName is a page of the rows in the order of their names.
func (t *table) byName(chosen set, start, length int) (rows []int) {
	t.placeMoved()
	for _, row := range t.names {
		switch {
		case !chosen.has(int(row)):
		case start > 0:
			start--
		case len(rows) < length:
			rows = append(rows, int(row))
		default:
			return rows
		}
	}
	return rows
}
