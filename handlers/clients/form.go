package clients

import (
	"bufio"
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/fields"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// clientForm is the blocks clients/form (a new client) and clients/edit-row, and their pages.
type clientForm struct {
	web.ListForm
	domain.ClientForm
	FirstName, LastName string // as they are, or as they would be taken from the full name
	Width               int    // columns of the list
	Values              []templates.Select
	Consent             domain.ConsentInput // of a new one

	fields []domain.Field
	texts  map[string]string
}

// newForm is the form of a client, 0 for a new one.
func (h *Clients) newForm(r *web.Request, id int64, typed domain.ClientForm, names [2]string) (*clientForm, error) {
	shown, list, err := h.columns(r)
	return &clientForm{ListForm: web.ListForm{Noun: "client", ID: id}, ClientForm: typed, FirstName: names[0], LastName: names[1],
		Width: shown.width(), fields: list}, err
}

// show answers with the form.
func (f *clientForm) show(r *web.Request, refusal error) error {
	f.Values = fields.Inputs(r.Viewer, f.fields, f.texts, r.Viewer.Errors(refusal), f.FieldID)
	return r.ListForm(refusal, f)
}

// typedForm is the form with what was typed, or err.
func (h *Clients) typedForm(r *web.Request, id int64) (*clientForm, error) {
	f, err := h.newForm(r, id, readForm(r), [2]string{r.FormValue("first_name"), r.FormValue("last_name")})
	f.texts, f.Consent = fields.Texts(r, f.fields), domain.ConsentInput{Source: r.FormValue("consent_source"), On: r.FormValue("consent_on")}
	return f, err
}

// agreed is how a new client has agreed, none where nothing was said.
func (f *clientForm) agreed(owner int64) ([]domain.Consent, error) {
	if !f.Consent.Given() {
		return nil, nil
	}
	c, err := domain.TypedConsent(f.Consent, owner, time.Now())
	return []domain.Consent{c}, err
}

// details are what stands behind the first fields of the form.
func (f *clientForm) details(r *web.Request) domain.ClientDetails {
	return domain.ClientDetails{Named: r.Has("first_name") || r.Has("last_name"), FirstName: f.FirstName, LastName: f.LastName, Fields: f.texts}
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
	form, err := h.newForm(r, 0, domain.ClientForm{}, [2]string{})
	if err != nil {
		return err
	}
	return form.show(r, nil)
}

func (h *Clients) Create(r *web.Request) error {
	form, err := h.typedForm(r, 0)
	if err != nil {
		return err
	}
	client := domain.Client{OwnerID: r.Viewer.User.ID}
	agreed, wrong := form.agreed(client.OwnerID)
	if err = client.Apply(form.ClientForm, form.details(r), form.fields); err != nil {
		err = domain.Join(err, wrong)
	} else if err = wrong; err == nil {
		err = h.DB.Clients().Create(r.UserContext(), &client, agreed...)
	}
	if err != nil {
		return form.show(r, err)
	}
	next, err := h.newForm(r, 0, domain.ClientForm{}, [2]string{})
	if err != nil {
		return err
	}
	next.InPlace, next.Values = true, fields.Inputs(r.Viewer, next.fields, nil, nil, next.FieldID)
	row, err := h.listRow(r, client)
	if err != nil {
		return err
	}
	return r.Saved("/clients", web.Fragment{Block: "clients/created", View: createdClient{row, next}, Event: "clients-changed"},
		"clients.created", "Email", client.Email)
}

func (h *Clients) Edit(r *web.Request) error {
	client, err := h.ownClient(r)
	if err != nil {
		return err
	}
	first, last := client.Names()
	form, err := h.newForm(r, client.ID, formOf(client), [2]string{first, last})
	if err != nil {
		return err
	}
	form.texts = fields.Saved(form.fields, client.Fields)
	form.Revision = web.Revision(revised(client))
	return form.show(r, nil)
}

// formOf is the form as the client is stored.
func formOf(c domain.Client) domain.ClientForm {
	return domain.ClientForm{Email: c.Email, FullName: c.FullName, Comment: c.Comment, Tags: strings.Join(c.Tags, ", ")}
}

// revised is what makes another revision of a client when it changes.
func revised(c domain.Client) any {
	first, last := c.Names()
	return []any{formOf(c), first, last, c.Fields}
}

func (h *Clients) Update(r *web.Request) error {
	form, err := h.typedForm(r, r.ID())
	if err != nil {
		return err
	}
	var stored domain.Client
	details := form.details(r)
	client, err := h.DB.Clients().Update(r.UserContext(), r.Viewer.User.ID, r.ID(), func(c *domain.Client) error {
		stored = *c
		return cmp.Or(r.CheckRevision(revised(stored)), c.Apply(form.ClientForm, details, form.fields))
	})
	if err != nil {
		form.Against(r, err, revised(stored), templates.Option{Label: r.Viewer.T("clients.email"), Value: stored.Email},
			templates.Option{Label: r.Viewer.T("clients.full_name"), Value: stored.FullName},
			templates.Option{Label: r.Viewer.T("clients.comment"), Value: stored.Comment},
			templates.Option{Label: r.Viewer.T("clients.tags"), Value: strings.Join(stored.Tags, ", ")})
		return form.show(r, err)
	}
	row, err := h.listRow(r, client)
	if err != nil {
		return err
	}
	return r.Saved("/clients/"+r.Params("id"), web.Fragment{Block: "clients/row", View: row}, "clients.saved")
}

// Export downloads the clients that the filter shows as CSV with a byte order mark, for spreadsheets.
func (h *Clients) Export(r *web.Request) error {
	ctx, owner, number := context.WithoutCancel(r.UserContext()), r.Viewer.User.ID, r.RequestID
	list, err := h.DB.Fields().List(ctx, owner)
	if err != nil {
		return err
	}
	filter := readFilter(r)
	clients, err := h.DB.Clients().After(ctx, owner, filter, domain.Client{})
	if err != nil {
		return err
	}
	columns := []string{"email", "full_name", "comment", "tags", "suppressed", "suppressed_at", "created_at", "first_name", "last_name"}
	for _, f := range list {
		columns = append(columns, f.Key)
	}
	r.Attachment("skychimp-clients.csv")
	r.Set(fiber.HeaderContentType, "text/csv; charset=utf-8")
	return r.Stream(func(out *bufio.Writer) {
		_, _ = out.WriteString("\ufeff" + domain.CSVRow(columns...))
		for len(clients) > 0 && err == nil {
			for _, one := range clients {
				_, _ = out.WriteString(domain.CSVRow(exportedClient(one, list)...)) // Flush tells below
			}
			if out.Flush() != nil {
				return // the viewer has gone
			}
			clients, err = h.DB.Clients().After(ctx, owner, filter, clients[len(clients)-1])
		}
		if err != nil {
			r.Site.Log.Error("export of clients", "request_id", number, "error", err)
		}
	})
}

func exportedClient(one domain.Client, list []domain.Field) []string {
	tags := strings.Join(one.Tags, ", ")
	if len(one.Tags) == 1 && strings.ContainsAny(tags, ";|") {
		tags += "," // an import would split it
	}
	row := []string{one.Email, one.FullName, one.Comment, tags, string(one.SuppressedReason),
		"", one.CreatedAt.UTC().Format(time.RFC3339)}
	if one.Suppressed() {
		row[5] = one.SuppressedAt.UTC().Format(time.RFC3339)
	}
	first, last := one.Names()
	row = append(row, first, last)
	for _, f := range list {
		row = append(row, f.Text(one.Fields))
	}
	return row
}
