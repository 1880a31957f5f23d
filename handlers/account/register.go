package account

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// registerView is the page account/register.
type registerView struct {
	Name, Email string
	Problems    templates.Problems
}

// sentView is the page account/register-sent: an email is on its way.
type sentView struct {
	Email string
	Inbox bool // the email is in the test inbox of this machine
	Maybe bool // there may have been nothing to send
	Again resendForm
}

// resendForm is the page account/resend-form and its block account/resend.
type resendForm struct {
	Email    string
	Problems templates.Problems
}

// confirmView is the page account/verify behind the link of the email.
type confirmView struct {
	Email, Name, Path string
	Problems          templates.Problems
}

// deadLinkView is the page account/dead-link: the link was used or ran out.
type deadLinkView struct{ Again resendForm }

func (h *Account) RegisterForm(r *web.Request) error {
	return r.SharedPage("/register", "account/register", nil, func() (any, error) { return registerView{}, nil }, nil)
}

func (h *Account) Register(r *web.Request) error {
	form := domain.UserForm{
		Name: r.FormValue("name"), Email: r.FormValue("email"), Language: r.Viewer.Lang, Timezone: "UTC",
	}
	if _, err := domain.LoadZone(r.FormValue("timezone")); err == nil {
		form.Timezone = r.FormValue("timezone")
	}
	var registration domain.Registration
	if err := registration.Change(form); err != nil {
		view := registerView{Name: form.Name, Email: form.Email}
		var ok bool
		if view.Problems, ok = r.Problems(err); !ok {
			return err
		}
		return r.Page(fiber.StatusUnprocessableEntity, "account/register", view)
	}
	if err := h.take(r, domain.Registering(r.Network())); err != nil {
		return err
	}
	if err := h.DB.Registrations().Create(r.UserContext(), registration, time.Now()); err != nil {
		return err
	}
	return h.letterSent(r, registration.Email, "/register/sent")
}

// take limits how many emails a network, and all of them, can make us write.
func (h *Account) take(r *web.Request, quotas []domain.Quota) error {
	wait, err := h.DB.Quotas().Take(r.UserContext(), time.Now(), quotas...)
	if wait > 0 {
		return web.TooMany("account.too_many_emails", wait)
	}
	return err
}

// letterSent sends the browser to the page that says so.
func (h *Account) letterSent(r *web.Request, email, page string) error {
	r.SetNote(sentCookie, email, time.Hour)
	return r.Redirect(page)
}

const sentCookie = "sent"

func (h *Account) RegisterSent(r *web.Request) error {
	email := r.Note(sentCookie)
	view := sentView{Email: email, Inbox: r.Site.Inbox && r.Local(), Maybe: r.Query("again") != "", Again: resendForm{Email: email}}
	return r.Page(fiber.StatusOK, "account/register-sent", view)
}

// Resend sends the email again; the answer doesn't tell whether the address is known.
func (h *Account) Resend(r *web.Request) error {
	email := domain.NormalEmail(r.FormValue("email"))
	if err := domain.CheckEmail("email", email); err != nil {
		view := resendForm{Email: email}
		view.Problems, _ = r.Problems(err)
		return r.Page(fiber.StatusUnprocessableEntity, "account/resend-form", view)
	}
	if err := h.take(r, domain.Registering(r.Network())); err != nil {
		return err
	}
	if err := h.DB.Registrations().MailAgain(r.UserContext(), email, time.Now()); err != nil {
		return err
	}
	return h.letterSent(r, email, "/register/sent?again=yes")
}

// VerifyForm asks for the password: whoever has the mailbox chooses it, and programs that open
// every link of an email confirm nothing.
func (h *Account) VerifyForm(r *web.Request) error {
	return h.withRegistration(r, func(_ []byte, view confirmView) error {
		return r.Page(fiber.StatusOK, "account/verify", view)
	})
}

// Verify makes the account and signs this browser in.
func (h *Account) Verify(r *web.Request) error {
	return h.withRegistration(r, func(hash []byte, view confirmView) error {
		password := r.FormValue("password")
		var p domain.ValidationErrors
		domain.CheckPassword(&p, password, view.Email)
		if err := p.Err(); err != nil {
			view.Problems, _ = r.Problems(err)
			return r.Page(fiber.StatusUnprocessableEntity, "account/verify", view)
		}
		hashed, err := h.Passwords.Hash(r.UserContext(), web.Turn{Key: r.Network()}, password)
		if err != nil {
			return err
		}
		user, err := h.DB.Registrations().Confirm(r.UserContext(), hash, hashed, time.Now())
		if domain.KindOf(err) == domain.NotFound {
			return h.deadLink(r)
		}
		if err != nil {
			return err
		}
		if err := r.SignIn(user); err != nil {
			return err
		}
		return r.Done(r.Landing(&user), "account.welcome", "Name", user.Name)
	})
}

// withRegistration finds what the link confirms; one that was used or ran out gets its page.
func (h *Account) withRegistration(r *web.Request, do func(hash []byte, view confirmView) error) error {
	hash, ok := web.SecretHash(r.Params("token"))
	if !ok {
		return h.deadLink(r)
	}
	registration, err := h.DB.Registrations().ByToken(r.UserContext(), hash, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return h.deadLink(r)
	}
	if err != nil {
		return err
	}
	return do(hash, confirmView{Email: registration.Email, Name: registration.Name, Path: r.Path()})
}

func (h *Account) deadLink(r *web.Request) error {
	return r.Page(fiber.StatusGone, "account/dead-link", deadLinkView{})
}
