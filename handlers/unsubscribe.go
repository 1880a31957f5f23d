package handlers

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
)

// unsubscribeView is the page unsubscribe/page behind the link of a letter.
type unsubscribeView struct {
	Path, Email, Owner string // Email is shown only in part: letters are forwarded
	Done               bool
	Test               bool // the link stood in a test letter
}

// unsubscribeForm shows a button and changes nothing: mail programs open links by themselves.
func (s *Site) unsubscribeForm(c *fiber.Ctx) error {
	if c.Params("token") == "test" {
		return s.page(c, fiber.StatusOK, "unsubscribe/page", unsubscribeView{Test: true})
	}
	id, ok := s.clientOfLink(c.Params("token"))
	if !ok {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	client, err := s.subscriber(c, id)
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "unsubscribe/page", unsubscribeView{Path: c.Path(), Email: masked(client.Email),
		Owner: client.OwnerName, Done: client.SuppressedReason == domain.Unsubscribed})
}

// clientOfLink is the client that a link names, signed by this secret or the one of before.
func (s *Site) clientOfLink(token string) (id int64, ok bool) {
	if id, ok = domain.ParseUnsubscribeToken(s.Secret, token); !ok && s.SecretOld != nil {
		id, ok = domain.ParseUnsubscribeToken(s.SecretOld, token)
	}
	return id, ok
}

// subscriber is the client of a link; of a deleted one nothing is left but that it gets no
// letters.
func (s *Site) subscriber(c *fiber.Ctx, id int64) (db.Subscriber, error) {
	client, err := s.DB.Subscriber(c.UserContext(), id)
	if domain.KindOf(err) == domain.NotFound {
		return db.Subscriber{SuppressedReason: domain.Unsubscribed}, nil
	}
	return client, err
}

// unsubscribe needs no cookie and no confirmation: mail programs post it, too (RFC 8058).
func (s *Site) unsubscribe(c *fiber.Ctx) error {
	if c.Params("token") == "test" {
		return s.unsubscribeForm(c)
	}
	id, ok := s.clientOfLink(c.Params("token"))
	if !ok {
		return domain.Refuse(domain.NotFound, "", "errors.not_found")
	}
	if err := s.DB.Unsubscribe(c.UserContext(), id); err != nil {
		return err
	}
	return s.unsubscribeForm(c)
}

// masked is the address with most of its name hidden.
func masked(email string) string {
	name, host, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	return string([]rune(name)[:1]) + "…@" + host
}
