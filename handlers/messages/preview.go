package messages

import (
	"cmp"
	"net/mail"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Preview is the email itself, as one client gets it or as an example, in a light or a
// dark mail program, for a frame that runs nothing.
func (h *Messages) Preview(r *web.Request) error {
	m, err := h.readableMessage(r)
	if err != nil {
		return err
	}
	if revision := r.QueryInt("revision"); revision != 0 {
		v, err := h.DB.Messages().Version(r.UserContext(), m.OwnerID, m.ID, revision)
		if err != nil {
			return err
		}
		m.Subject, m.Preheader, m.Body, m.Language = v.Subject, v.Preheader, v.Body, v.Language
	}
	owner, err := h.DB.Users().Get(r.UserContext(), m.OwnerID)
	if err != nil {
		return err
	}
	brand, err := h.DB.Brands().Get(r.UserContext(), owner.ID)
	if err != nil {
		return err
	}
	made := Made{Brand: brand, Issue: r.QueryInt("issue")}
	made.On, _ = time.Parse(time.DateOnly, r.Query("on"))
	compiled, to, err := h.emailIn(r, owner, m, int64(r.QueryInt("client")), made)
	if err != nil {
		return err
	}
	return ShowEmail(r, email.Shown(compiled.HTML(to), scheme(r.Query("scheme"))))
}

// SubjectTo is the subject of a run's email to the client, or with 0 to the owner: of its issue on a day.
func (h *Messages) SubjectTo(r *web.Request, owner domain.User, subject string, client int64, issue int, on time.Time) (string, error) {
	// Without a text no email is made.
	compiled, to, err := h.made(r, owner, domain.Message{OwnerID: owner.ID, Subject: subject, Body: "."}, client, Made{Issue: issue, On: on})
	if err != nil {
		return "", err
	}
	return compiled.Subject(to), nil
}

func scheme(asked string) string {
	if asked == "dark" {
		return asked
	}
	return "light"
}

// livePreview is the block messages/live: the email as it stands in the form.
type livePreview struct {
	Client, Scheme, Device string
	Clients                []templates.Option
	Advice                 []string
}

// Advise answers with what the author of the form may want to change: the block messages/advice.
func (h *Messages) Advise(r *web.Request) error {
	list, err := h.Advice(r, r.FormValue("subject"), ReadDraft(r).Body)
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "messages/advice", list)
}

// Advice is what an author may want to change before the message goes out, each once.
func (h *Messages) Advice(r *web.Request, subject, body string) (list []string, err error) {
	for _, one := range email.Advice(subject, body) {
		if text := r.Viewer.Text(one); !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	if email.NamesClients(subject, body) {
		nameless, err := h.DB.Clients().Nameless(r.UserContext(), r.Viewer.User.ID)
		if err != nil {
			return nil, err
		}
		if nameless > 0 {
			list = append(list, r.Viewer.TN("messages.advice_nameless", nameless))
		}
	}
	return list, nil
}

// inboxLine is the block messages/inbox.
type inboxLine struct{ Sender, Subject, Preheader string }

// PreviewDraft is the email as it stands in the form, below what an inbox shows of it.
func (h *Messages) PreviewDraft(r *web.Request) error {
	owner := *r.Viewer.User
	m := domain.Message{OwnerID: owner.ID, Subject: r.FormValue("subject"), Preheader: r.FormValue("preheader"), Body: ReadDraft(r).Body, Language: r.FormValue("language")}
	client, _ := strconv.ParseInt(r.FormValue("client"), 10, 64)
	compiled, to, err := h.EmailTo(r, owner, m, client)
	if text := r.Viewer.Problem(err); text != "" {
		return r.Status(fiber.StatusUnprocessableEntity).SendString(text)
	}
	if err != nil {
		return err
	}
	line, err := r.Render("messages/inbox", inboxLine{owner.SenderName(), compiled.Subject(to), compiled.Preheader(to)})
	if err != nil {
		return err
	}
	return ShowEmail(r, email.Shown(email.Under(string(line), compiled.HTML(to)), scheme(r.FormValue("scheme"))))
}

// EmailTo is the email that the client, or with 0 the owner, would get. Whatever the answer is
// now, it may stand in a frame, and nothing runs in it.
func (h *Messages) EmailTo(r *web.Request, owner domain.User, m domain.Message, client int64) (*email.Template, email.Recipient, error) {
	brand, err := h.DB.Brands().Get(r.UserContext(), owner.ID)
	if err != nil {
		return nil, email.Recipient{}, err
	}
	return h.emailIn(r, owner, m, client, Made{Brand: brand})
}

// EmailIn is the email in another look, as its owner would get it.
func (h *Messages) EmailIn(r *web.Request, owner domain.User, m domain.Message, brand domain.Brand) (*email.Template, email.Recipient, error) {
	return h.emailIn(r, owner, m, 0, Made{Brand: brand})
}

// EmailOf is the email of a run that its owner would have got.
func (h *Messages) EmailOf(r *web.Request, owner domain.User, run domain.Run) (*email.Template, email.Recipient, error) {
	if run.Brand == nil {
		return h.EmailTo(r, owner, Sent(run), 0)
	}
	return h.emailIn(r, owner, Sent(run), 0, Made{Brand: *run.Brand, From: run.From.Name})
}

// Sent is the message of a run as it was.
func Sent(run domain.Run) domain.Message {
	return domain.Message{OwnerID: run.OwnerID, Subject: run.Subject, Body: run.Body, Language: run.Language, Preheader: run.Preheader}
}

func (h *Messages) emailIn(r *web.Request, owner domain.User, m domain.Message, client int64, made Made) (*email.Template, email.Recipient, error) {
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	r.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	return h.made(r, owner, m, client, made)
}

func (h *Messages) made(r *web.Request, owner domain.User, m domain.Message, client int64, made Made) (*email.Template, email.Recipient, error) {
	to := email.Recipient{Email: owner.Email, Name: owner.Name, UnsubscribeURL: r.Site.Absolute("/unsubscribe/test")}
	to.FirstName, to.LastName = domain.GuessName(owner.Name)
	if client != 0 {
		reader, err := h.DB.Clients().Get(r.UserContext(), r.Viewer.User.ID, client)
		if err != nil {
			return nil, to, err
		}
		to.Email, to.Name, to.Comment, to.Fields = reader.Email, reader.FullName, reader.Comment, reader.Fields
		to.FirstName, to.LastName = reader.Names()
	}
	var err error
	if made.Fields, err = h.DB.Fields().List(r.UserContext(), owner.ID); err != nil {
		return nil, to, err
	}
	if m.ID != 0 {
		made.ViewURL = r.Site.Absolute(messagePath(m.ID) + "/preview")
	}
	compiled, err := Compile(r, owner, m, made)
	return compiled, to, err
}

// Made is what emails are made of beside their message.
type Made struct {
	Fields  []domain.Field // the owner's
	Brand   domain.Brand
	From    string // name of the sender; empty: the owner's
	ViewURL string // opens the email as a page, see email.Source
	Issue   int    // of the run and its day; zero: the first, today
	On      time.Time
}

// Compile prepares the emails of an owner's message.
func Compile(r *web.Request, owner domain.User, m domain.Message, made Made) (*email.Template, error) {
	language := domain.EmailLanguage(m.Language, m.Subject, m.Body, owner.Language)
	if !made.On.IsZero() {
		words := email.RunWords{Issue: made.Issue, Date: made.On, Language: language}
		for _, text := range []*string{&m.Subject, &m.Preheader, &m.Body} {
			*text = words.Fill(*text, made.Fields)
		}
	}
	return email.Compile(email.Source{
		Fields: made.Fields, Subject: m.Subject, Preheader: m.Preheader, Body: m.Body, Language: language,
		From:  mail.Address{Name: cmp.Or(made.From, owner.SenderName()), Address: owner.Email},
		Brand: made.Brand, MediaURL: r.Site.Absolute("/media/"), ViewText: r.Site.Say(language, "recipients.view"), ViewURL: made.ViewURL,
		UnsubscribeText: r.Site.Say(language, "recipients.unsubscribe"),
		FooterText:      r.Site.Say(language, "recipients.footer", "Name", cmp.Or(made.From, owner.Name)),
	})
}

// ShowEmail answers with the email alone.
func ShowEmail(r *web.Request, page string) error {
	r.Vary("HX-Request")
	r.Type("html", "utf-8")
	return r.SendString(page)
}
