package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// adminUser is the block admin/user.
type adminUser struct {
	ID          int64
	Name, Email string
	Role        domain.Role
	Roles       []templates.Option // that the reader may give, none to himself
	Blocked     bool
	Self        bool
	LastSignIn  Moment
	Focus       bool // this very form was used
	Problems    templates.Problems
}

// FieldID is the id of the choice; a page has many.
func (u adminUser) FieldID() string { return "id=role-" + strconv.FormatInt(u.ID, 10) }

// adminUsersView is the page admin/users and its block admin/user-results.
type adminUsersView struct {
	Query, Role string
	Roles       []templates.Option
	Found       string
	Fragment    bool // without the page around it
	Rows        []adminUser
	Pager       pagerView
}

// adminUsers is the list of everybody with his role; its search asks for the results alone.
func (s *Site) adminUsers(c *fiber.Ctx) error {
	filter := db.UserFilter{Query: c.Query("q"), Role: domain.Role(c.Query("role")), Page: max(1, c.QueryInt("page", 1))}
	rows, total, err := s.DB.Users(c.UserContext(), filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view := adminUsersView{Query: filter.Query, Role: string(filter.Role), Fragment: isHTMX(c),
		Found: s.tn(c, "users.found", total), Pager: s.pager(c, min(filter.Page, pages), pages)}
	for _, row := range rows {
		view.Rows = append(view.Rows, s.adminUser(c, row.User))
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "admin/user-results", view)
	}
	return s.adminUsersPage(c, fiber.StatusOK, view)
}

func (s *Site) adminUsersPage(c *fiber.Ctx, status int, view adminUsersView) error {
	view.Roles = append([]templates.Option{{Label: s.t(c, "users.all_roles")}}, s.roles(c)...)
	return s.page(c, status, "admin/users", view)
}

func (s *Site) roles(c *fiber.Ctx) (list []templates.Option) {
	for _, role := range domain.Roles() {
		list = append(list, templates.Option{Value: string(role), Label: s.t(c, "users.role_"+string(role))})
	}
	return list
}

func (s *Site) adminUser(c *fiber.Ctx, u domain.User) adminUser {
	by := s.reader(c).User
	row := adminUser{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Blocked: u.Blocked(),
		Self: u.ID == by.ID, LastSignIn: s.moment(c, u.LastSignInAt)}
	if by.MayGiveRole(u) {
		row.Roles = s.roles(c)
	}
	return row
}

func (s *Site) giveRole(c *fiber.Ctx) error {
	user, err := s.DB.GiveRole(c.UserContext(), *s.reader(c).User, pathID(c), domain.Role(c.FormValue("role")), time.Now())
	if problems, wrong := s.problems(c, err); wrong {
		return s.wrongRole(c, problems)
	}
	if err != nil {
		return err
	}
	role := s.t(c, "users.role_"+string(user.Role))
	if !isHTMX(c) {
		return s.done(c, "/admin/users", "users.role_given", "Name", user.Name, "Role", role)
	}
	s.toast(c, "users.role_given", "Name", user.Name, "Role", role)
	row := s.adminUser(c, user)
	row.Focus = true
	return s.block(c, fiber.StatusOK, "admin/user", row)
}

// wrongRole shows the user again with what is wrong.
func (s *Site) wrongRole(c *fiber.Ctx, problems templates.Problems) error {
	user, err := s.DB.User(c.UserContext(), pathID(c))
	if err != nil {
		return err
	}
	row := s.adminUser(c, user)
	row.Problems = problems
	if isHTMX(c) {
		return s.block(c, fiber.StatusUnprocessableEntity, "admin/user", row)
	}
	return s.adminUsersPage(c, fiber.StatusUnprocessableEntity,
		adminUsersView{Found: s.tn(c, "users.found", 1), Rows: []adminUser{row}})
}
