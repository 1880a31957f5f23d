package domain

import (
	"slices"
	"strings"
)

// ReportKind is what an email that came back is.
type ReportKind string

// The kinds of reports.
const (
	ReportDelivery  ReportKind = "delivery"  // tells of recipients (RFC 3464, or words that say as much)
	ReportComplaint ReportKind = "complaint" // the recipient calls the email spam (RFC 5965)
	ReportReply     ReportKind = "reply"     // an automatic answer (RFC 3834)
	ReportOther     ReportKind = "other"     // nothing of these
)

// Report is what an email that came back says.
type Report struct {
	Kind       ReportKind
	Recipients []ReportedRecipient // of ReportDelivery
	Tokens     []string            // what may be return tokens, the likeliest first; each is to be checked
}

// The actions of RFC 3464 section 2.3.3. Relayed, delivered and expanded are no bad news.
const (
	ActionFailed  = "failed"
	ActionDelayed = "delayed"
)

// ReportedRecipient is one recipient that a report tells of.
type ReportedRecipient struct {
	Original string // the address that was written to, may be empty
	Final    string // the address that it came to by aliases and forwarding, may be empty
	Action   string
	Answer   Answer
}

// ReturnKind is what a report means for one delivery.
type ReturnKind string

// The kinds of returns. The first three mark the delivery as bounced, a complaint as complained;
// the others are only kept to read.
const (
	ReturnHard      ReturnKind = "hard"    // the address is dead
	ReturnSoft      ReturnKind = "soft"    // it takes nothing for now
	ReturnBlocked   ReturnKind = "blocked" // the sender or the email was refused, which says nothing of the address
	ReturnComplaint ReturnKind = "complaint"
	ReturnDelayed   ReturnKind = "delayed" // it is still being tried
	ReturnReply     ReturnKind = "reply"
	ReturnOther     ReturnKind = "other"
)

// Bounced reports whether the delivery is marked as bounced.
func (k ReturnKind) Bounced() bool {
	return k == ReturnHard || k == ReturnSoft || k == ReturnBlocked
}

// Return reads what the report means for the delivery to an address. The worst word about it counts.
func (r Report) Return(email string) (ReturnKind, Answer) {
	switch r.Kind {
	case ReportComplaint:
		return ReturnComplaint, Answer{}
	case ReportReply:
		return ReturnReply, Answer{}
	}
	worst, answer := ReturnOther, Answer{}
	for _, one := range r.Recipients {
		if kind := one.means(email); kind.severity() > worst.severity() {
			worst, answer = kind, one.Answer
		}
	}
	return worst, answer
}

func (k ReturnKind) severity() int {
	switch k {
	case ReturnHard:
		return 4
	case ReturnSoft:
		return 3
	case ReturnBlocked:
		return 2
	case ReturnDelayed:
		return 1
	}
	return 0
}

// means reads one recipient. An address that took the email and passed it on to a dead one is not
// dead itself.
func (r ReportedRecipient) means(email string) ReturnKind {
	if r.Action == ActionDelayed {
		return ReturnDelayed
	}
	if r.Action != ActionFailed {
		return ReturnOther
	}
	final := r.Final
	if final == "" {
		final = r.Original
	}
	permanent := r.Answer.Code/100 == 5 && !strings.HasPrefix(r.Answer.Enhanced(), "4.")
	switch class := r.Answer.Class(); {
	case r.Answer.namesDead() && permanent && (final == "" || strings.EqualFold(NormalEmail(final), NormalEmail(email))):
		return ReturnHard
	case class.ofSender():
		return ReturnBlocked
	}
	return ReturnSoft
}

// CountsAsSoft tells whether bounces of the class, again and again, say something of the address. Words that nobody knows
// may be about the sender, and trouble of a server would cost a whole domain's addresses.
func (c Class) CountsAsSoft() bool { return !slices.Contains(NeverSoft(), string(c)) }

// NeverSoft are the classes that don't count as soft bounces.
func NeverSoft() []string {
	return []string{string(ClassUnknown), string(ClassServer), string(ClassGreylist)}
}

// SoftBounces in SoftBounceDays suppress an address like a dead one.
const (
	SoftBounces    = 3
	SoftBounceDays = 14
)

// ReturnsKeptDays is how long what came back can be read.
const ReturnsKeptDays = 30

// The complaints of an owner are counted over so many days; from MaxComplaints on, if they are more than
// ComplaintsPerMille of what was accepted meanwhile, the owner's runs pause until a manager has looked.
const (
	ComplaintDays      = 14
	MaxComplaints      = 3
	ComplaintsPerMille = 3
)

// TooManyComplaints reports whether an owner's runs have to pause.
func TooManyComplaints(complaints, accepted int64) bool {
	return complaints >= MaxComplaints && complaints*1000 > accepted*ComplaintsPerMille
}
