package handlers

import (
	"net/mail"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/domain/letter"
)

// previewMessage is the letter itself, as one client gets it or as an example, in a light or a
// dark mail program, for a frame that runs nothing.
func (s *Site) previewMessage(c *fiber.Ctx) error {
	m, err := s.readableMessage(c)
	if err != nil {
		return err
	}
	owner, err := s.DB.User(c.UserContext(), m.OwnerID)
	if err != nil {
		return err
	}
	scheme := "light"
	if c.Query("scheme") == "dark" {
		scheme = "dark"
	}
	compiled, to, err := s.letterTo(c, owner, m, int64(c.QueryInt("client")))
	if err != nil {
		return err
	}
	return showLetter(c, letter.Shown(compiled.HTML(to), scheme))
}

// letterTo is the letter that the client, or with 0 the owner, would get. Whatever the answer is
// now, it may stand in a frame, and nothing runs in it.
func (s *Site) letterTo(c *fiber.Ctx, owner domain.User, m domain.Message, client int64) (*letter.Letter, letter.Recipient, error) {
	to := letter.Recipient{Email: owner.Email, Name: owner.Name, UnsubscribeURL: s.absolute("/unsubscribe/test")}
	if client != 0 {
		reader, err := s.DB.Client(c.UserContext(), s.reader(c).User.ID, client)
		if err != nil {
			return nil, to, err
		}
		to.Email, to.Name, to.Comment = reader.Email, reader.FullName, reader.Comment
	}
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox")
	c.Set(fiber.HeaderXFrameOptions, "SAMEORIGIN")
	compiled, err := letter.Compile(letter.Source{
		Subject: m.Subject, Body: m.Body, Language: owner.Language, From: mail.Address{Name: owner.Name, Address: owner.Email},
		UnsubscribeText: s.say(owner.Language, "letters.unsubscribe"),
		FooterText:      s.say(owner.Language, "letters.why", "Name", owner.Name),
	})
	return compiled, to, err
}

func showLetter(c *fiber.Ctx, page string) error {
	c.Vary("HX-Request")
	c.Type("html", "utf-8")
	return c.SendString(page)
}

// previewStart shows the letter as a client gets it, its subject above it, in the colours of this
// browser: as it stands in the form, or as it is saved.
func (s *Site) previewStart(c *fiber.Ctx) error {
	view, user := sentStart(c), *s.reader(c).User
	if c.Method() == fiber.MethodGet {
		start, err := s.DB.Start(c.UserContext(), user.ID)
		if err != nil {
			return err
		}
		view = s.startLetterOf(c, start)
	}
	message := domain.Message{OwnerID: user.ID, Subject: view.Subject, Body: view.Body}
	client, _ := strconv.ParseInt(c.FormValue("client", c.Query("client")), 10, 64)
	compiled, to, err := s.letterTo(c, user, message, client)
	if texts, ok := s.problems(c, err); ok {
		for _, text := range texts {
			return c.Status(fiber.StatusUnprocessableEntity).SendString(text)
		}
	}
	if err != nil {
		return err
	}
	var head strings.Builder
	if err := s.templates.Render(&head, s.reader(c).Lang, "start/subject", compiled.Subject(to)); err != nil {
		return err
	}
	return showLetter(c, letter.Under(head.String(), compiled.HTML(to)))
}
