package domain

import (
	"strconv"
	"time"
)

// The jobs that the queue carries, as River knows them: arguments with a kind. They hold ids,
// never secrets, because arguments stay readable in the database.

// QueueClient is how the queue knows the process with this instance number.
func QueueClient(instance int64) string { return "instance-" + strconv.FormatInt(instance, 10) }

// PlanJob plans what is due: everything, or one mailing that was just launched. Force makes
// one run of that mailing out of turn; one with a NotBefore can be taken back until then, and is not made
// when it was.
type PlanJob struct {
	MailingID int64     `json:"mailing_id,omitempty"`
	Force     bool      `json:"force,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
}

// Kind implements river.JobArgs.
func (PlanJob) Kind() string { return "plan" }

// BalanceJob checks that of no run a delivery is lost or made up.
type BalanceJob struct{}

// Kind implements river.JobArgs.
func (BalanceJob) Kind() string { return "balance" }

// SweepJob deletes the pictures that no post shows.
type SweepJob struct{}

// Kind implements river.JobArgs.
func (SweepJob) Kind() string { return "sweep" }

// MailKind is the kind of an account email.
type MailKind string

// The system emails. MailVerify confirms a registration, or is MailKnown where the address has an
// account already, which tells its owner; MailTest is a message sent to its owner.
const (
	MailVerify MailKind = "verify"
	MailKnown  MailKind = "known"
	MailReset  MailKind = "reset"
	MailTest   MailKind = "test"

	MailOldEmail MailKind = "email_old" // asks the mailbox of before whether a new address is right
	MailNewEmail MailKind = "email_new" // asks the new one; MailKnown where the address has an account

	MailSignup MailKind = "signup" // asks whoever has the mailbox of a sign-up to confirm it

	MailRotation MailKind = "rotation" // tells an owner that a mailing has sent its last message
	MailNotice   MailKind = "notice"   // tells an owner what goes out within a day

	MailMonthly MailKind = "monthly" // the results of a month, for an owner who wants them

	MailSender MailKind = "sender" // asks the mailbox of a sender whether the owner may write from it
)

// MailJob sends one system email, to the user or, for MailVerify, to whoever registered. With
// neither it sends nothing: somebody asked for an address without an account. Its worker makes
// the token of a link, so that no token is ever stored in the clear.
type MailJob struct {
	Email          MailKind `json:"email"`
	UserID         int64    `json:"user_id,omitempty"`
	RegistrationID int64    `json:"registration_id,omitempty"`
	EmailChangeID  int64    `json:"email_change_id,omitempty"`
	SenderID       int64    `json:"sender_id,omitempty"`
	SignupID       int64    `json:"signup_id,omitempty"`
	MessageID      int64    `json:"message_id,omitempty"`
	ClientID       int64    `json:"client_id,omitempty"`
	Month          string   `json:"month,omitempty"` // its first day
	MailingID      int64    `json:"mailing_id,omitempty"`
	OccurrenceNo   int      `json:"occurrence_no,omitempty"` // of MailNotice
}

// Kind implements river.JobArgs.
func (MailJob) Kind() string { return "mail" }

// SenderDomainsJob looks whether the domains of senders are still set up.
type SenderDomainsJob struct{}

// Kind implements river.JobArgs.
func (SenderDomainsJob) Kind() string { return "sender_domains" }

// ImportJob imports the rows of one uploaded list of clients.
type ImportJob struct {
	ImportID int64 `json:"import_id"`
}

// Kind implements river.JobArgs.
func (ImportJob) Kind() string { return "import" }

// BulkJob does or undoes an act on many clients.
type BulkJob struct {
	ActID int64 `json:"act_id"`
}

// Kind implements river.JobArgs.
func (BulkJob) Kind() string { return "bulk" }

// ClearFieldJob empties a deleted field of an owner's clients.
type ClearFieldJob struct {
	OwnerID int64 `json:"owner_id"`
	FieldID int64 `json:"field_id"`
}

// Kind implements river.JobArgs.
func (ClearFieldJob) Kind() string { return "clear_field" }

// ResultsJob counts what came of emails by client, for segments that ask.
type ResultsJob struct{}

// Kind implements river.JobArgs.
func (ResultsJob) Kind() string { return "results" }

// SumsJob sums up what came of emails.
type SumsJob struct{}

// Kind implements river.JobArgs.
func (SumsJob) Kind() string { return "sums" }
