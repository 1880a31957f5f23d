package forms

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/fields"
	"skychimp/handlers/web"
	"skychimp/templates"

	"html/template"
)

// visitView is the page forms/visit.
type visitView struct {
	web.Form
	Heading   string
	Text      template.HTML
	Agreement template.HTML
	Action    string
	Inputs    []templates.Select
	Topics    []topicBox
	Tick      bool
	Ticked    string
	Trap      string
	Closed    bool
}

// topicBox is a topic to choose.
type topicBox struct {
	ID                 int64
	FieldID            string
	Name, Details      string
	Chosen             bool
	Invalid, Described string
}

// noticeView is the pages forms/sent, forms/done and forms/dead.
type noticeView struct {
	Text   template.HTML // of the owner; empty: ours
	Inbox  bool
	Action string // the form's address
}

// askView is the page forms/ask, behind the link of a confirmation.
type askView struct {
	Heading, Email, Path string
	Values               []templates.Option // what was typed
	Topics               []string
	Agreement            template.HTML
}

// form is the form at the public address.
func (h *Forms) form(r *web.Request) (db.PublicForm, error) {
	return h.DB.Forms().ByToken(r.UserContext(), r.Params("token"))
}

// Visit shows a form to a visitor.
func (h *Forms) Visit(r *web.Request) error {
	form, err := h.form(r)
	if err != nil {
		return err
	}
	return h.visit(r, form, domain.SignupInput{}, "", nil)
}

func (h *Forms) visit(r *web.Request, form db.PublicForm, in domain.SignupInput, trap string, refusal error) error {
	view := h.visitForm(r, form, in, trap, refusal)
	status, err := r.Refused(refusal, view)
	if err != nil {
		return err
	}
	if view.Closed = form.Closed(); view.Closed {
		status = fiber.StatusGone
	}
	return h.public(r, status, "forms/visit", view, page{form: form})
}

// visitForm is the form with what was typed. A trap that is as it should be stays, so that who presses again was not
// too quick.
func (h *Forms) visitForm(r *web.Request, form db.PublicForm, in domain.SignupInput, trap string, refusal error) *visitView {
	if trap == "" {
		trap = domain.NewTrap(h.Secret, form.Token, time.Now())
	}
	problems := r.Viewer.Errors(refusal)
	view := &visitView{Heading: form.Name, Text: h.text.html(form.Text), Agreement: h.text.html(form.Agreement), Action: "/f/" + form.Token,
		Tick: form.Tick, Ticked: checked(in.Agreed), Trap: trap, Inputs: h.inputs(r, form, in, problems)}
	for _, one := range form.OfferedTopics(form.Own.Topics) {
		id := strconv.FormatInt(one.ID, 10)
		box := topicBox{ID: one.ID, FieldID: "topic-" + id, Name: one.Name, Details: one.Details}
		for _, typed := range in.Topics {
			box.Chosen = box.Chosen || typed == id || strings.EqualFold(typed, one.Name)
		}
		view.Topics = append(view.Topics, box)
	}
	return view
}

// inputs are what the form asks for beside topics.
func (h *Forms) inputs(r *web.Request, form db.PublicForm, in domain.SignupInput, problems templates.ValidationErrors) []templates.Select {
	t := r.Viewer.T
	email := templates.Field{ID: "field-email", Name: "email", Label: t("forms.email"), Value: in.Email, Problem: problems.Of("email"), Type: "email",
		Autocomplete: "email", Inputmode: "email", MaxLength: "254", Required: true}
	list := []templates.Select{{Field: email}}
	if asked, required := form.Asks(0); asked {
		list = append(list, templates.Select{Field: templates.Field{ID: "field-full_name", Name: domain.FullName, Label: t("forms.your_name"), Value: in.FullName,
			Problem: problems.Of(domain.FullName), Type: "text", Autocomplete: "name", MaxLength: "200", Required: required}})
	}
	asked := form.AskedFields(form.Own.Fields)
	for i, one := range fields.Inputs(r.Viewer, asked, in.Fields, problems, func(name string) string { return "id=" + name }) {
		_, one.Required = form.Asks(asked[i].ID)
		if one.MaxLength = "500"; one.Type == "date" {
			one.MaxLength = ""
		}
		list = append(list, one)
	}
	for i, one := range list {
		if !one.Required {
			list[i].Label = t("forms.optional", "Label", one.Label)
		}
	}
	return list
}

func (h *Forms) readSignup(r *web.Request, form db.PublicForm) domain.SignupInput {
	return domain.SignupInput{Email: r.FormValue("email"), FullName: r.FormValue(domain.FullName), Fields: fields.Texts(r, form.AskedFields(form.Own.Fields)),
		Topics: several(r, "topics"), Agreed: r.FormValue("agree") != ""}
}

// bait is a field that people don't see and programs fill in.
const bait = "website"

// SignUp takes what a visitor sends, from here or from the page of another site. What looks like a program's work
// comes back to be sent once more: people can, and none is lost.
func (h *Forms) SignUp(r *web.Request) error {
	form, err := h.form(r)
	if err != nil {
		return err
	}
	now, sent := time.Now(), r.FormValue("t")
	in := h.readSignup(r, form)
	trap := domain.ReadTrap(sent, form.Token, now, h.Secret, h.SecretOld)
	kept := "" // a trap that is used again
	if trap == domain.TrapEarly || trap == domain.TrapGood {
		kept = sent
	}
	s, err := form.SignUp(in, form.Own, now)
	if err != nil {
		return h.visit(r, form, in, kept, err)
	}
	if r.FormValue(bait) != "" || trap != domain.TrapGood && trap != domain.TrapPasted {
		if err := h.DB.Forms().Refused(r.UserContext(), form, now); err != nil {
			return err
		}
		return h.visit(r, form, in, kept, domain.Errorf(domain.Invalid, "", "forms.once_more"))
	}
	wait, err := h.DB.Quotas().Take(r.UserContext(), now, domain.SigningUp(r.Remote().Network(), form.ID, trap == domain.TrapPasted)...)
	if err != nil {
		return err
	}
	if wait > 0 {
		if err := h.DB.Forms().Refused(r.UserContext(), form, now); err != nil {
			return err
		}
		return web.TooMany("forms.too_many", wait)
	}
	s.Language, s.Page, s.IP = r.Viewer.Lang, pageOf(r, form), domain.ShortIP(r.Remote().IP())
	if err := h.DB.Signups().Keep(r.UserContext(), form, s); err != nil {
		return err
	}
	return r.Redirect("/f/" + form.Token + "/sent")
}

// pageOf is the page that the form was sent from, as far as the browser tells.
func pageOf(r *web.Request, form db.PublicForm) string {
	page := domain.PageOf(r.Get(fiber.HeaderReferer))
	if page == "" {
		page = domain.PageOf(r.Get(fiber.HeaderOrigin))
	}
	if at, err := url.Parse(page); err == nil && at.Host == r.Site.BaseURL.Host {
		return r.Site.Absolute("/f/" + form.Token)
	}
	return page
}

// Sent says where to look.
func (h *Forms) Sent(r *web.Request) error {
	form, err := h.form(r)
	if err != nil {
		return err
	}
	return h.public(r, fiber.StatusOK, "forms/sent", noticeView{Inbox: r.Site.Inbox && r.Remote().Local(), Action: "/f/" + form.Token}, page{form: form, hidden: true})
}

// signup is the sign-up of a link, which works while it waits and some days after. What mail programs leave at the end
// of a link is forgiven.
func (h *Forms) signup(r *web.Request) (form db.PublicForm, s domain.Signup, err error) {
	if form, err = h.form(r); err != nil {
		return form, s, err
	}
	code := strings.TrimRight(r.Params("code"), " .,;:!?)]>\"'")
	if s, err = h.DB.Signups().Get(r.UserContext(), form.ID, domain.SignupOfCode(code)); err != nil {
		return form, s, err
	}
	if !s.Signed(code, h.Secret, h.SecretOld) || s.Waits() && time.Since(s.SentAt) > domain.SignupLife {
		err = domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return form, s, err
}

// dead answers a link that has run out.
func (h *Forms) dead(r *web.Request, form db.PublicForm, err error) error {
	if domain.KindOf(err) != domain.NotFound || form.ID == 0 || form.Owner.ID == 0 {
		return err
	}
	return h.public(r, fiber.StatusGone, "forms/dead", noticeView{Action: "/f/" + form.Token}, page{form: form, hidden: true})
}

// Ask shows a button and changes nothing: programs that open every link of an email confirm nothing.
func (h *Forms) Ask(r *web.Request) error {
	form, s, err := h.signup(r)
	if err != nil {
		return h.dead(r, form, err)
	}
	if !s.Waits() {
		return h.public(r, fiber.StatusOK, "forms/done", noticeView{Text: h.text.html(form.Thanks), Action: form.NextURL}, page{form: form, hidden: true})
	}
	view := askView{Heading: form.Name, Email: s.Email, Path: r.Path(), Agreement: h.text.html(form.Agreement)}
	if s.FullName != "" {
		view.Values = append(view.Values, templates.Option{Label: r.Viewer.T("forms.your_name"), Value: s.FullName})
	}
	for _, one := range form.AskedFields(form.Own.Fields) {
		if value := fields.Value(r.Viewer, one, s.Fields); value != "" {
			view.Values = append(view.Values, templates.Option{Label: one.Label, Value: value})
		}
	}
	for _, one := range form.OfferedTopics(form.Own.Topics) {
		for _, id := range s.TopicIDs {
			if id == one.ID {
				view.Topics = append(view.Topics, one.Name)
			}
		}
	}
	return h.public(r, fiber.StatusOK, "forms/ask", view, page{form: form, hidden: true, leads: domain.NextOrigin(form.NextURL)})
}

// Confirm makes a client of whoever has the mailbox. Twice does no more than once.
func (h *Forms) Confirm(r *web.Request) error {
	form, s, err := h.signup(r)
	if err != nil {
		return h.dead(r, form, err)
	}
	err = h.DB.Signups().Confirm(r.UserContext(), form, s.ID, db.Confirmation{IP: domain.ShortIP(r.Remote().IP()), Bare: r.FormValue("do") == "bare", At: time.Now()})
	if err != nil {
		return h.dead(r, form, err)
	}
	if domain.NextOrigin(form.NextURL) != "" && !r.HTMX() {
		return r.Ctx.Redirect(form.NextURL, fiber.StatusSeeOther)
	}
	return r.Redirect(r.Path())
}
