package clientindex

import (
	"context"
	"strings"

	"skychimp/domain"
)

// Choice is some of an owner's clients: those of a selection, or with these ids.
type Choice struct {
	Selection *domain.Selection
	IDs       []int64
}

// Group is how many clients who get emails have the same tags and are in the same choices, by their places.
type Group struct {
	Choices []int
	Tags    []string // in small letters
	Clients int64
}

// choicesMost is how many choices are told apart.
const choicesMost = 256

// Groups are those of the clients who are in one of the choices at least; not ok: ask the database.
func (x *Index) Groups(ctx context.Context, owner int64, choices []Choice) (groups []Group, ok bool) {
	e := x.entry(owner)
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := x.fresh(ctx, owner, e, ""); !ok || len(choices) > choicesMost {
		return nil, false
	}
	if groups, ok = e.table.groups(choices); !ok {
		x.make(owner, e)
	}
	return groups, ok
}

type groupKey struct {
	choices [choicesMost / 64]uint64
	tags    uint32 // their place
}

func (t *table) groups(choices []Choice) (groups []Group, ok bool) {
	sets := make([]set, len(choices))
	for i, one := range choices {
		if sets[i], ok = t.chosen(one); !ok {
			return nil, false
		}
	}
	counts := map[groupKey]int64{}
	for from := 0; from < len(t.ids); from += stride {
		var in [stride]groupKey
		until := min(from+stride, len(t.ids))
		for i := range sets {
			sets[i].each(from, until, func(row int) { in[row-from].choices[i>>6] |= 1 << (i & 63) })
		}
		for i, key := range in[:until-from] {
			if row := from + i; key != (groupKey{}) && t.here.has(row) && !t.suppressed.has(row) {
				key.tags = t.tags.at[row]
				counts[key]++
			}
		}
	}
	for key, n := range counts {
		one := Group{Clients: n}
		set(key.choices[:]).each(0, choicesMost, func(i int) { one.Choices = append(one.Choices, i) })
		if tags := string(t.tags.text(key.tags)); tags != "" {
			one.Tags = strings.Split(tags, string(tagEnd))
		}
		groups = append(groups, one)
	}
	return groups, true
}

func (t *table) chosen(one Choice) (chosen set, ok bool) {
	if one.Selection != nil {
		return t.choose(*one.Selection)
	}
	chosen = make(set, len(t.here))
	for _, id := range one.IDs {
		if row, found := t.row(id); found {
			chosen.add(row)
		}
	}
	return chosen, true
}
