package domain

import (
	"strings"
	"time"
)

// Periodicity says how often a mailing repeats.
type Periodicity string

// The periodicities.
const (
	Once    Periodicity = "once"
	Daily   Periodicity = "daily"
	Weekly  Periodicity = "weekly"
	Monthly Periodicity = "monthly"
)

// Valid reports whether p is one of the four.
func (p Periodicity) Valid() bool {
	return p == Once || p == Daily || p == Weekly || p == Monthly
}

// Schedule is the calendar of a mailing. Occurrence n, counted from 0, is Start moved by n times
// Interval days, weeks or months on the wall clock and then turned into an instant by Instant; a
// month that lacks the day of Start gives its last day. No occurrence depends on the one before it.
//
// Instants of occurrences strictly ascend. Where a zone skipped a whole day (Apia, 30 December
// 2011), or a holiday moves one to the day of the next, two of them would be the same moment: then
// the earlier one runs, the later one does not happen, and its number stays unused.
type Schedule struct {
	Start time.Time        // wall clock: read in Zone, though its location is UTC
	End   time.Time        // wall clock like Start; nothing happens at the end or after it; zero: no end
	Zone  *time.Location   // see LoadZone
	Zones []*time.Location // of clients: it goes out as soon as the clocks of one of the zones show the time
	Every Periodicity
	Days  Days // which of them happen: the numbers of the others stay unused

	Exceptions []Exception // of single dates, by their numbers; dates stay in the order of these
}

// Occurrence is one planned moment of a schedule.
type Occurrence struct {
	No int       // 0 is the start
	At time.Time // UTC
}

// The calendar stops after lastYear, the last one that RFC 3339 can write; lastNo is more
// than the number of days up to there and keeps the arithmetic from overflowing.
const (
	lastYear = 9999
	lastNo   = (lastYear + 1) * 366
	idleMost = 4000 // occurrences in a row that don't happen: then none will
)

const day = 24 * time.Hour

// Instant is the first moment at which the clocks of zone show wall (whose location is UTC) or
// later, in UTC. So a time that a clock change skips becomes the first moment after the gap, and
// of a time that happens twice the first one counts. A later wall never gives an earlier instant.
func Instant(wall time.Time, zone *time.Location) time.Time {
	t := wall.Add(-day).In(zone) // no zone is a day ahead of UTC
	for {
		_, offset := t.Zone()
		at := wall.Add(-time.Duration(offset) * time.Second)
		if at.Before(t) {
			at = t // the change at t jumped over wall
		}
		change := nextChange(t)
		if change.IsZero() || at.Before(change) {
			return at.UTC()
		}
		t = change
	}
}

// nextChange is when t's zone changes after t, or an earlier time with the same offset; zero: never.
func nextChange(t time.Time) time.Time {
	_, change := t.ZoneBounds()
	if change.IsZero() || change.After(t) {
		return change
	}
	// Where a leap year is described by a rule alone, ZoneBounds ends the year a day too early,
	// so on its 31 December the bound is already past.
	return t.UTC().Truncate(day).Add(day).In(t.Location())
}

// instant is when the clocks of the first of the zones show wall.
func (s Schedule) instant(wall time.Time) time.Time {
	first := Instant(wall, s.Zone)
	for _, zone := range s.Zones {
		if at := Instant(wall, zone); at.Before(first) {
			first = at
		}
	}
	return first
}

// settled is what the clocks show at occurrence no, false when there is no such number.
func (s Schedule) settled(no int) (time.Time, bool) {
	if e, excepted := s.exception(no); excepted && !e.Skips() {
		return e.To, true
	}
	wall, ok := s.wall(no)
	if ok {
		wall, ok = s.Days.settle(wall)
	}
	return wall, ok
}

// At is the instant of occurrence n in UTC. It is false when n does not happen: below 0, above 0
// of a mailing that runs once, at or after the end, or the same moment as n-1 (see Schedule), so
// false does not mean that no later one happens: ask From for that.
func (s Schedule) At(n int) (time.Time, bool) {
	o, ok := s.From(n)
	return o.At, ok && o.No == n
}

// From is the first occurrence with number no or a higher one, false when there is none.
func (s Schedule) From(no int) (Occurrence, bool) {
	if no <= 0 {
		return s.next(0, s.instant(s.Start).Add(-1), time.Time{})
	}
	before, ok := s.wall(no - 1)
	if !ok {
		return Occurrence{}, false
	}
	before, _ = s.Days.settle(before)
	return s.next(no, s.instant(before), time.Time{})
}

// EndAt is the end as an instant in UTC, false when there is none.
func (s Schedule) EndAt() (time.Time, bool) {
	if s.End.IsZero() {
		return time.Time{}, false
	}
	return Instant(s.End, s.Zone), true
}

// Next is the first occurrence after the instant, false when there is none. Its cost does not grow
// with the distance from the start.
func (s Schedule) Next(after time.Time) (Occurrence, bool) {
	return s.next(s.movedBefore(s.near(after), after), after, after)
}

// Upcoming are the first occurrences after the instant, at most limit.
func (s Schedule) Upcoming(after time.Time, limit int) []Occurrence {
	var list []Occurrence
	for o, ok := s.Next(after); ok && len(list) < limit; o, ok = s.next(o.No+1, o.At, time.Time{}) {
		list = append(list, o)
	}
	return list
}

// Due sorts the occurrences from number no up to now, usually one and more after downtime: the
// latest is due (ok is true), the earlier ones are missed. When the end has come, all are missed.
func (s Schedule) Due(no int, now time.Time) (missed []Occurrence, due Occurrence, ok bool) {
	for o, more := s.From(no); more && !o.At.After(now); o, more = s.next(o.No+1, o.At, time.Time{}) {
		missed = append(missed, o)
	}
	end, ends := s.EndAt()
	if len(missed) == 0 || ends && !now.Before(end) {
		return missed, Occurrence{}, false
	}
	last := len(missed) - 1
	return missed[:last], missed[last], true
}

// next is the first occurrence with number no or a higher one that is after an instant; those that were moved are
// asked for another one.
func (s Schedule) next(no int, after, moved time.Time) (Occurrence, bool) {
	end, ends := s.EndAt()
	for range idleMost {
		wall, ok := s.wall(no)
		if !ok {
			return Occurrence{}, false
		}
		e, excepted := s.exception(no)
		floor, happens := after, !e.Skips()
		if excepted && happens {
			wall, floor = e.To, moved
		} else if !excepted {
			wall, happens = s.Days.settle(wall)
			happens = happens && !wall.Before(s.Start)
		}
		at := s.instant(wall)
		if ends && !at.Before(end) {
			return Occurrence{}, false
		}
		if at.After(floor) && happens {
			return Occurrence{No: no, At: at}, true
		}
		no++
	}
	return Occurrence{}, false
}

// near is the number of the first occurrence after the instant or a few less: all that the clocks
// of the zone have passed at the instant has happened, and while they repeat an hour some more.
func (s Schedule) near(after time.Time) int {
	_, offset := after.In(s.Zone).Zone()
	clock := after.UTC().Add(time.Duration(offset) * time.Second)
	if s.Days.HolidayMoves {
		clock = clock.Add(-moveMost * day)
	}
	days := (clock.Unix() - s.Start.Unix()) / int64(day/time.Second)
	switch s.Every {
	case Daily:
		return int(max(0, days)) / s.Days.interval()
	case Weekly:
		return int(max(0, days/7)) / s.Days.interval()
	case Monthly:
		years, months := clock.Year()-s.Start.Year(), clock.Month()-s.Start.Month()
		return max(0, 12*years+int(months)) / s.Days.interval()
	}
	return 0
}

// wall is what the clocks should show at occurrence n, but for holidays; false when the schedule has no such number.
func (s Schedule) wall(n int) (time.Time, bool) {
	if n < 0 || n > lastNo || n > 0 && s.Every == Once {
		return time.Time{}, false
	}
	var wall time.Time
	switch n *= s.Days.interval(); s.Every {
	case Once:
		wall = s.Start
	case Daily:
		wall = s.Start.AddDate(0, 0, n)
	case Weekly:
		wall = s.Start.AddDate(0, 0, 7*n)
	case Monthly:
		// AddDate alone would turn 31 January into 3 March.
		first := s.Start.AddDate(0, 0, 1-s.Start.Day()).AddDate(0, n, 0)
		wall = s.Days.inMonth(first, s.Start.Day())
	default:
		return time.Time{}, false
	}
	return wall, wall.Year() <= lastYear
}

// LoadZone is the time zone of an IANA name such as Europe/Berlin. The names of the machine's own
// zone and of the leap-second variants in some zoneinfo folders are as unknown as any other.
func LoadZone(name string) (*time.Location, error) {
	folder, _, _ := strings.Cut(name, "/")
	switch folder {
	case "", "Local", "localtime", "posixrules", "posix", "right":
		return nil, Errorf(Invalid, "timezone", "mailings.timezone_unknown")
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, Errorf(Invalid, "timezone", "mailings.timezone_unknown")
	}
	return zone, nil
}

// ClockWrong tells that a clock which is so far ahead of the database's, or behind it, is not to be
// trusted with anybody's calendar.
func ClockWrong(ahead time.Duration) bool { return ahead.Abs() > 30*time.Second }
