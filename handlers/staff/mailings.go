package staff

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// managerMailing is the block staff/mailing.
type managerMailing struct {
	ID                int64
	Name, Subject     string
	Owner, OwnerEmail string
	OwnerBlocked      bool
	Status            domain.MailingStatus
	Planned, Accepted int64
	Failed            int64
	NextRunAt         web.Moment // zero when nothing will be sent
	Switch            switchView
}

// managerMailingsView is the page staff/mailings and its block staff/mailing-results.
type managerMailingsView = list[managerMailing]

// statusDisabled is the choice of the filter beside the statuses of a mailing.
const statusDisabled = "disabled"

// Mailings is the list of everybody's mailings; its search asks for the results alone.
func (h *Staff) Mailings(r *web.Request) error {
	status := r.Query("status")
	filter := db.MailingFilter{Query: r.Query("q"), Page: r.ListPage(), Sort: sortOf(r, db.MailingSorts())}
	if filter.Disabled = status == statusDisabled; !filter.Disabled {
		filter.Status = domain.MailingStatus(status)
	}
	rows, total, err := h.DB.Mailings().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := newList[managerMailing](r, "status", "mailings.found", filter.Page, total, len(rows), func(n int) int64 { return rows[n].ID })
	view.Sort, view.Heads = filter.Sort, r.Heads(filter.Sort, nil, "name", "mailings.mailing", "owner", "mailings.owner", "", "mailings.status",
		"", "staff.emails", "next", "mailings.next_run", "", "staff.switch_mailing")
	view.Heads[3].Number = true
	for _, row := range rows {
		view.Rows = append(view.Rows, h.managerMailing(r, row))
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "staff/mailing-results", view)
	}
	view.Choices = []templates.Option{{Label: r.Viewer.T("mailings.all_statuses")}}
	for _, one := range []domain.MailingStatus{domain.Created, domain.Running, domain.Finished} {
		view.Choices = append(view.Choices, templates.Option{Value: string(one), Label: r.Viewer.T("mailings.status_" + string(one))})
	}
	view.Choices = append(view.Choices, templates.Option{Value: statusDisabled, Label: r.Viewer.T("mailings.disabled")})
	return r.Page(fiber.StatusOK, "staff/mailings", view)
}

func (h *Staff) managerMailing(r *web.Request, m db.MailingRow) managerMailing {
	row := managerMailing{
		ID: m.ID, Name: m.Name, Subject: m.Subject, Owner: m.OwnerName, OwnerEmail: m.OwnerEmail, OwnerBlocked: m.OwnerBlocked,
		Status: m.Status, Planned: m.Planned, Accepted: m.Accepted, Failed: m.Failed,
		Switch: switchView{Noun: "mailing", ID: m.ID, Name: m.Name, On: m.Disabled(), Reason: m.DisabledReason, Since: r.Viewer.Moment(m.DisabledAt)},
	}
	if m.Status == domain.Running && !m.Disabled() && !m.OwnerBlocked {
		row.NextRunAt = r.Viewer.Moment(m.NextRunAt)
	}
	return row
}

// AskDisable asks for the reason on a page of its own.
func (h *Staff) AskDisable(r *web.Request) error {
	row, err := h.DB.Mailings().Row(r.UserContext(), r.ID())
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "staff/reason", h.managerMailing(r, row).Switch)
}

func (h *Staff) DisableMailing(r *web.Request) error {
	_, err := h.DB.Mailings().Disable(r.UserContext(), *r.Viewer.User, r.ID(), r.FormValue("reason"), time.Now())
	return h.switchedMailing(r, err, "staff.disabled")
}

func (h *Staff) EnableMailing(r *web.Request) error {
	_, err := h.DB.Mailings().Enable(r.UserContext(), *r.Viewer.User, r.ID(), time.Now())
	return h.switchedMailing(r, err, "staff.enabled")
}

// switchedMailing answers with the mailing as it is now, or with what is wrong.
func (h *Staff) switchedMailing(r *web.Request, refusal error, done string) error {
	found, err := h.DB.Mailings().Row(r.UserContext(), r.ID())
	if err != nil {
		return err
	}
	row := h.managerMailing(r, found)
	return h.switched(r, refusal, &row.Switch, web.Fragment{Block: "staff/mailing", View: &row}, done)
}
