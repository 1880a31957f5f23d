package domain

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

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

// WallFormat is how forms write a wall-clock time.
const WallFormat = "2006-01-02T15:04"

// Mailing is the settings of what is sent to whom and when. StartLocal and EndLocal are wall
// clocks in Timezone (their location is UTC); EndAt and NextRunAt are the instants they give.
type Mailing struct {
	ID             int64 `bun:",pk,autoincrement"`
	OwnerID        int64
	MessageID      int64 `bun:",nullzero"`
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
	LaunchedAt     time.Time `bun:",nullzero"`
	FinishedAt     time.Time `bun:",nullzero"`
	DisabledAt     time.Time `bun:",nullzero"`
	DisabledReason string
	DeletedAt      time.Time `bun:",nullzero"`
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
	UpdatedAt      time.Time `bun:",nullzero,default:now()"`
}

// MailingForm is what the owner types. StartAt and EndAt are in WallFormat, EndAt may be empty.
type MailingForm struct {
	Name, Audience, Tags, StartAt, EndAt, Timezone, Periodicity string
	MessageID                                                   int64
	ClientIDs                                                   []int64
}

// Schedule is the mailing's calendar. The zone was checked when it was saved.
func (m Mailing) Schedule() Schedule {
	zone, err := time.LoadLocation(m.Timezone)
	if err != nil {
		zone = time.UTC
	}
	return Schedule{Start: m.StartLocal, End: m.EndLocal, Zone: zone, Every: m.Periodicity}
}

// Disabled tells whether a manager stopped the mailing.
func (m Mailing) Disabled() bool { return !m.DisabledAt.IsZero() }

// MayEdit: the settings of a finished mailing are history.
func (m Mailing) MayEdit() bool { return m.Status != Finished }

// MayLaunch, MayStop and MayRun say which buttons the owner has.
func (m Mailing) MayLaunch() bool { return m.Status == Created && !m.Disabled() }

// MayStop tells whether there is something to stop.
func (m Mailing) MayStop() bool { return m.Status == Running }

// MayRun tells whether a run out of turn is possible at now.
func (m Mailing) MayRun(now time.Time) bool {
	return m.Status != Finished && !m.Disabled() && (m.EndAt.IsZero() || now.Before(m.EndAt))
}

// Change takes the form over. Of a running mailing the anchor and the periodicity are fixed,
// because occurrences that were sent are counted from them.
func (m *Mailing) Change(form MailingForm, now time.Time) error {
	if !m.MayEdit() {
		return Refuse(Conflict, "", "mailings.finished_fixed")
	}
	var p Problems
	before := *m
	m.Name, m.MessageID, m.UpdatedAt = strings.TrimSpace(form.Name), form.MessageID, now
	switch {
	case m.Name == "":
		p.Add("name", "mailings.name_required")
	case utf8.RuneCountInString(m.Name) > 200:
		p.Add("name", "mailings.name_long", "Max", 200)
	}
	if m.MessageID == 0 {
		p.Add("message_id", "mailings.message_required")
	}
	m.changeAudience(&p, form)
	m.changeTimes(&p, form)
	if before.Status == Running {
		if !m.StartLocal.Equal(before.StartLocal) {
			p.Add("start_at", "mailings.running_fixed")
		}
		if m.Timezone != before.Timezone {
			p.Add("timezone", "mailings.running_fixed")
		}
		if m.Periodicity != before.Periodicity {
			p.Add("periodicity", "mailings.running_fixed")
		}
	}
	if len(p) > 0 {
		return p
	}
	if m.Status == Running {
		m.advanceTo(m.NextNo)
	}
	return nil
}

func (m *Mailing) changeAudience(p *Problems, form MailingForm) {
	m.Audience, m.Tags, m.ClientIDs = Audience(form.Audience), []string{}, nil
	switch m.Audience {
	case AudienceAll:
	case AudienceTags:
		m.Tags = ParseTags(form.Tags)
		if len(m.Tags) == 0 {
			p.Add("tags", "mailings.tags_required")
		}
		checkTags(p, m.Tags)
	case AudiencePicked:
		m.ClientIDs = slices.Compact(slices.Sorted(slices.Values(form.ClientIDs)))
		if len(m.ClientIDs) == 0 {
			p.Add("client_ids", "mailings.clients_required")
		}
	default:
		p.Add("audience", "mailings.audience_unknown")
	}
}

func (m *Mailing) changeTimes(p *Problems, form MailingForm) {
	var err error
	m.Timezone, m.Periodicity = strings.TrimSpace(form.Timezone), Periodicity(form.Periodicity)
	m.EndLocal, m.EndAt = time.Time{}, time.Time{}
	if m.StartLocal, err = parseWall(form.StartAt); err != nil {
		p.Add("start_at", "mailings.start_invalid")
	}
	if form.EndAt != "" {
		if m.EndLocal, err = parseWall(form.EndAt); err != nil {
			p.Add("end_at", "mailings.end_invalid")
		} else if !m.StartLocal.IsZero() && !m.EndLocal.After(m.StartLocal) {
			p.Add("end_at", "mailings.end_before_start")
		}
	}
	if !m.Periodicity.Valid() {
		p.Add("periodicity", "mailings.periodicity_unknown")
	}
	zone, err := LoadZone(m.Timezone)
	if err != nil {
		p.Add("timezone", "mailings.timezone_unknown")
	} else if !m.EndLocal.IsZero() {
		m.EndAt = Instant(m.EndLocal, zone)
	}
}

// parseWall reads a wall clock between 2000 and 2199; seconds, which some browsers add, are
// dropped.
func parseWall(text string) (time.Time, error) {
	wall, err := time.Parse(WallFormat, text)
	if err != nil {
		wall, err = time.Parse(WallFormat+":05", text)
	}
	if err == nil && (wall.Year() < 2000 || wall.Year() > 2199) {
		err = Refuse(Invalid, "", "mailings.start_invalid")
	}
	if err != nil {
		return time.Time{}, err
	}
	return wall.Truncate(time.Minute), nil
}

// Launch makes the mailing send at its times from now on; occurrences that have already
// passed are treated as missed, so the latest of them runs at once.
func (m *Mailing) Launch(now time.Time) error {
	switch {
	case m.Disabled():
		return Refuse(Conflict, "", "mailings.is_disabled", "Reason", m.DisabledReason)
	case !m.MayLaunch():
		return Refuse(Conflict, "", "mailings.launched_already")
	case m.MessageID == 0:
		return Refuse(Conflict, "", "mailings.message_required")
	case !m.EndAt.IsZero() && !now.Before(m.EndAt):
		return Refuse(Conflict, "", "mailings.end_passed")
	}
	m.Status, m.LaunchedAt = Running, now
	m.advanceTo(0)
	return nil
}

// Stop finishes the mailing for good, by its owner.
func (m *Mailing) Stop(now time.Time) error {
	if !m.MayStop() {
		return Refuse(Conflict, "", "mailings.not_running")
	}
	m.finish(now)
	return nil
}

// RunNow is the occurrence number that a run out of turn takes: the only one of a `once`
// mailing, none (ok is false) of the others, whose calendar goes on unchanged.
func (m *Mailing) RunNow(now time.Time) (no int, ok bool, err error) {
	switch {
	case m.Disabled():
		return 0, false, Refuse(Conflict, "", "mailings.is_disabled", "Reason", m.DisabledReason)
	case m.MessageID == 0:
		return 0, false, Refuse(Conflict, "", "mailings.message_required")
	case !m.MayRun(now):
		return 0, false, Refuse(Conflict, "", "mailings.is_finished")
	case m.Periodicity != Once:
		return 0, false, nil
	case m.NextNo > 0:
		return 0, false, Refuse(Conflict, "", "mailings.ran_once")
	}
	m.Status = Running
	if m.LaunchedAt.IsZero() {
		m.LaunchedAt = now
	}
	m.advanceTo(1)
	return 0, true, nil
}

// Plan takes the occurrences that are due at now off the calendar: the missed ones, and the
// one to run when ok.
func (m *Mailing) Plan(now time.Time) (missed []Occurrence, due Occurrence, ok bool) {
	missed, due, ok = m.Schedule().Due(m.NextNo, now)
	switch {
	case ok:
		m.advanceTo(due.No + 1)
	case len(missed) > 0:
		m.advanceTo(missed[len(missed)-1].No + 1)
	}
	return missed, due, ok
}

// Close finishes a running mailing whose end has come or whose only run is done.
// open tells whether a run of it is still going on.
func (m *Mailing) Close(open bool, now time.Time) bool {
	ended := !m.EndAt.IsZero() && !now.Before(m.EndAt)
	only := m.Periodicity == Once && m.NextNo > 0 && !open
	if m.Status != Running || !ended && !only {
		return false
	}
	m.finish(now)
	return true
}

// Disable stops the mailing from outside until a manager lifts it.
func (m *Mailing) Disable(by User, reason string, now time.Time) error {
	if !by.MayOversee() {
		return Refuse(Forbidden, "", "errors.forbidden")
	}
	if err := checkReason(reason); err != nil {
		return err
	}
	if !m.Disabled() {
		m.DisabledAt, m.DisabledReason = now, strings.TrimSpace(reason)
	}
	return nil
}

// Enable lifts what Disable did.
func (m *Mailing) Enable(by User) error {
	if !by.MayOversee() {
		return Refuse(Forbidden, "", "errors.forbidden")
	}
	m.DisabledAt, m.DisabledReason = time.Time{}, ""
	return nil
}

func (m *Mailing) finish(now time.Time) {
	m.Status, m.FinishedAt, m.NextRunAt = Finished, now, time.Time{}
}

// advanceTo makes the first occurrence numbered no or higher the next one.
func (m *Mailing) advanceTo(no int) {
	next, _ := m.Schedule().From(no)
	m.NextNo, m.NextRunAt = no, next.At
}
