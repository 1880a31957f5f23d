package domain

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// A mailing of Berlin that starts on 30 March 2026, the day after the clocks went forward, and
// ends on 3 April; at is a wall clock of that zone.
func mailingForm() MailingForm {
	return MailingForm{Name: "News", MessageID: 7, Audience: "all", StartAt: "2026-03-30T09:00",
		EndAt: "2026-04-03T09:00", Timezone: "Europe/Berlin", Periodicity: "daily"}
}

func berlin(t *testing.T, wall string) time.Time {
	return Instant(wallClock(t, strings.Replace(wall, "T", " ", 1)), zoneNamed(t, "Europe/Berlin"))
}

func newMailing(t *testing.T, change func(*MailingForm)) Mailing {
	t.Helper()
	form := mailingForm()
	if change != nil {
		change(&form)
	}
	m := Mailing{ID: 1, OwnerID: 2, Status: Created}
	if err := m.Change(form, berlin(t, "2026-03-01T12:00")); err != nil {
		t.Fatal(err)
	}
	return m
}

func once(form *MailingForm) { form.Periodicity, form.EndAt = "once", "" }

func launched(t *testing.T, change func(*MailingForm)) Mailing {
	t.Helper()
	m := newMailing(t, change)
	if err := m.Launch(berlin(t, "2026-03-29T12:00")); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMailingChange(t *testing.T) {
	ids := make([]int64, maxPicked+1)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	many := make([]string, 21)
	for i := range many {
		many[i] = "tag" + string(rune('a'+i))
	}
	tests := []struct {
		name   string
		change func(*MailingForm)
		want   string
	}{
		{"all right", func(*MailingForm) {}, ""},
		{"no name", func(f *MailingForm) { f.Name = " \t" }, "name: mailings.name_required"},
		{"longest name", func(f *MailingForm) { f.Name = strings.Repeat("я", 200) }, ""},
		{"long name", func(f *MailingForm) { f.Name = strings.Repeat("я", 201) }, "name: mailings.name_long"},
		{"line end in the name", func(f *MailingForm) { f.Name = "a\r\nb" }, "name: mailings.name_control"},
		{"name is not UTF-8", func(f *MailingForm) { f.Name = "\xff" }, "name: mailings.name_control"},
		{"no message", func(f *MailingForm) { f.MessageID = 0 }, "message_id: mailings.message_required"},
		{"no audience", func(f *MailingForm) { f.Audience = "" }, "audience: mailings.audience_unknown"},
		{"tags", func(f *MailingForm) { f.Audience, f.Tags = "tags", "a,b" }, ""},
		{"no tags", func(f *MailingForm) { f.Audience, f.Tags = "tags", " , " }, "tags: mailings.tags_required"},
		{"many tags", func(f *MailingForm) { f.Audience, f.Tags = "tags", strings.Join(many, ",") }, "tags: clients.tags_many"},
		{"long tag", func(f *MailingForm) { f.Audience, f.Tags = "tags", strings.Repeat("x", 51) }, "tags: clients.tag_long"},
		{"bad tags that do not count", func(f *MailingForm) { f.Tags = strings.Repeat("x", 51) }, ""},
		{"nobody picked", func(f *MailingForm) { f.Audience = "picked" }, "client_ids: mailings.clients_required"},
		{"most picked", func(f *MailingForm) { f.Audience, f.ClientIDs = "picked", ids[1:] }, ""},
		{"too many picked", func(f *MailingForm) { f.Audience, f.ClientIDs = "picked", ids }, "client_ids: mailings.clients_many"},
		{"no start", func(f *MailingForm) { f.StartAt = "" }, "start_at: mailings.start_invalid"},
		{"start with seconds", func(f *MailingForm) { f.StartAt = "2026-03-30T09:00:00" }, ""},
		{"no day", func(f *MailingForm) { f.StartAt = "2026-02-30T09:00" }, "start_at: mailings.start_invalid"},
		{"only a date", func(f *MailingForm) { f.StartAt = "2026-03-30" }, "start_at: mailings.start_invalid"},
		{"an instant", func(f *MailingForm) { f.StartAt = "2026-03-30T09:00:00Z" }, "start_at: mailings.start_invalid"},
		{"long ago", func(f *MailingForm) { f.StartAt = "1999-12-31T23:59" }, "start_at: mailings.start_invalid"},
		{"far off", func(f *MailingForm) { f.StartAt, f.EndAt = "2200-01-01T00:00", "" }, "start_at: mailings.start_invalid"},
		{"no end", func(f *MailingForm) { f.EndAt = "" }, ""},
		{"bad end", func(f *MailingForm) { f.EndAt = "tomorrow" }, "end_at: mailings.end_invalid"},
		{"end at the start", func(f *MailingForm) { f.EndAt = f.StartAt }, "end_at: mailings.end_before_start"},
		{"end before the start", func(f *MailingForm) { f.EndAt = "2026-03-30T08:59" }, "end_at: mailings.end_before_start"},
		{"no zone", func(f *MailingForm) { f.Timezone = "" }, "timezone: mailings.timezone_unknown"},
		{"unknown zone", func(f *MailingForm) { f.Timezone = "Europe/Bonn" }, "timezone: mailings.timezone_unknown"},
		{"the machine's zone", func(f *MailingForm) { f.Timezone = "Local" }, "timezone: mailings.timezone_unknown"},
		{"no periodicity", func(f *MailingForm) { f.Periodicity = "" }, "periodicity: mailings.periodicity_unknown"},
		{"unknown periodicity", func(f *MailingForm) { f.Periodicity = "yearly" }, "periodicity: mailings.periodicity_unknown"},
		{"nothing", func(f *MailingForm) { *f = MailingForm{} }, "message_id: mailings.message_required; " +
			"name: mailings.name_required; audience: mailings.audience_unknown; start_at: mailings.start_invalid; " +
			"periodicity: mailings.periodicity_unknown; timezone: mailings.timezone_unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			form := mailingForm()
			tt.change(&form)
			m := Mailing{Status: Created}
			if got := text(m.Change(form, time.Now())); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestMailingChangeValues(t *testing.T) {
	now := berlin(t, "2026-03-01T12:00")
	m := Mailing{Status: Created}
	err := m.Change(MailingForm{Name: "  News ", MessageID: 7, Audience: "picked", ClientIDs: []int64{3, 1, 3}, Tags: "a",
		StartAt: "2026-03-29T02:30", EndAt: "2026-10-25T02:30", Timezone: " Europe/Berlin ", Periodicity: "weekly"}, now)
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "News" || m.Timezone != "Europe/Berlin" || len(m.Tags) != 0 || !slices.Equal(m.ClientIDs, []int64{1, 3}) || !m.UpdatedAt.Equal(now) {
		t.Errorf("%+v", m)
	}
	// 02:30 does not exist on the day of the start and comes twice on that of the end.
	if got := utcText(m.EndAt); got != "2026-10-25T00:30:00Z" {
		t.Errorf("end %s", got)
	}
	if first, _ := m.Schedule().From(0); utcText(first.At) != "2026-03-29T01:00:00Z" {
		t.Errorf("start %s", utcText(first.At))
	}
	if !m.NextRunAt.IsZero() {
		t.Error("a mailing that was not launched has no next run")
	}
	if err := m.Change(mailingForm(), now); err != nil || m.ClientIDs != nil {
		t.Errorf("%v: nobody is picked any more, but %v", err, m.ClientIDs)
	}
}

func TestRunningMailingChange(t *testing.T) {
	tests := []struct {
		name   string
		change func(*MailingForm)
		want   string
		next   string
	}{
		{"nothing", func(*MailingForm) {}, "", "2026-04-01T07:00:00Z"},
		{"name, message, audience", func(f *MailingForm) { f.Name, f.MessageID, f.Audience, f.Tags = "x", 8, "tags", "a" }, "", "2026-04-01T07:00:00Z"},
		{"later end", func(f *MailingForm) { f.EndAt = "2026-12-31T09:00" }, "", "2026-04-01T07:00:00Z"},
		{"no end", func(f *MailingForm) { f.EndAt = "" }, "", "2026-04-01T07:00:00Z"},
		{"end before the next run", func(f *MailingForm) { f.EndAt = "2026-04-01T09:00" }, "", ""},
		{"start", func(f *MailingForm) { f.StartAt = "2026-03-30T09:01" }, "start_at: mailings.running_fixed", ""},
		{"bad start", func(f *MailingForm) { f.StartAt = "" }, "start_at: mailings.start_invalid", ""},
		{"zone", func(f *MailingForm) { f.Timezone = "Europe/Paris" }, "timezone: mailings.running_fixed", ""},
		{"bad zone", func(f *MailingForm) { f.Timezone = "?" }, "timezone: mailings.timezone_unknown", ""},
		{"periodicity", func(f *MailingForm) { f.Periodicity = "weekly" }, "periodicity: mailings.running_fixed", ""},
		{"all of it", func(f *MailingForm) { f.StartAt, f.Timezone, f.Periodicity = "2026-03-31T09:00", "UTC", "once" },
			"start_at: mailings.running_fixed; timezone: mailings.running_fixed; periodicity: mailings.running_fixed", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := launched(t, nil)
			if missed, due, ok := m.Plan(berlin(t, "2026-03-31T09:00")); len(missed) != 1 || due.No != 1 || !ok {
				t.Fatal(missed, due, ok)
			}
			form := mailingForm()
			tt.change(&form)
			if got := text(m.Change(form, berlin(t, "2026-03-31T10:00"))); got != tt.want {
				t.Fatalf("%q, want %q", got, tt.want)
			}
			if tt.want == "" && instantText(m.NextRunAt) != tt.next {
				t.Errorf("next run %s, want %s", instantText(m.NextRunAt), tt.next)
			}
		})
	}
	m := launched(t, nil)
	if err := m.Stop(time.Now()); err != nil {
		t.Fatal(err)
	}
	if got := text(m.Change(mailingForm(), time.Now())); got != "mailings.finished_fixed" || m.MayEdit() {
		t.Errorf("a finished mailing: %q, MayEdit %v", got, m.MayEdit())
	}
}

func instantText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return utcText(at)
}

// The acts of the owner in every state: what the refusal says, and that the buttons say the same.
func TestMailingActs(t *testing.T) {
	states := map[string]func(*Mailing, time.Time){
		"created":    func(*Mailing, time.Time) {},
		"sent once":  func(m *Mailing, now time.Time) { _, _, _ = m.RunNow(now) },
		"running":    func(m *Mailing, now time.Time) { _ = m.Launch(now) },
		"finished":   func(m *Mailing, now time.Time) { _, _ = m.Launch(now), m.Stop(now) },
		"disabled":   func(m *Mailing, now time.Time) { _ = m.Disable(User{Role: RoleManager}, "spam", now) },
		"ran":        func(m *Mailing, now time.Time) { _ = m.Launch(now); m.Plan(now) },
		"at its end": func(m *Mailing, now time.Time) { m.EndAt = now },
		"no message": func(m *Mailing, _ time.Time) { m.MessageID = 0 },
	}
	tests := []struct{ state, periodicity, launch, stop, run string }{
		{"created", "daily", "", "not_running", ""},
		{"created", "once", "", "not_running", ""},
		{"sent once", "daily", "", "", ""},
		{"sent once", "once", "launched_already", "", "ran_once"},
		{"running", "daily", "launched_already", "", ""},
		{"running", "once", "launched_already", "", ""},
		{"finished", "daily", "launched_already", "not_running", "is_finished"},
		{"finished", "once", "launched_already", "not_running", "is_finished"},
		{"disabled", "daily", "is_disabled", "not_running", "is_disabled"},
		{"disabled", "once", "is_disabled", "not_running", "is_disabled"},
		{"ran", "daily", "launched_already", "", ""},
		{"ran", "once", "launched_already", "", "ran_once"},
		{"at its end", "daily", "end_passed", "not_running", "end_passed"},
		{"at its end", "once", "end_passed", "not_running", "end_passed"},
		{"no message", "daily", "message_required", "not_running", "message_required"},
		{"no message", "once", "message_required", "not_running", "message_required"},
	}
	now := berlin(t, "2026-03-30T09:00")
	refusal := func(err error) string {
		if err != nil && KindOf(err) != Conflict {
			t.Errorf("%v is kind %d, want a conflict", err, KindOf(err))
		}
		return strings.TrimPrefix(text(err), "mailings.")
	}
	for _, tt := range tests {
		t.Run(tt.periodicity+" "+tt.state, func(t *testing.T) {
			m := newMailing(t, func(f *MailingForm) { f.Periodicity = tt.periodicity })
			states[tt.state](&m, now)
			if m.MayLaunch(now) != (tt.launch == "") || m.MayStop(now) != (tt.stop == "") || m.MayRun(now) != (tt.run == "") {
				t.Errorf("MayLaunch %v, MayStop %v, MayRun %v", m.MayLaunch(now), m.MayStop(now), m.MayRun(now))
			}
			launch, stop, run := m, m, m
			if got := refusal(launch.Launch(now)); got != tt.launch {
				t.Errorf("launch: %q, want %q", got, tt.launch)
			}
			if got := refusal(stop.Stop(now)); got != tt.stop {
				t.Errorf("stop: %q, want %q", got, tt.stop)
			}
			_, _, err := run.RunNow(now)
			if got := refusal(err); got != tt.run {
				t.Errorf("run: %q, want %q", got, tt.run)
			}
		})
	}
}

func TestLaunch(t *testing.T) {
	tests := []struct {
		name, now, next string
		periodicity     string
	}{
		{"before the start", "2026-03-01T00:00", "2026-03-30T07:00:00Z", "daily"},
		{"at the start", "2026-03-30T09:00", "2026-03-30T07:00:00Z", "daily"},
		{"after the start the occurrences count from it", "2026-04-01T12:00", "2026-03-30T07:00:00Z", "daily"},
		{"late and once", "2026-04-01T12:00", "2026-03-30T07:00:00Z", "once"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := newMailing(t, func(f *MailingForm) { f.Periodicity = tt.periodicity })
			now := berlin(t, tt.now)
			if err := m.Launch(now); err != nil {
				t.Fatal(err)
			}
			if m.Status != Running || !m.LaunchedAt.Equal(now) || m.NextNo != 0 || instantText(m.NextRunAt) != tt.next {
				t.Errorf("%s, launched %v, next %d at %s", m.Status, m.LaunchedAt, m.NextNo, instantText(m.NextRunAt))
			}
		})
	}
}

func TestPlan(t *testing.T) {
	tests := []struct {
		name, now, periodicity string
		missed                 []int
		due                    int // -1: none
		next                   string
	}{
		{"before the start", "2026-03-30T08:59", "daily", nil, -1, "2026-03-30T07:00:00Z"},
		{"at the start", "2026-03-30T09:00", "daily", nil, 0, "2026-03-31T07:00:00Z"},
		{"the latest of three", "2026-04-01T20:00", "daily", []int{0, 1}, 2, "2026-04-02T07:00:00Z"},
		{"the last", "2026-04-02T09:00", "daily", []int{0, 1, 2}, 3, ""},
		{"at the end", "2026-04-03T09:00", "daily", []int{0, 1, 2, 3}, -1, ""},
		{"once", "2026-03-30T09:00", "once", nil, 0, ""},
		{"once and late", "2026-04-03T08:59", "once", nil, 0, ""},
		{"once and too late", "2026-04-03T09:00", "once", []int{0}, -1, ""},
		{"weekly", "2026-04-02T09:00", "weekly", nil, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := launched(t, func(f *MailingForm) { f.Periodicity = tt.periodicity })
			now := berlin(t, tt.now)
			missed, due, ok := m.Plan(now)
			var numbers []int
			for _, one := range missed {
				numbers = append(numbers, one.No)
			}
			if !slices.Equal(numbers, tt.missed) || ok != (tt.due >= 0) || ok && due.No != tt.due {
				t.Errorf("missed %v, due %d %v", numbers, due.No, ok)
			}
			if got := instantText(m.NextRunAt); got != tt.next {
				t.Errorf("next at %s, want %s", got, tt.next)
			}
			if missed, _, ok := m.Plan(now); len(missed) > 0 || ok {
				t.Error("planning again found something")
			}
		})
	}
}

func TestMailingUpcoming(t *testing.T) {
	tests := []struct {
		name, now string
		ready     func(*Mailing, time.Time)
		every     string
		want      []int
	}{
		{"before the start", "2026-03-01T00:00", func(*Mailing, time.Time) {}, "daily", []int{0, 1, 2}},
		{"at an occurrence that ran", "2026-03-31T09:00", func(m *Mailing, now time.Time) { _ = m.Launch(now); m.Plan(now) }, "daily", []int{2, 3}},
		{"at an occurrence that is due", "2026-03-31T09:00", func(m *Mailing, now time.Time) { _ = m.Launch(now) }, "daily", []int{2, 3}},
		{"once", "2026-03-01T00:00", func(m *Mailing, now time.Time) { _ = m.Launch(now) }, "once", []int{0}},
		{"once, out of turn", "2026-03-01T00:00", func(m *Mailing, now time.Time) { _, _, _ = m.RunNow(now) }, "once", nil},
		{"daily, out of turn", "2026-03-01T00:00", func(m *Mailing, now time.Time) { _, _, _ = m.RunNow(now) }, "daily", []int{0, 1, 2}},
		{"finished", "2026-03-01T00:00", func(m *Mailing, now time.Time) { _, _ = m.Launch(now), m.Stop(now) }, "daily", nil},
		{"after the end", "2026-04-03T09:00", func(*Mailing, time.Time) {}, "daily", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, now := newMailing(t, func(f *MailingForm) { f.Periodicity = tt.every }), berlin(t, tt.now)
			tt.ready(&m, now)
			var got []int
			for _, one := range m.Upcoming(now, 3) {
				got = append(got, one.No)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestRunNow(t *testing.T) {
	now := berlin(t, "2026-03-29T12:00")
	m := launched(t, nil)
	if no, numbered, err := m.RunNow(now); numbered || err != nil || no != 0 {
		t.Errorf("daily: %d %v %v", no, numbered, err)
	}
	if m.NextNo != 0 || instantText(m.NextRunAt) != "2026-03-30T07:00:00Z" || m.Status != Running {
		t.Error("a run out of turn changed the calendar")
	}
	m = newMailing(t, nil)
	if _, _, err := m.RunNow(now); err != nil || m.Status != Created || !m.NextRunAt.IsZero() {
		t.Errorf("a run out of turn launched the mailing: %v", err)
	}
	if err := m.Stop(now); err != nil || m.Status != Finished {
		t.Errorf("stop: %v", err)
	}
	m = newMailing(t, once)
	if no, numbered, err := m.RunNow(now); !numbered || err != nil || no != 0 {
		t.Errorf("once: %d %v %v", no, numbered, err)
	}
	if m.Status != Running || !m.LaunchedAt.Equal(now) || !m.NextRunAt.IsZero() {
		t.Errorf("%+v", m)
	}
	if _, _, ok := m.Plan(berlin(t, "2026-03-30T09:00")); ok {
		t.Error("the only occurrence ran twice")
	}
	if !m.Close(false, now) || m.Status != Finished {
		t.Error("the only run is done and the mailing goes on")
	}
}

func TestMailingClose(t *testing.T) {
	start, end := berlin(t, "2026-03-30T09:00"), berlin(t, "2026-04-03T09:00")
	tests := []struct {
		name        string
		periodicity string
		noEnd       bool
		planned     bool
		open        bool
		now         time.Time
		want        bool
	}{
		{"daily", "daily", false, true, false, start, false},
		{"daily at its end", "daily", false, true, false, end, true},
		{"daily at its end with a run going on", "daily", false, true, true, end, true},
		{"daily without end", "daily", true, true, false, end.AddDate(50, 0, 0), false},
		{"once, not run", "once", true, false, false, start, false},
		{"once, going on", "once", true, true, true, start, false},
		{"once, done", "once", true, true, false, start, true},
		{"once, never planned, at its end", "once", false, false, false, end, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := launched(t, func(f *MailingForm) {
				f.Periodicity = tt.periodicity
				if tt.noEnd {
					f.EndAt = ""
				}
			})
			if tt.planned {
				m.Plan(start)
			}
			if got := m.Close(tt.open, tt.now); got != tt.want {
				t.Fatalf("%v, want %v", got, tt.want)
			}
			if tt.want && (m.Status != Finished || !m.FinishedAt.Equal(tt.now) || !m.NextRunAt.IsZero()) {
				t.Errorf("%+v", m)
			}
			if m.Close(tt.open, tt.now) {
				t.Error("closed twice, or a mailing that goes on")
			}
		})
	}
	m := newMailing(t, nil)
	if m.Close(false, end) {
		t.Error("a mailing that was never launched was finished")
	}
}

func TestDisable(t *testing.T) {
	now := berlin(t, "2026-03-29T12:00")
	for _, role := range Roles() {
		m := launched(t, nil)
		err := m.Disable(User{Role: role}, " spam ", now)
		if may := role == RoleManager || role == RoleAdmin; may != (err == nil) || may != m.Disabled() {
			t.Errorf("%s: %v, disabled %v", role, err, m.Disabled())
		} else if may && (m.DisabledReason != "spam" || m.Status != Running) {
			t.Errorf("%q, %s", m.DisabledReason, m.Status)
		}
		m.DisabledAt = now
		if err := m.Enable(User{Role: role}); (err == nil) == m.Disabled() {
			t.Errorf("%s enables: %v, disabled %v", role, err, m.Disabled())
		}
	}
	m, manager := launched(t, nil), User{Role: RoleManager}
	for reason, want := range map[string]string{
		"": "reason: staff.reason_required", " \n": "reason: staff.reason_required",
		strings.Repeat("я", 501): "reason: staff.reason_long",
	} {
		if got := text(m.Disable(manager, reason, now)); got != want || m.Disabled() {
			t.Errorf("%q: %q, want %q", reason, got, want)
		}
	}
	if err := m.Disable(manager, "first", now); err != nil {
		t.Fatal(err)
	}
	if err := m.Disable(manager, "second", now.Add(time.Hour)); err != nil || m.DisabledReason != "first" || !m.DisabledAt.Equal(now) {
		t.Errorf("%v: %q at %v", err, m.DisabledReason, m.DisabledAt)
	}
	// What came meanwhile is treated like any downtime.
	if err := m.Enable(manager); err != nil || m.DisabledReason != "" {
		t.Fatalf("%v, %q", err, m.DisabledReason)
	}
	if missed, due, ok := m.Plan(berlin(t, "2026-03-31T09:30")); len(missed) != 1 || due.No != 1 || !ok {
		t.Errorf("missed %v, due %v %v", missed, due, ok)
	}
}
