package domain

import "time"

// Recall is what a launch or a run out of turn can be taken back to.
type Recall struct {
	Until      time.Time // by the database's clock; no email leaves before
	Status     MailingStatus
	LaunchedAt time.Time
}

// LaunchFor is Launch with the time to take it back. Occurrences that have passed already wait for its end;
// those of the calendar never wait, so it ends with the first of them.
func (m *Mailing) LaunchFor(now time.Time, wait time.Duration) error {
	before := *m
	if err := m.Launch(now); err != nil || wait <= 0 {
		return err
	}
	until := now.Add(wait)
	if next := m.Schedule().Upcoming(now, 1); len(next) > 0 && next[0].At.Before(until) {
		until = next[0].At
	}
	m.keepRecall(before, until)
	return nil
}

// AskRun is asked for a run out of turn, which is made later: by RunNow, not before m.Recall's end.
func (m *Mailing) AskRun(now time.Time, wait time.Duration) error {
	planned := *m
	if _, _, err := planned.RunNow(now); err != nil {
		return err
	}
	if m.Recallable(now) && m.launching() && !m.NextRunAt.After(now) {
		return Errorf(Conflict, "", "mailings.just_ran")
	}
	if m.Recall = nil; wait > 0 {
		m.keepRecall(*m, now.Add(wait))
	}
	return nil
}

func (m *Mailing) keepRecall(before Mailing, until time.Time) {
	m.Recall = &Recall{Until: until.Truncate(time.Microsecond).UTC(), Status: before.Status, LaunchedAt: before.LaunchedAt}
}

// launching reports whether the recall is of a launch.
func (m *Mailing) launching() bool {
	return m.Recall != nil && m.Recall.Status == Created && m.Status == Running
}

// Recallable reports whether there is something to take back.
func (m *Mailing) Recallable(now time.Time) bool {
	return m.Recall != nil && m.Status != Finished && now.Before(m.Recall.Until)
}

// NotBefore is what the occurrence that is due at now waits for, zero when for nothing.
func (m *Mailing) NotBefore(now time.Time) time.Time {
	if m.Recallable(now) && m.launching() {
		return m.Recall.Until
	}
	return time.Time{}
}

// TakeBack undoes the launch or the run out of turn that Recall is of.
func (m *Mailing) TakeBack(now time.Time) error {
	if !m.Recallable(now) {
		return Errorf(Conflict, "", "mailings.recall_late")
	}
	before := *m.Recall
	m.Recall, m.Status, m.LaunchedAt = nil, before.Status, before.LaunchedAt
	switch {
	case m.Status == Created:
		m.NextNo, m.NextRunAt, m.PausedAt = 0, time.Time{}, time.Time{}
	case m.Periodicity == Once:
		m.advanceTo(0)
	}
	return nil
}

// Paused reports whether the owner holds the mailing.
func (m Mailing) Paused() bool { return !m.PausedAt.IsZero() }

// MayPause and MayResume say which buttons the owner has.
func (m Mailing) MayPause() bool { return m.Status == Running && !m.Paused() }

// MayResume reports whether the mailing can go on.
func (m Mailing) MayResume() bool { return m.Status == Running && m.Paused() }

// Pause holds the mailing: it passes its times over, and what is left of a run waits. Again it changes nothing.
func (m *Mailing) Pause(now time.Time) error {
	if m.Status != Running {
		return Errorf(Conflict, "", "mailings.not_running")
	}
	if !m.Paused() {
		m.PausedAt = now
	}
	return nil
}

// Resume lets the mailing go on. The times that came meanwhile are passed over.
func (m *Mailing) Resume(now time.Time) (missed []Occurrence, err error) {
	if m.Status != Running {
		return nil, Errorf(Conflict, "", "mailings.not_running")
	}
	if m.Paused() {
		missed, _, _ = m.Plan(now)
		m.PausedAt = time.Time{}
	}
	return missed, nil
}
