package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// managerMailing is the block manager/mailing.
type managerMailing struct {
	ID                int64
	Name, Subject     string
	Owner, OwnerEmail string
	OwnerBlocked      bool
	Status            domain.MailingStatus
	Planned, Accepted int64
	Failed            int64
	NextRunAt         Moment // zero when nothing will be sent
	Toggle            toggle
}

// managerMailingsView is the page manager/mailings and its block manager/mailing-results.
type managerMailingsView struct {
	Query, Status string
	Statuses      []templates.Option
	Found         string
	Fragment      bool // without the page around it
	Rows          []managerMailing
	Pager         pagerView
}

// statusDisabled is the choice of the filter beside the statuses of a mailing.
const statusDisabled = "disabled"

// managerMailings is the list of everybody's mailings; its search asks for the results alone.
func (s *Site) managerMailings(c *fiber.Ctx) error {
	view := managerMailingsView{Query: c.Query("q"), Status: c.Query("status"), Fragment: isHTMX(c)}
	filter := db.MailingFilter{Query: view.Query, Page: max(1, c.QueryInt("page", 1))}
	if filter.Disabled = view.Status == statusDisabled; !filter.Disabled {
		filter.Status = domain.MailingStatus(view.Status)
	}
	rows, total, err := s.DB.Mailings(c.UserContext(), filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view.Found, view.Pager = s.tn(c, "mailings.found", total), s.pager(c, min(filter.Page, pages), pages)
	for _, row := range rows {
		view.Rows = append(view.Rows, s.managerMailing(c, row))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "manager/mailing-results", view)
	}
	view.Statuses = []templates.Option{{Label: s.t(c, "mailings.all_statuses")}}
	for _, one := range []domain.MailingStatus{domain.Created, domain.Running, domain.Finished} {
		view.Statuses = append(view.Statuses, templates.Option{Value: string(one), Label: s.t(c, "mailings.status_"+string(one))})
	}
	view.Statuses = append(view.Statuses, templates.Option{Value: statusDisabled, Label: s.t(c, "mailings.disabled")})
	return s.page(c, fiber.StatusOK, "manager/mailings", view)
}

func (s *Site) managerMailing(c *fiber.Ctx, m db.MailingRow) managerMailing {
	row := managerMailing{
		ID: m.ID, Name: m.Name, Subject: m.Subject, Owner: m.OwnerName, OwnerEmail: m.OwnerEmail, OwnerBlocked: m.OwnerBlocked,
		Status: m.Status, Planned: m.Planned, Accepted: m.Accepted, Failed: m.Failed,
		Toggle: toggle{Noun: "mailing", ID: m.ID, Name: m.Name, On: m.Disabled(), Reason: m.DisabledReason, Since: s.moment(c, m.DisabledAt)},
	}
	if m.Status == domain.Running && !m.Disabled() && !m.OwnerBlocked {
		row.NextRunAt = s.moment(c, m.NextRunAt)
	}
	return row
}

// whyDisable asks for the reason on a page of its own.
func (s *Site) whyDisable(c *fiber.Ctx) error {
	row, err := s.DB.MailingRow(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "manager/why", s.managerMailing(c, row).Toggle)
}

func (s *Site) disableMailing(c *fiber.Ctx) error {
	_, err := s.DB.DisableMailing(c.UserContext(), *s.reader(c).User, pathID(c), c.FormValue("reason"), time.Now())
	return s.overseenMailing(c, "manager.disabled", err)
}

func (s *Site) enableMailing(c *fiber.Ctx) error {
	_, err := s.DB.EnableMailing(c.UserContext(), *s.reader(c).User, pathID(c), time.Now())
	return s.overseenMailing(c, "manager.enabled", err)
}

// overseenMailing answers with the mailing as it is now, or with what is wrong.
func (s *Site) overseenMailing(c *fiber.Ctx, done string, err error) error {
	problems, wrong := s.problems(c, err)
	if err != nil && !wrong {
		return err
	}
	found, err := s.DB.MailingRow(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	row := s.managerMailing(c, found)
	switch {
	case wrong:
		return s.whyNot(c, row.Toggle, problems)
	case isHTMX(c):
		s.toast(c, done, "Name", row.Name)
		row.Toggle.Focus = true
		return s.block(c, fiber.StatusOK, "manager/mailing", row)
	}
	return s.done(c, row.Toggle.List(), done, "Name", row.Name)
}
