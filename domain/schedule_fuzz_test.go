package domain

import (
	"math/rand/v2"
	"testing"
	"time"
)

// The zones of the fuzz tests: whole, half and quarter hours, changes at midnight, of two hours,
// of half an hour, of a day, and none.
var fuzzZones = []string{
	"UTC", "Europe/Berlin", "Europe/Moscow", "America/New_York", "America/Sao_Paulo", "Africa/Cairo",
	"Africa/Casablanca", "Asia/Kolkata", "Asia/Beirut", "Australia/Lord_Howe", "Antarctica/Troll",
	"Pacific/Apia", "Pacific/Kwajalein", "Pacific/Chatham",
}

const fuzzYears = 200 * 366 * 24 * 3600 // in seconds, from 1900 on

func fuzzTime(seconds uint64) time.Time {
	return time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(seconds%fuzzYears) * time.Second)
}

func FuzzInstant(f *testing.F) {
	for i := range fuzzZones {
		f.Add(uint8(i), uint64(3_534_000_000), uint64(1800))
	}
	f.Fuzz(func(t *testing.T, zoneNo uint8, seconds, step uint64) {
		zone := zoneNamed(t, fuzzZones[int(zoneNo)%len(fuzzZones)])
		wall := fuzzTime(seconds)
		at := Instant(wall, zone)
		if clock := clockOf(at, zone); clock.Before(wall) {
			t.Errorf("%s is %s, where clocks show %s", wall, at, clock)
		}
		if clock := clockOf(at.Add(-time.Second), zone); !clock.Before(wall) {
			t.Errorf("%s is %s, but a second before it clocks show %s", wall, at, clock)
		}
		later := wall.Add(time.Duration(step%(3*24*3600)) * time.Second)
		if Instant(later, zone).Before(at) {
			t.Errorf("%s is earlier than %s", later, wall)
		}
	})
}

func FuzzSchedule(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		start := random.Uint64N(fuzzYears)
		f.Add(uint8(random.Uint32()), uint8(random.Uint32()), start, random.Uint64N(fuzzYears),
			start+random.Uint64N(50*366*24*3600), uint16(random.Uint32()))
	}
	apia := uint64(time.Date(2011, 12, 29, 0, 0, 0, 0, time.UTC).Unix() - fuzzTime(0).Unix())
	f.Add(uint8(11), uint8(1), apia, uint64(0), apia+24*3600+10*3600, uint16(0))
	f.Fuzz(func(t *testing.T, zoneNo, every uint8, start, end, after uint64, back uint16) {
		s := Schedule{
			Start: fuzzTime(start),
			Zone:  zoneNamed(t, fuzzZones[int(zoneNo)%len(fuzzZones)]),
			Every: []Periodicity{Once, Daily, Weekly, Monthly}[every%4],
		}
		if end%3 > 0 {
			s.End = fuzzTime(end)
		}
		checkNext(t, s, fuzzTime(after))
		checkDue(t, s, fuzzTime(after), int(back%40))
	})
}

// checkNext holds that Next and At agree, that instants ascend and that Next leaves none out.
func checkNext(t *testing.T, s Schedule, after time.Time) {
	for range 4 {
		o, ok := s.Next(after)
		if !ok {
			return
		}
		if at, ok := s.At(o.No); !ok || !at.Equal(o.At) {
			t.Fatalf("%+v: Next(%s) is %+v, but At gives %s, %v", s, after, o, at, ok)
		}
		if !o.At.After(after) {
			t.Fatalf("%+v: Next(%s) is %+v", s, after, o)
		}
		if end, ends := s.EndAt(); ends && !o.At.Before(end) {
			t.Fatalf("%+v: %+v at or after the end %s", s, o, end)
		}
		for no := o.No - 1; no >= max(0, o.No-3); no-- {
			if at, ok := s.At(no); ok && at.After(after) {
				t.Fatalf("%+v: Next(%s) is %+v, but %d is at %s", s, after, o, no, at)
			}
		}
		after = o.At
	}
}

// checkDue holds that missed and due together are the occurrences from no up to now, in order.
func checkDue(t *testing.T, s Schedule, now time.Time, back int) {
	next, _ := s.Next(now) // number 0 when there is none
	no := max(0, next.No-back)
	missed, due, ok := s.Due(no, now)
	if end, ends := s.EndAt(); ok && ends && !now.Before(end) {
		t.Fatalf("%+v: %+v is due at %s, after the end", s, due, now)
	}
	got := missed
	if ok {
		got = append(got, due)
	}
	for ; len(got) > 0; no++ {
		at, happens := s.At(no)
		if !happens && no < got[0].No {
			continue
		}
		if got[0].No != no || !got[0].At.Equal(at) || at.After(now) {
			t.Fatalf("%+v at %s: got %+v, want number %d at %s", s, now, got[0], no, at)
		}
		got = got[1:]
	}
	if at, happens := s.At(no); happens && !at.After(now) {
		t.Fatalf("%+v at %s: number %d at %s is left out", s, now, no, at)
	}
}

func BenchmarkNext(b *testing.B) {
	s := scheduleOf(b, "Europe/Berlin", Daily, "2000-11-23 02:30", "")
	after := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for b.Loop() {
		s.Next(after)
	}
}
