package trial_test

import (
	"math"
	"testing"

	"skychimp/domain/trial"
)

// The intervals of Newcombe's paper (Statistics in Medicine 17, 1998, table II, method 10), and some by a script of its own.
func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b            trial.Group
		rate, low, high float64
		seen            bool
	}{
		{trial.Group{Came: 56, Of: 70}, trial.Group{Came: 48, Of: 80}, 0.2, 0.0524, 0.3339, true},
		{trial.Group{Came: 48, Of: 80}, trial.Group{Came: 56, Of: 70}, -0.2, -0.3339, -0.0524, true},
		{trial.Group{Came: 9, Of: 10}, trial.Group{Came: 3, Of: 10}, 0.6, 0.1705, 0.8090, true},
		{trial.Group{Came: 6, Of: 7}, trial.Group{Came: 2, Of: 7}, 0.5714, 0.0582, 0.8062, true},
		{trial.Group{Came: 5, Of: 56}, trial.Group{Of: 29}, 0.0893, -0.0381, 0.1926, false},
		{trial.Group{Of: 10}, trial.Group{Of: 10}, 0, -0.2775, 0.2775, false},
		{trial.Group{Came: 10, Of: 10}, trial.Group{Of: 20}, 1, 0.6791, 1, true},
		{trial.Group{Came: 10, Of: 10}, trial.Group{Of: 10}, 1, 0.6075, 1, true},
		{trial.Group{Came: 300, Of: 1700}, trial.Group{Came: 28, Of: 300}, 0.0831, 0.0411, 0.1169, true},
		{trial.Group{Came: 3, Of: 4}, trial.Group{}, 0, -1, 1, false},
		{trial.Group{}, trial.Group{}, 0, -1, 1, false},
	} {
		d := trial.Compare(c.a, c.b)
		if !near(d.Rate, c.rate) || !near(d.Low, c.low) || !near(d.High, c.high) || d.Seen() != c.seen {
			t.Errorf("%v against %v: %+v, seen %t", c.a, c.b, d, d.Seen())
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 0.00006 }

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		g         trial.Group
		low, high float64
	}{
		{trial.Group{Came: 56, Of: 70}, 0.6918, 0.8770},
		{trial.Group{Of: 10}, 0, 0.2775},
		{trial.Group{Came: 10, Of: 10}, 0.7225, 1},
		{trial.Group{}, 0, 1},
	} {
		if low, high := c.g.Interval(); !near(low, c.low) || !near(high, c.high) {
			t.Errorf("%v: %f to %f", c.g, low, high)
		}
	}
}

func TestClientsOfADifference(t *testing.T) {
	d := trial.Compare(trial.Group{Came: 300, Of: 1700}, trial.Group{Came: 28, Of: 300})
	if low, likely, high := d.Clients(1700); low != 70 || likely != 141 || high != 199 {
		t.Error(low, likely, high)
	}
}

func TestNeeded(t *testing.T) {
	for _, c := range []struct {
		a, b   trial.Group
		needed int64
	}{
		{trial.Group{Came: 38, Of: 380}, trial.Group{Came: 1, Of: 20}, 5000},         // 4978.4
		{trial.Group{Came: 50, Of: 500}, trial.Group{Came: 30, Of: 500}, 1500},       // 1441.8
		{trial.Group{Came: 100, Of: 1000}, trial.Group{Came: 110, Of: 1000}, 30_000}, // 29501.6
		{trial.Group{Came: 1, Of: 10}, trial.Group{Came: 1, Of: 10}, 0},              // nothing to see
		{trial.Group{Came: 1, Of: 10}, trial.Group{}, 0},                             // nobody to compare with
		{trial.Group{Came: 10, Of: 10}, trial.Group{Of: 10}, 4},                      // 3.84, without power
	} {
		if got := trial.Needed(c.a, c.b); got != c.needed {
			t.Errorf("%v and %v: %d", c.a, c.b, got)
		}
	}
}
