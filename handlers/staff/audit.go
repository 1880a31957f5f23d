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
type auditView struct {
	Query, Act string
	Acts       []templates.Option
	Found      string
	Fragment   bool // without the page around it
	Rows       []auditRow
	Pager      web.Pager
}

// Audit is the log; its search asks for the results alone.
func (h *Staff) Audit(r *web.Request) error {
	filter := db.AuditFilter{Query: r.Query("q"), Act: domain.Act(r.Query("act")), Page: r.ListPage()}
	entries, total, err := h.DB.Audit().List(r.UserContext(), filter)
	if err != nil {
		return err
	}
	view := auditView{Query: filter.Query, Act: string(filter.Act), Fragment: r.HTMX(),
		Found: r.Found("staff.audit_found", total),
		Pager: r.ListPager(filter.Page, total, len(entries), func(n int) db.Cursor { return db.Cursor{entries[n].ID} })}
	for _, e := range entries {
		row := auditRow{At: r.Moment(e.At), Actor: e.Actor, Act: e.Act, Object: e.Object, Reason: e.Reason}
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
	view.Acts = []templates.Option{{Label: r.T("staff.audit_all_actions")}}
	for _, act := range domain.Acts() {
		view.Acts = append(view.Acts, templates.Option{Value: string(act), Label: r.T("staff.audit_action_" + string(act))})
	}
	return r.Page(fiber.StatusOK, "staff/audit", view)
}
