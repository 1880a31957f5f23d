package runs

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// AttemptRow is one attempt in the delivery log.
type AttemptRow struct {
	Email, Mailing   string
	MailingID, RunID int64
	N                int
	At               web.Moment
	Status           domain.AttemptStatus
	Reply
}

// Reply is the block runs/reply: the mail server's own words, and what they mean.
type Reply struct {
	Answer string
	Class  domain.Class // empty: nothing needs to be explained
}

// attemptsView is the page runs/attempts and its block runs/attempt-results.
type attemptsView struct {
	Status   string
	Statuses []templates.Option
	Mailing  int64  // 0: of all mailings
	Mailings string // where they are listed for the viewer
	Name     string // of that mailing
	Mine     bool   // the viewer has clients to look up
	All      bool   // the viewer may look up those of all owners
	Rows     []AttemptRow
	Pager    web.Pager
}

// Attempts is the record of every attempt: the viewer's own, or everybody's.
func (h *Runs) Attempts(r *web.Request) error {
	filter := db.AttemptFilter{
		OwnerID: r.OwnerID(), MailingID: int64(r.QueryInt("mailing")), Status: domain.AttemptStatus(r.Query("status")),
		Page: r.ListPage(),
	}
	attempts, more, err := h.DB.Attempts().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := attemptsView{Status: r.Query("status"), Mailing: filter.MailingID, Mailings: "/mailings", Mine: r.Viewer.User.MayOwn(), All: r.Viewer.User.MayOversee()}
	view.Pager = r.OpenPager(filter.Page, more, len(attempts), func(n int) db.Cursor {
		return db.Cursor{attempts[n].RunID, int64(attempts[n].Seq), attempts[n].At.UnixMicro()}
	})
	if !r.Viewer.User.MayOwn() {
		view.Mailings = "/manager/mailings"
	}
	view.Statuses = []templates.Option{{Label: r.Viewer.T("runs.attempts_all_statuses")}}
	for _, one := range []domain.AttemptStatus{domain.Accepted, domain.Deferred, domain.Failed, domain.Unknown} {
		view.Statuses = append(view.Statuses, templates.Option{Value: string(one), Label: r.Viewer.T("runs.attempt_" + string(one))})
	}
	for _, one := range attempts {
		view.Name = one.MailingName
		view.Rows = append(view.Rows, h.AttemptRow(r, one))
	}
	if r.HTMX() {
		return r.Block(fiber.StatusOK, "runs/attempt-results", view)
	}
	return r.Page(fiber.StatusOK, "runs/attempts", view)
}

// AttemptRow is the attempt as lists show it.
func (h *Runs) AttemptRow(r *web.Request, one db.AttemptRow) AttemptRow {
	return AttemptRow{
		Email: one.Email, Mailing: one.MailingName, MailingID: one.MailingID, RunID: one.RunID, N: one.N, At: r.Viewer.Moment(one.At),
		Status: one.Status, Reply: replyOf(one.Attempt),
	}
}

func replyOf(one domain.Attempt) Reply {
	return Reply{Answer: domain.Answer{Code: one.Code, Text: one.Answer}.String(), Class: one.Meaning()}
}
