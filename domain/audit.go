package domain

import "time"

// Act is what somebody did to a mailing or to a user; each has a locale key `audit.act_<word>`.
type Act string

// The acts that stand in the audit log.
const (
	ActDisable     Act = "disable" // of a mailing
	ActEnable      Act = "enable"
	ActBlock       Act = "block" // of a user
	ActUnblock     Act = "unblock"
	ActCreate      Act = "create"
	ActRoleUser    Act = "role_user"
	ActRoleManager Act = "role_manager"
	ActRoleContent Act = "role_content"
	ActRoleAdmin   Act = "role_admin"
)

// Acts are all acts, in the order of a form.
func Acts() []Act {
	return []Act{ActDisable, ActEnable, ActBlock, ActUnblock, ActCreate, ActRoleUser, ActRoleManager, ActRoleContent, ActRoleAdmin}
}

// ActRole is the act of giving a role.
func ActRole(role Role) Act { return Act("role_" + role) }

// OnMailing tells whether the act's object is a mailing; else it is a user.
func (a Act) OnMailing() bool { return a == ActDisable || a == ActEnable }

// AuditEntry is one line of the audit log, never changed afterwards. Actor is the e-mail of who
// did it, empty for the command line; ActorID is 0 then, and after his account was deleted.
// Object is the name of the mailing or the e-mail of the user, as it was then.
type AuditEntry struct {
	ID       int64 `bun:",pk,autoincrement"`
	At       time.Time
	ActorID  int64 `bun:",nullzero"`
	Actor    string
	Act      Act
	Object   string
	ObjectID int64
	Reason   string
}
