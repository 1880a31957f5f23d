package staff

import (
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// auditRow is one line of the log. Actor is "" for the command line.
type auditRow struct {
	At           web.Moment
	Actor        string
	Act          domain.Act
	Object, Link string
	Reason       string
}

// auditView is the page staff/audit and its block staff/audit-results.
type auditView = list[auditRow]

// Audit is the log; its search asks for the results alone.
func (h *Staff) Audit(r *web.Request) error {
	filter := db.AuditFilter{Query: r.Query("q"), Act: domain.Act(r.Query("act")), Page: r.ListPage()}
	entries, total, err := h.DB.Audit().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := newList[auditRow](r, "act", "staff.audit_found", filter.Page, total, len(entries), func(n int) int64 { return entries[n].ID })
	for _, e := range entries {
		row := auditRow{At: r.Viewer.Moment(e.At), Actor: e.Actor, Act: e.Act, Object: e.Object, Reason: e.Reason}
		switch {
		case e.Act.OnMailing():
			row.Link = "/mailings/" + strconv.FormatInt(e.ObjectID, 10)
		case e.Act.OnJobs():
			row.Link = queuePath
		default:
			row.Link = "/manager/users?q=" + url.QueryEscape(e.Object)
		}
		view.Rows = append(view.Rows, row)
	}
	if view.Fragment {
		return r.Block(fiber.StatusOK, "staff/audit-results", view)
	}
	view.Choices = []templates.Option{{Label: r.Viewer.T("staff.audit_all_actions")}}
	for _, act := range domain.Acts() {
		view.Choices = append(view.Choices, templates.Option{Value: string(act), Label: r.Viewer.T("staff.audit_action_" + string(act))})
	}
	return r.Page(fiber.StatusOK, "staff/audit", view)
}
