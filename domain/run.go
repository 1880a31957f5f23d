package domain

import (
	"time"

	"skychimp/domain/abtest"
	"skychimp/domain/digest"
	"skychimp/domain/holdout"
)

// RunStatus is the state of one occurrence.
type RunStatus string

// A run is running until all its deliveries have ended. It is paused when the sender is
// broken or while it can be taken back (it goes on by itself at ResumeAt), and by its owner; stopping when what is open becomes EndOutcome,
// and missed when the service was not sending at its time.
const (
	RunRunning  RunStatus = "running"
	RunPaused   RunStatus = "paused"
	RunStopping RunStatus = "stopping"
	RunDone     RunStatus = "done"
	RunMissed   RunStatus = "missed"
)

// Why a run was ended early or missed; each has a locale key `runs.reason_<word>`.
const (
	ReasonStopped    = "stopped"
	ReasonDeleted    = "deleted"
	ReasonDisabled   = "disabled"
	ReasonBlocked    = "blocked"
	ReasonEnded      = "ended"
	ReasonMissed     = "missed"
	ReasonComplaints = "complaints" // not ended: it waits until a manager has looked at the owner
	ReasonCancelled  = "cancelled"  // its owner ended this run alone
	ReasonRecalled   = "recalled"   // taken back before its first email
	ReasonRecall     = "recall"     // not ended: it can be taken back until ResumeAt
	ReasonPaused     = "paused"     // not ended: its owner holds the mailing
	ReasonWindow     = "window"     // not ended: it goes on in the hours of its mailing
	ReasonWindowOver = "windowover" // the hours of its mailing were over
	ReasonNothingNew = "nothingnew" // missed: a digest had no new posts
	ReasonFeedFailed = "feedfailed" // missed: the posts of a digest could not be read
	ReasonWarmUp     = "warmup"     // not ended: the daily quota of a new account is used up
	ReasonTest       = "test"       // not ended: it waits for what comes of the variants of its test
	ReasonUndecided  = "undecided"  // nobody decided which variant it should get
)

// Run is one occurrence of a mailing. OccurrenceNo is nil for a run out of turn.
type Run struct {
	ID           int64 `bun:",pk,autoincrement"`
	MailingID    int64
	OwnerID      int64
	TopicID      int64 `bun:",nullzero"` // 0: none
	StepID       int64 `bun:",nullzero"` // of a series, which may be gone; 0: of a mailing
	OccurrenceNo *int
	MessageID    int64 `bun:",nullzero"` // 0: planned by a version that kept none
	Issue        int   // counts the runs of a mailing from 1; 0: as MessageID
	ScheduledAt  time.Time
	WindowEnd    time.Time `bun:",nullzero"`
	Subject      string
	Body         string
	Preheader    string // as of the message
	Language     string // as of the message
	Revision     int
	From         From   `bun:"embed:"`
	Brand        *Brand `bun:"type:jsonb"` // as it was; nil: planned by a version that knew none
	Tracking     `bun:",embed"`
	Status       RunStatus
	EndOutcome   Outcome
	Reason       string
	Pauses       int
	ResumeAt     time.Time            `bun:",nullzero"`
	NotBefore    time.Time            `bun:",nullzero"`  // no email leaves earlier
	OpensAt      time.Time            `bun:",nullzero"`  // emails leave from here
	ClosesAt     time.Time            `bun:",nullzero"`  // to here; zero: the mailing has no window
	PlanCursor   *PlanCursor          `bun:"type:jsonb"` // nil: everybody is planned
	ABTestID     int64                `bun:"ab_test_id,nullzero"`
	Variant      int                  // of its test, from 1; 0: it gets the best of them, or has no test
	Undecided    bool                 // which is not known yet
	Skipped      Skipped              `bun:"type:jsonb"`
	Held         Skipped              `bun:"type:jsonb"` // those that waited, by the reason
	Posts        []digest.Post        `bun:"-"`          // of a digest, of the run that is being made
	Waves        map[string]time.Time `bun:"-"`          // of the run that is being made, see WavesOf
	Counts
	ResultsCounted bool      // by client, see db.CountResults
	Summed         bool      // had ended when it was summed last, see db/sums
	SumAt          time.Time `bun:",nullzero"` // when it is summed again while it is open
	CreatedAt      time.Time `bun:",nullzero,default:now()"`
	ClosedAt       time.Time `bun:",nullzero"`
}

// PlanCursor is whom a run that is being planned still has to take in: the clients behind the last
// one planned, in the order of their list, up to the newest when the planning began.
type PlanCursor struct {
	CreatedAt time.Time // of the last
	ClientID  int64     // of the last
	Newest    int64     // the highest number of a client
	Audience  Audience
	Tags      []string
	Waves     map[string]time.Time `json:",omitempty"` // see WavesOf; nil: all at once
	ZoneField int64                `json:",omitempty"` // as the mailing's
	Hold      time.Time            `json:",omitzero"`  // how long an email may wait for room in its client's week, zero: none does
	Split     *abtest.Split        `json:",omitempty"` // of a test; nil: all
	Selection *Selection           `json:",omitempty"` // of a segment, as it was when the planning began
	AgainOf   int64                `json:",omitempty"` // as the mailing's
	Holdout   *holdout.Holdout     `json:",omitempty"` // nil: nobody is left out
}

// Skipped counts those who got nothing when a run was planned, by the reason: as a client's suppression, or one of these.
type Skipped map[string]int64

// Why a client who gets emails was left out of a run.
const (
	SkippedTopic     = "topic"     // left the topic
	SkippedPaused    = "paused"    // wants none before a date
	SkippedFrequency = "frequency" // had one within the week or the month
	SkippedCap       = "cap"       // had as many within a week as the owner allows; of Held: waits until there is room
	SkippedHoldout   = "holdout"   // is of the share that is left out, see package holdout
	HeldZone         = "zone"      // of Held alone: waits for the hour in its client's zone
)

// capDays are the week of which an owner caps the emails to a client.
const capDays = 7

// HoldUntil is how long an email of a run at an instant may wait for room in its client's week: a week, but not until
// the next run of its mailing, which would write to the client instead, or until the end of its own.
func (r Run) HoldUntil(m Mailing, at time.Time) time.Time {
	until := at.AddDate(0, 0, capDays)
	if m.Status == Running && m.NextRunAt.After(at) && m.NextRunAt.Before(until) {
		until = m.NextRunAt
	}
	if !r.WindowEnd.IsZero() && r.WindowEnd.Before(until) {
		until = r.WindowEnd
	}
	return until
}

// HoldUntil is how long an email of a run of the mailing at an instant to come may wait for room in its client's week.
func (m Mailing) HoldUntil(at time.Time) time.Time {
	m.Status, m.NextRunAt = Running, time.Time{}
	if next := m.Upcoming(at, 1); len(next) > 0 {
		m.NextRunAt = next[0].At
	}
	return Run{WindowEnd: m.EndAt}.HoldUntil(m, at)
}

// Sum is how many they were.
func (s Skipped) Sum() (n int64) {
	for _, one := range s {
		n += one
	}
	return n
}

// Add adds those of another part of the run.
func (s *Skipped) Add(more Skipped) {
	if *s == nil {
		*s = Skipped{}
	}
	for reason, n := range more {
		(*s)[reason] += n
	}
}

// Counts are the deliveries of a run by outcome. Always
// Planned = Accepted + Failed + Suppressed + Expired + Cancelled + Open.
type Counts struct {
	Planned, Accepted, Failed, Suppressed, Expired, Cancelled int64
}

// Open is the number of deliveries without a final outcome.
func (c Counts) Open() int64 {
	return c.Planned - c.Accepted - c.Failed - c.Suppressed - c.Expired - c.Cancelled
}

// Begin is the state of a run that is made at now: one with a NotBefore waits for it.
func (r *Run) Begin(now time.Time) {
	if r.Status = RunRunning; r.Undecided {
		r.Status, r.Reason, r.ResumeAt = RunPaused, ReasonTest, time.Time{}
	} else if now.Before(r.NotBefore) {
		r.Status, r.Reason, r.ResumeAt = RunPaused, ReasonRecall, r.NotBefore
	} else if r.Shut(now) {
		r.Status, r.Reason, r.ResumeAt = RunPaused, ReasonWindow, r.OpensAt
	}
}

// VariantOf is the run that tries a variant of the test that the rest waits for.
func (r Run) VariantOf(test int64, variant int) Run {
	r.ABTestID, r.Variant, r.OccurrenceNo = test, variant, nil
	return r
}

// RestOf is the run of those who wait for the best of a test. They do so until the mailing ends, or writes to them again.
func (r Run) RestOf(test int64, m Mailing, now time.Time) Run {
	r.ABTestID, r.Undecided = test, true
	r.Fit(m, now)
	r.Begin(now)
	return r
}

// restUntil is how long the rest of a test of a run waits at most.
func restUntil(m Mailing, run, next time.Time) time.Time {
	until := run.Add(abtest.Patience)
	for _, sooner := range []time.Time{m.EndAt, next} {
		if sooner.After(run) && sooner.Before(until) {
			until = sooner
		}
	}
	return until
}

// Choose gives the rest of a test the email of a variant, and lets it go unless it waits for something else.
func (r *Run) Choose(variant Run, m Mailing, now time.Time) error {
	switch {
	case !r.Undecided:
		return Errorf(Conflict, "", "runs.ab_decided")
	case r.Status != RunPaused, !now.Before(r.WindowEnd):
		return Errorf(Conflict, "", "runs.over")
	}
	r.Undecided, r.MessageID, r.Revision = false, variant.MessageID, variant.Revision
	r.Subject, r.Preheader, r.Body, r.Language = variant.Subject, variant.Preheader, variant.Body, variant.Language
	if r.Fit(m, now); r.Reason == ReasonTest {
		r.Reason, r.ResumeAt = "", time.Time{}
		r.Begin(now)
	}
	return nil
}

// Closed reports whether all deliveries have ended.
func (r Run) Closed() bool { return r.Status == RunDone || r.Status == RunMissed }

// Cancel ends the run alone; its mailing goes on. Again it changes nothing.
func (r *Run) Cancel() error {
	switch r.Status {
	case RunRunning, RunPaused:
		r.Status, r.EndOutcome, r.Reason, r.ResumeAt = RunStopping, OutcomeCancelled, ReasonCancelled, time.Time{}
	case RunDone, RunMissed:
		return Errorf(Conflict, "", "runs.over")
	}
	return nil
}

// Again says whom a finished run's message is sent to once more.
type Again string

// The choices of the contract. Who has opened or clicked is known where the run's mailing wanted to.
const (
	AgainNotAccepted Again = "not_accepted"
	AgainJoinedSince Again = "joined_since"
	AgainNotClicked  Again = "not_clicked"
	AgainNotOpened   Again = "not_opened"
)

// MayRepeat refuses what can't be told of the run.
func (r Run) MayRepeat(who Again) error {
	switch who {
	case AgainNotAccepted, AgainJoinedSince:
	case AgainNotClicked, AgainNotOpened:
		if who == AgainNotClicked && r.TrackClicks || who == AgainNotOpened && r.TrackOpens {
			break
		}
		return ValidationErrors{Errorf(Invalid, "who", "runs.again_untracked")}
	default:
		return ValidationErrors{Errorf(Invalid, "who", "runs.again_unknown")}
	}
	if r.Status != RunDone {
		return Errorf(Conflict, "", "runs.again_open")
	}
	return nil
}

// Repeat is the mailing that sends the run's message again: once, to those who are picked, as soon as it is launched.
func (r Run) Repeat(m Mailing, name string, now time.Time) Mailing {
	again := m.Copy(name, now)
	again.AgainOf, again.Audience, again.Tags, again.ClientIDs, again.Periodicity = r.ID, AudiencePicked, []string{}, nil, Once
	again.SegmentID, again.Selection, again.Holdout = 0, nil, holdout.Holdout{}
	if again.Rotation = (Rotation{MessageIDs: []int64{}}); r.MessageID != 0 {
		again.MessageID = r.MessageID
	}
	again.StartLocal, again.EndLocal, again.EndAt = wallOf(now, m.Schedule().Zone), time.Time{}, time.Time{}
	return again
}

// wallOf is the wall clock of a moment, to the minute.
func wallOf(at time.Time, zone *time.Location) time.Time {
	at = at.In(zone)
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), 0, 0, time.UTC)
}

// Outcome is the state of a delivery: open, or exactly one final outcome.
type Outcome string

// The outcomes of the contract. Queued and Deferred are open.
const (
	OutcomeQueued     Outcome = "queued"
	OutcomeDeferred   Outcome = "deferred"
	OutcomeAccepted   Outcome = "accepted"
	OutcomeFailed     Outcome = "failed"
	OutcomeSuppressed Outcome = "suppressed"
	OutcomeExpired    Outcome = "expired"
	OutcomeCancelled  Outcome = "cancelled"
)

// Outcomes are all outcomes, in the order of a table.
func Outcomes() []Outcome {
	return []Outcome{OutcomeAccepted, OutcomeFailed, OutcomeSuppressed, OutcomeExpired,
		OutcomeCancelled, OutcomeDeferred, OutcomeQueued}
}

// Open reports whether the delivery has not ended.
func (o Outcome) Open() bool { return o == OutcomeQueued || o == OutcomeDeferred }

// Delivery is one client in one run. Seq numbers the run's deliveries from 1.
type Delivery struct {
	RunID    int64
	Seq      int
	ClientID int64
	Email    string
	Outcome  Outcome
	Tries    int
	Skipped  string    `bun:",nullzero"` // why it was suppressed when it was planned, as in Skipped
	DueAt    time.Time `bun:",nullzero"` // until when it waits, or waited, before its first try
}

// BatchSize is how many deliveries one fetch takes: seq 1 to 100, 101 to 200 and so on.
const BatchSize = 100

// BatchOf is the first seq of the block that seq belongs to.
func BatchOf(seq int) int { return (seq-1)/BatchSize*BatchSize + 1 }

// Throughput is the results of a run over time. Every says of how many recipients one was
// looked at for it; with 1 all numbers are exact, else those of it are multiplied.
type Throughput struct {
	From  time.Time
	Step  time.Duration // of one part
	Every int64
	Parts []ThroughputPart // from From on, without gaps
}

// ThroughputPart counts the attempts in one stretch of time.
type ThroughputPart struct {
	Accepted, Deferred, Failed int64
}

// Add counts attempts in the n-th part; an attempt whose result is unknown will be repeated.
func (p *Throughput) Add(n int, status AttemptStatus, attempts int64) {
	for len(p.Parts) <= n {
		p.Parts = append(p.Parts, ThroughputPart{})
	}
	switch status {
	case Accepted:
		p.Parts[n].Accepted += attempts
	case Failed:
		p.Parts[n].Failed += attempts
	default:
		p.Parts[n].Deferred += attempts
	}
}

// At is when the n-th part begins.
func (p Throughput) At(n int) time.Time { return p.From.Add(time.Duration(n) * p.Step) }
