package main

import (
	"reflect"
	"slices"
	"strings"
)

// typo is a variable that nobody reads and the one that it looks like.
type typo struct{ name, meant string }

// typos are the set variables whose names are nearly ours. They are named and not refused: one may well
// belong to another program.
func typos(environ []string) (found []typo) {
	var ours []string
	for field := range reflect.TypeFor[config]().Fields() {
		ours = append(ours, field.Tag.Get("env"))
	}
	plain := func(name string) string {
		return strings.TrimPrefix(strings.ReplaceAll(strings.ToUpper(name), "_", ""), "SKYCHIMP")
	}
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" || slices.Contains(ours, name) {
			continue
		}
		for _, one := range ours {
			if distance(plain(name), plain(one)) <= max(1, len(plain(one))/4) {
				found = append(found, typo{name, one})
				break
			}
		}
	}
	slices.SortFunc(found, func(a, b typo) int { return strings.Compare(a.name, b.name) })
	return found
}

// distance counts the letters to add, drop, change or swap with their neighbour to make b of a.
func distance(a, b string) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j], d[i][j-1], d[i-1][j-1])
			}
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
