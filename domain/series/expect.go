package series

import (
	"cmp"
	"slices"
	"time"

	"skychimp/domain"
)

// Waiting is how many wait for a step until a time.
type Waiting struct {
	StepID  int64     // 0: the first
	DueAt   time.Time // the epoch: they have just come this far
	Zone    string    // theirs; empty: the series'
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

// expectKey is where some of a series are at the same time, by the same clocks.
type expectKey struct {
	at   time.Time
	zone string
}

// Expect tells what goes out from now up to a time to those who wait, if nobody leaves before the end and nobody else
// comes in. zone is that of those whose own is not known.
func (s Series) Expect(waiting []Waiting, now, until time.Time, zone *time.Location) (list []Expected) {
	pending := make([]map[expectKey]int64, len(s.Steps)+1)
	for i := range pending {
		pending[i] = map[expectKey]int64{}
	}
	zones := map[string]*time.Location{"": zone}
	for _, one := range waiting {
		if zones[one.Zone] == nil {
			zones[one.Zone] = domain.Mailing{Timezone: one.Zone}.Schedule().Zone
		}
		at := max(0, place(s.Steps, one.StepID))
		due := Later(one.DueAt, now)
		if one.DueAt.Unix() <= 0 {
			due = s.Steps[at].Due(now, zones[one.Zone])
		}
		pending[at][expectKey{due.UTC(), one.Zone}] += one.Clients
	}
	for i, step := range s.Steps {
		times := pending[i]
		if len(times) > expectFine {
			times = byHour(times)
		}
		emails := map[time.Time]int64{}
		for key, clients := range times {
			if !key.at.Before(until) {
				continue
			}
			emails[key.at] += clients
			if i+1 < len(s.Steps) {
				pending[i+1][expectKey{s.Steps[i+1].Due(key.at, zones[key.zone]).UTC(), key.zone}] += clients
			}
		}
		for at, clients := range emails {
			list = append(list, Expected{step, at, clients})
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

func byHour(times map[expectKey]int64) map[expectKey]int64 {
	hours := map[expectKey]int64{}
	for key, clients := range times {
		hours[expectKey{key.at.Truncate(time.Hour), key.zone}] += clients
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
	first := Day(today)
	days := s.Turns(of, first, first.AddDate(1, 0, 1))
	if len(days) == 0 {
		return time.Time{}, false
	}
	return days[0], true
}
