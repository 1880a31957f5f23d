package domain

import (
	"slices"
	"time"
)

// Exception is one date of a mailing that its owner skipped or moved.
type Exception struct {
	No int       `json:"no"`
	To time.Time `json:"to,omitzero"` // the wall clock that it was moved to; zero: skipped
}

// Skips reports whether the date is passed over.
func (e Exception) Skips() bool { return e.To.IsZero() }

// maxExceptions of a mailing, those of the past among them.
const maxExceptions = 200

// exception of the occurrence no, false when it has none.
func (s Schedule) exception(no int) (Exception, bool) {
	at, found := slices.BinarySearchFunc(s.Exceptions, no, func(e Exception, no int) int { return e.No - no })
	if !found {
		return Exception{}, false
	}
	return s.Exceptions[at], true
}

// movedBefore is no, or the number of an earlier occurrence that was moved behind the instant.
func (s Schedule) movedBefore(no int, after time.Time) int {
	for _, e := range s.Exceptions {
		if e.No < no && !e.Skips() && s.instant(e.To).After(after) {
			return e.No
		}
	}
	return no
}

// unskipped is the schedule as if nothing were skipped; plain, as if nothing were moved either.
func (s Schedule) unskipped() Schedule {
	s.Exceptions = slices.DeleteFunc(slices.Clone(s.Exceptions), Exception.Skips)
	return s
}

func (s Schedule) plain() Schedule {
	s.Exceptions = nil
	return s
}

// aroundMost is how many numbers are looked at for the date before another: holidays and weekends leave no longer gap.
const aroundMost = 400

// between reports whether the occurrence no may be at the instant: after the one before it and before the next, so that
// dates stay in the order of their numbers. Those that are skipped count, because they can be taken back.
func (s Schedule) between(no int, at time.Time) bool {
	others := s.unskipped()
	for before := no - 1; before >= max(0, no-aroundMost); before-- {
		if last, ok := others.At(before); ok {
			if !at.After(last) {
				return false
			}
			break
		}
	}
	next, ok := others.From(no + 1)
	return !ok || at.Before(next.At)
}

// Date is one date of a mailing's calendar, that of an occurrence which has not run.
type Date struct {
	Occurrence
	Planned time.Time // where its calendar has it
	Skipped bool
}

// Moved reports whether the date is not the one of the calendar.
func (d Date) Moved() bool { return !d.At.Equal(d.Planned) }

// Date number no, NotFound when the calendar has none.
func (m Mailing) Date(no int) (Date, error) {
	schedule := m.Schedule()
	e, excepted := schedule.exception(no)
	planned, ok := schedule.plain().At(no)
	if moved := excepted && !e.Skips(); !ok && moved {
		planned, ok = schedule.instant(e.To), true // the days have changed since
	}
	if !ok {
		return Date{}, Errorf(NotFound, "", "errors.not_found")
	}
	date := Date{Occurrence: Occurrence{No: no, At: planned}, Planned: planned, Skipped: excepted && e.Skips()}
	if excepted && !e.Skips() {
		date.At = schedule.instant(e.To)
	}
	return date, nil
}

// open is the date if it can still be changed.
func openDate(m Mailing, no int, now time.Time) (Date, error) {
	date, err := m.Date(no)
	if err == nil && (m.Status == Finished || no < m.NextNo || !date.At.After(now)) {
		err = Errorf(Conflict, "", "mailings.date_over")
	}
	return date, err
}

// MayExcept reports whether the date can be skipped, moved and brought back.
func (m Mailing) MayExcept(no int, now time.Time) bool {
	_, err := openDate(m, no, now)
	return err == nil
}

// Skip passes one date over. The only date of a mailing can be moved, or the mailing stopped.
func (m *Mailing) Skip(no int, now time.Time) error {
	if _, err := openDate(*m, no, now); err != nil {
		return err
	}
	if m.Periodicity == Once {
		return Errorf(Conflict, "", "mailings.date_only")
	}
	return m.except(Exception{No: no}, now)
}

// Move puts one date elsewhere, to a wall clock of the mailing's zone as forms have it. The other dates stay.
func (m *Mailing) Move(no int, to string, now time.Time) error {
	if _, err := openDate(*m, no, now); err != nil {
		return err
	}
	wall, err := parseWall(to)
	if err != nil {
		return Errorf(Invalid, "at", "mailings.date_invalid")
	}
	at := m.Schedule().instant(wall)
	switch {
	case !at.After(now):
		return Errorf(Invalid, "at", "mailings.date_past")
	case !m.EndAt.IsZero() && !at.Before(m.EndAt):
		return Errorf(Invalid, "at", "mailings.date_after_end")
	case !m.Schedule().between(no, at):
		return Errorf(Invalid, "at", "mailings.date_order")
	}
	if planned, ok := m.Schedule().plain().At(no); ok && planned.Equal(at) {
		return m.Restore(no, now)
	}
	return m.except(Exception{No: no, To: wall}, now)
}

// Restore undoes Skip and Move.
func (m *Mailing) Restore(no int, now time.Time) error {
	date, err := openDate(*m, no, now)
	if err != nil {
		return err
	}
	if planned, ok := m.Schedule().plain().At(no); ok && date.Moved() && (!planned.After(now) || !m.Schedule().between(no, planned)) {
		return Errorf(Conflict, "", "mailings.date_taken")
	}
	m.Exceptions = slices.DeleteFunc(slices.Clone(m.Exceptions), func(e Exception) bool { return e.No == no })
	followExceptions(m)
	return nil
}

// except keeps an exception in the place of an earlier one of the same date. Of those of the past the latest stay,
// for the calendar.
func (m *Mailing) except(e Exception, now time.Time) error {
	list := slices.DeleteFunc(slices.Clone(m.Exceptions), func(other Exception) bool { return other.No == e.No })
	at, _ := slices.BinarySearchFunc(list, e.No, func(other Exception, no int) int { return other.No - no })
	list = slices.Insert(list, at, e)
	if len(list) > maxExceptions && list[0].No < m.NextNo {
		list = list[1:]
	}
	if len(list) > maxExceptions {
		return Errorf(Conflict, "", "mailings.dates_many", "Max", maxExceptions)
	}
	m.Exceptions, m.UpdatedAt = list, now
	followExceptions(m)
	return nil
}

func followExceptions(m *Mailing) {
	if m.Status == Running {
		m.advanceTo(m.NextNo)
	}
}

// NoticeAhead is how long before a date its owner is told of it.
const NoticeAhead = 24 * time.Hour

// TakeNotice is the next date if its owner is to be told of it now, which happens once. Who launched the mailing within
// the last day knows.
func (m *Mailing) TakeNotice(now time.Time) (Occurrence, bool) {
	next := m.Upcoming(now, 1)
	if m.Status != Running || m.Disabled() || m.Paused() || len(next) == 0 {
		return Occurrence{}, false
	}
	from := next[0].At.Add(-NoticeAhead)
	if !next[0].At.After(m.NoticedUntil) || now.Before(from) || m.LaunchedAt.After(from) {
		return Occurrence{}, false
	}
	m.NoticedUntil = next[0].At
	return next[0], true
}

// keepExceptions drops what a change of the calendar has left without meaning: all where the dates have other numbers
// now, and those moved behind the next date or before the one before.
func keepExceptions(m *Mailing, before Mailing) {
	if !m.StartLocal.Equal(before.StartLocal) || m.Timezone != before.Timezone || m.Periodicity != before.Periodicity ||
		m.Days.interval() != before.Days.interval() || m.Nth != before.Nth {
		m.Exceptions, m.NoticedUntil = nil, time.Time{}
		return
	}
	schedule := m.Schedule()
	m.Exceptions = slices.DeleteFunc(slices.Clone(m.Exceptions), func(e Exception) bool {
		return !e.Skips() && !schedule.between(e.No, schedule.instant(e.To))
	})
}
