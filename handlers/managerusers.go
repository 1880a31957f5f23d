package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// managerUser is the block manager/user.
type managerUser struct {
	ID                int64
	Name, Email       string
	Role              domain.Role
	Self              bool
	Mailings, Clients int64
	LastSignIn        Moment
	MayBlock          bool
	Toggle            toggle
}

// managerUsersView is the page manager/users and its block manager/user-results.
type managerUsersView struct {
	Query, Status string
	Statuses      []templates.Option
	Found         string
	Fragment      bool // without the page around it
	Rows          []managerUser
	Pager         pagerView
}

// statusBlocked is the choice of the filter.
const statusBlocked = "blocked"

// managerUsers is the list of everybody; its search asks for the results alone.
func (s *Site) managerUsers(c *fiber.Ctx) error {
	view := managerUsersView{Query: c.Query("q"), Status: c.Query("status"), Fragment: isHTMX(c)}
	filter := db.UserFilter{Query: view.Query, Blocked: view.Status == statusBlocked, Page: max(1, c.QueryInt("page", 1))}
	rows, total, err := s.DB.Users(c.UserContext(), filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view.Found, view.Pager = s.tn(c, "users.found", total), s.pager(c, min(filter.Page, pages), pages)
	for _, row := range rows {
		view.Rows = append(view.Rows, s.managerUser(c, row))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "manager/user-results", view)
	}
	view.Statuses = []templates.Option{{Label: s.t(c, "users.all")}, {Value: statusBlocked, Label: s.t(c, "users.only_blocked")}}
	return s.page(c, fiber.StatusOK, "manager/users", view)
}

func (s *Site) managerUser(c *fiber.Ctx, u db.UserRow) managerUser {
	by := s.reader(c).User
	return managerUser{
		ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Self: u.ID == by.ID,
		Mailings: u.Mailings, Clients: u.Clients, LastSignIn: s.moment(c, u.LastSignInAt), MayBlock: by.MayBlock(u.User),
		Toggle: toggle{Noun: "user", ID: u.ID, Name: u.Name, On: u.Blocked(), Reason: u.BlockedReason, Since: s.moment(c, u.BlockedAt)},
	}
}

// whyBlock asks for the reason on a page of its own.
func (s *Site) whyBlock(c *fiber.Ctx) error {
	found, err := s.DB.UserRow(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	row := s.managerUser(c, found)
	if !row.MayBlock {
		return domain.Refuse(domain.Forbidden, "", "manager.block_refused")
	}
	return s.page(c, fiber.StatusOK, "manager/why", row.Toggle)
}

func (s *Site) blockUser(c *fiber.Ctx) error {
	_, err := s.DB.BlockUser(c.UserContext(), *s.reader(c).User, pathID(c), c.FormValue("reason"), time.Now())
	return s.overseenUser(c, "manager.blocked", err)
}

func (s *Site) unblockUser(c *fiber.Ctx) error {
	_, err := s.DB.UnblockUser(c.UserContext(), *s.reader(c).User, pathID(c), time.Now())
	return s.overseenUser(c, "manager.unblocked", err)
}

// overseenUser answers with the user as he is now, or with what is wrong.
func (s *Site) overseenUser(c *fiber.Ctx, done string, err error) error {
	problems, wrong := s.problems(c, err)
	if err != nil && !wrong {
		return err
	}
	found, err := s.DB.UserRow(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	row := s.managerUser(c, found)
	switch {
	case wrong:
		return s.whyNot(c, row.Toggle, problems)
	case isHTMX(c):
		s.toast(c, done, "Name", row.Name)
		row.Toggle.Focus = true
		return s.block(c, fiber.StatusOK, "manager/user", row)
	}
	return s.done(c, row.Toggle.List(), done, "Name", row.Name)
}
