// Package forms answers what concerns the pages through which people become clients, and the proof that they agreed.
package forms

import (
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/senders"
	"skychimp/handlers/web"
)

// Forms answers what concerns an owner's forms, and whoever signs up by them.
type Forms struct {
	DB        *db.DB
	Senders   *senders.Senders
	Secret    []byte // signs codes and traps
	SecretOld []byte // signed them before; nil: none did

	text markdown
}

// New is the room with what turns texts into pages.
func New(database *db.DB, of *senders.Senders, secret, old []byte) *Forms {
	return &Forms{DB: database, Senders: of, Secret: secret, SecretOld: old, text: newMarkdown()}
}

// formRow is the block forms/row.
type formRow struct {
	ID                          int64
	Name                        string
	Closed                      bool
	Signups, Confirmed, Waiting int
}

func row(f db.FormRow) formRow {
	return formRow{ID: f.ID, Name: f.Name, Closed: f.Closed(), Signups: f.Signups, Confirmed: f.Confirmed, Waiting: f.Waiting}
}

// formsView is the page forms/list.
type formsView struct{ Rows []formRow }

// List is the list.
func (h *Forms) List(r *web.Request) error {
	list, err := h.DB.Forms().List(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	view := formsView{}
	for _, one := range list {
		view.Rows = append(view.Rows, row(one))
	}
	return r.Page(fiber.StatusOK, "forms/list", view)
}

// formView is the page forms/show.
type formView struct {
	formRow
	Address, HTML string
	Tags, Topics  []string
	Asked         []askedField
	NextURL       string
	Sender        string
	Days          []formDay
	Latest        []latestSignup
	ClosedAt      web.Moment
}

// askedField is something that the form asks for.
type askedField struct {
	Label    string
	Required bool
}

// formDay is what came through the form on a day.
type formDay struct {
	Date, Text                           string
	Signups, Confirmed, Waiting, Refused int
}

// latestSignup is one of the last through the form.
type latestSignup struct {
	Email    string // masked while it waits: it isn't known whose it is
	ClientID int64
	Waits    bool
	At       web.Moment
}

// own is the form of the path, if it is the viewer's.
func (h *Forms) own(r *web.Request) (db.FormRow, error) {
	return h.DB.Forms().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

// Show shows a form: its address, the HTML to paste, and what came through it.
func (h *Forms) Show(r *web.Request) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	ctx, user := r.UserContext(), *r.Viewer.User
	view := formView{formRow: row(f), Address: r.Site.Absolute("/f/" + f.Token), Tags: f.Tags, NextURL: f.NextURL, ClosedAt: r.Viewer.Moment(f.ClosedAt)}
	own, err := h.DB.Forms().Choices(ctx, user.ID)
	if err != nil {
		return err
	}
	for _, one := range f.OfferedTopics(own.Topics) {
		view.Topics = append(view.Topics, one.Name)
	}
	if asked, required := f.Asks(0); asked {
		view.Asked = append(view.Asked, askedField{r.Viewer.T("forms.full_name"), required})
	}
	for _, one := range f.AskedFields(own.Fields) {
		_, required := f.Asks(one.ID)
		view.Asked = append(view.Asked, askedField{one.Label, required})
	}
	choice, err := h.Senders.Choice(r, f.SenderID)
	if err != nil {
		return err
	}
	if view.Sender = choice.Name; choice.Email != "" {
		view.Sender += " <" + choice.Email + ">"
	}
	if view.HTML, err = h.paste(r, db.PublicForm{Form: f.Form, Owner: user, Own: own}); err != nil {
		return err
	}
	if err := h.activity(r, &view); err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "forms/show", view)
}

// activity is what came through the form.
func (h *Forms) activity(r *web.Request, view *formView) error {
	days, err := h.DB.Forms().Days(r.UserContext(), view.ID, r.Viewer.User.Location())
	if err != nil {
		return err
	}
	for _, one := range days {
		view.Days = append(view.Days, formDay{Date: one.Day.Format(time.DateOnly), Text: r.Viewer.DayMonth(one.Day),
			Signups: one.Signups, Confirmed: one.Confirmed, Waiting: one.Waiting, Refused: one.Refused})
	}
	latest, err := h.DB.Forms().Latest(r.UserContext(), view.ID)
	for _, one := range latest {
		shown := latestSignup{Email: one.Email, ClientID: one.ClientID, Waits: one.Waits, At: r.Viewer.Moment(one.At)}
		if one.Waits {
			shown.Email = masked(one.Email)
		}
		view.Latest = append(view.Latest, shown)
	}
	return err
}

// masked is the address with most of its name hidden.
func masked(email string) string {
	name, host, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	return string([]rune(name)[:1]) + "…@" + host
}

// Picture shows the form as visitors see it, in a frame of the owner's page.
func (h *Forms) Picture(r *web.Request) error {
	f, err := h.own(r)
	if err != nil {
		return err
	}
	own, err := h.DB.Forms().Choices(r.UserContext(), r.Viewer.User.ID)
	if err != nil {
		return err
	}
	form := db.PublicForm{Form: f.Form, Owner: *r.Viewer.User, Own: own}
	view := h.visitForm(r, form, domain.SignupInput{}, "", nil)
	return h.public(r, fiber.StatusOK, "forms/visit", view, page{form: form, framed: true})
}

func path(id int64) string { return "/forms/" + strconv.FormatInt(id, 10) }
