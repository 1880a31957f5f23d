package series

import "slices"

// Edit is what a change of the steps means for those under way.
type Edit struct {
	Steps   []Step          // as they are now
	Removed []int64         // steps
	Goes    map[int64]int64 // who waits for a step that is gone, or stands further behind, goes on to this one; 0: is at the end
	Anew    []int64         // steps whose wait, hour or days are others: who waits for one waits anew
}

// replace puts steps in the place of those that are there. A step without a number that has the message of one that
// nobody else claims is that one: programs may leave the numbers out.
func (s Series) replace(steps []Step) Edit {
	edit := Edit{Steps: steps, Goes: map[int64]int64{}}
	s.identify(steps)
	kept := s.inPlace(steps)
	for i := range steps {
		step := &steps[i]
		step.SeriesID, step.Position = s.ID, i+1
		before := s.Step(step.ID)
		if before == nil {
			step.Asks = true
			continue
		}
		step.Asks = before.Asks || !slices.Contains(kept, step.ID)
		if step.WaitDays != before.WaitDays || step.At != before.At || !slices.Equal(step.Weekdays, before.Weekdays) {
			edit.Anew = append(edit.Anew, step.ID)
		}
	}
	for i, one := range s.Steps {
		at := slices.IndexFunc(steps, func(now Step) bool { return now.ID == one.ID })
		if at < 0 {
			edit.Removed = append(edit.Removed, one.ID)
		}
		if follower := s.follower(i, kept); at < 0 || follower != 0 && place(steps, follower) < at {
			edit.Goes[one.ID] = follower
		}
	}
	return edit
}

// identify gives the steps that are there already their numbers, and takes away those of other series.
func (s Series) identify(steps []Step) {
	taken := map[int64]bool{}
	numbered := false
	for i := range steps {
		if s.Step(steps[i].ID) == nil || taken[steps[i].ID] {
			steps[i].ID = 0
			continue
		}
		taken[steps[i].ID], numbered = true, true
	}
	if numbered {
		return
	}
	for i := range steps {
		for _, one := range s.Steps {
			if steps[i].ID == 0 && one.MessageID == steps[i].MessageID && !taken[one.ID] {
				steps[i].ID, taken[one.ID] = one.ID, true
			}
		}
	}
}

// inPlace are the steps that have not moved: the longest row of those in the order of before, and of two as long the one
// whose steps stood further behind, so that what moves moves back and nobody is passed over.
func (s Series) inPlace(steps []Step) (kept []int64) {
	type row struct {
		sum int
		ids []int64
	}
	var best row
	better := func(a, b row) bool { return len(a.ids) > len(b.ids) || len(a.ids) == len(b.ids) && a.sum > b.sum }
	ends := make([]row, len(steps))
	for i, step := range steps {
		at := place(s.Steps, step.ID)
		if step.ID == 0 || at < 0 {
			continue
		}
		var longest row
		for j := range i {
			if last := ends[j].ids; len(last) > 0 && place(s.Steps, last[len(last)-1]) < at && better(ends[j], longest) {
				longest = ends[j]
			}
		}
		ends[i] = row{longest.sum + at, append(slices.Clone(longest.ids), step.ID)}
		if better(ends[i], best) {
			best = ends[i]
		}
	}
	return best.ids
}

// follower is the first step after the n-th of before that is still in its place.
func (s Series) follower(n int, kept []int64) int64 {
	for _, one := range s.Steps[n+1:] {
		if slices.Contains(kept, one.ID) {
			return one.ID
		}
	}
	return 0
}

func place(steps []Step, id int64) int {
	return slices.IndexFunc(steps, func(one Step) bool { return one.ID == id })
}
