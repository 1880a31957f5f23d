package staff

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// adminUser is the block staff/role.
type adminUser struct {
	web.Form
	ID          int64
	Name, Email string
	Role        domain.Role
	Roles       []templates.Option // that the viewer may give, none to themselves
	Blocked     bool
	Self        bool
	LastSignIn  web.Moment
	Focus       bool // this very form was used
}

// FieldID is the id of the choice; a page has many.
func (u adminUser) FieldID() string { return "id=role-" + strconv.FormatInt(u.ID, 10) }

// adminUsersView is the page staff/roles and its block staff/role-results.
type adminUsersView struct {
	list[adminUser]
	Pending      []pendingUser
	PendingFound string
}

// Roles lists all users with their roles; its search asks for the results alone.
func (h *Staff) Roles(r *web.Request) error {
	filter := db.UserFilter{Query: r.Query("q"), Role: domain.Role(r.Query("role")), Page: r.ListPage(), Sort: sortOf(r, db.UserSorts())}
	rows, total, err := h.DB.Users().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := adminUsersView{list: newList[adminUser](r, "role", "staff.users_found", filter.Page, total, len(rows), func(n int) int64 { return rows[n].ID })}
	view.Sort, view.Heads = filter.Sort, r.Heads(filter.Sort, []string{"last"}, "name", "staff.user", "last", "staff.last_sign_in", "", "staff.role")
	for _, row := range rows {
		view.Rows = append(view.Rows, h.adminUser(r, row.User))
	}
	if view.Pending, view.PendingFound, err = pending(r, h.DB.Registrations(), filter.Query); err != nil {
		return err
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "staff/role-results", view)
	}
	return h.adminUsersPage(r, fiber.StatusOK, view)
}

func (h *Staff) adminUsersPage(r *web.Request, status int, view adminUsersView) error {
	view.Choices = append([]templates.Option{{Label: r.Viewer.T("staff.all_roles")}}, roleOptions(r)...)
	return r.Page(status, "staff/roles", view)
}

func roleOptions(r *web.Request) (list []templates.Option) {
	for _, role := range domain.Roles() {
		list = append(list, templates.Option{Value: string(role), Label: r.Viewer.T("staff.role_" + string(role))})
	}
	return list
}

func (h *Staff) adminUser(r *web.Request, u domain.User) adminUser {
	by := r.Viewer.User
	row := adminUser{ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Blocked: u.Blocked(),
		Self: u.ID == by.ID, LastSignIn: r.Viewer.Moment(u.LastSignInAt)}
	if by.MayGiveRole(u) {
		row.Roles = roleOptions(r)
	}
	return row
}

func (h *Staff) GiveRole(r *web.Request) error {
	user, err := h.DB.Users().GiveRole(r.UserContext(), *r.Viewer.User, r.ID(), domain.Role(r.FormValue("role")), time.Now())
	if err != nil {
		return h.roleRefused(r, err)
	}
	row := h.adminUser(r, user)
	row.Focus = true
	return r.Saved("/admin/users", web.Fragment{Block: "staff/role", View: row},
		"staff.role_given", "Name", user.Name, "Role", r.Viewer.T("staff.role_"+string(user.Role)))
}

// roleRefused shows the user again with what is wrong.
func (h *Staff) roleRefused(r *web.Request, refusal error) error {
	user, err := h.DB.Users().Get(r.UserContext(), r.ID())
	if err != nil {
		return err
	}
	row := h.adminUser(r, user)
	status, err := r.Refused(refusal, &row)
	switch {
	case err != nil:
		return err
	case r.HTMX():
		return r.Block(status, "staff/role", row)
	}
	return h.adminUsersPage(r, status, adminUsersView{list: list[adminUser]{Found: r.Viewer.TN("staff.users_found", 1), Rows: []adminUser{row}}})
}
