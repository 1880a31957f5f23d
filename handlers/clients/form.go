package clients

import (
	"bufio"
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// clientForm is the blocks clients/form (a new client) and clients/edit-row, and their pages.
type clientForm struct {
	ID int64
	domain.ClientForm
	InPlace  bool // htmx puts the form into the list
	Problems templates.Problems
}

// FieldID is the id of a field; several forms can be open at once.
func (f clientForm) FieldID(name string) string {
	return "id=client-" + strconv.FormatInt(f.ID, 10) + "-" + name
}

// createdClient is the block clients/created: the new row, and an empty form for the next.
type createdClient struct {
	Row  clientRow
	Form clientForm
}

func formOfClient(r *web.Request) domain.ClientForm {
	return domain.ClientForm{Email: r.FormValue("email"), FullName: r.FormValue("full_name"),
		Comment: r.FormValue("comment"), Tags: r.FormValue("tags")}
}

func (h *Clients) New(r *web.Request) error {
	return h.showClientForm(r, fiber.StatusOK, clientForm{})
}

func (h *Clients) showClientForm(r *web.Request, status int, form clientForm) error {
	form.InPlace = r.HTMX()
	switch {
	case form.InPlace && form.ID == 0:
		r.Set("HX-Retarget", "#new-client")
		r.Set("HX-Reswap", "innerHTML")
		return r.Block(status, "clients/form", form)
	case form.InPlace:
		return r.Block(status, "clients/edit-row", form)
	case form.ID == 0:
		return r.Page(status, "clients/new", form)
	}
	return r.Page(status, "clients/edit", form)
}

func (h *Clients) Create(r *web.Request) error {
	form, client := formOfClient(r), domain.Client{OwnerID: r.Viewer.User.ID}
	err := client.Change(form)
	if err == nil {
		err = h.DB.Clients().Create(r.UserContext(), &client)
	}
	if texts, ok := r.Problems(err); ok {
		return h.showClientForm(r, fiber.StatusUnprocessableEntity, clientForm{ClientForm: form, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Done("/clients", "clients.created", "Email", client.Email)
	}
	r.Toast("clients.created", "Email", client.Email)
	r.Set("HX-Trigger-After-Swap", "clients-changed")
	return r.Block(fiber.StatusOK, "clients/created", createdClient{h.clientRow(r, client), clientForm{InPlace: true}})
}

func (h *Clients) Edit(r *web.Request) error {
	client, err := h.ownClient(r)
	if err != nil {
		return err
	}
	return h.showClientForm(r, fiber.StatusOK, clientForm{ID: client.ID, ClientForm: domain.ClientForm{
		Email: client.Email, FullName: client.FullName, Comment: client.Comment, Tags: strings.Join(client.Tags, ", ")}})
}

func (h *Clients) Update(r *web.Request) error {
	form := formOfClient(r)
	client, err := h.DB.Clients().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(client *domain.Client) error {
		return client.Change(form)
	})
	if texts, ok := r.Problems(err); ok {
		return h.showClientForm(r, fiber.StatusUnprocessableEntity, clientForm{ID: r.ID(), ClientForm: form, Problems: texts})
	}
	if err != nil {
		return err
	}
	if r.HTMX() {
		r.Toast("clients.saved")
		return r.Block(fiber.StatusOK, "clients/row", h.clientRow(r, client))
	}
	return r.Done("/clients/"+r.Params("id"), "clients.saved")
}

// Export downloads the owner's clients as CSV with a byte order mark, for spreadsheets.
func (h *Clients) Export(r *web.Request) error {
	ctx, owner, number := context.WithoutCancel(r.UserContext()), r.Viewer.User.ID, r.Number
	clients, err := h.DB.Clients().After(ctx, owner, domain.Client{})
	if err != nil {
		return err
	}
	r.Attachment("skychimp-clients.csv")
	r.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	r.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff")
		rows := csv.NewWriter(out)
		_ = rows.Write([]string{"email", "full_name", "comment", "tags", "suppressed", "suppressed_at", "created_at"})
		for len(clients) > 0 && err == nil {
			for _, one := range clients {
				_ = rows.Write(exportedClient(one)) // Error tells below
			}
			if rows.Flush(); rows.Error() != nil {
				return // the reader has gone
			}
			clients, err = h.DB.Clients().After(ctx, owner, clients[len(clients)-1])
		}
		if err != nil {
			r.Site.Log.Error("export of clients", "number", number, "error", err)
		}
	})
	return nil
}

func exportedClient(one domain.Client) []string {
	row := []string{one.Email, one.FullName, one.Comment, strings.Join(one.Tags, ", "), string(one.SuppressedReason),
		"", one.CreatedAt.UTC().Format(time.RFC3339)}
	if one.Suppressed() {
		row[5] = one.SuppressedAt.UTC().Format(time.RFC3339)
	}
	for i, cell := range row {
		row[i] = domain.GuardCell(cell)
	}
	return row
}
