package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// mailingRow is the block mailings/row, and the head of a mailing's page.
type mailingRow struct {
	ID             int64
	Name           string
	MessageID      int64
	Subject        string // of its message
	Periodicity    domain.Periodicity
	Status         domain.MailingStatus
	DisabledReason string
	NextRunAt      Moment
	LastRunAt      Moment
	// What the reader may do with it now.
	Edit, Launch, Stop, Run, Delete bool
}

// mailingsView is the page mailings/list and its block mailings/results.
type mailingsView struct {
	Query, Status string
	Statuses      []templates.Option
	Self          string // the address of these results
	Found         string // how many, in words
	Fragment      bool   // without the page around it
	Rows          []mailingRow
	Pager         pagerView
}

// Empty tells an owner without mailings from a search without results.
func (v mailingsView) Empty() bool { return len(v.Rows) == 0 && v.Query == "" && v.Status == "" }

// mailings is the list; its search asks for the results alone.
func (s *Site) mailings(c *fiber.Ctx) error {
	filter := db.MailingFilter{OwnerID: s.reader(c).User.ID, Query: c.Query("q"),
		Status: domain.MailingStatus(c.Query("status")), Page: max(1, c.QueryInt("page", 1))}
	rows, total, err := s.DB.Mailings(c.UserContext(), filter)
	if err != nil {
		return err
	}
	view := mailingsView{Query: filter.Query, Status: string(filter.Status), Self: c.OriginalURL(), Fragment: isHTMX(c),
		Found: s.tn(c, "mailings.found", total), Pager: s.pager(c, filter.Page, db.LastPage(total))}
	for _, one := range rows {
		view.Rows = append(view.Rows, s.mailingRow(c, one))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "mailings/results", view)
	}
	view.Statuses = []templates.Option{{Label: s.t(c, "mailings.all_statuses")}}
	for _, one := range []domain.MailingStatus{domain.Created, domain.Running, domain.Finished} {
		view.Statuses = append(view.Statuses, templates.Option{Value: string(one), Label: s.t(c, "mailings.status_"+string(one))})
	}
	return s.page(c, fiber.StatusOK, "mailings/list", view)
}

func (s *Site) mailingRow(c *fiber.Ctx, m db.MailingRow) mailingRow {
	now, user := time.Now(), s.reader(c).User
	mine := m.OwnerID == user.ID && user.MayOwn()
	return mailingRow{
		ID: m.ID, Name: m.Name, MessageID: m.MessageID, Subject: m.Subject, Periodicity: m.Periodicity, Status: m.Status,
		DisabledReason: m.DisabledReason, NextRunAt: s.moment(c, m.NextRunAt), LastRunAt: s.moment(c, m.LastRunAt),
		Edit: mine && m.MayEdit(), Launch: mine && m.MayLaunch(now), Stop: mine && m.MayStop(now), Run: mine && m.MayRun(now), Delete: mine,
	}
}

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
	Runs            []runRow
	Chart           []chartBar
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
	Waiting   bool
	After     int64
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
		view.LaunchExplained = s.launchWords(c, m, view)
	}
	page := max(1, c.QueryInt("page", 1))
	runs, total, err := s.DB.Runs(c.UserContext(), s.owned(c), m.ID, page)
	if err != nil {
		return view, err
	}
	view.Pager = s.pager(c, page, db.LastPage(total))
	for i, run := range runs {
		shown := s.runRow(c, run)
		view.Runs = append(view.Runs, shown)
		if i < chartRuns && run.Planned > 0 {
			view.Chart = append(view.Chart, newChartBar(shown, len(view.Chart)))
		}
	}
	last, err := s.DB.LastRun(c.UserContext(), s.owned(c), m.ID)
	switch {
	case domain.KindOf(err) != domain.NotFound && err != nil:
		return view, err
	case (err != nil || last.Closed()) && aboutToRun(c, m):
		view.Progress = &mailingProgress{MailingID: m.ID, Waiting: true, After: last.ID}
	case err == nil:
		view.Progress = &mailingProgress{MailingID: m.ID, Run: s.runRow(c, last)}
	}
	return view, nil
}

// aboutToRun tells whether a worker will make a run in a moment: it is due, or was asked for.
func aboutToRun(c *fiber.Ctx, m domain.Mailing) bool {
	due := m.Status == domain.Running && !m.NextRunAt.IsZero() && !m.NextRunAt.After(time.Now())
	return !m.Disabled() && (due || c.Query("begun") != "" && m.Status != domain.Finished)
}

// launchWords say what the launch button will do.
func (s *Site) launchWords(c *fiber.Ctx, m domain.Mailing, view mailingView) string {
	if !domain.Instant(m.StartLocal, m.Schedule().Zone).After(time.Now()) {
		return s.tn(c, "mailings.launch_now", int(view.Recipients))
	}
	return s.tn(c, "mailings.launch_later", int(view.Recipients)) + " " + view.Start + " (" + m.Timezone + ")"
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
	return s.t(c, "time.moment", "Day", at.Day(), "Month", s.t(c, "time.month_"+at.Format("01")), "Year", at.Year(), "Clock", at.Format("15:04"))
}

// progress is the current run of a mailing. Status 286 ends htmx's asking.
func (s *Site) progress(c *fiber.Ctx) error {
	m, err := s.readableMailing(c)
	if err != nil {
		return err
	}
	last, err := s.DB.LastRun(c.UserContext(), s.owned(c), m.ID)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	after := int64(c.QueryInt("after", -1))
	switch {
	case after >= last.ID && m.Status != domain.Finished && !m.Disabled():
		return s.block(c, fiber.StatusOK, "mailings/progress", &mailingProgress{MailingID: m.ID, Waiting: true, After: after})
	case last.ID != 0 && !last.Closed():
		return s.block(c, fiber.StatusOK, "mailings/progress", &mailingProgress{MailingID: m.ID, Run: s.runRow(c, last)})
	}
	view, err := s.mailingView(c, m)
	if err != nil {
		return err
	}
	return s.block(c, 286, "mailings/ended", view)
}

func (s *Site) launchMailing(c *fiber.Ctx) error {
	return s.actOnMailing(c, "mailings.launched", func(m *domain.Mailing) error { return m.Launch(time.Now()) })
}

func (s *Site) stopMailing(c *fiber.Ctx) error {
	return s.actOnMailing(c, "mailings.stopped", func(m *domain.Mailing) error { return m.Stop(time.Now()) })
}

func (s *Site) actOnMailing(c *fiber.Ctx, done string, act func(*domain.Mailing) error) error {
	m, err := s.DB.UpdateMailing(c.UserContext(), s.reader(c).User.ID, pathID(c), act)
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, mailingPath(m.ID), done)
	}
	s.toast(c, done)
	return s.mailingAsRow(c, m)
}

// runMailing asks for a run out of turn.
func (s *Site) runMailing(c *fiber.Ctx) error {
	if err := s.DB.RunMailing(c.UserContext(), s.reader(c).User.ID, pathID(c), time.Now()); err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, mailingPath(pathID(c))+"?begun=yes", "mailings.run_begun")
	}
	s.toast(c, "mailings.run_begun")
	m, err := s.readableMailing(c)
	if err != nil {
		return err
	}
	return s.mailingAsRow(c, m)
}

// deleteMailingForm asks whether it is meant, for browsers without JavaScript.
func (s *Site) deleteMailingForm(c *fiber.Ctx) error {
	m, err := s.ownMailing(c)
	if err != nil {
		return err
	}
	row, err := s.rowOf(c, m)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "mailings/delete", row)
}

func (s *Site) deleteMailing(c *fiber.Ctx) error {
	if err := s.DB.DeleteMailing(c.UserContext(), s.reader(c).User.ID, pathID(c), time.Now()); err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, "mailings.deleted")
		c.Set("HX-Trigger-After-Swap", "mailings-changed")
		return c.SendString("") // its place in the page stays empty
	}
	return s.done(c, "/mailings", "mailings.deleted")
}

// readableMailing is the mailing of the path, if the reader owns it or oversees all.
func (s *Site) readableMailing(c *fiber.Ctx) (domain.Mailing, error) {
	return s.DB.Mailing(c.UserContext(), s.owned(c), pathID(c))
}

// ownMailing is the mailing of the path, if it is the reader's.
func (s *Site) ownMailing(c *fiber.Ctx) (domain.Mailing, error) {
	return s.DB.Mailing(c.UserContext(), s.reader(c).User.ID, pathID(c))
}

func (s *Site) mailingAsRow(c *fiber.Ctx, m domain.Mailing) error {
	row, err := s.rowOf(c, m)
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "mailings/row", row)
}

// rowOf adds to a mailing what its row shows besides.
func (s *Site) rowOf(c *fiber.Ctx, m domain.Mailing) (mailingRow, error) {
	row := db.MailingRow{Mailing: m}
	if m.MessageID != 0 {
		message, err := s.DB.Message(c.UserContext(), m.OwnerID, m.MessageID)
		if err != nil {
			return mailingRow{}, err
		}
		row.Subject = message.Subject
	}
	return s.mailingRow(c, row), nil
}

func mailingPath(id int64) string { return "/mailings/" + strconv.FormatInt(id, 10) }

// chartRuns is how many of the newest runs the chart shows.
const chartRuns = 12

// chartBar is one run in the chart, measured in hundredths of its height: what was accepted
// and what was not, the rest is open.
type chartBar struct {
	X, Accepted, Failed, Rest, AcceptedY, FailedY, RestY int
	Run                                                  runRow
}

func newChartBar(run runRow, place int) chartBar {
	const width = 40
	part := func(n int64) int { return int(100 * n / run.Planned) }
	b := chartBar{X: place * width, Run: run, Accepted: part(run.Accepted), Failed: part(run.Failed)}
	b.Rest = part(run.Suppressed + run.Expired + run.Cancelled)
	b.AcceptedY = 100 - b.Accepted
	b.FailedY = b.AcceptedY - b.Failed
	b.RestY = b.FailedY - b.Rest
	return b
}
