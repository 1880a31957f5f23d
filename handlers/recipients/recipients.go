// Package recipients has the pages for people who get emails.
package recipients

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/brands"
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
	Preferences        string // where the rest is chosen
	Test               bool   // the link is from a test email
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

// UnsubscribeForm shows a button and changes nothing: mail programs open links by themselves. Where there is nothing left to
// ask, it is the page of what may be chosen.
func (h *Recipients) UnsubscribeForm(r *web.Request) error {
	private(r)
	if r.Params("token") == testToken {
		return r.Page(fiber.StatusOK, "recipients/unsubscribe", unsubscribeView{Test: true})
	}
	link, err := h.linkOf(r)
	if err != nil {
		return err
	}
	chosen, err := h.view(r, link)
	switch {
	case err != nil:
		return err
	case chosen.Gone || chosen.Stopped:
		return h.show(r, link, nil)
	}
	view := unsubscribeView{Path: r.Path(), Email: chosen.Email, Owner: chosen.Owner, Preferences: chosen.Path}
	return brands.ShowPublic(r, chosen.brand, fiber.StatusOK, "recipients/unsubscribe", view, brands.PublicPage{Owner: view.Owner, Hidden: true})
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
	return h.show(r, link, nil)
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
