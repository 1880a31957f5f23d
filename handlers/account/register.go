package account

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
)

// registerView is the page account/register.
type registerView struct {
	web.Form
	Name, Email string
}

// sentView is the page account/register-sent: an email is on its way.
type sentView struct {
	Email string
	Inbox bool // the email is in the test inbox of this machine
	Maybe bool // there may have been nothing to send
	Again emailForm
}

// deadLinkView is the page account/dead-link: the link was used or has expired.
type deadLinkView struct{ Again emailForm }

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
		return r.Form(err, "account/register", &registerView{Name: form.Name, Email: form.Email})
	}
	if err := h.take(r, domain.Registering(r.Remote().Network())); err != nil {
		return err
	}
	if err := h.DB.Registrations().Create(r.UserContext(), registration, time.Now()); err != nil {
		return err
	}
	return emailSent(r, registration.Email, "/register/sent")
}

// take limits how many emails a network, and all of them, can make us write.
func (h *Account) take(r *web.Request, quotas []domain.Quota) error {
	wait, err := h.DB.Quotas().Take(r.UserContext(), time.Now(), quotas...)
	if wait > 0 {
		return web.TooMany("account.too_many_emails", wait)
	}
	return err
}

// emailSent sends the browser to the page that says so.
func emailSent(r *web.Request, email, page string) error {
	r.Browser().SetNote(sentCookie, email, time.Hour)
	return r.Redirect(page)
}

const sentCookie = "sent"

func (h *Account) RegisterSent(r *web.Request) error {
	email := r.Browser().Note(sentCookie)
	view := sentView{Email: email, Inbox: r.Site.Inbox && r.Remote().Local(), Maybe: r.Query("again") != "", Again: emailForm{Email: email}}
	return r.Page(fiber.StatusOK, "account/register-sent", view)
}

// Resend sends the email again; the answer doesn't tell whether the address is known.
func (h *Account) Resend(r *web.Request) error {
	email, err := h.emailAddress(r, domain.Registering(r.Remote().Network()))
	if err != nil {
		return r.Form(err, "account/resend-form", &emailForm{Email: email})
	}
	if err := h.DB.Registrations().MailAgain(r.UserContext(), email, time.Now()); err != nil {
		return err
	}
	return emailSent(r, email, "/register/sent?again=yes")
}

// VerifyForm asks for the password: whoever has the mailbox chooses it, and programs that open
// every link of an email confirm nothing.
func (h *Account) VerifyForm(r *web.Request) error {
	_, registration, err := h.registration(r)
	if err != nil {
		return h.deadLink(r, err)
	}
	return r.Form(nil, "account/verify", verifyForm(r, registration))
}

// Verify makes the account and signs this browser in.
func (h *Account) Verify(r *web.Request) error {
	link, registration, err := h.registration(r)
	if err != nil {
		return h.deadLink(r, err)
	}
	hashed, err := h.newPassword(r, &domain.ValidationErrors{}, web.Turn{Key: r.Remote().Network()}, registration.Email)
	if err != nil {
		return r.Form(err, "account/verify", verifyForm(r, registration))
	}
	user, err := h.DB.Registrations().Confirm(r.UserContext(), link, hashed, time.Now())
	if err != nil {
		return h.deadLink(r, err)
	}
	if err := r.SignIn(user); err != nil {
		return err
	}
	return r.Done(r.Site.Landing(&user), "account.welcome", "Name", user.Name)
}

// registration finds what the link confirms.
func (h *Account) registration(r *web.Request) (link []byte, registration domain.Registration, err error) {
	link, _ = web.SecretHash(r.Params("token"))
	registration, err = h.DB.Registrations().ByToken(r.UserContext(), link, time.Now())
	return link, registration, err
}

func verifyForm(r *web.Request, registration domain.Registration) *passwordForm {
	return &passwordForm{Email: registration.Email, Name: registration.Name, Path: r.Path()}
}
