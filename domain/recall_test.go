package domain

import (
	"testing"
	"time"
)

func TestRecall(t *testing.T) {
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	launch := func(wait time.Duration) func(*Mailing) error {
		return func(m *Mailing) error { return m.LaunchFor(noon, wait) }
	}
	// run is what a request and, when it was planned, the planner do.
	run := func(m *Mailing) error {
		err := m.AskRun(noon, 30*time.Second)
		if err == nil {
			_, _, err = m.RunNow(noon)
		}
		return err
	}
	running := func(m *Mailing) error { return m.Launch(noon.Add(-48 * time.Hour)) }
	for _, tt := range []struct {
		name, start string
		every       Periodicity
		before, act func(*Mailing) error
		until       time.Duration // after noon; 0: nothing to take back
		waits       bool          // what is due at noon
		status      MailingStatus // after it was taken back
	}{
		{"no time for it", "2026-03-10T11:00", Once, nil, launch(0), 0, false, ""},
		{"launch, due", "2026-03-10T11:00", Once, nil, launch(30 * time.Second), 30 * time.Second, true, Created},
		{"launch, due, daily", "2026-03-09T11:00", Daily, nil, launch(30 * time.Second), 30 * time.Second, true, Created},
		{"launch, later", "2026-03-11T11:00", Weekly, nil, launch(30 * time.Second), 30 * time.Second, true, Created},
		{"launch, soon: the calendar never waits", "2026-03-10T12:01", Once, nil, launch(2 * time.Minute), time.Minute, true, Created},
		{"launch, daily, with the next soon", "2026-03-09T12:01", Daily, nil, launch(2 * time.Minute), time.Minute, true, Created},
		{"run of a created one", "2026-04-01T11:00", Daily, nil, run, 30 * time.Second, false, Created},
		{"run of a running one", "2026-03-01T11:00", Daily, running, run, 30 * time.Second, false, Running},
		{"run of the only one", "2026-04-01T11:00", Once, nil, run, 30 * time.Second, true, Created},
		{"run of the only one, launched", "2026-04-01T11:00", Once, running, run, 30 * time.Second, false, Running},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Mailing{MessageID: 1, Status: Created, Timezone: "UTC", Periodicity: tt.every}
			m.StartLocal, _ = parseWall(tt.start)
			if tt.before != nil {
				if err := tt.before(&m); err != nil {
					t.Fatal(err)
				}
			}
			before := m
			if err := tt.act(&m); err != nil {
				t.Fatal(err)
			}
			until := noon.Add(tt.until)
			if m.Recallable(noon) != (tt.until > 0) || m.Recallable(until) {
				t.Fatalf("recallable: %v, at its end %v", m.Recallable(noon), m.Recallable(until))
			}
			if waits := m.NotBefore(noon); waits.Equal(until) != tt.waits || waits.IsZero() == tt.waits && tt.until > 0 {
				t.Errorf("waits until %v", waits)
			}
			late := m
			if err := late.TakeBack(until); KindOf(err) != Conflict {
				t.Errorf("at its end: %v", err)
			}
			if tt.until == 0 {
				return
			}
			if err := m.TakeBack(until.Add(-1)); err != nil {
				t.Fatal(err)
			}
			if m.Status != tt.status || !m.LaunchedAt.Equal(before.LaunchedAt) || m.NextNo != before.NextNo || !m.NextRunAt.Equal(before.NextRunAt) {
				t.Errorf("%+v, was %+v", m, before)
			}
			if err := m.TakeBack(noon); KindOf(err) != Conflict {
				t.Errorf("twice: %v", err)
			}
		})
	}
}

func TestPause(t *testing.T) {
	noon := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	m := Mailing{MessageID: 1, Status: Created, Timezone: "UTC", Periodicity: Daily}
	m.StartLocal, _ = parseWall("2026-03-10T11:00")
	if err := m.Pause(noon); KindOf(err) != Conflict {
		t.Errorf("before the launch: %v", err)
	}
	if err := m.Launch(noon.AddDate(0, 0, -1)); err != nil || !m.MayPause() || m.MayResume() {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Pause(noon); err != nil || !m.PausedAt.Equal(noon) || m.Status != Running || m.MayPause() || !m.MayResume() {
			t.Fatal(err, m)
		}
	}
	if _, _, err := m.RunNow(noon); KindOf(err) != Conflict {
		t.Errorf("a paused mailing is sent: %v", err)
	}
	missed, _, ok := m.Plan(noon.AddDate(0, 0, 1))
	if ok || len(missed) != 2 || m.NextNo != 2 {
		t.Errorf("planned %v, missed %v", ok, missed)
	}
	missed, err := m.Resume(noon.AddDate(0, 0, 2))
	if err != nil || len(missed) != 1 || missed[0].No != 2 || m.Paused() || m.NextNo != 3 {
		t.Errorf("%v %v %+v", err, missed, m)
	}
	if missed, err = m.Resume(noon.AddDate(0, 0, 3)); err != nil || missed != nil || m.NextNo != 3 {
		t.Errorf("again: %v %v", err, missed)
	}
	_ = m.Pause(noon)
	if err := m.Stop(noon); err != nil || m.Paused() {
		t.Error("a finished mailing is paused")
	}
	if _, err := m.Resume(noon); KindOf(err) != Conflict {
		t.Error("a finished mailing goes on")
	}
}

func TestClashesOf(t *testing.T) {
	made := func(id int64, start string, every Periodicity) Mailing {
		m := Mailing{ID: id, Status: Running, Timezone: "UTC", Periodicity: every}
		m.StartLocal, _ = parseWall(start)
		m.advanceTo(0)
		return m
	}
	m, now := made(1, "2026-03-10T11:00", Weekly), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	others := []Mailing{m, made(2, "2026-03-17T11:30", Once), made(3, "2026-03-11T11:00", Weekly), made(4, "2026-03-01T20:00", Daily), made(5, "2026-03-10T20:00", Once)}
	var times []time.Time
	for _, one := range m.Upcoming(now, 3) {
		times = append(times, one.At)
	}
	shared := map[int64]int64{1: 9, 2: 7, 3: 9, 4: 5}
	list := ClashesOf(m, times, others, time.UTC, func(_, other Mailing) int64 { return shared[other.ID] })
	if len(list) != 2 || list[0].Other.ID != 2 || !list[0].SameHour || list[0].Clients != 7 || len(list[0].At) != 1 ||
		list[1].Other.ID != 4 || list[1].SameHour || len(list[1].At) != 3 {
		t.Errorf("%+v", list)
	}
}
