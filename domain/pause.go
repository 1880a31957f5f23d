package domain

import "time"

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
