package runs

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// bouncesView is the page runs/bounces.
type bouncesView struct {
	Row
	Rows  []bounceRow
	Pager web.Pager
}

// bounceRow is an email that came back.
type bounceRow struct {
	Email  string // that it is about
	Kind   domain.ReturnKind
	Answer string // the words of the recipient's mail server
	Source string
	At     web.Moment
}

// ShowBounces shows what came back for a run.
func (h *Runs) ShowBounces(r *web.Request) error {
	run, err := h.DB.Runs().Get(r.UserContext(), r.OwnerID(), r.ID())
	if err != nil {
		return err
	}
	page := r.ListPage()
	bounces, total, err := h.DB.Bounces().List(r.UserContext(), r.OwnerID(), run.ID, page)
	if err != nil {
		return err
	}
	view := bouncesView{Row: h.Row(r, run), Pager: r.ListPager(page, total, len(bounces), func(n int) db.Cursor { return db.Cursor{bounces[n].ID} })}
	for _, one := range bounces {
		view.Rows = append(view.Rows, bounceRow{Email: one.Email, Kind: one.Kind, At: r.Viewer.Moment(one.At),
			Answer: domain.Answer{Code: one.Code, Text: one.Answer}.String(),
			Source: strings.ToValidUTF8(string(one.Raw), "?")})
	}
	return r.Page(fiber.StatusOK, "runs/bounces", view)
}
