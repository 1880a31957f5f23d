package series

import (
	"fmt"
	"testing"
	"time"

	"skychimp/domain"
)

func at(t *testing.T, text string, zone *time.Location) time.Time {
	t.Helper()
	moment, err := time.ParseInLocation("2006-01-02 15:04", text, zone)
	if err != nil {
		t.Fatal(err)
	}
	return moment
}

func TestDue(t *testing.T) {
	berlin, kyiv, apia := domainZone(t, "Europe/Berlin"), domainZone(t, "Europe/Kyiv"), domainZone(t, "Pacific/Apia")
	days := func(days ...domain.Weekday) []domain.Weekday { return days }
	for _, one := range []struct {
		name        string
		step        Step
		zone        *time.Location
		since, want string
	}{
		{"at once", Step{}, berlin, "2026-12-01 10:17", "2026-12-01 10:17"},
		{"at once, but not at the weekend", Step{Weekdays: days("mon", "tue")}, berlin, "2026-12-05 10:17", "2026-12-07 10:17"},
		{"three days later", Step{WaitDays: 3}, berlin, "2026-12-01 10:17", "2026-12-04 10:17"},
		{"over the end of a month", Step{WaitDays: 1}, berlin, "2027-02-28 10:00", "2027-03-01 10:00"},
		{"today at ten", Step{At: "10:00"}, berlin, "2026-12-01 08:00", "2026-12-01 10:00"},
		{"today at ten, to the minute", Step{At: "10:00"}, berlin, "2026-12-01 10:00", "2026-12-01 10:00"},
		{"ten has passed", Step{At: "10:00"}, berlin, "2026-12-01 10:01", "2026-12-02 10:00"},
		{"ten has passed before a weekend", Step{At: "10:00", Weekdays: days("mon", "fri")}, berlin, "2026-12-04 11:00", "2026-12-07 10:00"},
		{"tomorrow morning, after an evening", Step{WaitDays: 1, At: "09:00"}, berlin, "2026-12-01 22:00", "2026-12-02 09:00"},
		{"a week, then Tuesday", Step{WaitDays: 7, At: "09:00", Weekdays: days("tue")}, berlin, "2026-12-02 12:00", "2026-12-15 09:00"},
		{"an hour that spring skips", Step{WaitDays: 1, At: "02:30"}, berlin, "2027-03-27 12:00", "2027-03-28 03:00"},
		{"an hour that spring skips, without an hour", Step{WaitDays: 1}, berlin, "2027-03-27 02:30", "2027-03-28 03:00"},
		{"the same hour over spring", Step{WaitDays: 1, At: "10:00"}, kyiv, "2027-03-27 12:00", "2027-03-28 10:00"},
		{"the same hour over autumn", Step{WaitDays: 2}, kyiv, "2026-10-24 12:00", "2026-10-26 12:00"},
		{"a day that was skipped", Step{WaitDays: 1, At: "10:00"}, apia, "2011-12-29 12:00", "2011-12-31 00:00"},
		{"the year's end", Step{WaitDays: 365}, berlin, "2027-01-01 09:00", "2028-01-01 09:00"},
	} {
		got := one.step.Due(at(t, one.since, one.zone), one.zone)
		if want := at(t, one.want, one.zone); !got.Equal(want) {
			t.Errorf("%s: %v, want %v", one.name, got.In(one.zone), want)
		}
	}
	// Of an hour that autumn repeats the first counts; who comes in during the second waits for the next day.
	second := at(t, "2026-10-25 02:30", berlin).Add(time.Hour)
	if got := (Step{At: "02:30"}).Due(second, berlin); !got.Equal(at(t, "2026-10-26 02:30", berlin)) {
		t.Errorf("in a repeated hour: %v", got.In(berlin))
	}
	if got := (Step{}).Due(second, berlin); !got.Equal(second) {
		t.Errorf("at once in a repeated hour: %v", got.In(berlin))
	}
}

// Whatever the step, it is not due before what it is counted from, and later the later that is.
func TestDueNeverGoesBack(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "UTC"} {
		zone := domainZone(t, name)
		for _, step := range []Step{{}, {WaitDays: 1}, {At: "02:30"}, {WaitDays: 2, At: "01:59"}, {WaitDays: 1, At: "02:00", Weekdays: []domain.Weekday{"sun"}}} {
			var before time.Time
			for since := time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC); since.Year() < 2027; since = since.Add(47 * time.Minute) {
				due := step.Due(since, zone)
				if due.Before(since) || step.At != "" && due.Before(before) {
					t.Fatalf("%s, %+v: %v after %v, %v before", name, step, due, since, before)
				}
				before = due
			}
		}
	}
}

func TestTurns(t *testing.T) {
	day := func(text string) time.Time {
		date, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return date
	}
	for _, one := range []struct {
		name              string
		s                 Series
		date, first, last string
		want              string
	}{
		{"birthday", Series{Yearly: true}, "1990-12-03", "2026-12-01", "2026-12-05", "2026-12-03"},
		{"three days before a birthday", Series{Yearly: true, Days: -3}, "1990-01-02", "2026-12-28", "2026-12-31", "2026-12-30"},
		{"another day", Series{Yearly: true}, "1990-12-03", "2026-12-04", "2026-12-08", ""},
		{"29 February in another year", Series{Yearly: true}, "2000-02-29", "2027-02-26", "2027-03-02", "2027-02-28"},
		{"29 February in its own", Series{Yearly: true}, "2000-02-29", "2028-02-26", "2028-03-02", "2028-02-29"},
		{"the end of a contract", Series{Days: -30}, "2027-01-15", "2026-12-14", "2026-12-18", "2026-12-16"},
		{"last year's contract", Series{}, "2025-12-03", "2026-12-01", "2026-12-05", ""},
		{"after a purchase", Series{Days: 14}, "2026-12-01", "2026-12-14", "2026-12-16", "2026-12-15"},
	} {
		got := ""
		for _, turn := range one.s.Turns(day(one.date), day(one.first), day(one.last)) {
			got += turn.Format(time.DateOnly)
		}
		if got != one.want {
			t.Errorf("%s: %q, want %q", one.name, got, one.want)
		}
		found := false
		for _, date := range one.s.Dates(day(one.first), day(one.last)) {
			found = found || one.date == date || one.s.Yearly && one.date[4:] == date
		}
		if found != (one.want != "") {
			t.Errorf("%s: found among the dates: %v", one.name, found)
		}
	}
	if got := (Step{}).DueOn(day("2026-12-03"), domainZone(t, "Europe/Berlin")); got.Format(time.RFC3339) != "2026-12-03T08:00:00Z" {
		t.Error("a date without an hour:", got)
	}
}

func domainZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := domain.LoadZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestReplace(t *testing.T) {
	steps := func(ids ...int64) (list []Step) {
		for i, id := range ids {
			list = append(list, Step{ID: id, Position: i + 1, MessageID: 100 + id})
		}
		return list
	}
	for _, one := range []struct {
		name          string
		before, after []int64
		asks, goes    string
	}{
		{"nothing", []int64{1, 2, 3}, []int64{1, 2, 3}, "[]", "map[]"},
		{"added at the end", []int64{1, 2}, []int64{1, 2, 0}, "[3]", "map[]"},
		{"added between", []int64{1, 2}, []int64{1, 0, 2}, "[2]", "map[]"},
		{"removed", []int64{1, 2, 3}, []int64{1, 3}, "[]", "map[2:3]"},
		{"the last removed", []int64{1, 2, 3}, []int64{1, 2}, "[]", "map[3:0]"},
		{"two removed", []int64{1, 2, 3, 4}, []int64{1, 4}, "[]", "map[2:4 3:4]"},
		{"moved back", []int64{1, 2, 3}, []int64{1, 3, 2}, "[3]", "map[2:3]"},
		{"the last moved to the front", []int64{1, 2, 3}, []int64{3, 1, 2}, "[1]", "map[]"},
		{"the first moved to the end", []int64{1, 2, 3}, []int64{2, 3, 1}, "[3]", "map[1:2]"},
		{"moved and removed", []int64{1, 2, 3, 4}, []int64{4, 1, 3}, "[1]", "map[2:3]"},
		{"all others", []int64{1, 2}, []int64{0, 0}, "[1 2]", "map[1:0 2:0]"},
	} {
		s := Series{Steps: steps(one.before...)}
		edit := s.replace(steps(one.after...))
		asks := []int{}
		for i, step := range edit.Steps {
			if step.Position != i+1 {
				t.Errorf("%s: step %d at %d", one.name, i, step.Position)
			}
			if step.Asks {
				asks = append(asks, step.Position)
			}
		}
		if fmt.Sprint(asks) != one.asks || fmt.Sprint(edit.Goes) != one.goes {
			t.Errorf("%s: asks %v, goes %v, want %s, %s", one.name, asks, edit.Goes, one.asks, one.goes)
		}
	}
	// Programs may leave the numbers out: the message tells which step it is.
	edit := Series{Steps: steps(1, 2)}.replace([]Step{{MessageID: 101}, {MessageID: 300}, {MessageID: 102, WaitDays: 2}})
	if edit.Steps[0].ID != 1 || edit.Steps[1].ID != 0 || edit.Steps[2].ID != 2 || fmt.Sprint(edit.Anew) != "[2]" || len(edit.Removed) > 0 {
		t.Errorf("%+v", edit)
	}
}

func TestNext(t *testing.T) {
	s := Series{Steps: []Step{{ID: 1, Position: 1}, {ID: 4, Position: 2}, {ID: 2, Position: 3}, {ID: 3, Position: 4}}}
	for _, one := range []struct {
		after  int
		passed []int64
		want   int64
	}{{0, nil, 1}, {1, []int64{1}, 4}, {2, []int64{1, 2, 4}, 3}, {4, []int64{3}, 0}, {3, []int64{1, 2, 3}, 0}} {
		got := int64(0)
		if next := s.Next(one.after, one.passed); next != nil {
			got = next.ID
		}
		if got != one.want {
			t.Errorf("after %d with %v: %d, want %d", one.after, one.passed, got, one.want)
		}
	}
}

func TestChange(t *testing.T) {
	own := Own{Zone: "UTC", Forms: []domain.Form{{ID: 7, Token: "abc"}}, Fields: []domain.Field{{ID: 3, Key: "birthday", Type: domain.FieldDate}, {ID: 4, Key: "city", Type: domain.FieldText}}}
	good := Input{Name: "Welcome", Entry: "added", Steps: []StepInput{{MessageID: 1}}}
	for _, one := range []struct {
		name   string
		change func(*Input)
		want   string // the field that is wrong
	}{
		{"good", func(*Input) {}, ""},
		{"no name", func(in *Input) { in.Name = " " }, "name"},
		{"an entry that is none", func(in *Input) { in.Entry = "x" }, "entry"},
		{"a tag", func(in *Input) { in.Entry, in.EntryValue = "tag", "vip" }, ""},
		{"no tag", func(in *Input) { in.Entry = "tag" }, "entry_value"},
		{"two tags", func(in *Input) { in.Entry, in.EntryValue = "tag", "a, b" }, "entry_value"},
		{"a form", func(in *Input) { in.Entry, in.EntryValue = "form", "7" }, ""},
		{"a form by its address", func(in *Input) { in.Entry, in.EntryValue = "form", "abc" }, ""},
		{"somebody's form", func(in *Input) { in.Entry, in.EntryValue = "form", "8" }, "entry_value"},
		{"a date", func(in *Input) { in.Entry, in.EntryValue = "date", "birthday-3 yearly" }, ""},
		{"no date", func(in *Input) { in.Entry, in.EntryValue = "date", "city" }, "entry_value"},
		{"too far from a date", func(in *Input) { in.Entry, in.EntryValue = "date", "birthday+400" }, "entry_value"},
		{"a goal that brings in", func(in *Input) { in.Entry, in.EntryValue, in.GoalTag = "tag", "vip", "VIP" }, "goal_tag"},
		{"no steps", func(in *Input) { in.Steps = nil }, "steps"},
		{"51 steps", func(in *Input) { in.Steps = make([]StepInput, 51) }, "steps"},
		{"no message", func(in *Input) { in.Steps = []StepInput{{MessageID: 1}, {}} }, "step_message_id-1"},
		{"a negative wait", func(in *Input) { in.Steps = []StepInput{{MessageID: 1, Wait: "-1"}} }, "step_wait-0"},
		{"no hour", func(in *Input) { in.Steps = []StepInput{{MessageID: 1, At: "25:00"}} }, "step_at-0"},
		{"no day", func(in *Input) { in.Steps = []StepInput{{MessageID: 1, Weekdays: []string{"mon", "x"}}} }, "step_weekdays-0"},
	} {
		in := good
		one.change(&in)
		var s Series
		_, err := s.Change(in, own, time.Now())
		got := ""
		if broken, ok := err.(domain.ValidationErrors); ok && len(broken) > 0 {
			got = broken[0].Field
		}
		if got != one.want || (err == nil) != (one.want == "") {
			t.Errorf("%s: %v, want %q", one.name, err, one.want)
		}
		if err == nil {
			if again := s.Input(own.Fields); again.EntryValue != in.EntryValue && in.EntryValue != "abc" {
				t.Errorf("%s: the entry came back as %q", one.name, again.EntryValue)
			}
		}
	}
	s := Series{Entry: Added, Steps: []Step{{ID: 1, MessageID: 1}}}
	s.Mailing.Status = domain.Running
	in := good
	in.Entry, in.EntryValue = "tag", "vip"
	if _, err := s.Change(in, own, time.Now()); err == nil {
		t.Error("the entry of a running series was changed")
	}
}
