package clientindex

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

// Long columns are searched in their bytes, short ones text by text: both find the same, also after changes.
func TestLongColumns(t *testing.T) {
	t.Parallel()
	const rows = 5000
	for _, padding := range []int{1, 400} {
		column, all := newTexts(false, rows), make(set, (rows+63)/64)
		for row := range rows {
			column.put(row, fmt.Appendf(nil, "%s client%d\n", bytes.Repeat([]byte{' '}, padding), row%1000))
			all.add(row)
		}
		column.built = slices.Clone(column.at)
		for _, row := range []int{7, 1023, 1024, 4999} {
			column.put(row, []byte("client77x"))
		}
		column.put(2077, nil)
		column.put(rows, []byte("client77, the newest"))
		all = all.grown(rows + 1)
		all.add(rows)
		few := make(set, len(all))
		for row := 7; row <= rows; row += 70 {
			few.add(row)
		}
		matches := func(text []byte) bool { return bytes.Contains(text, []byte("client77")) }
		for _, among := range []set{all, few} {
			want := make(set, len(all))
			among.each(0, rows+1, func(row int) {
				if at := column.at[row]; at != 0 && matches(column.text(at)) {
					want.add(row)
				}
			})
			found, where := make(set, len(all)), make(set, len(all))
			column.search(found, among, []byte("client77"), 0, matches)
			column.where(where, among, matches)
			where.and(among)
			if want.count() < 2 || !slices.Equal(found, want) || !slices.Equal(where, want) {
				t.Errorf("padding %d: %d found, %d by text, want %d", padding, found.count(), where.count(), want.count())
			}
			newest := make(set, len(all))
			column.search(newest, among, []byte("client77"), 2, matches)
			if got := newest.ascend(0, 10); !slices.Equal(got, reversed(want.descend(rows+1, 0, 2))) {
				t.Errorf("the newest: %v", got)
			}
		}
	}
}

func reversed(rows []int) []int {
	slices.Reverse(rows)
	return rows
}
