package handlers

import (
	"bufio"
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
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

func formOfClient(c *fiber.Ctx) domain.ClientForm {
	return domain.ClientForm{Email: c.FormValue("email"), FullName: c.FormValue("full_name"),
		Comment: c.FormValue("comment"), Tags: c.FormValue("tags")}
}

func (s *Site) newClientForm(c *fiber.Ctx) error {
	return s.showClientForm(c, fiber.StatusOK, clientForm{})
}

func (s *Site) showClientForm(c *fiber.Ctx, status int, form clientForm) error {
	form.InPlace = isHTMX(c)
	switch {
	case form.InPlace && form.ID == 0:
		c.Set("HX-Retarget", "#new-client")
		c.Set("HX-Reswap", "innerHTML")
		return s.block(c, status, "clients/form", form)
	case form.InPlace:
		return s.block(c, status, "clients/edit-row", form)
	case form.ID == 0:
		return s.page(c, status, "clients/new", form)
	}
	return s.page(c, status, "clients/edit", form)
}

func (s *Site) createClient(c *fiber.Ctx) error {
	form, client := formOfClient(c), domain.Client{OwnerID: s.reader(c).User.ID}
	err := client.Change(form)
	if err == nil {
		err = s.DB.CreateClient(c.UserContext(), &client)
	}
	if texts, ok := s.problems(c, err); ok {
		return s.showClientForm(c, fiber.StatusUnprocessableEntity, clientForm{ClientForm: form, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, "/clients", "clients.created", "Email", client.Email)
	}
	s.toast(c, "clients.created", "Email", client.Email)
	c.Set("HX-Trigger-After-Swap", "clients-changed")
	return s.block(c, fiber.StatusOK, "clients/created", createdClient{s.clientRow(c, client), clientForm{InPlace: true}})
}

func (s *Site) editClientForm(c *fiber.Ctx) error {
	client, err := s.ownClient(c)
	if err != nil {
		return err
	}
	return s.showClientForm(c, fiber.StatusOK, clientForm{ID: client.ID, ClientForm: domain.ClientForm{
		Email: client.Email, FullName: client.FullName, Comment: client.Comment, Tags: strings.Join(client.Tags, ", ")}})
}

func (s *Site) updateClient(c *fiber.Ctx) error {
	form := formOfClient(c)
	client, err := s.DB.UpdateClient(c.UserContext(), s.reader(c).User.ID, pathID(c), func(client *domain.Client) error {
		return client.Change(form)
	})
	if texts, ok := s.problems(c, err); ok {
		return s.showClientForm(c, fiber.StatusUnprocessableEntity, clientForm{ID: pathID(c), ClientForm: form, Problems: texts})
	}
	if err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, "clients.saved")
		return s.block(c, fiber.StatusOK, "clients/row", s.clientRow(c, client))
	}
	return s.done(c, "/clients/"+c.Params("id"), "clients.saved")
}

// exportClients downloads the owner's clients as CSV with a byte order mark, for spreadsheets.
func (s *Site) exportClients(c *fiber.Ctx) error {
	ctx, owner, number := context.WithoutCancel(c.UserContext()), s.reader(c).User.ID, c.Locals(numberKey)
	clients, err := s.DB.ClientsAfter(ctx, owner, domain.Client{})
	if err != nil {
		return err
	}
	c.Attachment("skychimp-clients.csv")
	c.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
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
			clients, err = s.DB.ClientsAfter(ctx, owner, clients[len(clients)-1])
		}
		if err != nil {
			s.Log.Error("export of clients", "number", number, "error", err)
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
