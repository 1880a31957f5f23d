package domain

import (
	"slices"
	"time"

	"skychimp/domain/abtest"
	"skychimp/domain/digest"
	"skychimp/domain/holdout"
)

// MailingStatus is the contract's status of a mailing.
type MailingStatus string

// The statuses of a mailing.
const (
	Created  MailingStatus = "created"
	Running  MailingStatus = "running"
	Finished MailingStatus = "finished"
)

// MailingKind tells mailings from series, which share what both have.
type MailingKind string

// The kinds. A series has no calendar, audience and message of its own: see the package series.
const (
	KindMailing MailingKind = "mailing"
	KindSeries  MailingKind = "series"
)

// Audience says which of the owner's clients a mailing writes to.
type Audience string

// The audiences of the contract.
const (
	AudienceAll    Audience = "all"
	AudienceTags   Audience = "tags"
	AudiencePicked Audience = "picked"

	AudienceSegment Audience = "segment"
)

// Mailing is the settings of what is sent to whom and when. StartLocal and EndLocal are wall
// clocks in Timezone (their location is UTC); EndAt and NextRunAt are the instants they give.
type Mailing struct {
	ID             int64 `bun:",pk,autoincrement"`
	OwnerID        int64
	MessageID      int64       `bun:",nullzero"`
	SenderID       int64       `bun:",nullzero"` // 0: the installation's address
	TopicID        int64       `bun:",nullzero"` // 0: none
	Kind           MailingKind `bun:",nullzero,default:'mailing'"`
	Name           string
	Audience       Audience
	Tags           []string   `bun:",array"`
	ClientIDs      []int64    `bun:"-"`
	SegmentID      int64      `bun:",nullzero"` // of AudienceSegment; 0: the segment was deleted, and nobody is chosen
	Selection      *Selection `bun:"-"`         // what the segment means now, nil: it was not asked
	StartLocal     time.Time  `bun:"type:timestamp"`
	EndLocal       time.Time  `bun:"type:timestamp,nullzero"`
	Timezone       string
	Periodicity    Periodicity
	Days           `bun:",embed"`
	Window         Window    `bun:"embed:window_"`
	ZoneOfClient   bool      // it goes out by the clocks of each client
	Zones          []string  `bun:",array,nullzero,default:'{}'"` // of clients where it does so first
	ZonesAt        time.Time `bun:",nullzero"`                    // when these were looked for last
	ZoneField      int64     `bun:"-"`                            // that holds the clients' zones, see db.FindZones; 0: none
	ClientZones    []string  `bun:"-"`                            // all that clients have
	Rotation       `bun:",embed"`
	Digest         digest.Digest   `bun:"embed:"`
	AB             abtest.Setup    `bun:"embed:"`
	Holdout        holdout.Holdout `bun:"embed:holdout_"`
	Important      bool            // it is not held back for a client who has had enough emails this week
	Exceptions     []Exception     `bun:"type:jsonb,nullzero"` // of single dates
	Tracking       `bun:",embed"`
	Status         MailingStatus
	EndAt          time.Time `bun:",nullzero"`
	NextNo         int
	NextRunAt      time.Time `bun:",nullzero"`
	LaunchedAt     time.Time `bun:",nullzero"` // or first sent out of turn
	FinishedAt     time.Time `bun:",nullzero"`
	DisabledAt     time.Time `bun:",nullzero"`
	DisabledReason string
	PausedAt       time.Time `bun:",nullzero"`  // by its owner
	NoticedUntil   time.Time `bun:",nullzero"`  // its owner was told of the dates up to this one
	AgainOf        int64     `bun:",nullzero"`  // the run whose message it sends again
	Recall         *Recall   `bun:"type:jsonb"` // of the last launch or run out of turn
	DeletedAt      time.Time `bun:",nullzero"`
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
	UpdatedAt      time.Time `bun:",nullzero,default:now()"`
}

// Tracking is what a mailing wants to know of its readers, and what its links tell the pages they lead to: none of it
// unless its owner says so.
type Tracking struct {
	TrackClicks, TrackOpens bool
	UTM                     bool   `bun:"utm"`
	UTMCampaign             string `bun:"utm_campaign"` // empty: the name of the mailing
}

// Copy is a new mailing like m. Its start is the next one at that time of the day, so that no launch sends at once
// because the original is old.
func (m Mailing) Copy(name string, now time.Time) Mailing {
	zone := m.Schedule().Zone
	c := Mailing{OwnerID: m.OwnerID, MessageID: m.MessageID, SenderID: m.SenderID, TopicID: m.TopicID, Name: cut(name, maxName), Audience: m.Audience, Tags: m.Tags,
		SegmentID: m.SegmentID, ClientIDs: m.ClientIDs, StartLocal: m.StartLocal, EndLocal: m.EndLocal, EndAt: m.EndAt, Timezone: m.Timezone,
		Periodicity: m.Periodicity, Days: m.Days, Window: m.Window, ZoneOfClient: m.ZoneOfClient, Zones: m.Zones,
		Important: m.Important, Rotation: Rotation{MessageIDs: m.MessageIDs, RotationStops: m.RotationStops}, Tracking: m.Tracking, Status: Created}
	c.MessageID = c.MessageOf(0, m.MessageID)
	c.Digest.Source, c.Holdout, c.AB = m.Digest.Source, m.Holdout.Copy(), m.AB
	if !Instant(c.StartLocal, zone).After(now) {
		today, clock := now.In(zone), c.StartLocal
		c.StartLocal = time.Date(today.Year(), today.Month(), today.Day(), clock.Hour(), clock.Minute(), 0, 0, time.UTC)
		if !Instant(c.StartLocal, zone).After(now) {
			c.StartLocal = c.StartLocal.AddDate(0, 0, 1)
		}
		for range 366 { // one that goes out once has to have a day to go out on
			if _, happens := c.Days.settle(c.StartLocal); c.Periodicity != Once || happens {
				break
			}
			c.StartLocal = c.StartLocal.AddDate(0, 0, 1)
		}
	}
	if !c.EndLocal.After(c.StartLocal) {
		c.EndLocal, c.EndAt = time.Time{}, time.Time{}
	}
	return c
}

// cut is the beginning of a text, at most so many characters.
func cut(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// Schedule is the mailing's calendar. The zone was checked when it was saved.
func (m Mailing) Schedule() Schedule {
	zone, err := time.LoadLocation(m.Timezone)
	if err != nil {
		zone = time.UTC
	}
	s := Schedule{Start: m.StartLocal, End: m.EndLocal, Zone: zone, Every: m.Periodicity, Days: m.Days, Exceptions: m.Exceptions}
	for _, name := range m.Zones {
		if zone, err := LoadZone(name); err == nil && m.ZoneOfClient {
			s.Zones = append(s.Zones, zone)
		}
	}
	return s
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
	if left, bounded := m.RotationLeft(); bounded { // counted from the next one, however far ahead is asked
		list := slices.DeleteFunc(schedule.Upcoming(next.At.Add(-1), left), func(o Occurrence) bool { return !o.At.After(now) })
		return list[:min(limit, len(list))]
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
	case m.MessageID == 0 && m.Kind != KindSeries:
		return Errorf(Conflict, "", "mailings.message_required")
	case !m.EndAt.IsZero() && !now.Before(m.EndAt):
		return Errorf(Conflict, "", "mailings.end_passed")
	}
	m.Status, m.LaunchedAt = Running, now
	if m.Kind != KindSeries {
		m.advanceTo(0)
	}
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
	case m.Kind == KindSeries:
		return 0, false, Errorf(Conflict, "", "series.no_run_now")
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
	only := (m.Periodicity == Once && m.NextNo > 0 || m.RotationOver()) && !open
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
	if m.NextNo, m.NextRunAt = no, next.At; m.RotationOver() {
		m.NextRunAt = time.Time{}
	}
}

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
	if m.Recallable(now) && launching(m) && !m.NextRunAt.After(now) {
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
func launching(m *Mailing) bool {
	return m.Recall != nil && m.Recall.Status == Created && m.Status == Running
}

// Recallable reports whether there is something to take back.
func (m *Mailing) Recallable(now time.Time) bool {
	return m.Recall != nil && m.Status != Finished && now.Before(m.Recall.Until)
}

// NotBefore is what the occurrence that is due at now waits for, zero when for nothing.
func (m *Mailing) NotBefore(now time.Time) time.Time {
	if m.Recallable(now) && launching(m) {
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
	if m.Paused() && m.Kind != KindSeries {
		missed, _, _ = m.Plan(now)
	}
	m.PausedAt = time.Time{}
	return missed, nil
}
