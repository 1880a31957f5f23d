package handlers

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// attemptRow is one try to hand a letter over.
type attemptRow struct {
	Email, Mailing   string
	MailingID, RunID int64
	N                int
	At               Moment
	Status           domain.Verdict
	Answer           string // the mail server's own words
}

// attemptsView is the page attempts/list and its block attempts/results.
type attemptsView struct {
	Status   string
	Statuses []templates.Option
	Mailing  int64  // 0: of all mailings
	Mailings string // where they are listed for the reader
	Name     string // of that mailing
	Rows     []attemptRow
	Pager    pagerView
}

// attempts is the record of every attempt: the reader's own, or everybody's.
func (s *Site) attempts(c *fiber.Ctx) error {
	filter := db.AttemptFilter{
		OwnerID: s.owned(c), MailingID: int64(c.QueryInt("mailing")), Status: domain.Verdict(c.Query("status")),
		Page: max(1, c.QueryInt("page", 1)),
	}
	attempts, more, err := s.DB.Attempts(c.UserContext(), filter)
	if err != nil {
		return err
	}
	view := attemptsView{Status: c.Query("status"), Mailing: filter.MailingID, Mailings: "/mailings", Pager: s.openPager(c, filter.Page, more)}
	if !s.reader(c).User.MayOwn() {
		view.Mailings = "/manager/mailings"
	}
	view.Statuses = []templates.Option{{Label: s.t(c, "attempts.all_statuses")}}
	for _, one := range []domain.Verdict{domain.Accepted, domain.Deferred, domain.Failed, domain.Unknown} {
		view.Statuses = append(view.Statuses, templates.Option{Value: string(one), Label: s.t(c, "attempts.status_"+string(one))})
	}
	for _, one := range attempts {
		view.Name = one.MailingName
		view.Rows = append(view.Rows, s.attemptRow(c, one))
	}
	if isHTMX(c) {
		return s.block(c, fiber.StatusOK, "attempts/results", view)
	}
	return s.page(c, fiber.StatusOK, "attempts/list", view)
}

func (s *Site) attemptRow(c *fiber.Ctx, one db.AttemptRow) attemptRow {
	return attemptRow{
		Email: one.Email, Mailing: one.MailingName, MailingID: one.MailingID, RunID: one.RunID, N: one.N, At: s.moment(c, one.At),
		Status: one.Status, Answer: domain.Answer{Code: one.Code, Text: one.Answer}.String(),
	}
}
