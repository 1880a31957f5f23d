package clientindex

import (
	"bytes"
	"slices"
)

const (
	stride = 1024 // rows that are searched at once
	sparse = 16   // one row in so many is looked at by itself
)

// search adds those of the rows whose text matches, which has the word, the newest so many; most 0: all of them. Where
// many rows are asked for, the word is looked for in the bytes of all.
func (t *texts) search(found, among set, word []byte, most int, matches func([]byte) bool) {
	n, dense := 0, t.built != nil && len(word) > 0 && among.count() > len(t.at)/sparse
	look := func(row int) {
		if at := t.at[row]; at != 0 && matches(t.text(at)) {
			found.add(row)
			n++
		}
	}
	for until := len(t.at); until > 0 && (most == 0 || n < most); {
		from := (until - 1) / stride * stride
		if !dense || until > len(t.built) {
			among.each(from, until, look)
		} else {
			t.pass(from, until, word, func(row int) {
				if among.has(row) {
					look(row)
				}
			})
		}
		until = from
	}
	if most > 0 && n > most {
		for _, row := range found.ascend(0, n-most) {
			found.drop(row)
		}
	}
}

// pass calls look with the rows of a stride that may have the word.
func (t *texts) pass(from, until int, word []byte, look func(row int)) {
	for row := from; row < until; row++ {
		if t.at[row] != t.built[row] { // its text has changed
			look(row)
		}
	}
	end := len(t.bytes)
	if until < len(t.built) {
		end = int(t.built[until])
	}
	for at := int(t.built[from]); at < end; {
		hit := bytes.Index(t.bytes[at:end], word)
		if hit < 0 {
			return
		}
		row, exact := slices.BinarySearch(t.built[from:until], uint32(at+hit)) // a table ends long before
		if row += from; !exact {
			row--
		}
		if t.at[row] == t.built[row] {
			look(row)
		}
		if row+1 == len(t.built) {
			return
		}
		at = int(t.built[row+1])
	}
}

// having are those of the rows whose text has all the words, the newest so many.
func (t *texts) having(among set, words []string, most int) set {
	wanted, longest := make([][]byte, len(words)), []byte{}
	for i, word := range words {
		if wanted[i] = []byte(word); len(word) > len(longest) {
			longest = wanted[i]
		}
	}
	found := make(set, len(among))
	t.search(found, among, longest, most, func(text []byte) bool {
		return !slices.ContainsFunc(wanted, func(word []byte) bool { return !bytes.Contains(text, word) })
	})
	return found
}
