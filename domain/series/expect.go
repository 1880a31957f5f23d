package series

import (
	"cmp"
	"slices"
	"time"
)

// Waiting is how many wait for a step until a time.
type Waiting struct {
	StepID  int64     // 0: the first
	DueAt   time.Time // the epoch: they have just come this far
	Clients int64
}

// Expected is how many emails of a step go out at a time.
type Expected struct {
	Step   Step
	At     time.Time
	Emails int64
}

// expectFine is how many times of one step are told apart; more are taken together by the hour.
const expectFine = 2000

// Expect tells what goes out from now up to a time to those who wait, if nobody leaves before the end and nobody else
// comes in.
func (s Series) Expect(waiting []Waiting, now, until time.Time, zone *time.Location) (list []Expected) {
	pending := make([]map[time.Time]int64, len(s.Steps)+1)
	for i := range pending {
		pending[i] = map[time.Time]int64{}
	}
	for _, one := range waiting {
		at := max(0, place(s.Steps, one.StepID))
		due := later(one.DueAt, now)
		if one.DueAt.Unix() <= 0 {
			due = s.Steps[at].Due(now, zone)
		}
		pending[at][due.UTC()] += one.Clients
	}
	for i, step := range s.Steps {
		times := pending[i]
		if len(times) > expectFine {
			times = byHour(times)
		}
		for at, clients := range times {
			if !at.Before(until) {
				continue
			}
			list = append(list, Expected{step, at, clients})
			if i+1 < len(s.Steps) {
				pending[i+1][s.Steps[i+1].Due(at, zone).UTC()] += clients
			}
		}
	}
	slices.SortFunc(list, func(a, b Expected) int { return cmp.Or(a.At.Compare(b.At), a.Step.Position-b.Step.Position) })
	return list
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func byHour(times map[time.Time]int64) map[time.Time]int64 {
	hours := map[time.Time]int64{}
	for at, clients := range times {
		hours[at.Truncate(time.Hour)] += clients
	}
	return hours
}

// ByDay takes together what goes out of a step on one day of the zone, at the time of the first.
func ByDay(list []Expected, zone *time.Location) (days []Expected) {
	type key struct {
		step int64
		day  string
	}
	known := map[key]int{}
	for _, one := range list {
		of := key{one.Step.ID, one.At.In(zone).Format(time.DateOnly)}
		at, ok := known[of]
		if !ok {
			known[of] = len(days)
			days = append(days, one)
			continue
		}
		days[at].Emails += one.Emails
	}
	return days
}

// Journey is when each step goes out to somebody who comes in at a moment, counted step by step.
func (s Series) Journey(since time.Time, zone *time.Location) (times []time.Time) {
	for _, step := range s.Steps {
		since = step.Due(since, zone)
		times = append(times, since)
	}
	return times
}
