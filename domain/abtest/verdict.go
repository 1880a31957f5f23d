package abtest

import "skychimp/domain/trial"

// Result is what came of the emails of one variant: clients, each once.
type Result struct{ Accepted, Opened, Clicked, Unsubscribed int64 }

// Group are those of the result who got the email, and of them those who did what the goal is about.
func (g Goal) Group(r Result) trial.Group {
	came := map[Goal]int64{Clicked: r.Clicked, Opened: r.Opened, Unsubscribed: r.Unsubscribed}[g]
	return trial.Group{Came: min(came, r.Accepted), Of: r.Accepted} // some click before the server has answered
}

// better reports whether the rate of a is the better one. A variant that nobody got says nothing.
func (g Goal) better(a, b trial.Group) bool {
	switch {
	case a.Of == 0 || b.Of == 0:
		return a.Of > b.Of
	case g == Unsubscribed:
		return a.Rate() < b.Rate()
	}
	return a.Rate() > b.Rate()
}

// Verdict is what the results of a test say. Variants are counted from 1.
type Verdict struct {
	Best, Second int              // by their rates alone; among equals the earlier
	Ahead        trial.Difference // of the best, turned so that more is better
	Seen         bool             // the best is better than each of the others by more than chance makes
	Some         bool             // some are worse than the best by more than chance makes
	Send         int              // goes out by itself: the first of those that are not seen to be worse than the best
	Needed       int64            // about how many would have to try them to see such a difference, 0: there is none
}

// Judge compares the variants. Each of the others gets its part of the doubt, so that more variants don't see more
// differences by chance.
func (g Goal) Judge(results []Result) (v Verdict) {
	groups := make([]trial.Group, len(results))
	best, second := 0, -1
	for i, one := range results {
		groups[i] = g.Group(one)
		if i > 0 && g.better(groups[i], groups[best]) {
			best = i
		}
	}
	v.Best, v.Send, v.Seen = best+1, best+1, len(results) > 1
	for i, one := range groups {
		if i == best {
			continue
		}
		if second < 0 || g.better(one, groups[second]) {
			second = i
		}
		if g.ahead(len(results)*(len(results)-1)/2, groups[best], one).Seen() {
			v.Some = true
			continue
		}
		v.Seen, v.Send = false, min(v.Send, i+1)
	}
	if second >= 0 {
		v.Second, v.Ahead = second+1, g.ahead(len(results)*(len(results)-1)/2, groups[best], groups[second])
		v.Needed = trial.Needed(groups[best], groups[second])
	}
	return v
}

// ahead is by how much one is better than another, where so many are compared.
func (g Goal) ahead(comparisons int, one, other trial.Group) trial.Difference {
	if g == Unsubscribed {
		one, other = other, one
	}
	return trial.CompareAmong(comparisons, one, other)
}
