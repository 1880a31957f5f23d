package domain

import (
	"reflect"
	"testing"
	"time"
	_ "time/tzdata" // the rules must not depend on the machine having zone files
)

// wallClock reads "2006-01-02 15:04" as a wall clock; empty is the zero time.
func wallClock(t testing.TB, text string) time.Time {
	t.Helper()
	if text == "" {
		return time.Time{}
	}
	wall, err := time.Parse("2006-01-02 15:04", text)
	if err != nil {
		t.Fatal(err)
	}
	return wall
}

func zoneNamed(t testing.TB, name string) *time.Location {
	t.Helper()
	zone, err := LoadZone(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return zone
}

func scheduleOf(t testing.TB, zone string, every Periodicity, start, end string) Schedule {
	t.Helper()
	return Schedule{
		Start: wallClock(t, start), End: wallClock(t, end), Zone: zoneNamed(t, zone), Every: every,
	}
}

func utcText(at time.Time) string { return at.Format("2006-01-02T15:04:05.999Z07:00") }

func TestInstant(t *testing.T) {
	tests := []struct{ name, zone, wall, want string }{
		{"plain", "Europe/Berlin", "2026-01-31 02:30", "2026-01-31T01:30:00Z"},
		{"last before the gap", "Europe/Berlin", "2024-03-31 01:59", "2024-03-31T00:59:00Z"},
		{"gap begins", "Europe/Berlin", "2024-03-31 02:00", "2024-03-31T01:00:00Z"},
		{"in the gap", "Europe/Berlin", "2024-03-31 02:30", "2024-03-31T01:00:00Z"},
		{"gap has ended", "Europe/Berlin", "2024-03-31 03:00", "2024-03-31T01:00:00Z"},
		{"after the gap", "Europe/Berlin", "2024-03-31 03:01", "2024-03-31T01:01:00Z"},
		{"before the doubled hour", "Europe/Berlin", "2024-10-27 01:59", "2024-10-26T23:59:00Z"},
		{"doubled hour begins", "Europe/Berlin", "2024-10-27 02:00", "2024-10-27T00:00:00Z"},
		{"in the doubled hour", "Europe/Berlin", "2024-10-27 02:30", "2024-10-27T00:30:00Z"},
		{"after the doubled hour", "Europe/Berlin", "2024-10-27 03:00", "2024-10-27T02:00:00Z"},
		{"gap, west", "America/New_York", "2024-03-10 02:30", "2024-03-10T07:00:00Z"},
		{"doubled, west", "America/New_York", "2024-11-03 01:30", "2024-11-03T05:30:00Z"},
		{"gap of half an hour", "Australia/Lord_Howe", "2024-10-06 02:15", "2024-10-05T15:30:00Z"},
		{"doubled half hour", "Australia/Lord_Howe", "2024-04-07 01:45", "2024-04-06T14:45:00Z"},
		{"gap of two hours", "Antarctica/Troll", "2024-03-31 01:10", "2024-03-31T01:00:00Z"},
		{"gap at midnight, west", "America/Sao_Paulo", "2018-11-04 00:00", "2018-11-04T03:00:00Z"},
		{"in a gap at midnight", "America/Sao_Paulo", "2018-11-04 00:30", "2018-11-04T03:00:00Z"},
		{"doubled before midnight", "America/Sao_Paulo", "2019-02-16 23:30", "2019-02-17T01:30:00Z"},
		{"gap at midnight, Cairo", "Africa/Cairo", "2024-04-26 00:30", "2024-04-25T22:00:00Z"},
		{"gap at midnight, Beirut", "Asia/Beirut", "2024-03-31 00:00", "2024-03-30T22:00:00Z"},
		{"gap up to midnight", "Asia/Pyongyang", "2018-05-04 23:45", "2018-05-04T15:00:00Z"},
		{"winter time as the change", "Europe/Dublin", "2024-03-31 01:30", "2024-03-31T01:00:00Z"},
		{"new standard time skips", "Europe/Moscow", "2011-03-27 02:30", "2011-03-26T23:00:00Z"},
		{"new standard time repeats", "Europe/Moscow", "2014-10-26 01:30", "2014-10-25T21:30:00Z"},
		{"day skipped, begins", "Pacific/Apia", "2011-12-30 00:00", "2011-12-30T10:00:00Z"},
		{"day skipped, in it", "Pacific/Apia", "2011-12-30 15:00", "2011-12-30T10:00:00Z"},
		{"day skipped, has ended", "Pacific/Apia", "2011-12-31 00:00", "2011-12-30T10:00:00Z"},
		{"day skipped, Kwajalein", "Pacific/Kwajalein", "1993-08-21 12:00", "1993-08-21T12:00:00Z"},
		{"seconds of local mean time", "Europe/Berlin", "1880-06-01 12:00", "1880-06-01T11:06:32Z"},
		{"by rule alone", "Europe/Berlin", "2048-03-29 02:30", "2048-03-29T01:00:00Z"},
		{"31 December of a leap year by rule", "Europe/Berlin", "2048-12-31 23:30", "2048-12-31T22:30:00Z"},
		{"1 January after it", "America/New_York", "2049-01-01 22:30", "2049-01-02T03:30:00Z"},
		{"no changes", "Asia/Kolkata", "2024-02-29 00:00", "2024-02-28T18:30:00Z"},
		{"UTC", "UTC", "2024-02-29 00:00", "2024-02-29T00:00:00Z"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			at := Instant(wallClock(t, test.wall), zoneNamed(t, test.zone))
			if utcText(at) != test.want {
				t.Errorf("%s in %s is %s, want %s", test.wall, test.zone, utcText(at), test.want)
			}
		})
	}
}

func TestScheduleAt(t *testing.T) {
	monthEnds := scheduleOf(t, "Europe/Moscow", Monthly, "2027-01-31 10:00", "")
	leapDay := scheduleOf(t, "UTC", Monthly, "2024-02-29 10:00", "")
	ending := scheduleOf(t, "Europe/Berlin", Daily, "2024-03-29 02:30", "2024-03-31 02:30")
	apia := scheduleOf(t, "Pacific/Apia", Daily, "2011-12-29 00:00", "")
	tests := []struct {
		name     string
		schedule Schedule
		no       int
		want     string // empty: no such occurrence
	}{
		{"31 January", monthEnds, 0, "2027-01-31T07:00:00Z"},
		{"28 February", monthEnds, 1, "2027-02-28T07:00:00Z"},
		{"31 March again", monthEnds, 2, "2027-03-31T07:00:00Z"},
		{"30 April", monthEnds, 3, "2027-04-30T07:00:00Z"},
		{"29 February", monthEnds, 13, "2028-02-29T07:00:00Z"},
		{"below 0", monthEnds, -1, ""},
		{"leap day moves", leapDay, 12, "2025-02-28T10:00:00Z"},
		{"leap day returns", leapDay, 48, "2028-02-29T10:00:00Z"},
		{"century without leap day", leapDay, 76 * 12, "2100-02-28T10:00:00Z"},
		{"after a change the clock counts", scheduleOf(t, "Europe/Berlin", Weekly, "2024-03-25 09:00", ""),
			1, "2024-04-01T07:00:00Z"},
		{"before the end", ending, 1, "2024-03-30T01:30:00Z"},
		{"at the end, both in a gap", ending, 2, ""},
		{"after the end", ending, 3, ""},
		{"once", scheduleOf(t, "UTC", Once, "2024-01-01 00:00", ""), 0, "2024-01-01T00:00:00Z"},
		{"once, twice", scheduleOf(t, "UTC", Once, "2024-01-01 00:00", ""), 1, ""},
		{"end before start", scheduleOf(t, "UTC", Once, "2024-01-01 00:00", "2023-12-31 00:00"), 0, ""},
		{"unknown periodicity is no repetition", scheduleOf(t, "UTC", "hourly", "2024-01-01 00:00", ""), 1, ""},
		{"the skipped day", apia, 1, "2011-12-30T10:00:00Z"},
		{"the same moment", apia, 2, ""},
		{"the day after", apia, 3, "2011-12-31T10:00:00Z"},
		{"the same moment as a start", scheduleOf(t, "Pacific/Apia", Daily, "2011-12-31 00:00", ""),
			0, "2011-12-30T10:00:00Z"},
		{"year 9999", scheduleOf(t, "UTC", Monthly, "9999-11-30 00:00", ""), 1, "9999-12-30T00:00:00Z"},
		{"after year 9999", scheduleOf(t, "UTC", Monthly, "9999-11-30 00:00", ""), 2, ""},
		{"far too high", apia, 1 << 62, ""},
		{"far too low", apia, -1 << 62, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			at, ok := test.schedule.At(test.no)
			if got := utcText(at); ok != (test.want != "") || ok && got != test.want {
				t.Errorf("At(%d) = %s, %v, want %q", test.no, got, ok, test.want)
			}
		})
	}
}

func TestScheduleFrom(t *testing.T) {
	apia := scheduleOf(t, "Pacific/Apia", Daily, "2011-12-29 00:00", "2012-01-02 00:00")
	for no, want := range map[int]int{-1: 0, 0: 0, 1: 1, 2: 3, 3: 3, 4: -1, 5: -1, 1 << 62: -1} {
		o, ok := apia.From(no)
		if ok != (want >= 0) || ok && o.No != want {
			t.Errorf("From(%d) = %+v, %v, want %d", no, o, ok, want)
		}
	}
}

func TestScheduleNext(t *testing.T) {
	apia := scheduleOf(t, "Pacific/Apia", Daily, "2011-12-29 00:00", "")
	doubled := scheduleOf(t, "Europe/Berlin", Daily, "2000-10-27 02:30", "2024-10-28 02:30")
	tests := []struct {
		name     string
		schedule Schedule
		after    string
		no       int // -1: none
		want     string
	}{
		{"before the start", doubled, "1999-01-01T00:00:00Z", 0, "2000-10-27T00:30:00Z"},
		{"hours before the start", doubled, "2000-10-26T20:00:00Z", 0, "2000-10-27T00:30:00Z"},
		{"just before one", doubled, "2024-10-26T00:29:59Z", 8765, "2024-10-26T00:30:00Z"},
		{"strictly after", doubled, "2024-10-26T00:30:00Z", 8766, "2024-10-27T00:30:00Z"},
		{"the second 02:20 comes after the first 02:30", doubled, "2024-10-27T01:20:00Z", -1, ""},
		{"none before the end", doubled, "2024-10-27T00:30:00Z", -1, ""},
		{"skips the same moment", apia, "2011-12-30T10:00:00Z", 3, "2011-12-31T10:00:00Z"},
		{"26 years of days", scheduleOf(t, "Europe/Moscow", Daily, "2000-11-23 09:00", ""),
			"2026-11-23T05:59:00Z", 9496, "2026-11-23T06:00:00Z"},
		{"26 years of months", scheduleOf(t, "Europe/Moscow", Monthly, "2000-12-31 09:00", ""),
			"2026-11-23T05:59:00Z", 311, "2026-11-30T06:00:00Z"},
		{"nothing after year 9999", apia, "9999-12-31T10:00:00Z", -1, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			after, err := time.Parse(time.RFC3339, test.after)
			if err != nil {
				t.Fatal(err)
			}
			o, ok := test.schedule.Next(after)
			if ok != (test.no >= 0) || ok && (o.No != test.no || utcText(o.At) != test.want) {
				t.Errorf("Next(%s) = %d %s, %v, want %d %s", test.after, o.No, utcText(o.At), ok, test.no, test.want)
			}
		})
	}
}

func TestScheduleUpcoming(t *testing.T) {
	s := scheduleOf(t, "Pacific/Apia", Daily, "2011-12-28 00:00", "2012-01-03 00:00")
	numbers := func(list []Occurrence) (no []int) {
		for _, o := range list {
			no = append(no, o.No)
		}
		return no
	}
	start, _ := s.At(0)
	for limit, want := range [][]int{nil, {1}, {1, 2}, {1, 2, 4}, {1, 2, 4, 5}, {1, 2, 4, 5}} {
		if got := numbers(s.Upcoming(start, limit)); !reflect.DeepEqual(got, want) {
			t.Errorf("Upcoming of %d: %v, want %v", limit, got, want)
		}
	}
}

func TestScheduleDue(t *testing.T) {
	s := scheduleOf(t, "UTC", Daily, "2024-01-01 10:00", "2024-01-06 00:00")
	apia := scheduleOf(t, "Pacific/Apia", Daily, "2011-12-29 00:00", "")
	tests := []struct {
		name     string
		schedule Schedule
		no       int
		now      string
		missed   []int
		due      int // -1: none
	}{
		{"too early", s, 0, "2024-01-01 09:59", nil, -1},
		{"on time", s, 0, "2024-01-01 10:00", nil, 0},
		{"late, still the latest", s, 0, "2024-01-02 09:59", nil, 0},
		{"already planned", s, 1, "2024-01-02 09:59", nil, -1},
		{"after downtime", s, 1, "2024-01-04 12:00", []int{1, 2}, 3},
		{"the last one, just before the end", s, 4, "2024-01-05 23:59", nil, 4},
		{"the end has come", s, 3, "2024-01-06 00:00", []int{3, 4}, -1},
		{"long after the end", s, 0, "2034-01-01 00:00", []int{0, 1, 2, 3, 4}, -1},
		{"all planned, at the end", s, 5, "2024-01-06 00:00", nil, -1},
		{"the same moment counts once", apia, 0, "2011-12-31 12:00", []int{0, 1}, 3},
		{"nor again by its own number", apia, 2, "2011-12-30 12:00", nil, -1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			missed, due, ok := test.schedule.Due(test.no, wallClock(t, test.now))
			var got []int
			for _, o := range missed {
				got = append(got, o.No)
			}
			if !reflect.DeepEqual(got, test.missed) || ok != (test.due >= 0) || ok && due.No != test.due {
				t.Errorf("missed %v, due %v %v, want %v, %d", got, due, ok, test.missed, test.due)
			}
		})
	}
}

func TestEndAt(t *testing.T) {
	if at, ok := scheduleOf(t, "UTC", Once, "2024-01-01 00:00", "").EndAt(); ok {
		t.Errorf("no end, but EndAt is %s", at)
	}
	at, ok := scheduleOf(t, "Europe/Berlin", Once, "2024-01-01 00:00", "2024-10-27 02:30").EndAt()
	if !ok || utcText(at) != "2024-10-27T00:30:00Z" {
		t.Errorf("EndAt = %s, %v, want the first 02:30", utcText(at), ok)
	}
}

func TestPeriodicityValid(t *testing.T) {
	for p, want := range map[Periodicity]bool{
		Once: true, Daily: true, Weekly: true, Monthly: true, "": false, "Daily": false, "yearly": false,
	} {
		if p.Valid() != want {
			t.Errorf("%q valid: %v", p, !want)
		}
	}
}

func TestLoadZone(t *testing.T) {
	for _, name := range []string{"UTC", "Europe/Kyiv", "America/Argentina/Buenos_Aires", "Etc/GMT+5"} {
		if zone, err := LoadZone(name); err != nil || zone.String() != name {
			t.Errorf("%s: %v, %v", name, zone, err)
		}
	}
	for _, name := range []string{
		"", "Local", "localtime", "posixrules", "right/UTC", "posix/UTC", "Europe", "Europe/Nowhere",
		"../UTC", "/usr/share/zoneinfo/UTC", "UTC\x00", "Europe/Berlin ", "tzdata.zi",
	} {
		_, err := LoadZone(name)
		want := Errorf(Invalid, "timezone", "mailings.timezone_unknown")
		if !reflect.DeepEqual(err, error(want)) {
			t.Errorf("%q: %v, want %v", name, err, want)
		}
	}
}
