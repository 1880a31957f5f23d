package handlers

import (
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/domain/letter"
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

// newMessageForm is empty, or begins with the example of the parameter start.
func (s *Site) newMessageForm(c *fiber.Ctx) error {
	form := messageForm{Start: c.Query("start")}
	form.Subject, form.Body = templates.Start(s.reader(c).Lang, form.Start)
	form.Starts = s.examples(c)
	return s.showMessageForm(c, fiber.StatusOK, form)
}

// examples are what a new message can begin with.
func (s *Site) examples(c *fiber.Ctx) (list []templates.Option) {
	for _, name := range templates.StartNames() {
		list = append(list, templates.Option{Value: name, Label: s.t(c, "messages.start_"+name)})
	}
	return list
}

func (s *Site) showMessageForm(c *fiber.Ctx, status int, form messageForm) error {
	form.InPlace = isHTMX(c)
	switch {
	case form.InPlace && form.ID == 0:
		c.Set("HX-Retarget", "#new-message")
		c.Set("HX-Reswap", "innerHTML")
		return s.block(c, status, "messages/form", form)
	case form.InPlace:
		return s.block(c, status, "messages/edit-row", form)
	case form.ID == 0:
		return s.page(c, status, "messages/new", form)
	}
	return s.page(c, status, "messages/edit", form)
}

// changeMessage puts the form into the message, if letters can be made of it.
func changeMessage(m *domain.Message, form domain.MessageForm) error {
	m.Change(form, time.Now())
	return letter.Check(m.Subject, m.Body)
}

func (s *Site) createMessage(c *fiber.Ctx) error {
	form := domain.MessageForm{Subject: c.FormValue("subject"), Body: c.FormValue("body")}
	message := domain.Message{OwnerID: s.reader(c).User.ID}
	err := changeMessage(&message, form)
	if err == nil {
		err = s.DB.CreateMessage(c.UserContext(), &message)
	}
	if texts, ok := s.problems(c, err); ok {
		return s.showMessageForm(c, fiber.StatusUnprocessableEntity, messageForm{Subject: form.Subject, Body: form.Body, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, messagePath(message.ID), "messages.created")
	}
	s.toast(c, "messages.created")
	c.Set("HX-Trigger-After-Swap", "messages-changed")
	return s.block(c, fiber.StatusOK, "messages/created", createdMessage{s.messageRow(c, db.MessageRow{Message: message})})
}

func (s *Site) editMessageForm(c *fiber.Ctx) error {
	m, err := s.ownMessage(c)
	if err != nil {
		return err
	}
	return s.showMessageForm(c, fiber.StatusOK, messageForm{ID: m.ID, Subject: m.Subject, Body: m.Body})
}

func (s *Site) updateMessage(c *fiber.Ctx) error {
	form := domain.MessageForm{Subject: c.FormValue("subject"), Body: c.FormValue("body")}
	owner, id := s.reader(c).User.ID, pathID(c)
	_, err := s.DB.UpdateMessage(c.UserContext(), owner, id, func(m *domain.Message) error { return changeMessage(m, form) })
	if texts, ok := s.problems(c, err); ok {
		return s.showMessageForm(c, fiber.StatusUnprocessableEntity, messageForm{ID: id, Subject: form.Subject, Body: form.Body, Problems: texts})
	}
	if err != nil {
		return err
	}
	if !isHTMX(c) {
		return s.done(c, messagePath(id), "messages.saved")
	}
	s.toast(c, "messages.saved")
	return s.messageAsRow(c)
}

func (s *Site) messageAsRow(c *fiber.Ctx) error {
	row, err := s.DB.MessageRow(c.UserContext(), s.reader(c).User.ID, pathID(c))
	if err != nil {
		return err
	}
	return s.block(c, fiber.StatusOK, "messages/row", s.messageRow(c, row))
}

// deleteMessageForm asks whether it is meant, for browsers without JavaScript.
func (s *Site) deleteMessageForm(c *fiber.Ctx) error {
	return s.showDeleteMessage(c, fiber.StatusOK, nil)
}

func (s *Site) showDeleteMessage(c *fiber.Ctx, status int, problems templates.Problems) error {
	m, err := s.ownMessage(c)
	if err != nil {
		return err
	}
	return s.page(c, status, "messages/delete", deleteMessageView{m.ID, m.Subject, problems})
}

// ownMessage is the message of the path, if it is the reader's.
func (s *Site) ownMessage(c *fiber.Ctx) (domain.Message, error) {
	return s.DB.Message(c.UserContext(), s.reader(c).User.ID, pathID(c))
}

func (s *Site) deleteMessage(c *fiber.Ctx) error {
	err := s.DB.DeleteMessage(c.UserContext(), s.reader(c).User.ID, pathID(c))
	if texts, used := s.problems(c, err); used && !isHTMX(c) {
		return s.showDeleteMessage(c, fiber.StatusConflict, texts)
	}
	if err != nil {
		return err
	}
	if isHTMX(c) {
		s.toast(c, "messages.deleted")
		c.Set("HX-Trigger-After-Swap", "messages-changed")
		return c.SendString("") // its place in the page stays empty
	}
	return s.done(c, "/messages", "messages.deleted")
}
