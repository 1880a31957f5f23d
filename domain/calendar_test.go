package domain

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

func calendarMailing(id int64, start string, every Periodicity) Mailing {
	wall, err := time.Parse(WallFormat, start)
	if err != nil {
		panic(err)
	}
	return Mailing{ID: id, Audience: AudienceAll, StartLocal: wall, Timezone: "Europe/Berlin", Periodicity: every, Status: Running}
}

func TestSlots(t *testing.T) {
	from, to := time.Date(2031, 1, 31, 23, 0, 0, 0, time.UTC), time.Date(2031, 2, 28, 23, 0, 0, 0, time.UTC)
	sent := calendarMailing(4, "2031-02-03T10:00", Once)
	sent.NextNo = 1
	begun := calendarMailing(5, "2031-01-06T12:00", Weekly)
	begun.NextNo = 6 // 17 February
	slots := Slots([]Mailing{
		calendarMailing(1, "2031-01-31T09:00", Monthly), calendarMailing(2, "2031-02-01T00:00", Once),
		calendarMailing(3, "2031-03-01T00:00", Once), sent, begun,
	}, from, to)
	got := ""
	for _, one := range slots {
		got += fmt.Sprintf("%d: %s; ", one.Mailing.ID, one.At.Format("02 15:04"))
	}
	if want := "2: 31 23:00; 5: 17 11:00; 5: 24 11:00; 1: 28 08:00; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if days := Slots([]Mailing{calendarMailing(1, "2031-01-01T09:00", Daily)}, from, to); len(days) != 28 {
		t.Errorf("%d runs a day in February", len(days))
	}
}

func TestClashes(t *testing.T) {
	from, to := time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC), time.Date(2031, 3, 1, 0, 0, 0, 0, time.UTC)
	weekly := func(id int64, start string) Mailing { return calendarMailing(id, start, Weekly) }
	everybody := func(_, _ Mailing) int64 { return 7 }
	for _, tt := range []struct {
		name     string
		mailings []Mailing
		overlap  func(a, b Mailing) int64
		want     string
	}{
		{"the same hour", []Mailing{weekly(1, "2031-02-03T10:00"), weekly(2, "2031-02-03T10:59")}, everybody, "1 2 hour 4; "},
		{"the same day", []Mailing{weekly(1, "2031-02-03T10:00"), weekly(2, "2031-02-03T11:00")}, everybody, "1 2 day 4; "},
		{"another day", []Mailing{weekly(1, "2031-02-03T10:00"), weekly(2, "2031-02-04T10:00")}, everybody, ""},
		{"around midnight", []Mailing{weekly(1, "2031-02-03T23:40"), weekly(2, "2031-02-04T00:10")}, everybody, "1 2 hour 4; "},
		{"nobody in both", []Mailing{weekly(1, "2031-02-03T10:00"), weekly(2, "2031-02-03T10:00")},
			func(_, _ Mailing) int64 { return 0 }, ""},
		{"the closer ones first", []Mailing{weekly(1, "2031-02-03T10:00"), weekly(2, "2031-02-03T15:00"), weekly(3, "2031-02-03T15:30")},
			everybody, "2 3 hour 4; 1 2 day 4; 1 3 day 4; "},
		{"itself", []Mailing{calendarMailing(1, "2031-02-03T10:00", Daily)}, everybody, ""},
	} {
		got := ""
		for _, one := range Clashes(Slots(tt.mailings, from, to), time.FixedZone("", 3600), tt.overlap) {
			got += fmt.Sprintf("%d %d %s %d; ", one.One.ID, one.Other.ID, map[bool]string{true: "hour", false: "day"}[one.SameHour], len(one.At))
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOverlaps(t *testing.T) {
	o := NewOverlaps([]TagSet{{nil, nil, 95}, {nil, []string{"News"}, 20}, {nil, []string{"VIP", "news"}, 3}, {[]int64{8}, []string{"vip"}, 2},
		{[]int64{8}, nil, 1}, {[]int64{8, 9}, nil, 4}})
	all, news, vip := Mailing{ID: 1, Audience: AudienceAll}, Mailing{ID: 2, Audience: AudienceTags, Tags: []string{"news"}},
		Mailing{ID: 3, Audience: AudienceTags, Tags: []string{"Vip"}}
	picked, other := Mailing{ID: 8, Audience: AudiencePicked}, Mailing{ID: 9, Audience: AudiencePicked}
	for _, tt := range []struct {
		a, b Mailing
		want int64
	}{{all, all, 125}, {all, news, 23}, {news, vip, 3}, {vip, news, 3}, {all, picked, 7}, {picked, vip, 2}, {news, picked, 0}, {picked, other, 4}, {other, picked, 4}} {
		if got := o.Of(tt.a, tt.b); got != tt.want {
			t.Errorf("%d and %d share %d, want %d", tt.a.ID, tt.b.ID, got, tt.want)
		}
	}
}

// A mailing that ends with its last message has no dates behind it, in whichever month they are looked for.
func TestRotationEndsInTheCalendar(t *testing.T) {
	m := calendarMailing(1, "2031-02-03T10:00", Weekly)
	m.Rotation = Rotation{MessageIDs: []int64{1, 2, 3}, RotationStops: true}
	m.Exceptions = []Exception{{No: 1}}
	from := time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		days int
		want string
	}{{0, "02-03 02-17 02-24 "}, {10, "02-17 02-24 "}, {20, "02-24 "}, {28, ""}} {
		got := ""
		for _, slot := range Slots([]Mailing{m}, from.AddDate(0, 0, tt.days), from.AddDate(0, 3, 0)) {
			got += slot.At.Format("01-02 ")
		}
		if got != tt.want {
			t.Errorf("%d days later: %q, want %q", tt.days, got, tt.want)
		}
	}
}

// Two emails a week: what is too much waits for room, or is left out when its mailing comes again before.
func TestCapped(t *testing.T) {
	o := NewOverlaps([]TagSet{{nil, nil, 10}, {nil, []string{"news"}, 3}})
	weekly, news := calendarMailing(1, "2031-02-03T10:00", Weekly), calendarMailing(2, "2031-02-04T10:00", Weekly)
	once, daily, important := calendarMailing(3, "2031-02-05T10:00", Once), calendarMailing(4, "2031-02-06T10:00", Daily), calendarMailing(5, "2031-02-07T10:00", Once)
	news.Audience, news.Tags, important.Important = AudienceTags, []string{"news"}, true
	from := time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name     string
		mailings []Mailing
		days     int
		want     string
	}{
		{"the third of the week waits until the first is a week old, which is before the next", []Mailing{weekly, news, once}, 7, "0/0 0/0 3/0 "},
		{"a daily one leaves them out", []Mailing{weekly, news, daily}, 6, "0/0 0/0 0/3 "},
		{"an important one goes out, and counts", []Mailing{weekly, news, once, important}, 10, "0/0 0/0 3/0 0/0 13/0 "},
	} {
		slots := Slots(tt.mailings, from, from.AddDate(0, 0, tt.days))
		waiting, leftOut := o.Capped(slots, 2)
		got := ""
		for i := range slots {
			got += fmt.Sprintf("%d/%d ", waiting[i], leftOut[i])
		}
		if got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if waiting, leftOut := o.Capped(slots, 0); slices.Max(waiting)+slices.Max(leftOut) != 0 {
			t.Errorf("%s: %v %v without a limit", tt.name, waiting, leftOut)
		}
	}
}

func TestCrowds(t *testing.T) {
	o := NewOverlaps([]TagSet{{nil, nil, 95}, {nil, []string{"news"}, 20}, {nil, []string{"vip", "news"}, 3}, {[]int64{8}, []string{"vip"}, 2}})
	all, news := calendarMailing(1, "2031-02-03T10:00", Weekly), calendarMailing(2, "2031-02-03T23:30", Weekly)
	vip, picked := calendarMailing(3, "2031-02-03T10:00", Weekly), calendarMailing(8, "2031-02-10T12:00", Once)
	news.Audience, news.Tags, vip.Audience, vip.Tags, picked.Audience = AudienceTags, []string{"News"}, AudienceTags, []string{"vip"}, AudiencePicked
	got := ""
	for _, one := range o.Crowds([]Mailing{all, news, vip, picked}, 2) {
		got += crowdText(one)
	}
	if want := "1 2 3: 3; 1 3 8: 2; 1 2: 23; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	from := time.Date(2031, 2, 1, 0, 0, 0, 0, time.UTC)
	slots := Slots([]Mailing{all, news, vip, picked}, from, from.AddDate(0, 0, 14))
	got = ""
	for _, one := range o.CrowdedDays(slots, zoneNamed(t, "Europe/Berlin")) {
		got += crowdText(one)
		for _, at := range one.Days {
			got += at.Format("02 ")
		}
	}
	if want := "1 3 2: 3; 03 10 1 3 8: 2; 10 "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if far := o.CrowdedDays(slots, time.FixedZone("", 12*3600)); len(far) != 1 { // there news comes on the next day
		t.Errorf("%+v", far)
	}
}

func crowdText(c Crowd) (text string) {
	for i, m := range c.Mailings {
		if i > 0 {
			text += " "
		}
		text += fmt.Sprint(m.ID)
	}
	return text + fmt.Sprintf(": %d; ", c.Clients)
}

func TestSkippedSlots(t *testing.T) {
	m, now := excepted(t, Weekly, "2031-01-03T10:00")
	if err := m.Skip(2, now); err != nil {
		t.Fatal(err)
	}
	if err := m.Move(3, "2031-01-25T10:00", now); err != nil {
		t.Fatal(err)
	}
	from := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	skipped := SkippedSlots([]Mailing{m}, from, from.AddDate(0, 1, 0))
	if len(skipped) != 1 || skipped[0].No != 2 || skipped[0].At.Format("02 15:04") != "17 09:00" || len(Slots([]Mailing{m}, from, from.AddDate(0, 1, 0))) != 4 {
		t.Errorf("%+v", skipped)
	}
}
