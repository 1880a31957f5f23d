package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// mailingView is the page mailings/show.
type mailingView struct {
	mailingRow
	Owner           string // whose it is, when it is not the reader's
	Audience        domain.Audience
	Tags            []string
	Picked          int
	Recipients      int64 // after suppression
	Suppressed      int64
	Start, End      string // wall clocks in Timezone
	Timezone        string
	Next            []Moment // in the mailing's zone
	Progress        *mailingProgress
	Pace            mailingPace
	Runs            []runRow
	Chart           runChart
	Pager           pagerView
	DisabledSince   Moment
	LaunchExplained string
	DeleteProblems  templates.Problems
}

// mailingProgress is the block mailings/progress: the current or the last run, which htmx asks
// for again every second until it has ended. Waiting: a run later than After is about to begin.
type mailingProgress struct {
	MailingID int64
	Run       runRow
	Log       []attemptRow // the latest
	Waiting   bool
	After     int64
}

// Going tells whether there will be more to see.
func (p mailingProgress) Going() bool { return p.Waiting || !p.Run.Over }

const logRows = 8

// progressOf is how far a run is, with the latest answers of the mail server.
func (s *Site) progressOf(c *fiber.Ctx, run db.RunRow) (*mailingProgress, error) {
	view := &mailingProgress{MailingID: run.MailingID, Run: s.runRow(c, run)}
	attempts, _, err := s.DB.Attempts(c.UserContext(), db.AttemptFilter{RunID: run.ID})
	for _, one := range attempts[:min(len(attempts), logRows)] {
		view.Log = append(view.Log, s.attemptRow(c, one))
	}
	return view, err
}

// mailing shows a mailing: to htmx as the row of the list.
func (s *Site) mailing(c *fiber.Ctx) error {
	m, err := s.readableMailing(c)
	if err != nil {
		return err
	}
	if isHTMX(c) {
		return s.mailingAsRow(c, m)
	}
	view, err := s.mailingView(c, m)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "mailings/show", view)
}

func (s *Site) mailingView(c *fiber.Ctx, m domain.Mailing) (mailingView, error) {
	row, err := s.rowOf(c, m)
	if err != nil {
		return mailingView{}, err
	}
	view := mailingView{mailingRow: row, Audience: m.Audience, Tags: m.Tags, Picked: len(m.ClientIDs), Timezone: m.Timezone,
		Start: s.wall(c, m.StartLocal), End: s.wall(c, m.EndLocal), DisabledSince: s.moment(c, m.DisabledAt)}
	if user := s.reader(c).User; m.OwnerID != user.ID {
		owner, err := s.DB.User(c.UserContext(), m.OwnerID)
		if err != nil {
			return view, err
		}
		view.Owner = owner.Name + " <" + owner.Email + ">"
	}
	recipients, suppressed, err := s.DB.Recipients(c.UserContext(), m)
	if err != nil {
		return view, err
	}
	view.Recipients, view.Suppressed = int64(recipients), int64(suppressed)
	view.Next = s.upcoming(c, m)
	if view.Launch {
		view.LaunchExplained = s.launchWords(c, m, recipients)
	}
	page := max(1, c.QueryInt("page", 1))
	runs, total, err := s.DB.Runs(c.UserContext(), s.owned(c), m.ID, page)
	if err != nil {
		return view, err
	}
	view.Pager = s.pager(c, page, db.LastPage(total))
	for _, run := range runs {
		view.Runs = append(view.Runs, s.runRow(c, run))
	}
	view.Chart = newRunChart(view.Runs)
	last, err := s.lastRun(c, m)
	switch {
	case err != nil:
		return view, err
	case (last.ID == 0 || last.Closed()) && aboutToRun(c, m, last.ID):
		view.Progress = &mailingProgress{MailingID: m.ID, Waiting: true, After: last.ID}
	case last.ID != 0:
		if view.Progress, err = s.progressOf(c, last); err != nil {
			return view, err
		}
	}
	view.Pace, err = s.mailingPace(c, m, last)
	return view, err
}

// aboutToRun tells whether a worker will make a run in a moment: it is due, or one after a run that
// is the last was asked for.
func aboutToRun(c *fiber.Ctx, m domain.Mailing, last int64) bool {
	due := m.Status == domain.Running && !m.NextRunAt.IsZero() && !m.NextRunAt.After(time.Now())
	return !m.Disabled() && (due || int64(c.QueryInt("after", -1)) >= last && m.Status != domain.Finished)
}

// launchWords say what the launch button will do.
func (s *Site) launchWords(c *fiber.Ctx, m domain.Mailing, recipients int) string {
	if !domain.Instant(m.StartLocal, m.Schedule().Zone).After(time.Now()) {
		return s.tn(c, "mailings.launch_now", recipients)
	}
	key := "mailings.launch_later"
	if m.Periodicity == domain.Once {
		key = "mailings.launch_once"
	}
	return s.tn(c, key, recipients) + " " + s.wall(c, m.StartLocal) + " (" + m.Timezone + ")"
}

// upcoming are the next five run times, in the mailing's own zone.
func (s *Site) upcoming(c *fiber.Ctx, m domain.Mailing) (next []Moment) {
	for _, one := range m.Upcoming(time.Now(), 5) {
		at := s.moment(c, one.At)
		at.Text, at.Zone = s.wall(c, one.At.In(m.Schedule().Zone)), m.Timezone
		next = append(next, at)
	}
	return next
}

// wall writes a wall clock in the reader's language, "" for none.
func (s *Site) wall(c *fiber.Ctx, at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return s.t(c, "time.moment", "Day", at.Day(), "Month", s.t(c, "time.month_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// day writes a wall clock with its weekday, and with the year when that is not this one.
func (s *Site) day(c *fiber.Ctx, at time.Time) string {
	key := "time.day"
	if at.Year() != time.Now().Year() {
		key = "time.day_year"
	}
	return s.t(c, key, "Weekday", s.weekday(c, at), "Day", at.Day(),
		"Month", s.t(c, "time.long_"+at.Format("01")), "Year", at.Format("2006"), "Clock", at.Format("15:04"))
}

// date writes a day without its weekday.
func (s *Site) date(c *fiber.Ctx, at time.Time) string {
	return s.t(c, "time.date", "Day", at.Day(), "Month", s.t(c, "time.long_"+at.Format("01")))
}

// dayMonth writes a day of this year or so.
func (s *Site) dayMonth(c *fiber.Ctx, at time.Time) string {
	return s.t(c, "time.day_month", "Weekday", s.weekday(c, at), "Day", at.Day(), "Month", s.t(c, "time.long_"+at.Format("01")))
}

func (s *Site) weekday(c *fiber.Ctx, at time.Time) string {
	return s.t(c, "time.weekday_"+strconv.Itoa(int(at.Weekday())))
}

// lastRun is the mailing's run, zero before the first.
func (s *Site) lastRun(c *fiber.Ctx, m domain.Mailing) (db.RunRow, error) {
	last, err := s.DB.LastRun(c.UserContext(), s.owned(c), m.ID)
	if domain.KindOf(err) == domain.NotFound {
		err = nil
	}
	return last, err
}

// progress is the current run of a mailing. Status 286 ends htmx's asking.
func (s *Site) progress(c *fiber.Ctx) error {
	m, err := s.readableMailing(c)
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.redirect(c, mailingPath(m.ID))
	}
	last, err := s.lastRun(c, m)
	if err != nil {
		return err
	}
	after := int64(c.QueryInt("after", -1))
	switch {
	case after >= last.ID && m.Status != domain.Finished && !m.Disabled():
		return s.block(c, fiber.StatusOK, "mailings/progress", &mailingProgress{MailingID: m.ID, Waiting: true, After: after})
	case last.ID != 0 && !last.Closed():
		view, err := s.progressOf(c, last)
		if err != nil {
			return err
		}
		return s.block(c, fiber.StatusOK, "mailings/progress", view)
	}
	c.Path(mailingPath(m.ID)) // the pages of its runs
	view, err := s.mailingView(c, m)
	if err != nil {
		return err
	}
	return s.block(c, 286, "mailings/ended", view)
}
