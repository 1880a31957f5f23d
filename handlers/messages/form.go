package messages

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// messageForm is the blocks messages/form (a new message) and messages/edit-row, and their pages.
type messageForm struct {
	ID            int64
	Subject, Body string
	InPlace       bool               // htmx puts the form into the list
	Starts        []templates.Option // examples to begin a new message with
	Start         string             // the one that was chosen
	Problems      templates.Problems
}

// FieldID is the id of a field; several forms can be open at once.
func (f messageForm) FieldID(name string) string {
	return "id=message-" + strconv.FormatInt(f.ID, 10) + "-" + name
}

// createdMessage is the block messages/created: the new row, and no form any more.
type createdMessage struct{ Row messageRow }

// deleteMessageView is the page messages/delete.
type deleteMessageView struct {
	ID       int64
	Subject  string
	Problems templates.Problems
}

// New is empty, or begins with the example of the parameter start.
func (h *Messages) New(r *web.Request) error {
	form := messageForm{Start: r.Query("start")}
	form.Subject, form.Body = templates.Start(r.Viewer.Lang, form.Start)
	form.Starts = h.Examples(r)
	return h.showMessageForm(r, fiber.StatusOK, form)
}

// Examples are what a new message can begin with.
func (h *Messages) Examples(r *web.Request) (list []templates.Option) {
	for _, name := range templates.StartNames() {
		list = append(list, templates.Option{Value: name, Label: r.T("messages.example_" + name)})
	}
	return list
}

func (h *Messages) showMessageForm(r *web.Request, status int, form messageForm) error {
	form.InPlace = r.HTMX()
	switch {
	case form.InPlace && form.ID == 0:
		r.Set("HX-Retarget", "#new-message")
		r.Set("HX-Reswap", "innerHTML")
		return r.Block(status, "messages/form", form)
	case form.InPlace:
		return r.Block(status, "messages/edit-row", form)
	case form.ID == 0:
		return r.Page(status, "messages/new", form)
	}
	return r.Page(status, "messages/edit", form)
}

// Change applies the form to the message if emails can be made of it.
func Change(m *domain.Message, form domain.MessageForm) error {
	m.Change(form, time.Now())
	return email.Check(m.Subject, m.Body)
}

func (h *Messages) Create(r *web.Request) error {
	form := domain.MessageForm{Subject: r.FormValue("subject"), Body: r.FormValue("body")}
	message := domain.Message{OwnerID: r.Viewer.User.ID}
	err := Change(&message, form)
	if err == nil {
		err = h.DB.Messages().Create(r.UserContext(), &message)
	}
	if texts, ok := r.Problems(err); ok {
		return h.showMessageForm(r, fiber.StatusUnprocessableEntity, messageForm{Subject: form.Subject, Body: form.Body, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Done(messagePath(message.ID), "messages.created")
	}
	r.Toast("messages.created")
	r.Set("HX-Trigger-After-Swap", "messages-changed")
	return r.Block(fiber.StatusOK, "messages/created", createdMessage{h.messageRow(r, db.MessageRow{Message: message})})
}

func (h *Messages) Edit(r *web.Request) error {
	m, err := h.ownMessage(r)
	if err != nil {
		return err
	}
	return h.showMessageForm(r, fiber.StatusOK, messageForm{ID: m.ID, Subject: m.Subject, Body: m.Body})
}

func (h *Messages) Update(r *web.Request) error {
	form := domain.MessageForm{Subject: r.FormValue("subject"), Body: r.FormValue("body")}
	owner, id := r.Viewer.User.ID, r.ID()
	_, err := h.DB.Messages().Update(r.UserContext(), owner, id, func(m *domain.Message) error { return Change(m, form) })
	if texts, ok := r.Problems(err); ok {
		return h.showMessageForm(r, fiber.StatusUnprocessableEntity, messageForm{ID: id, Subject: form.Subject, Body: form.Body, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !r.HTMX() {
		return r.Done(messagePath(id), "messages.saved")
	}
	r.Toast("messages.saved")
	return h.messageAsRow(r)
}

func (h *Messages) messageAsRow(r *web.Request) error {
	row, err := h.DB.Messages().Row(r.UserContext(), r.Viewer.User.ID, r.ID())
	if err != nil {
		return err
	}
	return r.Block(fiber.StatusOK, "messages/row", h.messageRow(r, row))
}

// AskDelete asks whether it is meant, for browsers without JavaScript.
func (h *Messages) AskDelete(r *web.Request) error {
	return h.showDeleteMessage(r, fiber.StatusOK, nil)
}

func (h *Messages) showDeleteMessage(r *web.Request, status int, problems templates.Problems) error {
	m, err := h.ownMessage(r)
	if err != nil {
		return err
	}
	return r.Page(status, "messages/delete", deleteMessageView{m.ID, m.Subject, problems})
}

// ownMessage is the message of the path, if it is the reader's.
func (h *Messages) ownMessage(r *web.Request) (domain.Message, error) {
	return h.DB.Messages().Get(r.UserContext(), r.Viewer.User.ID, r.ID())
}

func (h *Messages) Delete(r *web.Request) error {
	err := h.DB.Messages().Delete(r.UserContext(), r.Viewer.User.ID, r.ID())
	if texts, used := r.Problems(err); used && !r.HTMX() {
		return h.showDeleteMessage(r, fiber.StatusConflict, texts)
	}
	if err != nil {
		return err
	}
	if r.HTMX() {
		r.Toast("messages.deleted")
		r.Set("HX-Trigger-After-Swap", "messages-changed")
		return r.SendString("") // its place in the page stays empty
	}
	return r.Done("/messages", "messages.deleted")
}
