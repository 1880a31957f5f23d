package domain

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// excepted is a running mailing in Berlin, and the moment before its first date.
func excepted(t *testing.T, every Periodicity, start string) (Mailing, time.Time) {
	t.Helper()
	m := calendarMailing(7, start, every)
	m.advanceTo(0)
	return m, Instant(m.StartLocal, zoneNamed(t, "Europe/Berlin")).Add(-time.Hour)
}

// Golden: what the calendar makes of skipped and moved dates, written by hand. `3-` skips number 3, `3>` moves it, `3=` brings it back.
func TestExceptions(t *testing.T) {
	for _, tt := range []struct {
		name  string
		every Periodicity
		start string
		do    string
		want  string // the first dates in the zone
	}{
		{"a week is skipped", Weekly, "2031-01-03T10:00", "1-", "0 01-03 10:00, 2 01-17 10:00, 3 01-24 10:00"},
		{"the first is skipped", Weekly, "2031-01-03T10:00", "0-", "1 01-10 10:00, 2 01-17 10:00, 3 01-24 10:00"},
		{"three in a row", Weekly, "2031-01-03T10:00", "1- 2- 3-", "0 01-03 10:00, 4 01-31 10:00, 5 02-07 10:00"},
		{"and one back", Weekly, "2031-01-03T10:00", "1- 2- 3- 2=", "0 01-03 10:00, 2 01-17 10:00, 4 01-31 10:00"},
		{"a week is moved on", Weekly, "2031-01-03T10:00", "1>2031-01-13T09:00", "0 01-03 10:00, 1 01-13 09:00, 2 01-17 10:00"},
		{"a week is moved forward", Weekly, "2031-01-03T10:00", "1>2031-01-09T18:30", "0 01-03 10:00, 1 01-09 18:30, 2 01-17 10:00"},
		{"the first is moved forward", Weekly, "2031-01-03T10:00", "0>2031-01-03T09:30", "0 01-03 09:30, 1 01-10 10:00, 2 01-17 10:00"},
		{"moved and back", Weekly, "2031-01-03T10:00", "1>2031-01-09T18:30 1=", "0 01-03 10:00, 1 01-10 10:00, 2 01-17 10:00"},
		{"moved to where it was", Weekly, "2031-01-03T10:00", "1>2031-01-09T18:30 1>2031-01-10T10:00", "0 01-03 10:00, 1 01-10 10:00, 2 01-17 10:00"},
		{"moved, then skipped", Weekly, "2031-01-03T10:00", "1>2031-01-09T18:30 1-", "0 01-03 10:00, 2 01-17 10:00, 3 01-24 10:00"},
		{"moved behind the next", Weekly, "2031-01-03T10:00", "1>2031-01-17T10:00", "!mailings.date_order"},
		{"moved behind a skipped one", Weekly, "2031-01-03T10:00", "2- 1>2031-01-20T10:00", "!mailings.date_order"},
		{"moved before the one before", Weekly, "2031-01-03T10:00", "2>2031-01-10T10:00", "!mailings.date_order"},
		{"two that come closer", Weekly, "2031-01-03T10:00", "1>2031-01-11T10:00 2>2031-01-10T20:00", "!mailings.date_order"},
		{"back behind one that came before", Weekly, "2031-01-03T10:00", "1>2031-01-08T10:00 2>2031-01-09T10:00 1=", "!mailings.date_taken"},
		{"into a gap of the clocks", Weekly, "2031-03-28T10:00", "0>2031-03-30T02:30", "0 03-30 03:00, 1 04-04 10:00, 2 04-11 10:00"},
		{"into the past", Weekly, "2031-01-03T10:00", "0>2031-01-03T08:59", "!mailings.date_past"},
		{"no time", Weekly, "2031-01-03T10:00", "0>soon", "!mailings.date_invalid"},
		{"no such date", Weekly, "2031-01-03T10:00", "99999999-", "!errors.not_found"},
		{"a day of a daily one", Daily, "2031-01-03T10:00", "1- 3>2031-01-06T20:00", "0 01-03 10:00, 2 01-05 10:00, 3 01-06 20:00"},
		{"a short month", Monthly, "2031-01-31T10:00", "1>2031-03-02T10:00", "0 01-31 10:00, 1 03-02 10:00, 2 03-31 10:00"},
		{"the only one is moved", Once, "2031-01-03T10:00", "0>2031-02-03T10:00", "0 02-03 10:00"},
		{"the only one is skipped", Once, "2031-01-03T10:00", "0-", "!mailings.date_only"},
	} {
		m, now := excepted(t, tt.every, tt.start)
		var err error
		for one := range strings.FieldsSeq(tt.do) {
			err = exceptAs(&m, one, now)
		}
		got := nextDates(m, now)
		if refusal, ok := err.(*Error); ok {
			got = "!" + refusal.Key
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if next := m.Upcoming(now, 1); err == nil && !next[0].At.Equal(m.NextRunAt) {
			t.Errorf("%s: the planner waits for %s, pages show %s", tt.name, m.NextRunAt, next[0].At)
		}
	}
}

func exceptAs(m *Mailing, do string, now time.Time) error {
	at := strings.IndexAny(do, "->=")
	var no int
	if _, err := fmt.Sscan(do[:at], &no); err != nil {
		return err
	}
	switch do[at] {
	case '-':
		return m.Skip(no, now)
	case '>':
		return m.Move(no, do[at+1:], now)
	}
	return m.Restore(no, now)
}

func nextDates(m Mailing, now time.Time) string {
	var list []string
	for _, one := range m.Upcoming(now, 3) {
		list = append(list, fmt.Sprint(one.No, one.At.In(m.Schedule().Zone).Format(" 01-02 15:04")))
	}
	return strings.Join(list, ", ")
}

func TestExceptionsOnDays(t *testing.T) {
	m, now := excepted(t, Daily, "2031-01-03T10:00") // a Friday
	m.Weekdays = []Weekday{"mon", "tue", "wed", "thu", "fri"}
	if err := m.Move(3, "2031-01-04T12:00", now); err != nil { // Monday's to Saturday
		t.Fatal(err)
	}
	if got := nextDates(m, now); got != "0 01-03 10:00, 3 01-04 12:00, 4 01-07 10:00" {
		t.Error(got)
	}
	if got, ok := m.Schedule().From(2); !ok || got.No != 3 {
		t.Errorf("after Saturday's and Sunday's numbers comes %+v", got)
	}
	if err := m.Skip(1, now); KindOf(err) != NotFound {
		t.Errorf("Saturday has no date, but %v", err)
	}
	form := MailingForm{Name: "x", MessageID: 1, Audience: "all", StartAt: "2031-01-03T10:00", Timezone: "Europe/Berlin", Periodicity: "daily",
		Weekdays: []string{"mon", "fri", "sat", "sun"}}
	if err := m.Change(form, now); err != nil || len(m.Exceptions) != 0 { // behind it is Sunday's now
		t.Errorf("%v, %v", err, m.Exceptions)
	}
}

// A date that was taken off the calendar or has come can't be changed any more; a new start forgets all exceptions.
func TestExceptionsEnd(t *testing.T) {
	m, now := excepted(t, Weekly, "2031-01-03T10:00")
	if err := m.Skip(1, now); err != nil {
		t.Fatal(err)
	}
	later := now.Add(2 * time.Hour)
	if _, due, ok := m.Plan(later); !ok || due.No != 0 {
		t.Fatalf("%+v, %v", due, ok)
	}
	if m.NextNo != 1 || !m.NextRunAt.Equal(now.Add(time.Hour+14*day)) {
		t.Errorf("after the first comes %d at %s", m.NextNo, m.NextRunAt)
	}
	if err := m.Skip(0, later); KindOf(err) != Conflict {
		t.Error(err)
	}
	if missed, due, ok := m.Plan(now.Add(22 * day)); !ok || due.No != 3 || len(missed) != 1 || missed[0].No != 2 {
		t.Errorf("after a downtime: %+v, %+v, %v", missed, due, ok)
	}
	m.Status = Created
	form := MailingForm{Name: "x", MessageID: 1, Audience: "all", StartAt: "2031-01-04T10:00", Timezone: "Europe/Berlin", Periodicity: "weekly"}
	if err := m.Change(form, now); err != nil || m.Exceptions != nil {
		t.Errorf("%v, %v", err, m.Exceptions)
	}
}

// Whatever is skipped and moved: dates ascend with their numbers, no date is lost and none comes twice, and
// planning goes through the same dates that pages show.
func TestExceptionsAtRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		every := []Periodicity{Daily, Weekly, Monthly}[random.IntN(3)]
		m, now := excepted(t, every, fmt.Sprintf("2031-%02d-%02dT%02d:30", 1+random.IntN(12), 1+random.IntN(28), random.IntN(24)))
		if every == Daily && random.IntN(2) == 0 {
			m.Weekdays = []Weekday{"mon", "wed", "thu"}
		}
		skipped := map[int]bool{}
		for range 12 {
			no := random.IntN(12)
			date, err := m.Date(no)
			if err != nil {
				continue
			}
			switch random.IntN(3) {
			case 0:
				if m.Skip(no, now) == nil {
					skipped[no] = true
				}
			case 1:
				to := date.Planned.Add(time.Duration(random.IntN(80*60)-40*60) * time.Minute).In(m.Schedule().Zone)
				if m.Move(no, to.Format(WallFormat), now) == nil {
					delete(skipped, no)
				}
			default:
				if m.Restore(no, now) == nil {
					delete(skipped, no)
				}
			}
		}
		checkNext(t, m.Schedule(), now)
		var shown []Occurrence
		for _, one := range m.Upcoming(now, 30) {
			if skipped[one.No] || len(shown) > 0 && (!one.At.After(shown[len(shown)-1].At) || one.No <= shown[len(shown)-1].No) {
				t.Fatalf("%v: %v after %v", m.Exceptions, one, shown)
			}
			shown = append(shown, one)
		}
		planned := m
		for _, want := range shown {
			_, due, ok := planned.Plan(planned.NextRunAt)
			if !ok || due != want {
				t.Fatalf("%v: planned %v, shown %v", m.Exceptions, due, want)
			}
		}
	}
}
