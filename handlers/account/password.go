package account

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// emailForm asks for an address: the page account/forgot, the page account/resend-form and its block
// account/resend.
type emailForm struct {
	web.Form
	Email string
}

// passwordForm asks for a new password behind the link of an email: the pages account/reset and
// account/verify.
type passwordForm struct {
	web.Form
	Email, Name, Path string
}

func (h *Account) ForgotForm(r *web.Request) error {
	return r.SharedPage("/password/forgot", "account/forgot", nil, func() (any, error) { return emailForm{}, nil }, nil)
}

// Forgot answers the same in the same time whether or not the address has an account; only one that
// has is written to.
func (h *Account) Forgot(r *web.Request) error {
	email, err := h.emailAddress(r, domain.Forgetting(r.Remote().Network()))
	if err != nil {
		return r.Form(err, "account/forgot", &emailForm{Email: email})
	}
	if err := h.DB.Users().MailReset(r.UserContext(), email, time.Now()); err != nil {
		return err
	}
	return emailSent(r, email, "/password/sent")
}

// emailAddress is the address in the form, if an email may go there now.
func (h *Account) emailAddress(r *web.Request, quotas []domain.Quota) (email string, err error) {
	email = domain.NormalEmail(r.FormValue("email"))
	if err := domain.CheckEmail("email", email); err != nil {
		return email, err
	}
	return email, h.take(r, quotas)
}

func (h *Account) ForgotSent(r *web.Request) error {
	view := sentView{Email: r.Browser().Note(sentCookie), Inbox: r.Site.Inbox && r.Remote().Local()}
	return r.Page(fiber.StatusOK, "account/forgot-sent", view)
}

func (h *Account) ResetForm(r *web.Request) error {
	_, user, err := h.resetLink(r)
	if err != nil {
		return h.deadLink(r, err)
	}
	return r.Form(nil, "account/reset", &passwordForm{Email: user.Email, Path: r.Path()})
}

// Reset changes the password. All sessions end.
func (h *Account) Reset(r *web.Request) error {
	link, user, err := h.resetLink(r)
	if err != nil {
		return h.deadLink(r, err)
	}
	hashed, err := h.newPassword(r, &domain.ValidationErrors{}, web.Turn{Key: r.Remote().Network()}, user.Email)
	if err != nil {
		return r.Form(err, "account/reset", &passwordForm{Email: user.Email, Path: r.Path()})
	}
	_, err = h.DB.Tokens().Use(r.UserContext(), link, domain.TokenReset, time.Now(), func(u *domain.User) error {
		u.PasswordHash = hashed
		return nil
	})
	if err != nil {
		return h.deadLink(r, err)
	}
	r.Browser().Remember(user) // strangers who guess don't keep the new password out
	return r.Done("/login", "account.password_changed")
}

// resetLink finds whose link it is.
func (h *Account) resetLink(r *web.Request) (link []byte, user domain.User, err error) {
	link, _ = web.SecretHash(r.Params("token"))
	user, err = h.DB.Tokens().User(r.UserContext(), link, domain.TokenReset, time.Now())
	return link, user, err
}

// deadLink answers a link that was used or has expired.
func (h *Account) deadLink(r *web.Request, err error) error {
	if domain.KindOf(err) != domain.NotFound {
		return err
	}
	return r.Page(fiber.StatusGone, "account/dead-link", deadLinkView{})
}
