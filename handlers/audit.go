package handlers

import (
	"net/url"
	"strconv"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/templates"
)

// auditRow is one line of the log. Actor is "" for the command line.
type auditRow struct {
	At           Moment
	Actor        string
	Act          domain.Act
	Object, Link string
	Reason       string
}

// auditView is the page admin/audit and its block admin/audit-results.
type auditView struct {
	Query, Act string
	Acts       []templates.Option
	Found      string
	Fragment   bool // without the page around it
	Rows       []auditRow
	Pager      pagerView
}

// audit is the log; its search asks for the results alone.
func (s *Site) audit(c *fiber.Ctx) error {
	filter := db.AuditFilter{Query: c.Query("q"), Act: domain.Act(c.Query("act")), Page: max(1, c.QueryInt("page", 1))}
	entries, total, err := s.DB.Audit(c.UserContext(), filter)
	if err != nil {
		return err
	}
	pages := db.LastPage(total)
	view := auditView{Query: filter.Query, Act: string(filter.Act), Fragment: isHTMX(c),
		Found: s.tn(c, "audit.found", total), Pager: s.pager(c, min(filter.Page, pages), pages)}
	for _, e := range entries {
		row := auditRow{At: s.moment(c, e.At), Actor: e.Actor, Act: e.Act, Object: e.Object, Reason: e.Reason}
		if row.Link = "/manager/users?q=" + url.QueryEscape(e.Object); e.Act.OnMailing() {
			row.Link = "/mailings/" + strconv.FormatInt(e.ObjectID, 10)
		}
		view.Rows = append(view.Rows, row)
	}
	if view.Fragment {
		return s.block(c, fiber.StatusOK, "admin/audit-results", view)
	}
	view.Acts = []templates.Option{{Label: s.t(c, "audit.all_acts")}}
	for _, act := range domain.Acts() {
		view.Acts = append(view.Acts, templates.Option{Value: string(act), Label: s.t(c, "audit.act_"+string(act))})
	}
	return s.page(c, fiber.StatusOK, "admin/audit", view)
}
