package staff

import (
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// newUser is the page staff/new: an account that an admin makes.
type newUser struct {
	web.Form
	Name, Email, Role string
	Roles             []templates.Option
}

// New is the empty form.
func (h *Staff) New(r *web.Request) error {
	return r.Form(nil, "staff/new", &newUser{Role: string(domain.RoleUser), Roles: roleOptions(r)})
}

// Create makes an account whose address counts as confirmed. Without a password one is made, and shown once.
func (h *Staff) Create(r *web.Request) error {
	view := &newUser{Name: r.FormValue("name"), Email: r.FormValue("email"), Role: r.FormValue("role"), Roles: roleOptions(r)}
	password, made := r.FormValue("password"), false
	if password == "" {
		password, made = rand.Text()[:20], true
	}
	user, err := h.account(r, view, password)
	if err == nil {
		err = h.DB.Users().CreateBy(r.UserContext(), *r.Viewer.User, &user)
	}
	switch {
	case err != nil:
		return r.Form(err, "staff/new", view)
	case made:
		return r.Done("/admin/users", "staff.user_created_password", "Email", user.Email, "Password", password)
	}
	return r.Done("/admin/users", "staff.user_created", "Email", user.Email)
}

// account is the user that the form describes.
func (h *Staff) account(r *web.Request, view *newUser, password string) (user domain.User, err error) {
	name := view.Name
	if name == "" {
		name, _, _ = strings.Cut(view.Email, "@")
	}
	var registration domain.Registration
	err = registration.Change(domain.UserForm{Name: name, Email: view.Email, Language: r.Viewer.Lang, Timezone: r.Viewer.User.Timezone})
	problems, _ := errors.AsType[domain.ValidationErrors](err)
	domain.CheckPassword(&problems, password, registration.Email)
	role := domain.Role(view.Role)
	if err := new(domain.User).GiveRole(*r.Viewer.User, role); err != nil {
		problems.Add("role", "staff.role_unknown")
	}
	if problems.Err() != nil {
		return user, problems.Err()
	}
	hash, err := h.Passwords.Hash(r.UserContext(), web.Turn{Key: "admin", Known: true}, password)
	user = registration.User(hash, time.Now())
	user.Role = role
	return user, err
}

// pendingUser is a registration that waits for its mailbox, block staff/pending.
type pendingUser struct {
	ID          int64
	Name, Email string
	Since       web.Moment
}

// pending are the registrations that match the search, and a line that says how many.
func pending(r *web.Request, all db.Registrations, query string) (list []pendingUser, found string, err error) {
	rows, total, err := all.Pending(r.UserContext(), query)
	for _, one := range rows {
		list = append(list, pendingUser{one.ID, one.Name, one.Email, r.Viewer.Moment(one.CreatedAt)})
	}
	return list, r.Viewer.Found("staff.pending_found", total), err
}

// Verify takes the address of a registration for confirmed: it becomes an account, whose password is shown once. An account's
// own address is confirmed already.
func (h *Staff) Verify(r *web.Request) error {
	user, err := h.DB.Users().Verify(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	if err == nil {
		return r.Saved("/admin/users", web.Fragment{Block: "staff/role", View: h.adminUser(r, user)}, "staff.user_verified", "Email", user.Email)
	}
	if refusal, ok := errors.AsType[*domain.Error](err); !ok || refusal.Kind != domain.NotFound {
		return err
	}
	password := rand.Text()[:20]
	hash, err := h.Passwords.Hash(r.UserContext(), web.Turn{Key: "admin", Known: true}, password)
	if err == nil {
		user, err = h.DB.Registrations().Accept(r.UserContext(), *r.Viewer.User, r.ID(), hash, time.Now())
	}
	if err != nil {
		return err
	}
	return r.Done("/admin/users", "staff.user_verified_password", "Email", user.Email, "Password", password)
}

// deleteUserView is the page staff/delete.
type deleteUserView struct {
	db.UserRow
}

// AskDelete asks whether it is meant.
func (h *Staff) AskDelete(r *web.Request) error {
	row, err := h.DB.Users().Row(r.UserContext(), r.ID())
	if err == nil {
		err = row.Remove(*r.Viewer.User)
	}
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "staff/delete", deleteUserView{row})
}

// Delete deletes an account with everything that belongs to it.
func (h *Staff) Delete(r *web.Request) error {
	user, err := h.DB.Users().DeleteBy(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	if err != nil {
		return err
	}
	return r.Saved("/admin/users", web.Fragment{}, "staff.user_deleted", "Email", user.Email)
}
