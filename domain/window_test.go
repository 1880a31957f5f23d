package domain

import (
	"testing"
	"time"
)

// When the emails of a mailing of Berlin may leave next.
func TestOpening(t *testing.T) {
	workdays := []Weekday{"mon", "tue", "wed", "thu", "fri"}
	for _, c := range []struct {
		name, after string
		days        Days
		today       bool
		want        string
	}{
		{"before the hours", "2026-03-27T08:00", Days{}, false, "27 09:00-18:00"},
		{"within them", "2026-03-27T12:00", Days{}, false, "27 09:00-18:00"},
		{"at their end", "2026-03-27T18:00", Days{}, false, "28 09:00-18:00"},
		{"over a weekend and a clock change", "2026-03-27T18:00", Days{Weekdays: workdays}, false, "30 09:00-18:00"},
		{"on a day off", "2026-03-28T12:00", Days{Weekdays: workdays}, false, "30 09:00-18:00"},
		{"on a day off, by hand", "2026-03-28T12:00", Days{Weekdays: workdays}, true, "28 09:00-18:00"},
		{"too late on a day off, by hand", "2026-03-28T19:00", Days{Weekdays: workdays}, true, "30 09:00-18:00"},
		{"over a holiday", "2026-04-30T19:00", Days{SkipHolidays: "de"}, false, "02 09:00-18:00"},
		{"the first Monday goes on on Tuesday", "2026-04-06T18:30", Days{Nth: 1, Weekdays: []Weekday{"mon"}}, false, "07 09:00-18:00"},
	} {
		m := Mailing{Timezone: "Europe/Berlin", Days: c.days, Window: Window{From: "09:00", To: "18:00"}}
		opens, closes := m.Window.Opening(m, berlin(t, c.after), c.today)
		zone := m.Schedule().Zone
		if got := opens.In(zone).Format("02 15:04-") + closes.In(zone).Format("15:04"); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if opens, closes := (Window{}).Opening(Mailing{Timezone: "UTC"}, time.Now(), false); !opens.IsZero() || !closes.IsZero() {
		t.Error("no window opens")
	}
}

func TestWindowForm(t *testing.T) {
	for _, c := range []struct{ from, to, then, want string }{
		{"", "", "expire", ""},
		{"09:00", "18:00", "", ""},
		{"9:00", "18:00", "expire", ""},
		{"09:00", "", "", "window_to"},
		{"", "18:00", "", "window_from"},
		{"9 o'clock", "18:00", "", "window_from"},
		{"18:00", "09:00", "", "window_to"},
		{"09:00", "09:00", "", "window_to"},
		{"10:00", "18:00", "", "start_at"},
		{"08:00", "09:00", "", "start_at"},
	} {
		form := mailingForm() // begins at 09:00
		form.WindowFrom, form.WindowTo, form.WindowThen = c.from, c.to, c.then
		var m Mailing
		if got := fieldOf(m.Change(form, time.Now())); got != c.want {
			t.Errorf("%q to %q: refused for %q, want %q", c.from, c.to, got, c.want)
		}
		if c.want == "" && c.from != "" && (m.Window.From != "09:00" || m.Window.Expires != (c.then == "expire")) {
			t.Errorf("%q: %+v", c.from, m.Window)
		}
	}
}

// What becomes of a run whose hours are over, by what the owner chose.
func TestRunsInHours(t *testing.T) {
	m := Mailing{Timezone: "Europe/Berlin", Window: Window{From: "09:00", To: "18:00"}}
	number := 0
	noon, evening, morning := berlin(t, "2026-03-27T12:00"), berlin(t, "2026-03-27T18:00"), berlin(t, "2026-03-28T09:00")
	run := Run{OccurrenceNo: &number}
	run.Fit(m, noon)
	run.Begin(noon)
	if run.Status != RunRunning || run.Shut(evening.Add(-1)) || !run.Shut(evening) {
		t.Fatalf("at noon: %+v", run)
	}
	run.Wait(m, evening)
	if run.Status != RunPaused || run.Reason != ReasonWindow || !run.ResumeAt.Equal(morning) || !run.Shut(morning.Add(-1)) || run.Shut(morning) {
		t.Fatalf("in the evening: %+v", run)
	}
	m.Window = Window{From: "09:00", To: "20:00", Expires: true}
	run.Refit(m, evening)
	if end := berlin(t, "2026-03-27T20:00"); run.Status != RunRunning || run.Reason != "" || !run.WindowEnd.Equal(end) {
		t.Fatalf("with longer hours: %+v", run)
	}
	run.Expire()
	if run.EndOutcome != OutcomeExpired || run.Reason != ReasonWindowOver {
		t.Errorf("after them: %+v", run)
	}
	m.EndAt = berlin(t, "2026-03-27T19:00")
	run.Refit(m, evening)
	if run.Expire(); !run.WindowEnd.Equal(m.EndAt) || run.Reason != ReasonEnded {
		t.Errorf("the mailing ends before them: %+v", run)
	}
	late := Run{OccurrenceNo: &number, NotBefore: evening.Add(time.Minute)}
	late.Fit(Mailing{Timezone: "Europe/Berlin", Window: Window{From: "09:00", To: "18:00"}}, evening.Add(-time.Second))
	if !late.OpensAt.Equal(morning) {
		t.Errorf("one that can be taken back until the hours are over opens at %v", late.OpensAt)
	}
}
