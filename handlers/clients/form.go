package clients

import (
	"bufio"
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// clientForm is the blocks clients/form (a new client) and clients/edit-row, and their pages.
type clientForm struct {
	web.ListForm
	domain.ClientForm
}

func newForm(id int64, typed domain.ClientForm) *clientForm {
	return &clientForm{web.ListForm{Noun: "client", ID: id}, typed}
}

// createdClient is the block clients/created: the new row, and an empty form for the next.
type createdClient struct {
	Row  clientRow
	Form *clientForm
}

func readForm(r *web.Request) domain.ClientForm {
	return domain.ClientForm{Email: r.FormValue("email"), FullName: r.FormValue("full_name"),
		Comment: r.FormValue("comment"), Tags: r.FormValue("tags")}
}

func (h *Clients) New(r *web.Request) error {
	return r.ListForm(nil, newForm(0, domain.ClientForm{}))
}

func (h *Clients) Create(r *web.Request) error {
	typed, client := readForm(r), domain.Client{OwnerID: r.Viewer.User.ID}
	err := client.Change(typed)
	if err == nil {
		err = h.DB.Clients().Create(r.UserContext(), &client)
	}
	if err != nil {
		return r.ListForm(err, newForm(0, typed))
	}
	next := newForm(0, domain.ClientForm{})
	next.InPlace = true
	return r.Saved("/clients", web.Fragment{Block: "clients/created", View: createdClient{h.clientRow(r, client), next}, Event: "clients-changed"},
		"clients.created", "Email", client.Email)
}

func (h *Clients) Edit(r *web.Request) error {
	client, err := h.ownClient(r)
	if err != nil {
		return err
	}
	return r.ListForm(nil, newForm(client.ID, domain.ClientForm{
		Email: client.Email, FullName: client.FullName, Comment: client.Comment, Tags: strings.Join(client.Tags, ", ")}))
}

func (h *Clients) Update(r *web.Request) error {
	typed := readForm(r)
	client, err := h.DB.Clients().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(c *domain.Client) error { return c.Change(typed) })
	if err != nil {
		return r.ListForm(err, newForm(r.ID(), typed))
	}
	return r.Saved("/clients/"+r.Params("id"), web.Fragment{Block: "clients/row", View: h.clientRow(r, client)}, "clients.saved")
}

// Export downloads the owner's clients as CSV with a byte order mark, for spreadsheets.
func (h *Clients) Export(r *web.Request) error {
	ctx, owner, number := context.WithoutCancel(r.UserContext()), r.Viewer.User.ID, r.RequestID
	clients, err := h.DB.Clients().After(ctx, owner, domain.Client{})
	if err != nil {
		return err
	}
	r.Attachment("skychimp-clients.csv")
	r.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	return r.Stream(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff" + domain.CSVRow("email", "full_name", "comment", "tags", "suppressed", "suppressed_at", "created_at"))
		for len(clients) > 0 && err == nil {
			for _, one := range clients {
				_, _ = out.WriteString(domain.CSVRow(exportedClient(one)...)) // Flush tells below
			}
			if out.Flush() != nil {
				return // the viewer has gone
			}
			clients, err = h.DB.Clients().After(ctx, owner, clients[len(clients)-1])
		}
		if err != nil {
			r.Site.Log.Error("export of clients", "request_id", number, "error", err)
		}
	})
}

func exportedClient(one domain.Client) []string {
	tags := strings.Join(one.Tags, ", ")
	if len(one.Tags) == 1 && strings.ContainsAny(tags, ";|") {
		tags += "," // an import would split it
	}
	row := []string{one.Email, one.FullName, one.Comment, tags, string(one.SuppressedReason),
		"", one.CreatedAt.UTC().Format(time.RFC3339)}
	if one.Suppressed() {
		row[5] = one.SuppressedAt.UTC().Format(time.RFC3339)
	}
	return row
}
