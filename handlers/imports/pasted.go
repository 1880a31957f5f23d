package imports

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// PastedView is the page clients/several and its block clients/pasted. After a mistake
// Addresses has the lines that were not added, Taken the result for the others.
type PastedView struct {
	Addresses, Tags, Taken string
	Bad                    []badRow
	Problems               templates.Problems
}

func (h *Imports) PasteForm(r *web.Request) error {
	return r.Page(fiber.StatusOK, "clients/several", PastedView{})
}

func (h *Imports) Paste(r *web.Request) error {
	view, err := h.TakePasted(r)
	switch {
	case err != nil:
		return err
	case view.Problems != nil:
		return r.Page(fiber.StatusUnprocessableEntity, "clients/several", view)
	}
	r.SetFlash(view.Taken)
	return r.Redirect("/clients")
}

// TakePasted saves the pasted clients that are right; those that are there already are left
// alone.
func (h *Imports) TakePasted(r *web.Request) (PastedView, error) {
	view := PastedView{Addresses: r.FormValue("addresses"), Tags: r.FormValue("tags")}
	clients, bad, err := domain.ParseClients(view.Addresses, view.Tags)
	if err != nil {
		var ok bool
		if view.Problems, ok = r.Problems(err); ok {
			err = nil
		}
		return view, err
	}
	if len(clients) > 0 {
		created, err := h.DB.Clients().CreateMany(r.UserContext(), r.Viewer.User.ID, clients)
		if err != nil {
			return view, err
		}
		view.Taken = r.T("clients.bulk_created", "Created", created, "Known", len(clients)-created)
	}
	if len(bad) == 0 {
		return view, nil
	}
	lines := make([]string, len(bad))
	for i, one := range bad {
		lines[i] = one.Text
		view.Bad = append(view.Bad, h.badRow(r, i+1, one.Text, one.Problems))
	}
	view.Addresses = strings.Join(lines, "\n")
	view.Problems = templates.Problems{"addresses": r.TN("clients.bulk_left", len(bad))}
	return view, nil
}
