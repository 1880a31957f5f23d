package recipients

import (
	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/domain/email"
	"skychimp/handlers/messages"
	"skychimp/handlers/web"
)

// View is an email as a page, for who got it: as it went out, with the client's name as it is now.
func (h *Recipients) View(r *web.Request) error {
	unknown := domain.Errorf(domain.NotFound, "", "errors.not_found")
	token, id, ok := domain.ParseViewToken(r.Params("token"))
	if !ok {
		return unknown
	}
	link, ok := domain.ParseRecipientLink(token, h.Secret, h.SecretOld)
	if !ok {
		return unknown
	}
	run, to, err := h.DB.Runs().Received(r.UserContext(), id, link.ClientID)
	if err != nil {
		return err
	}
	owner, err := h.DB.Users().Get(r.UserContext(), run.OwnerID)
	if err != nil {
		return err
	}
	fields, err := h.DB.Fields().List(r.UserContext(), owner.ID)
	if err != nil {
		return err
	}
	compiled, err := messages.Compile(r, owner, messages.Sent(run), messages.Made{Fields: fields, Brand: *run.Brand, From: run.From.Name})
	if err != nil {
		return err
	}
	first, last := to.Names()
	page := compiled.HTML(email.Recipient{Email: to.Email, Name: to.FullName, FirstName: first, LastName: last, Comment: to.Comment, Fields: to.Fields,
		UnsubscribeURL: r.Site.Absolute("/unsubscribe/" + token + domain.RunSuffix(id))})
	r.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; style-src 'unsafe-inline'; img-src https: http: data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	r.Set(fiber.HeaderCacheControl, "private, no-store")
	r.Set("X-Robots-Tag", "noindex, nofollow")
	return messages.ShowEmail(r, page)
}
