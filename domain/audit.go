package domain

import (
	"strings"
	"time"
)

// Act is an action of a manager or an admin on a mailing, a user or the queue; each has a locale key `staff.audit_action_<act>`.
type Act string

// The actions of the audit log.
const (
	ActDisable     Act = "disable" // of a mailing
	ActEnable      Act = "enable"
	ActBlock       Act = "block" // of a user
	ActUnblock     Act = "unblock"
	ActRelease     Act = "release" // let the runs of a user go on that waited because of complaints
	ActLift        Act = "lift"    // the limit of a new account
	ActLimit       Act = "limit"
	ActApprove     Act = "approve" // a name like somebody else's
	ActHold        Act = "hold"
	ActCreate      Act = "create"
	ActVerify      Act = "verify"
	ActDelete      Act = "delete"
	ActRoleUser    Act = "role_user"
	ActRoleManager Act = "role_manager"
	ActRoleContent Act = "role_content"
	ActRoleAdmin   Act = "role_admin"
	ActJobsCancel  Act = "jobs_cancel"
	ActJobsDelete  Act = "jobs_delete"
	ActJobsRetry   Act = "jobs_retry"
	ActQueuePause  Act = "queue_pause"
	ActQueueResume Act = "queue_resume"
	ActQueueChange Act = "queue_change"
)

// Acts are all actions, in the order of a form.
func Acts() []Act {
	return []Act{ActDisable, ActEnable, ActBlock, ActUnblock, ActRelease, ActLift, ActLimit, ActApprove, ActHold, ActCreate, ActVerify, ActDelete,
		ActRoleUser, ActRoleManager, ActRoleContent, ActRoleAdmin,
		ActJobsCancel, ActJobsDelete, ActJobsRetry, ActQueuePause, ActQueueResume, ActQueueChange}
}

// ActRole is the action of giving a role.
func ActRole(role Role) Act { return Act("role_" + role) }

// ActOf is what somebody did who changed a user from before to after, "" when it was nothing.
func ActOf(before, after User) (act Act, reason string) {
	switch {
	case after.Role != before.Role:
		return ActRole(after.Role), ""
	case after.Blocked() && !before.Blocked():
		return ActBlock, after.BlockedReason
	case before.Blocked() && !after.Blocked():
		return ActUnblock, ""
	case before.Held() && !after.Held():
		return ActRelease, ""
	case before.VerifiedAt.IsZero() && !after.VerifiedAt.IsZero():
		return ActVerify, ""
	}
	return actOnTrust(before, after)
}

// actOnTrust is what somebody did about the limit of a new account, or else about a name like somebody else's.
func actOnTrust(before, after User) (act Act, reason string) {
	switch {
	case before.LiftedAt.IsZero() && !after.LiftedAt.IsZero():
		return ActLift, after.LiftedReason
	case after.LiftedAt.IsZero() && !before.LiftedAt.IsZero():
		return ActLimit, ""
	case after.ApprovedName != before.ApprovedName && after.ApprovedName != "":
		return ActApprove, after.ApprovedReason
	case after.ApprovedName != before.ApprovedName:
		return ActHold, ""
	}
	return "", ""
}

// OnMailing reports whether the object is a mailing.
func (a Act) OnMailing() bool { return a == ActDisable || a == ActEnable }

// OnJobs reports whether the object is a queue or some of its jobs. What is neither is a user.
func (a Act) OnJobs() bool {
	return strings.HasPrefix(string(a), "jobs_") || strings.HasPrefix(string(a), "queue_")
}

// AuditEntry is one line of the audit log, never changed. Actor is the email of the person,
// empty for the command line; ActorID is 0 then, and after that account was deleted.
// Object is the name of the mailing or queue, the email of the user at that time, or the numbers of jobs.
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
