package account

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// changeForm is the page account/email, which asks for a new address.
type changeForm struct {
	web.Form
	Email, Now string
	Waiting    *domain.EmailChange // nil: none
}

// confirmView is the page account/email-confirm behind the links of both mailboxes.
type confirmView struct{ Email, Path string }

func (h *Account) EmailForm(r *web.Request) error { return h.showEmail(r, nil, "") }

func (h *Account) showEmail(r *web.Request, refusal error, typed string) error {
	view := &changeForm{Email: typed, Now: r.Viewer.User.Email}
	switch change, err := h.DB.EmailChanges().Of(r.UserContext(), r.Viewer.User.ID); domain.KindOf(err) {
	case domain.NotFound:
	case 0:
		if err != nil {
			return err
		}
		view.Waiting = &change
	default:
		return err
	}
	return r.Form(refusal, "account/email", view)
}

// ChangeEmail asks both mailboxes. What it answers doesn't tell whether the new address has an account.
func (h *Account) ChangeEmail(r *web.Request) error {
	user, address := *r.Viewer.User, domain.NormalEmail(r.FormValue("email"))
	var p domain.ValidationErrors
	if err := h.checkCurrent(r, &p, user); err != nil {
		return err
	}
	if address == user.Email {
		p.Add("email", "account.email_same")
	}
	err := domain.CheckEmail("email", address)
	if len(p) > 0 {
		err = domain.Join(p, err)
	}
	if err != nil {
		return h.showEmail(r, err, address)
	}
	if err := h.take(r, []domain.Quota{domain.Moving(user.ID)}); err != nil {
		return err
	}
	if err := h.DB.EmailChanges().Create(r.UserContext(), domain.EmailChange{UserID: user.ID, Email: address}, time.Now()); err != nil {
		return err
	}
	return r.Done("/account/email", "account.email_asked")
}

// EmailLink asks for a click: programs that open every link of an email confirm nothing.
func (h *Account) EmailLink(r *web.Request) error {
	link, _ := web.SecretHash(r.Params("token"))
	change, err := h.DB.EmailChanges().ByToken(r.UserContext(), link, time.Now())
	if err != nil {
		return h.deadLink(r, err)
	}
	return r.Page(fiber.StatusOK, "account/email-confirm", confirmView{Email: change.Email, Path: r.Path()})
}

// ConfirmEmail needs no session: the new mailbox may be open in another browser.
func (h *Account) ConfirmEmail(r *web.Request) error {
	link, _ := web.SecretHash(r.Params("token"))
	change, err := h.DB.EmailChanges().Confirm(r.UserContext(), link, time.Now())
	switch {
	case err != nil:
		return h.deadLink(r, err)
	case !change.Confirmed():
		return r.Done("/login", "account.email_half")
	}
	return r.Done("/login", "account.email_changed", "Email", change.Email)
}
