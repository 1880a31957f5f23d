package imports

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// BulkAddView is the page clients/bulk-add and its block clients/bulk-form. After a mistake
// Addresses has the lines that were not added, Taken the result for the others.
type BulkAddView struct {
	web.Form
	Addresses, Tags, Taken string
	Bad                    []badRow
}

func (h *Imports) BulkAddForm(r *web.Request) error {
	return r.Page(fiber.StatusOK, "clients/bulk-add", BulkAddView{})
}

func (h *Imports) BulkAdd(r *web.Request) error { return h.TakeBulk(r, "clients/bulk-add", "/clients") }

// TakeBulk saves the pasted clients without errors; those that exist already are left
// alone. The page is shown again with those that are wrong, else next.
func (h *Imports) TakeBulk(r *web.Request, page, next string) error {
	view := &BulkAddView{Addresses: r.FormValue("addresses"), Tags: r.FormValue("tags")}
	clients, bad, err := domain.ParseClients(view.Addresses, view.Tags)
	if len(clients)+len(bad) > domain.ClientsMax {
		return h.takeList(r, page, view)
	}
	if err != nil {
		return r.Form(err, page, view)
	}
	if len(clients) > 0 {
		created, err := h.DB.Clients().CreateMany(r.UserContext(), r.Viewer.User.ID, clients)
		if err != nil {
			return err
		}
		view.Taken = r.Viewer.T("clients.bulk_created", "Created", created, "Known", len(clients)-created)
	}
	if len(bad) == 0 {
		r.Browser().SetFlash(view.Taken)
		return r.Redirect(next)
	}
	lines := make([]string, len(bad))
	for i, one := range bad {
		lines[i] = one.Text
		view.Bad = append(view.Bad, h.badRow(r, i+1, one.Text, one.Errors))
	}
	view.Addresses = strings.Join(lines, "\n")
	view.Errors = templates.ValidationErrors{"addresses": r.Viewer.TN("clients.bulk_left", len(bad))}
	return r.Page(fiber.StatusUnprocessableEntity, page, view)
}

// takeList makes a list of what was pasted, and leads to it as to one from a file.
func (h *Imports) takeList(r *web.Request, page string, view *BulkAddView) error {
	list := domain.Import{OwnerID: r.Viewer.User.ID, Status: domain.ImportChecked, FileName: r.Viewer.T("imports.pasted"), Mapping: domain.PastedMapping(view.Tags)}
	err := list.Mapping.Check()
	if err == nil {
		err = h.DB.Imports().Create(r.UserContext(), &list, domain.PastedLines(view.Addresses))
	}
	if err != nil {
		return r.Form(err, page, view)
	}
	return r.Redirect(importPath(list.ID))
}
