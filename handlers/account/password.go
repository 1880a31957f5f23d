package account

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// forgotView is the page account/forgot.
type forgotView struct {
	Email    string
	Problems templates.Problems
}

// resetView is the page account/reset behind the link of the email.
type resetView struct {
	Email, Path string
	Problems    templates.Problems
}

func (h *Account) ForgotForm(r *web.Request) error {
	return r.SharedPage("/password/forgot", "account/forgot", nil, func() (any, error) { return forgotView{}, nil }, nil)
}

// Forgot answers the same in the same time whether or not the address has an account; only one that
// has is written to.
func (h *Account) Forgot(r *web.Request) error {
	email := domain.NormalEmail(r.FormValue("email"))
	if err := domain.CheckEmail("email", email); err != nil {
		view := forgotView{Email: email}
		view.Problems, _ = r.Problems(err)
		return r.Page(fiber.StatusUnprocessableEntity, "account/forgot", view)
	}
	if err := h.take(r, domain.Forgetting(r.Network())); err != nil {
		return err
	}
	if err := h.DB.Users().MailReset(r.UserContext(), email, time.Now()); err != nil {
		return err
	}
	r.SetNote(sentCookie, email, time.Hour)
	return r.Redirect("/password/sent")
}

func (h *Account) ForgotSent(r *web.Request) error {
	view := sentView{Email: r.Note(sentCookie), Inbox: r.Site.Inbox && r.Local()}
	return r.Page(fiber.StatusOK, "account/forgot-sent", view)
}

func (h *Account) ResetForm(r *web.Request) error {
	return h.withReset(r, func(_ []byte, user domain.User) error {
		return r.Page(fiber.StatusOK, "account/reset", resetView{Email: user.Email, Path: r.Path()})
	})
}

// Reset changes the password. All sessions end.
func (h *Account) Reset(r *web.Request) error {
	return h.withReset(r, func(hash []byte, user domain.User) error {
		password := r.FormValue("password")
		var p domain.ValidationErrors
		domain.CheckPassword(&p, password, user.Email)
		if err := p.Err(); err != nil {
			view := resetView{Email: user.Email, Path: r.Path()}
			view.Problems, _ = r.Problems(err)
			return r.Page(fiber.StatusUnprocessableEntity, "account/reset", view)
		}
		hashed, err := h.Passwords.Hash(r.UserContext(), web.Turn{Key: r.Network()}, password)
		if err != nil {
			return err
		}
		_, err = h.DB.Tokens().Use(r.UserContext(), hash, domain.TokenReset, time.Now(), func(u *domain.User) error {
			u.PasswordHash = hashed
			return nil
		})
		if domain.KindOf(err) == domain.NotFound {
			return h.deadLink(r)
		}
		if err != nil {
			return err
		}
		r.Remember(user) // strangers who guess don't keep the new password out
		return r.Done("/login", "account.password_changed")
	})
}

// withReset finds whose link it is; one that was used or ran out gets its page.
func (h *Account) withReset(r *web.Request, do func(hash []byte, user domain.User) error) error {
	hash, ok := web.SecretHash(r.Params("token"))
	if !ok {
		return h.deadLink(r)
	}
	user, err := h.DB.Tokens().User(r.UserContext(), hash, domain.TokenReset, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return h.deadLink(r)
	}
	if err != nil {
		return err
	}
	return do(hash, user)
}
