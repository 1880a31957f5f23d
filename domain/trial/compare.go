// Package trial has the arithmetic of comparing what clients do: who is drawn, what came of two groups, and whether the
// difference is more than chance.
package trial

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Group are clients of whom some came: back, to click, to leave.
type Group struct{ Came, Of int64 }

// Rate is the share of those who came.
func (g Group) Rate() float64 {
	if g.Of == 0 {
		return 0
	}
	return float64(g.Came) / float64(g.Of)
}

// quantile of the standard normal distribution.
func quantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }

// sure is how sure an interval is, and power how surely a trial of the needed size sees the difference.
const (
	sure  = 0.95
	power = 0.80
)

// Interval is where the rate is to be looked for, 95 % sure: Wilson's, which holds for small groups and for none or all of one.
func (g Group) Interval() (low, high float64) { return g.interval(1 - sure) }

func (g Group) interval(doubt float64) (low, high float64) {
	if g.Of == 0 {
		return 0, 1
	}
	n, p, z := float64(g.Of), g.Rate(), quantile(1-doubt/2)
	middle, half := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return max(0, (middle-half)/(1+z*z/n)), min(1, (middle+half)/(1+z*z/n))
}

// Difference of two rates, with where it is to be looked for, 95 % sure.
type Difference struct{ Rate, Low, High float64 }

// Compare is by how much the rate of a is above that of b: Newcombe's interval of Wilson's two. Of an empty group nothing
// can be said.
func Compare(a, b Group) Difference { return CompareAmong(1, a, b) }

// CompareAmong is Compare for one of so many comparisons, 95 % sure of all of them together (Bonferroni).
func CompareAmong(comparisons int, a, b Group) Difference {
	if a.Of == 0 || b.Of == 0 {
		return Difference{Low: -1, High: 1}
	}
	p, q := a.Rate(), b.Rate()
	doubt := (1 - sure) / float64(comparisons)
	pLow, pHigh := a.interval(doubt)
	qLow, qHigh := b.interval(doubt)
	return Difference{p - q, p - q - math.Hypot(p-pLow, qHigh-q), p - q + math.Hypot(pHigh-p, q-qLow)}
}

// Seen reports whether the difference is more than chance makes.
func (d Difference) Seen() bool { return d.Low > 0 || d.High < 0 }

// Clients are the least, the likely and the most that the difference comes to among so many.
func (d Difference) Clients(of int64) (low, likely, high int64) {
	count := func(rate float64) int64 { return int64(math.Round(rate * float64(of))) }
	return count(d.Low), count(d.Rate), count(d.High)
}

// Needed is about how many clients, parted into a and b as these are, a difference like theirs needs to be seen in four of
// five trials; 0: they do not differ at all, or one is empty.
func Needed(a, b Group) int64 {
	apart := math.Abs(a.Rate() - b.Rate())
	if apart == 0 || a.Of == 0 || b.Of == 0 {
		return 0
	}
	spread := func(p float64) float64 { return p * (1 - p) }
	times := float64(a.Of) / float64(b.Of)
	all := Group{a.Came + b.Came, a.Of + b.Of}.Rate()
	root := quantile(1-(1-sure)/2)*math.Sqrt(spread(all)*(1+1/times)) + quantile(power)*math.Sqrt(spread(a.Rate())/times+spread(b.Rate()))
	return roundUp(root * root / (apart * apart) * (1 + times))
}

// roundUp leaves two digits of a number that is a guess.
func roundUp(n float64) int64 {
	unit := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	return int64(math.Ceil(n/unit) * unit)
}
