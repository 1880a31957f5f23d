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
	Preferences        string // where the rest is chosen; empty: there is nothing to choose
	Done               bool
	Test               bool // the link is from a test email
}

// testToken stands in the links of test emails.
const testToken = "test"

// linkOf is whom the link of the path means.
func (h *Recipients) linkOf(r *web.Request) (domain.RecipientLink, error) {
	link, ok := domain.ParseRecipientLink(r.Params("token"), h.Secret, h.SecretOld)
	if !ok {
		return link, domain.Errorf(domain.NotFound, "", "errors.not_found")
	}
	return link, nil
}

// UnsubscribeForm shows a button and changes nothing: mail programs open links by themselves.
func (h *Recipients) UnsubscribeForm(r *web.Request) error {
	private(r)
	if r.Params("token") == testToken {
		return r.Page(fiber.StatusOK, "recipients/unsubscribe", unsubscribeView{Test: true})
	}
	link, err := h.linkOf(r)
	if err != nil {
		return err
	}
	view := unsubscribeView{Path: r.Path()}
	who, err := h.DB.Preferences().Get(r.UserContext(), link.ClientID)
	switch {
	case domain.KindOf(err) == domain.NotFound:
		view.Owner, view.Done, err = h.refused(r, link)
	case err == nil:
		view.Email, view.Owner, view.Done = masked(who.Email), who.OwnerName, who.SuppressedReason == domain.Unsubscribed
		view.Preferences = preferencesPath(r)
	}
	if err != nil {
		return err
	}
	return r.Page(fiber.StatusOK, "recipients/unsubscribe", view)
}

// refused reports whether the address of a deleted client gets no more emails. Of one that nothing is known of, none do.
func (h *Recipients) refused(r *web.Request, link domain.RecipientLink) (owner string, refused bool, err error) {
	owner, refused, err = h.DB.Preferences().Refused(r.UserContext(), link.ClientID)
	if domain.KindOf(err) == domain.NotFound {
		return "", true, nil
	}
	return owner, refused, err
}

// Unsubscribe needs no cookie and no confirmation: mail programs post it, too (RFC 8058).
func (h *Recipients) Unsubscribe(r *web.Request) error {
	if r.Params("token") == testToken {
		return h.UnsubscribeForm(r)
	}
	link, err := h.linkOf(r)
	if err != nil {
		return err
	}
	if err := h.DB.Preferences().Stop(r.UserContext(), link, ""); err != nil {
		return err
	}
	return h.UnsubscribeForm(r)
}

// private keeps what a link shows out of caches and searches.
func private(r *web.Request) {
	r.Set(fiber.HeaderCacheControl, "private, no-store")
	r.Set("X-Robots-Tag", "noindex, nofollow")
}

// masked is the address with most of its name hidden.
func masked(email string) string {
	name, host, found := strings.Cut(email, "@")
	if !found {
		return ""
	}
	return string([]rune(name)[:1]) + "…@" + host
}
