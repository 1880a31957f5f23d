// Package recipients has the pages for people who get emails.
package recipients

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
)

// Recipients answers the links in emails.
type Recipients struct {
	DB        *db.DB
	Secret    []byte // signs the links
	SecretOld []byte // signed them before; nil: none did
}

// unsubscribeView is the page recipients/unsubscribe, opened from the link in an email.
type unsubscribeView struct {
	Path, Email, Owner string // Email is masked, because emails are forwarded
	Done               bool
	Test               bool // the link is from a test email
}

// UnsubscribeForm shows a button and changes nothing: mail programs open links by themselves.
func (h *Recipients) UnsubscribeForm(r *web.Request) error {
	if r.Params("token") == "test" {
		return r.Page(fiber.StatusOK, "recipients/unsubscribe", unsubscribeView{Test: true})
	}
	id, ok := h.clientOfLink(r.Params("token"))
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	client, err := h.subscriber(r, id)
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "recipients/unsubscribe", unsubscribeView{Path: r.Path(), Email: masked(client.Email),
		Owner: client.OwnerName, Done: client.SuppressedReason == domain.Unsubscribed})
}

// clientOfLink is the client that a link names, signed by this secret or the one of before. What mail programs
// and people leave at the end of a link is forgiven.
func (h *Recipients) clientOfLink(token string) (id int64, ok bool) {
	token = strings.TrimRight(strings.ReplaceAll(token, "%20", " "), " .,;:!?)]>\"'")
	if id, ok = domain.ParseUnsubscribeToken(h.Secret, token); !ok && h.SecretOld != nil {
		id, ok = domain.ParseUnsubscribeToken(h.SecretOld, token)
	}
	return id, ok
}

// subscriber is the client of a link; of a deleted one nothing is left but that it gets no
// emails.
func (h *Recipients) subscriber(r *web.Request, id int64) (db.Subscriber, error) {
	client, err := h.DB.Clients().Recipient(r.UserContext(), id)
	if domain.KindOf(err) == domain.NotFound {
		return db.Subscriber{SuppressedReason: domain.Unsubscribed}, nil
	}
	return client, err
}

// Unsubscribe needs no cookie and no confirmation: mail programs post it, too (RFC 8058).
func (h *Recipients) Unsubscribe(r *web.Request) error {
	if r.Params("token") == "test" {
		return h.UnsubscribeForm(r)
	}
	id, ok := h.clientOfLink(r.Params("token"))
	if !ok {
		return domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	if err := h.DB.Clients().Unsubscribe(r.UserContext(), id); err != nil {
		return err
	}
	return h.UnsubscribeForm(r)
}

// masked is the address with most of its name hidden.
func masked(email string) string {
	name, host, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	return string([]rune(name)[:1]) + "…@" + host
}
