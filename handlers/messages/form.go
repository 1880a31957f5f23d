package messages

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// messageForm is the blocks messages/form (a new message) and messages/edit-row, and their pages.
type messageForm struct {
	web.ListForm
	Subject  string
	Beside   string // the preheader
	Language string
	Composer Composer
	Draft    DraftView
	Live     livePreview
	Examples []templates.Option // examples to begin a new message with
	Example  string             // the one that was chosen

	Languages []templates.Option
}

// newForm is the form of a message, 0 for a new one.
func (h *Messages) newForm(id int64, typed domain.MessageForm, d Draft) *messageForm {
	f := &messageForm{ListForm: web.ListForm{Noun: "message", ID: id}, Subject: typed.Subject, Language: typed.Language, Composer: Composer{Draft: d}}
	if typed.Preheader != nil {
		f.Beside = *typed.Preheader
	}
	return f
}

func (f *messageForm) composerID() string { return fmt.Sprintf("message-%d-composer", f.ID) }

// composerPath answers the buttons of the composer.
func (f *messageForm) composerPath() string {
	if f.ID == 0 {
		return "/messages/compose"
	}
	return fmt.Sprintf("/messages/compose?id=%d", f.ID)
}

func readForm(r *web.Request, d Draft) domain.MessageForm {
	form := domain.MessageForm{Subject: r.FormValue("subject"), Body: d.Body, Language: r.FormValue("language")}
	if r.Has("preheader") {
		preheader := r.FormValue("preheader")
		form.Preheader = &preheader
	}
	return form
}

// showForm answers with the form, which offers the newest clients to preview the email as.
func (h *Messages) showForm(r *web.Request, refused error, form *messageForm) (err error) {
	if err := h.withDraft(r, form); err != nil {
		return err
	}
	form.Languages = []templates.Option{{Label: r.Viewer.T("messages.language_as_text")}}
	for _, one := range domain.MessageLanguages() {
		form.Languages = append(form.Languages, templates.Option{Value: one, Label: r.Viewer.T("messages.language_" + one)})
	}
	form.Live = livePreview{Client: r.FormValue("client"), Scheme: r.FormValue("scheme"), Device: r.FormValue("device")}
	if form.Live.Clients, err = h.previewClients(r); err != nil {
		return err
	}
	if form.Live.Advice, err = h.Advice(r, form.Subject, form.Composer.Body); err != nil {
		return err
	}
	if form.Composer.ID == "" {
		if form.Composer, err = h.Composer(r, form.Composer.Draft, form.composerID(), form.composerPath(), -1, refused); err != nil {
			return err
		}
	}
	return r.ListForm(refused, form)
}

// createdMessage is the block messages/created: the new row, and no form any more.
type createdMessage struct{ Row messageRow }

// deleteMessageView is the page messages/delete.
type deleteMessageView struct {
	web.Form
	ID      int64
	Subject string
}

// New is empty, or begins with the example of the parameter start.
func (h *Messages) New(r *web.Request) error {
	if r.Browser().Typed().Reopen() {
		draft := ReadDraft(r)
		return h.showForm(r, nil, h.newForm(0, readForm(r, draft), draft))
	}
	subject, body := templates.Example(r.Viewer.Lang, r.Query("start"), r.Site.Absolute(""))
	form := h.newForm(0, domain.MessageForm{Subject: subject}, OpenDraft(body))
	form.Example, form.Examples = r.Query("start"), h.Examples(r)
	return h.showForm(r, nil, form)
}

// Examples are what a new message can begin with.
func (h *Messages) Examples(r *web.Request) (list []templates.Option) {
	for _, name := range templates.ExampleNames() {
		list = append(list, templates.Option{Value: name, Label: r.Viewer.T("messages.example_" + name)})
	}
	return list
}

// Change applies the form to the message if emails can be made of it; fields are its owner's.
func Change(m *domain.Message, form domain.MessageForm, fields []domain.Field) error {
	m.Change(form, time.Now())
	size, err := email.Check(m.Subject, m.Body, fields...)
	m.HTMLSize = size
	if wrong := email.CheckPreheader(m.Preheader, fields...); wrong != nil {
		err = domain.Join(wrong, err)
	}
	if m.Language != "" && !slices.Contains(domain.MessageLanguages(), m.Language) {
		return domain.Join(domain.ValidationErrors{domain.Errorf(domain.Invalid, "language", "messages.language_unknown")}, err)
	}
	return err
}

// saved is the key of the text that says what happened to a message, with its arguments; a long one is warned about.
func saved(m domain.Message, key string) (string, []any) {
	if m.Long() > 0 {
		return "messages.saved_long", []any{"Size", m.Long()}
	}
	return key, nil
}

func (h *Messages) Create(r *web.Request) error {
	draft, message := ReadDraft(r), domain.Message{OwnerID: r.Viewer.User.ID}
	typed := readForm(r, draft)
	fields, err := h.DB.Fields().List(r.UserContext(), message.OwnerID)
	if err != nil {
		return err
	}
	err = Change(&message, typed, fields)
	if err == nil {
		err = h.DB.Messages().Create(r.UserContext(), &message)
	}
	if err != nil {
		return h.showForm(r, err, h.newForm(0, typed, draft))
	}
	if err := h.DB.Messages().DropDraft(r.UserContext(), r.Viewer.User.ID, 0); err != nil {
		return err
	}
	row := createdMessage{h.messageRow(r, db.MessageRow{Message: message})}
	key, args := saved(message, "messages.created")
	return r.Saved(messagePath(message.ID), web.Fragment{Block: "messages/created", View: row, Event: "messages-changed"}, key, args...)
}

func (h *Messages) Edit(r *web.Request) error {
	m, err := h.ownMessage(r)
	if err != nil {
		return err
	}
	form := h.newForm(m.ID, domain.MessageForm{Subject: m.Subject, Preheader: &m.Preheader, Language: m.Language}, OpenDraft(m.Body))
	if form.Revision = web.Revision(m.Revision); r.Browser().Typed().Reopen() {
		draft := ReadDraft(r)
		form = h.newForm(m.ID, readForm(r, draft), draft)
		form.Revision = r.FormValue("revision")
	}
	return h.showForm(r, nil, form)
}

func (h *Messages) Update(r *web.Request) error {
	draft, owner, id := ReadDraft(r), r.Viewer.User.ID, r.ID()
	typed := readForm(r, draft)
	fields, err := h.DB.Fields().List(r.UserContext(), owner)
	if err != nil {
		return err
	}
	var stored domain.Message
	m, err := h.DB.Messages().Update(r.UserContext(), owner, id, func(m *domain.Message) error {
		stored = *m
		return cmp.Or(r.CheckRevision(m.Revision), Change(m, typed, fields))
	})
	if err != nil {
		form := h.newForm(id, typed, draft)
		form.Against(r, err, stored.Revision, templates.Option{Label: r.Viewer.T("messages.subject"), Value: stored.Subject},
			templates.Option{Label: r.Viewer.T("messages.body"), Value: stored.Body})
		return h.showForm(r, err, form)
	}
	if err := h.DB.Messages().DropDraft(r.UserContext(), owner, id); err != nil {
		return err
	}
	row, err := h.ownRow(r)
	if err != nil {
		return err
	}
	key, args := saved(m, "messages.saved")
	return r.Saved(messagePath(id), web.Fragment{Block: "messages/row", View: row}, key, args...)
}

// ownRow is the message of the path as a row of the viewer's list.
func (h *Messages) ownRow(r *web.Request) (messageRow, error) {
	row, err := h.DB.Messages().Row(r.UserContext(), r.Viewer.User.ID, r.ID())
	return h.messageRow(r, row), err
}

// AskDelete asks for confirmation, for browsers without JavaScript.
func (h *Messages) AskDelete(r *web.Request) error { return h.showDelete(r, nil) }

func (h *Messages) showDelete(r *web.Request, refusal error) error {
	m, err := h.ownMessage(r)
	if err != nil {
		return err
	}
	return r.Form(refusal, "messages/delete", &deleteMessageView{ID: m.ID, Subject: m.Subject})
}

// ownMessage is the message of the path, if it is the viewer's.
func (h *Messages) ownMessage(r *web.Request) (domain.Message, error) {
	return h.DB.Messages().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

func (h *Messages) Delete(r *web.Request) error {
	err := h.DB.Messages().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	switch {
	case err != nil && r.HTMX():
		return err
	case err != nil:
		return h.showDelete(r, err)
	}
	return r.Saved("/messages", web.Fragment{Event: "messages-changed"}, "messages.deleted")
}

// Copy makes a message like the one of the path, and opens it for changes.
func (h *Messages) Copy(r *web.Request) error {
	m, err := h.DB.Messages().Copy(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	return r.Done(messagePath(m.ID)+"/edit", "messages.copied")
}
