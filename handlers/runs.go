package handlers

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// runCounts is the block runs/counts: what became of a run's deliveries so far.
type runCounts struct {
	domain.Counts
	Deferred  int64
	NextTryAt Moment
	Percent   int // of the deliveries that have ended
}

// Unsent counts the letters that nobody tried to send, or not to the end.
func (c runCounts) Unsent() int64 { return c.Suppressed + c.Expired + c.Cancelled }

// runRow is a run in a list, and the head of its page.
type runRow struct {
	runCounts
	ID, MailingID int64
	Mailing       string
	Status        domain.RunStatus
	Reason        string // why it ended early, was missed, or does not move: a word of ours or the server's
	Ours          bool   // Reason is a key of runs.reason_
	ScheduledAt   Moment
	ClosedAt      Moment
	ResumeAt      Moment
	ByHand        bool // asked for out of turn
	Over          bool // nothing more will happen
}

// runView is the page runs/show.
type runView struct {
	runRow
	Pace     paceChart
	Outcome  string
	Outcomes []templates.Option
	Rows     []deliveryRow
	Pager    pagerView
}

// deliveryRow is one recipient of a run.
type deliveryRow struct {
	Email   string
	Outcome domain.Outcome
	Tries   int
	Answer  string // the mail server's own words
}

func (s *Site) runRow(c *fiber.Ctx, run db.RunRow) runRow {
	row := runRow{
		runCounts: runCounts{Counts: run.Counts, Deferred: run.Deferred, NextTryAt: s.moment(c, run.NextTryAt), Percent: 100},
		ID:        run.ID, MailingID: run.MailingID, Mailing: run.MailingName, Status: run.Status, Reason: run.Reason,
		ScheduledAt: s.moment(c, run.ScheduledAt), ClosedAt: s.moment(c, run.ClosedAt), ResumeAt: s.moment(c, run.ResumeAt),
		ByHand: run.OccurrenceNo == nil, Over: run.Closed(),
	}
	if run.Planned > 0 {
		row.Percent = int(100 * (run.Planned - run.Open()) / run.Planned)
	}
	switch run.Reason {
	case domain.ReasonStopped, domain.ReasonDeleted, domain.ReasonDisabled, domain.ReasonBlocked, domain.ReasonEnded, domain.ReasonMissed,
		domain.ReasonWarming:
		row.Ours = true
	}
	return row
}

// owned is whose objects the reader may look at: his own, or (0) everybody's.
func (s *Site) owned(c *fiber.Ctx) int64 {
	if user := s.reader(c).User; !user.MayOversee() {
		return user.ID
	}
	return 0
}

// run shows one run with its deliveries.
func (s *Site) run(c *fiber.Ctx) error {
	run, err := s.DB.Run(c.UserContext(), s.owned(c), pathID(c))
	if err != nil {
		return err
	}
	page := max(1, c.QueryInt("page", 1))
	outcome := domain.Outcome(c.Query("outcome"))
	deliveries, more, err := s.DB.Deliveries(c.UserContext(), run.ID, outcome, page)
	if err != nil {
		return err
	}
	view := runView{runRow: s.runRow(c, run), Outcome: string(outcome), Pager: s.openPager(c, page, more)}
	if view.Pace, err = s.paceOf(c, run.Run); err != nil {
		return err
	}
	view.Outcomes = []templates.Option{{Label: s.t(c, "runs.all_outcomes")}}
	for _, one := range domain.Outcomes() {
		view.Outcomes = append(view.Outcomes, templates.Option{Value: string(one), Label: s.t(c, "runs.outcome_"+string(one))})
	}
	for _, one := range deliveries {
		view.Rows = append(view.Rows, deliveryRow{Email: one.Email, Outcome: one.Outcome, Tries: one.Tries,
			Answer: domain.Answer{Code: one.Code, Text: one.Answer}.String()})
	}
	return s.page(c, fiber.StatusOK, "runs/show", view)
}

// openPager leads through a list whose end is not known.
func (s *Site) openPager(c *fiber.Ctx, page int, more bool) pagerView {
	pages := page
	if more {
		pages++
	}
	pager := s.pager(c, page, pages)
	pager.Text = s.t(c, "ui.page", "Page", page)
	return pager
}
