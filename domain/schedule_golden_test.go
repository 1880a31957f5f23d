package domain

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write testdata/schedule.golden anew")

// The golden table ends before 2025, because governments change the rules of later years. A table
// alone would keep a wrong rule as well as a right one: testdata/schedule.py prints the same one
// by another algorithm, and after -update the two must be compared.
func TestScheduleGolden(t *testing.T) {
	const file = "testdata/schedule.golden"
	zones := []struct {
		name string
		year int // the first of six
	}{
		{"Europe/Berlin", 2019}, {"America/New_York", 2011}, {"Australia/Lord_Howe", 2015},
		{"Asia/Kolkata", 2019}, {"America/Sao_Paulo", 2014}, {"Africa/Cairo", 2010},
		{"Africa/Cairo", 2019}, {"Pacific/Apia", 2009}, {"Europe/Moscow", 2010},
	}
	clocks := []string{"00:00", "00:30", "01:30", "02:15", "02:30"}
	var got bytes.Buffer
	for _, zone := range zones {
		table := func(every Periodicity, date time.Time, clock string) {
			start := date.Format("2006-01-02 ") + clock
			end := date.AddDate(6, 0, 2).Format("2006-01-02 ") + clock
			printSchedule(&got, scheduleOf(t, zone.name, every, start, end))
		}
		first := time.Date(zone.year, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, clock := range clocks {
			table(Daily, first, clock)
		}
		sunday := first.AddDate(0, 0, int(7-first.Weekday())%7)
		for _, clock := range clocks {
			table(Weekly, sunday, clock)
		}
		table(Monthly, first.AddDate(0, 0, 28), "00:00")
		table(Monthly, first.AddDate(0, 0, 29), "00:30")
		table(Monthly, first.AddDate(0, 0, 30), "01:30")
		table(Monthly, first.AddDate(0, 0, 30), "02:30")
		for _, c := range []struct {
			every    Periodicity
			interval int
			nth      int
			weekdays []Weekday
		}{
			{Daily, 3, 0, nil}, {Weekly, 2, 0, nil}, {Monthly, 3, 0, nil},
			{Monthly, 1, 1, []Weekday{"mon"}}, {Monthly, 2, -1, []Weekday{"fri"}}, {Monthly, 1, -1, []Weekday{"mon", "tue", "wed", "thu", "fri"}},
		} {
			start := scheduleOf(t, zone.name, c.every, first.AddDate(0, 0, 30).Format("2006-01-02 ")+"02:30", first.AddDate(6, 0, 2).Format("2006-01-02 ")+"02:30")
			start.Days = Days{Interval: c.interval, Nth: c.nth, Weekdays: c.weekdays}
			printSchedule(&got, start)
		}
	}
	if *update {
		if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := bytes.Split(got.Bytes(), []byte("\n")), bytes.Split(want, []byte("\n"))
	if len(gotLines) != len(wantLines) {
		t.Errorf("%d lines, want %d", len(gotLines), len(wantLines))
	}
	for i := range min(len(gotLines), len(wantLines)) {
		if !bytes.Equal(gotLines[i], wantLines[i]) {
			t.Fatalf("line %d of %s:\ngot  %s\nwant %s", i+1, file, gotLines[i], wantLines[i])
		}
	}
}

// printSchedule writes the occurrences of the first six years (UTC). Consecutive ones with the same
// note share a line; the note is the offset and whatever is not as in the start.
func printSchedule(out *bytes.Buffer, s Schedule) {
	var from, to Occurrence
	var note string
	flush := func() {
		number, moments := strconv.Itoa(from.No), from.At.Format("2006-01-02T15:04Z")
		if from.No != to.No {
			number, moments = fmt.Sprintf("%d-%d", from.No, to.No), moments+to.At.Format(" 2006-01-02T15:04Z")
		}
		fmt.Fprintf(out, "  %-10s%-36s%s\n", number, moments, note)
	}
	fmt.Fprintf(out, "%s %s from %s", s.Zone, s.Every, s.Start.Format(WallFormat))
	if s.Days.Interval > 0 {
		fmt.Fprintf(out, " interval %d nth %d %v", s.Days.Interval, s.Days.Nth, s.Days.Weekdays)
	}
	fmt.Fprintln(out)
	before := s.Start.AddDate(0, 0, -2)
	for _, o := range s.Upcoming(before, 3000) {
		if o.At.Year() >= s.Start.Year()+6 {
			break
		}
		noted := noteOf(s, o.At)
		switch {
		case from.At.IsZero():
			from, note = o, noted
		case noted != note || o.No != to.No+1:
			flush()
			from, note = o, noted
		}
		to = o
	}
	flush()
}

func noteOf(s Schedule, at time.Time) string {
	local := at.In(s.Zone)
	note := local.Format("-07:00")
	if clock := local.Format("15:04"); clock != s.Start.Format("15:04") {
		note += " skipped, at " + clock
	}
	_, offset := local.Zone()
	_, offsetLater := local.Add(4 * time.Hour).Zone()
	again := local.Add(time.Duration(offset-offsetLater) * time.Second)
	if offsetLater < offset && again.Format(WallFormat) == local.Format(WallFormat) {
		note += " twice"
	}
	if s.Every == Monthly && local.Day() != s.Start.Day() {
		note += fmt.Sprint(" day ", local.Day())
	}
	return note
}

// TestInstantScan compares Instant around every clock change of 1990 to 2037 with the contract's
// sentence taken literally, looking at each minute.
func TestInstantScan(t *testing.T) {
	for _, name := range []string{
		"Europe/Berlin", "Europe/Dublin", "Europe/Moscow", "America/New_York", "America/Sao_Paulo",
		"America/Havana", "America/St_Johns", "America/Caracas", "Africa/Cairo", "Africa/Casablanca",
		"Asia/Beirut", "Asia/Tehran", "Asia/Gaza", "Asia/Pyongyang", "Asia/Kolkata",
		"Australia/Lord_Howe", "Antarctica/Troll", "Pacific/Apia", "Pacific/Kwajalein", "Pacific/Chatham",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			zone := zoneNamed(t, name)
			at := time.Date(1990, 1, 1, 0, 0, 0, 0, time.UTC)
			for ; at.Year() < 2038; at = at.Add(time.Hour) {
				if clockOf(at, zone) != clockOf(at.Add(time.Hour), zone).Add(-time.Hour) {
					scanChange(t, zone, at)
				}
			}
		})
	}
}

// clockOf is what the clocks of zone show, as a wall clock.
func clockOf(at time.Time, zone *time.Location) time.Time {
	local := at.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day(),
		local.Hour(), local.Minute(), local.Second(), 0, time.UTC)
}

// scanChange checks walls around the clock change in the hour after at.
func scanChange(t *testing.T, zone *time.Location, at time.Time) {
	var minutes, clocks []time.Time
	for m := at.Add(-30 * time.Hour); m.Before(at.Add(30 * time.Hour)); m = m.Add(time.Minute) {
		minutes, clocks = append(minutes, m), append(clocks, clockOf(m, zone))
	}
	literal := func(wall time.Time) time.Time {
		for i, clock := range clocks {
			if clock.Equal(wall) {
				return minutes[i] // the first time
			}
		}
		for i := 1; i < len(clocks); i++ {
			if clocks[i-1].Before(wall) && clocks[i].After(wall) {
				return minutes[i] // the first moment after the gap
			}
		}
		return time.Time{}
	}
	last := clockOf(at.Add(4*time.Hour), zone)
	for wall := clockOf(at.Add(-3*time.Hour), zone); wall.Before(last); wall = wall.Add(15 * time.Minute) {
		if got, want := Instant(wall, zone), literal(wall); !got.Equal(want) {
			t.Errorf("%s is %s, want %s", wall.Format(WallFormat), utcText(got), utcText(want))
		}
	}
}
