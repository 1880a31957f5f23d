package domain

import "time"

// MailingStatus is the contract's status of a mailing.
type MailingStatus string

// The statuses of a mailing.
const (
	Created  MailingStatus = "created"
	Running  MailingStatus = "running"
	Finished MailingStatus = "finished"
)

// Audience says which of the owner's clients a mailing writes to.
type Audience string

// The audiences of the contract.
const (
	AudienceAll    Audience = "all"
	AudienceTags   Audience = "tags"
	AudiencePicked Audience = "picked"
)

// Mailing is the settings of what is sent to whom and when. StartLocal and EndLocal are wall
// clocks in Timezone (their location is UTC); EndAt and NextRunAt are the instants they give.
type Mailing struct {
	ID             int64 `bun:",pk,autoincrement"`
	OwnerID        int64
	MessageID      int64 `bun:",nullzero"`
	SenderID       int64 `bun:",nullzero"` // 0: the installation's address
	Name           string
	Audience       Audience
	Tags           []string  `bun:",array"`
	ClientIDs      []int64   `bun:"-"`
	StartLocal     time.Time `bun:"type:timestamp"`
	EndLocal       time.Time `bun:"type:timestamp,nullzero"`
	Timezone       string
	Periodicity    Periodicity
	Status         MailingStatus
	EndAt          time.Time `bun:",nullzero"`
	NextNo         int
	NextRunAt      time.Time `bun:",nullzero"`
	LaunchedAt     time.Time `bun:",nullzero"` // or first sent out of turn
	FinishedAt     time.Time `bun:",nullzero"`
	DisabledAt     time.Time `bun:",nullzero"`
	DisabledReason string
	PausedAt       time.Time `bun:",nullzero"`  // by its owner
	Recall         *Recall   `bun:"type:jsonb"` // of the last launch or run out of turn
	DeletedAt      time.Time `bun:",nullzero"`
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
	UpdatedAt      time.Time `bun:",nullzero,default:now()"`
}

// Schedule is the mailing's calendar. The zone was checked when it was saved.
func (m Mailing) Schedule() Schedule {
	zone, err := time.LoadLocation(m.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return Schedule{Start: m.StartLocal, End: m.EndLocal, Zone: zone, Every: m.Periodicity}
}

// Upcoming are the next occurrences after now that have not run yet, at most limit.
func (m Mailing) Upcoming(now time.Time, limit int) []Occurrence {
	schedule := m.Schedule()
	next, ok := schedule.From(m.NextNo)
	if !ok || m.Status == Finished {
		return nil
	}
	if next.At.After(now) {
		now = next.At.Add(-1)
	}
	return schedule.Upcoming(now, limit)
}

// Disabled reports whether a manager disabled the mailing.
func (m Mailing) Disabled() bool { return !m.DisabledAt.IsZero() }

// MayEdit: a finished mailing can't be changed.
func (m Mailing) MayEdit() bool { return m.Status != Finished }

// MayLaunch, MayStop and MayRun say which buttons the owner has: they try the action on
// a copy.
func (m Mailing) MayLaunch(now time.Time) bool { return m.Launch(now) == nil }

// MayStop reports whether there is something to stop.
func (m Mailing) MayStop(now time.Time) bool { return m.Stop(now) == nil }

// MayRun reports whether the mailing can be sent at now, out of turn.
func (m Mailing) MayRun(now time.Time) bool {
	_, _, err := m.RunNow(now)
	return err == nil
}

// Launch makes the mailing send at its times from now on; occurrences that have already
// passed are treated as missed, so the latest of them runs at once.
func (m *Mailing) Launch(now time.Time) error {
	switch {
	case m.Disabled():
		return Errorf(Conflict, "", "mailings.is_disabled", "Reason", m.DisabledReason)
	case m.Status != Created:
		return Errorf(Conflict, "", "mailings.launched_already")
	case m.MessageID == 0:
		return Errorf(Conflict, "", "mailings.message_required")
	case !m.EndAt.IsZero() && !now.Before(m.EndAt):
		return Errorf(Conflict, "", "mailings.end_passed")
	}
	m.Status, m.LaunchedAt = Running, now
	m.advanceTo(0)
	return nil
}

// Stop finishes the mailing for good: one that is running, or one that was never
// launched but sent out of turn.
func (m *Mailing) Stop(now time.Time) error {
	if m.Status == Finished || m.LaunchedAt.IsZero() {
		return Errorf(Conflict, "", "mailings.not_running")
	}
	m.finish(now)
	return nil
}

// RunNow is the occurrence number that a run out of turn takes: the only one of a `once`
// mailing, none (ok is false) of the others, whose calendar goes on unchanged.
func (m *Mailing) RunNow(now time.Time) (no int, ok bool, err error) {
	switch {
	case m.Disabled():
		return 0, false, Errorf(Conflict, "", "mailings.is_disabled", "Reason", m.DisabledReason)
	case m.Status == Finished:
		return 0, false, Errorf(Conflict, "", "mailings.is_finished")
	case m.Paused():
		return 0, false, Errorf(Conflict, "", "mailings.is_paused")
	case m.MessageID == 0:
		return 0, false, Errorf(Conflict, "", "mailings.message_required")
	case !m.EndAt.IsZero() && !now.Before(m.EndAt):
		return 0, false, Errorf(Conflict, "", "mailings.end_passed")
	case m.Periodicity == Once && m.NextNo > 0:
		return 0, false, Errorf(Conflict, "", "mailings.ran_once")
	}
	if m.LaunchedAt.IsZero() {
		m.LaunchedAt = now
	}
	if m.Periodicity != Once {
		return 0, false, nil
	}
	m.Status = Running
	m.advanceTo(1)
	return 0, true, nil
}

// Plan takes the occurrences that are due at now off the calendar: the missed ones, and the
// one to run when ok. A paused mailing misses them all.
func (m *Mailing) Plan(now time.Time) (missed []Occurrence, due Occurrence, ok bool) {
	missed, due, ok = m.Schedule().Due(m.NextNo, now)
	if ok && m.Paused() {
		missed, ok = append(missed, due), false
	}
	switch {
	case ok:
		m.advanceTo(due.No + 1)
	case len(missed) > 0:
		m.advanceTo(missed[len(missed)-1].No + 1)
	}
	return missed, due, ok
}

// Close finishes a running mailing whose end has come or whose only run is done.
// open reports whether one of its runs has not ended.
func (m *Mailing) Close(open bool, now time.Time) bool {
	ended := !m.EndAt.IsZero() && !now.Before(m.EndAt)
	only := m.Periodicity == Once && m.NextNo > 0 && !open
	if m.Status != Running || !ended && !only {
		return false
	}
	m.finish(now)
	return true
}

// Disable stops the mailing until a manager enables it.
func (m *Mailing) Disable(by User, reason string, now time.Time) error {
	if !by.MayOversee() {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	reason, err := readReason(reason)
	if err == nil && !m.Disabled() {
		m.DisabledAt, m.DisabledReason = now, reason
	}
	return err
}

// Enable undoes Disable.
func (m *Mailing) Enable(by User) error {
	if !by.MayOversee() {
		return Errorf(Forbidden, "", "errors.forbidden")
	}
	m.DisabledAt, m.DisabledReason = time.Time{}, ""
	return nil
}

func (m *Mailing) finish(now time.Time) {
	m.Status, m.FinishedAt, m.NextRunAt, m.PausedAt = Finished, now, time.Time{}, time.Time{}
}

// advanceTo makes the first occurrence numbered no or higher the next one.
func (m *Mailing) advanceTo(no int) {
	next, _ := m.Schedule().From(no)
	m.NextNo, m.NextRunAt = no, next.At
}
