package handlers

import (
	"fmt"
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
	Edit, Launch, Stop, Run, Delete, Oversee bool
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
		Edit: mine && m.MayEdit(), Launch: mine && m.MayLaunch(now), Stop: mine && m.MayStop(now), Run: mine && m.MayRun(now), Delete: mine, Oversee: user.MayOversee(),
	}
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
	last, err := s.lastRun(c, domain.Mailing{ID: pathID(c)})
	if err != nil {
		return err
	}
	if err := s.DB.RunMailing(c.UserContext(), s.reader(c).User.ID, pathID(c), time.Now()); err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, fmt.Sprintf("%s?after=%d", mailingPath(pathID(c)), last.ID), "mailings.run_begun")
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
