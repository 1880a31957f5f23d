// Package runs shows what happened to mailings: runs, deliveries and attempts.
package runs

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Runs shows what happened to mailings.
type Runs struct {
	DB       *db.DB
	Bounces  bool // emails that come back are read
	Messages *messages.Messages
}

// runCounts is the block runs/counts: the deliveries of a run by outcome, so far.
type runCounts struct {
	domain.Counts
	Deferred  int64
	NextTryAt web.Moment
	Percent   int // of the deliveries that have ended

	db.RunSums
	Marks                   bool // what came back is worth showing
	Left                    bool // who left is
	TrackClicks, TrackOpens bool // these were counted
}

// Unsent counts the emails that were not sent.
func (c runCounts) Unsent() int64 { return c.Suppressed + c.Expired + c.Cancelled }

// Row is a run in a list, and the head of its page.
type Row struct {
	runCounts
	ID, MailingID int64
	Mailing       string
	Status        domain.RunStatus
	Reason        string       // why it ended early, was missed, or does not move: a word of ours or the server's
	Ours          bool         // Reason is a key of runs.reason_
	Class         domain.Class // what the server's words in Reason mean; empty: they are no answer to an email
	ScheduledAt   web.Moment
	ClosedAt      web.Moment
	ResumeAt      web.Moment
	From          string // the sender's name and address; "": the installation's address
	ByHand        bool   // asked for out of turn
	Over          bool   // nothing more will happen
	Test          string // which variant of a test it is, or that it waits for the best; empty: of none
}

// runView is the page runs/show.
type runView struct {
	Row
	Sentence   string
	Skipped    []counted     // why some got nothing when the run was planned
	Held       []counted     // why some waited
	LeftFor    []counted     // why some unsubscribed
	Subject    string        // of the email as it went out
	Cancel     bool          // the viewer may end it
	Again      []againChoice // to whom the viewer may send the message again
	Sent       bool          // there is an email to look at
	AB         testView
	Refusals   refusalsView
	Readers    readersView
	Throughput web.Chart
	Outcome    string
	Outcomes   []templates.Option
	Rows       []deliveryRow
	Pager      web.Pager
}

// deliveryRow is one recipient of a run.
type deliveryRow struct {
	Email   string
	Outcome domain.Outcome
	Tries   int
	Skipped string
	Reply
}

// Row is the run as lists show it.
func (h *Runs) Row(r *web.Request, run db.RunRow) Row {
	row := Row{
		runCounts: runCounts{Counts: run.Counts, Deferred: run.Deferred, NextTryAt: r.Viewer.Moment(run.NextTryAt), Percent: 100},
		ID:        run.ID, MailingID: run.MailingID, Mailing: run.MailingName, Status: run.Status, Reason: run.Reason,
		ScheduledAt: r.Viewer.Moment(run.ScheduledAt), ClosedAt: r.Viewer.Moment(run.ClosedAt), ResumeAt: r.Viewer.Moment(run.ResumeAt),
		ByHand: run.OccurrenceNo == nil && run.Variant == 0, Over: run.Closed(),
	}
	if run.ABTestID != 0 {
		row.Test = r.Viewer.T("runs.ab_rest")
	}
	if run.Variant > 0 {
		row.Test = r.Viewer.T("runs.ab_variant", "Letter", Letter(run.Variant))
	}
	if run.From.Email != "" {
		row.From = run.From.Name + " <" + run.From.Email + ">"
	}
	row.RunSums, row.Left = run.RunSums, run.Status != domain.RunMissed
	row.TrackClicks, row.TrackOpens = run.TrackClicks, run.TrackOpens
	row.Marks = h.Bounces || run.Bounced > 0 || run.Complained > 0
	if run.Planned > 0 {
		row.Percent = int(100 * (run.Planned - run.Open()) / run.Planned)
	}
	if run.Reason == domain.ReasonWarmUp {
		row.ResumeAt = h.nextDay(r, run.OwnerID)
	}
	switch run.Reason {
	case domain.ReasonStopped, domain.ReasonDeleted, domain.ReasonDisabled, domain.ReasonBlocked, domain.ReasonEnded, domain.ReasonMissed,
		domain.ReasonWarmUp, domain.ReasonComplaints, domain.ReasonCancelled, domain.ReasonRecalled, domain.ReasonRecall, domain.ReasonPaused, domain.ReasonWindow, domain.ReasonWindowOver, domain.ReasonNothingNew, domain.ReasonFeedFailed,
		domain.ReasonTest, domain.ReasonUndecided:
		row.Ours = true
	default:
		row.Class = domain.ClassOfReason(run.Reason)
	}
	return row
}

// nextDay is when the day of an owner's account ends, and with it the limit of the day.
func (h *Runs) nextDay(r *web.Request, ownerID int64) web.Moment {
	owner, now := *r.Viewer.User, time.Now()
	if owner.ID != ownerID {
		var err error
		if owner, err = h.DB.Users().Get(r.UserContext(), ownerID); err != nil {
			return r.Viewer.Moment(time.Time{})
		}
	}
	return r.Viewer.Moment(domain.OwnerDayBegins(owner.CreatedAt, domain.OwnerDayOf(owner.CreatedAt, now)+1))
}

// Show shows one run with its deliveries.
func (h *Runs) Show(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	page := r.ListPage()
	outcome := domain.Outcome(r.Query("outcome"))
	deliveries, more, err := h.DB.Runs().Deliveries(r.UserContext(), run.ID, outcome, page)
	if err != nil {
		return err
	}
	view, err := h.report(r, run)
	if err != nil {
		return err
	}
	view.Outcome = string(outcome)
	view.Pager = r.OpenPager(page, more, len(deliveries), func(n int) db.Cursor { return db.Cursor{int64(deliveries[n].Seq)} })
	view.Outcomes = []templates.Option{{Label: r.Viewer.T("runs.all_outcomes")}}
	for _, one := range domain.Outcomes() {
		view.Outcomes = append(view.Outcomes, templates.Option{Value: string(one), Label: r.Viewer.T("runs.outcome_" + string(one))})
	}
	for _, one := range deliveries {
		if one.Outcome == domain.OutcomeDeferred && one.Tries == 0 && one.Skipped != "" {
			one.Answer = r.Viewer.T("runs.held_" + one.Skipped)
		}
		if one.Outcome != domain.OutcomeSuppressed {
			one.Skipped = "" // it waited
		}
		view.Rows = append(view.Rows, deliveryRow{Email: one.Email, Outcome: one.Outcome, Tries: one.Tries, Skipped: one.Skipped,
			Reply: replyOf(domain.Attempt{Status: one.Status, Code: one.Code, Answer: one.Answer, Class: one.Class})})
	}
	return r.Page(fiber.StatusOK, "runs/show", view)
}

// report is how the run went, without its deliveries.
func (h *Runs) report(r *web.Request, run db.RunRow) (view runView, err error) {
	view = runView{Row: h.Row(r, run)}
	if view.Throughput, err = h.Throughput(r, run.Run); err != nil {
		return view, err
	}
	if view.Refusals, err = h.refusals(r, run.Run); err != nil {
		return view, err
	}
	if view.Readers, err = h.readers(r, run); err != nil {
		return view, err
	}
	if view.AB, err = h.testOf(r, run.Run); err != nil {
		return view, err
	}
	if len(view.Refusals.Holds) > 0 && run.Status == domain.RunRunning {
		view.Reason = "" // the holds say it better
	}
	if err := h.left(r, run, &view); err != nil {
		return view, err
	}
	view.Subject = run.Subject
	view.Sentence, view.Sent = sentence(r, run, view.Refusals.Suppressed), run.Status != domain.RunMissed
	mine := run.OwnerID == r.Viewer.User.ID && r.Viewer.User.MayOwn()
	view.Cancel = mine && (run.Status == domain.RunRunning || run.Status == domain.RunPaused)
	if mine && run.Status == domain.RunDone {
		view.Again, err = h.againChoices(r, run.Run)
	}
	return view, err
}

// counted is how many there were of something.
type counted struct {
	What  string
	Count int64
}

// left says who got nothing by their own preferences, and who left by this run's emails.
func (h *Runs) left(r *web.Request, run db.RunRow, view *runView) error {
	reasons, err := h.DB.Runs().LeftFor(r.UserContext(), run.ID)
	if err != nil {
		return err
	}
	for _, one := range reasons {
		if one.Reason != "" {
			view.LeftFor = append(view.LeftFor, counted{r.Viewer.T("recipients.reason_" + one.Reason), one.Count})
		}
	}
	view.Skipped, view.Held = countedOf(r, "runs.skipped_", run.Skipped), countedOf(r, "runs.held_", run.Held)
	return nil
}

// countedOf are the counts with their reasons in words, the most frequent first.
func countedOf(r *web.Request, prefix string, counts domain.Skipped) (list []counted) {
	reasons := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for _, one := range reasons {
		list = append(list, counted{r.Viewer.T(prefix + one), counts[one]})
	}
	return list
}
