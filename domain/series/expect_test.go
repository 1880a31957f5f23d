package series

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"skychimp/domain"
)

func expectText(list []Expected, zone *time.Location) string {
	var lines []string
	for _, one := range list {
		lines = append(lines, fmt.Sprintf("%d: %s %d", one.Step.Position, one.At.In(zone).Format("01-02 15:04"), one.Emails))
	}
	return strings.Join(lines, ", ")
}

// What is expected of a series is what planning would do to those who are in: the same Due, step by step.
func TestExpect(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	s := Series{Steps: []Step{{ID: 11, Position: 1}, {ID: 12, Position: 2, WaitDays: 2, At: "10:00"}, {ID: 13, Position: 3, WaitDays: 1, At: "10:00", Weekdays: []domain.Weekday{"mon"}}}}
	now := at("2031-03-26 12:00") // a Wednesday; the clocks change on Sunday, the 30th
	for _, tt := range []struct {
		name    string
		waiting []Waiting
		until   string
		want    string
	}{
		{"nobody", nil, "2031-06-01 00:00", ""},
		{"just come in", []Waiting{{StepID: 0, DueAt: time.Unix(0, 0), Clients: 3}}, "2031-06-01 00:00", "1: 03-26 12:00 3, 2: 03-28 10:00 3, 3: 03-31 10:00 3"},
		{"just come to the second", []Waiting{{StepID: 12, DueAt: time.Unix(0, 0), Clients: 3}}, "2031-06-01 00:00", "2: 03-28 10:00 3, 3: 03-31 10:00 3"},
		{"at the second step", []Waiting{{StepID: 12, DueAt: at("2031-03-29 10:00"), Clients: 4}}, "2031-06-01 00:00", "2: 03-29 10:00 4, 3: 03-31 10:00 4"},
		{"up to a time", []Waiting{{StepID: 0, DueAt: time.Unix(0, 0), Clients: 3}}, "2031-03-28 10:00", "1: 03-26 12:00 3"},
		{"two that meet", []Waiting{{StepID: 0, DueAt: time.Unix(0, 0), Clients: 3}, {StepID: 12, DueAt: at("2031-03-28 10:00"), Clients: 2}, {StepID: 13, DueAt: at("2031-03-31 10:00"), Clients: 1}}, "2031-06-01 00:00",
			"1: 03-26 12:00 3, 2: 03-28 10:00 5, 3: 03-31 10:00 6"},
		{"by clocks of their own", []Waiting{{StepID: 0, DueAt: time.Unix(0, 0), Clients: 2}, {StepID: 0, DueAt: time.Unix(0, 0), Zone: "America/New_York", Clients: 1}, {StepID: 13, DueAt: at("2031-03-31 10:00"), Zone: "Asia/Tokyo", Clients: 1}},
			"2031-06-01 00:00", "1: 03-26 12:00 3, 2: 03-28 10:00 2, 2: 03-28 15:00 1, 3: 03-31 10:00 3, 3: 03-31 16:00 1"},
		{"a step that is gone", []Waiting{{StepID: 99, DueAt: at("2031-03-27 09:00"), Clients: 1}}, "2031-03-27 10:00", "1: 03-27 09:00 1"},
	} {
		if got := expectText(s.Expect(tt.waiting, now, at(tt.until), zone), zone); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
	days := ByDay([]Expected{{s.Steps[0], at("2031-03-26 12:00"), 3}, {s.Steps[0], at("2031-03-26 23:59"), 2}, {s.Steps[1], at("2031-03-26 23:59"), 1}, {s.Steps[0], at("2031-03-27 00:00"), 1}}, zone)
	if got := expectText(days, zone); got != "1: 03-26 12:00 5, 2: 03-26 23:59 1, 1: 03-27 00:00 1" {
		t.Error(got)
	}
	for _, tt := range []struct {
		list []Expected
		want string
	}{
		{s.Onward(0, now, nil, zone), "1: 03-26 12:00 1, 2: 03-28 10:00 1, 3: 03-31 10:00 1"},
		{s.OnwardAt(12, at("2031-03-29 10:00"), []int64{11}, zone), "2: 03-29 10:00 1, 3: 03-31 10:00 1"},
		{s.OnwardAt(12, at("2031-03-29 10:00"), []int64{11, 13}, zone), "2: 03-29 10:00 1"},
		{Series{}.Onward(0, now, nil, zone), ""},
	} {
		if got := expectText(tt.list, zone); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	birthday := Series{Entry: Date, Yearly: true, Days: -3}
	if day, ok := birthday.NextTurn("1990-03-27", now); !ok || day.Format(time.DateOnly) != "2032-03-24" {
		t.Errorf("three days before a birthday: %s, %v", day, ok)
	}
	if _, ok := birthday.NextTurn("soon", now); ok {
		t.Error("soon is a date")
	}
}
