package staff

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// managerUser is the block staff/user.
type managerUser struct {
	ID                int64
	Name, Email       string
	Role              domain.Role
	Self              bool
	Mailings, Clients int64
	LastSignIn        web.Moment
	MayBlock          bool
	Switch            switchView
	HeldSince         web.Moment // zero: the runs of this user go on
	Rate              db.ComplaintRate
	Waiting           bool // for the limit of new accounts
	MayOwn, Alike     bool // can send; the name is like somebody else's
	Limit, Approval   switchView
}

// managerUsersView is the page staff/users and its block staff/user-results.
type managerUsersView struct {
	list[managerUser]
	Held string // that somebody waits for a manager; empty: nobody does
}

// The choices of the filter.
const statusBlocked, statusHeld, statusWaiting = "blocked", "held", "waiting"

// Users is the list of everybody; its search asks for the results alone.
func (h *Staff) Users(r *web.Request) error {
	status := r.Query("status")
	filter := db.UserFilter{Query: r.Query("q"), Blocked: status == statusBlocked, Held: status == statusHeld,
		Waiting: status == statusWaiting, Page: r.ListPage(), Sort: sortOf(r, db.UserSorts())}
	rows, total, err := h.DB.Users().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := managerUsersView{list: newList[managerUser](r, "status", "staff.users_found", filter.Page, total, len(rows), func(n int) int64 { return rows[n].ID })}
	view.Sort, view.Heads = filter.Sort, r.Heads(filter.Sort, []string{"mailings", "clients", "last"}, "name", "staff.user", "", "staff.role",
		"mailings", "mailings.title", "clients", "clients.title", "last", "staff.last_sign_in", "", "staff.switch_user", "", "staff.limits")
	view.Heads[2].Number, view.Heads[3].Number = true, true
	for _, row := range rows {
		one, err := h.managerUser(r, row)
		if err != nil {
			return err
		}
		view.Rows = append(view.Rows, one)
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "staff/user-results", view)
	}
	view.Choices = []templates.Option{{Label: r.Viewer.T("staff.users")}, {Value: statusBlocked, Label: r.Viewer.T("staff.only_blocked")},
		{Value: statusHeld, Label: r.Viewer.T("staff.only_held")}, {Value: statusWaiting, Label: r.Viewer.T("staff.only_waiting")}}
	held, err := h.DB.Users().HeldCount(r.UserContext())
	if err != nil {
		return err
	}
	if held > 0 && status != statusHeld {
		view.Held = r.Viewer.TN("staff.held_users", held)
	}
	return r.Page(fiber.StatusOK, "staff/users", view)
}

func (h *Staff) managerUser(r *web.Request, u db.UserRow) (row managerUser, err error) {
	by := r.Viewer.User
	row = managerUser{
		ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, Self: u.ID == by.ID,
		Mailings: u.Mailings, Clients: u.Clients, LastSignIn: r.Viewer.Moment(u.LastSignInAt), MayBlock: by.MayBlock(u.User),
		Switch:    switchView{Noun: "user", ID: u.ID, Name: u.Name, On: u.Blocked(), Reason: u.BlockedReason, Since: r.Viewer.Moment(u.BlockedAt)},
		HeldSince: r.Viewer.Moment(u.HeldAt),
		Waiting:   u.Waiting, MayOwn: u.MayOwn(), Alike: u.MayOwn() && domain.Impersonates(u.Name) != "",
		Limit:    switchView{Noun: "limit", ID: u.ID, Name: u.Name, On: !u.LiftedAt.IsZero(), Reason: u.LiftedReason, Since: r.Viewer.Moment(u.LiftedAt)},
		Approval: switchView{Noun: "name", ID: u.ID, Name: u.Name, On: u.ApprovedName == u.Name, Reason: u.ApprovedReason, Since: r.Viewer.Moment(u.ApprovedAt)},
	}
	if u.Held() {
		row.Rate, err = h.DB.Bounces().ComplaintRate(r.UserContext(), u.User)
	}
	return row, err
}

// userOfPath is the user of the path as the list shows them.
func (h *Staff) userOfPath(r *web.Request) (managerUser, error) {
	found, err := h.DB.Users().Row(r.UserContext(), r.ID())
	if err != nil {
		return managerUser{}, err
	}
	return h.managerUser(r, found)
}

// The switches of a user.
func blockSwitch(row *managerUser) *switchView { return &row.Switch }
func limitSwitch(row *managerUser) *switchView { return &row.Limit }
func nameSwitch(row *managerUser) *switchView  { return &row.Approval }

// ask asks for the reason on a page of its own.
func (h *Staff) ask(r *web.Request, of func(*managerUser) *switchView) error {
	row, err := h.userOfPath(r)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "staff/reason", *of(&row))
}

func (h *Staff) AskLift(r *web.Request) error    { return h.ask(r, limitSwitch) }
func (h *Staff) AskApprove(r *web.Request) error { return h.ask(r, nameSwitch) }

func (h *Staff) LiftLimit(r *web.Request) error {
	_, err := h.DB.Users().Lift(r.UserContext(), *r.Viewer.User, r.ID(), r.FormValue("reason"), time.Now())
	return h.switchedUser(r, err, limitSwitch, "staff.lifted")
}

func (h *Staff) BringLimitBack(r *web.Request) error {
	_, err := h.DB.Users().Limit(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	return h.switchedUser(r, err, limitSwitch, "staff.limited")
}

func (h *Staff) ApproveName(r *web.Request) error {
	_, err := h.DB.Users().ApproveName(r.UserContext(), *r.Viewer.User, r.ID(), r.FormValue("reason"), time.Now())
	return h.switchedUser(r, err, nameSwitch, "staff.approved")
}

func (h *Staff) HoldName(r *web.Request) error {
	_, err := h.DB.Users().HoldName(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	return h.switchedUser(r, err, nameSwitch, "staff.name_held")
}

// AskBlock asks for the reason on a page of its own.
func (h *Staff) AskBlock(r *web.Request) error {
	row, err := h.userOfPath(r)
	if err != nil {
		return err
	}
	if !row.MayBlock {
		return domain.Errorf(domain.Forbidden, "", "staff.block_refused")
	}
	return r.Page(fiber.StatusOK, "staff/reason", row.Switch)
}

func (h *Staff) BlockUser(r *web.Request) error {
	_, err := h.DB.Users().Block(r.UserContext(), *r.Viewer.User, r.ID(), r.FormValue("reason"), time.Now())
	return h.switchedUser(r, err, blockSwitch, "staff.blocked")
}

func (h *Staff) UnblockUser(r *web.Request) error {
	_, err := h.DB.Users().Unblock(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	return h.switchedUser(r, err, blockSwitch, "staff.unblocked")
}

func (h *Staff) ReleaseUser(r *web.Request) error {
	_, err := h.DB.Users().Release(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	return h.switchedUser(r, err, blockSwitch, "staff.released")
}

// switchedUser answers with the changed user, or asks for the reason again.
func (h *Staff) switchedUser(r *web.Request, refusal error, of func(*managerUser) *switchView, done string) error {
	row, err := h.userOfPath(r)
	if err != nil {
		return err
	}
	return h.switched(r, refusal, of(&row), web.Fragment{Block: "staff/user", View: &row}, done)
}
