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
		due := Later(one.DueAt, now)
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

// Later is the later of two times.
func Later(a, b time.Time) time.Time {
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

// Onward is when somebody who has come as far as a step at a moment gets it, and those that follow. 0 is the first.
func (s Series) Onward(step int64, since time.Time, passed []int64, zone *time.Location) []Expected {
	at := max(0, place(s.Steps, step))
	if len(s.Steps) == 0 {
		return nil
	}
	return s.OnwardAt(s.Steps[at].ID, s.Steps[at].Due(since, zone), passed, zone)
}

// OnwardAt is Onward where the step is due at a known time.
func (s Series) OnwardAt(step int64, due time.Time, passed []int64, zone *time.Location) (list []Expected) {
	at := max(0, place(s.Steps, step))
	if len(s.Steps) == 0 {
		return nil
	}
	for next := &s.Steps[at]; next != nil; {
		list = append(list, Expected{*next, due, 1})
		if next = s.Next(next.Position, passed); next != nil {
			due = next.Due(due, zone)
		}
	}
	return list
}

// NextTurn is the first day from today on on which the series begins for somebody with the date, within a year.
func (s Series) NextTurn(date string, today time.Time) (time.Time, bool) {
	of, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return time.Time{}, false
	}
	first := time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, time.UTC)
	days := s.Turns(of, first, first.AddDate(1, 0, 1))
	if len(days) == 0 {
		return time.Time{}, false
	}
	return days[0], true
}
