package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// forgotView is the page password/forgot.
type forgotView struct {
	Email    string
	Problems templates.Problems
}

// resetView is the page password/reset behind the link of the letter.
type resetView struct {
	Email, Path string
	Problems    templates.Problems
}

func (s *Site) forgotForm(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "password/forgot", forgotView{})
}

// forgot answers the same in the same time whether or not the address has an account; only one that
// has is written to.
func (s *Site) forgot(c *fiber.Ctx) error {
	email := domain.NormalEmail(c.FormValue("email"))
	if err := domain.CheckEmail("email", email); err != nil {
		view := forgotView{Email: email}
		view.Problems, _ = s.problems(c, err)
		return s.page(c, fiber.StatusUnprocessableEntity, "password/forgot", view)
	}
	if err := s.takeLetter(email); err != nil {
		return err
	}
	if err := s.DB.MailReset(c.UserContext(), email); err != nil {
		return err
	}
	s.setNote(c, sentCookie, email, time.Hour)
	return s.redirect(c, "/password/sent")
}

func (s *Site) forgotSent(c *fiber.Ctx) error {
	view := sentView{Email: note(c, sentCookie), Inbox: s.Inbox && s.isLocal(c)}
	return s.page(c, fiber.StatusOK, "password/sent", view)
}

func (s *Site) resetForm(c *fiber.Ctx) error {
	return s.withReset(c, func(_ []byte, user domain.User) error {
		return s.page(c, fiber.StatusOK, "password/reset", resetView{Email: user.Email, Path: c.Path()})
	})
}

// reset changes the password. All sessions end.
func (s *Site) reset(c *fiber.Ctx) error {
	return s.withReset(c, func(hash []byte, user domain.User) error {
		password := c.FormValue("password")
		var p domain.Problems
		domain.CheckPassword(&p, password, user.Email)
		if err := p.Err(); err != nil {
			view := resetView{Email: user.Email, Path: c.Path()}
			view.Problems, _ = s.problems(c, err)
			return s.page(c, fiber.StatusUnprocessableEntity, "password/reset", view)
		}
		hashed, err := s.Passwords.Hash(c.UserContext(), password)
		if err != nil {
			return err
		}
		_, err = s.DB.UseToken(c.UserContext(), hash, domain.TokenReset, time.Now(), func(u *domain.User) error {
			u.PasswordHash = hashed
			return nil
		})
		if domain.KindOf(err) == domain.NotFound {
			return s.deadLink(c)
		}
		if err != nil {
			return err
		}
		s.failures.forget(normal(user.Email))
		return s.done(c, "/login", "password.changed")
	})
}

// withReset finds whose link it is; one that was used or ran out gets its page.
func (s *Site) withReset(c *fiber.Ctx, do func(hash []byte, user domain.User) error) error {
	hash, ok := secretHash(c.Params("token"))
	if !ok {
		return s.deadLink(c)
	}
	user, err := s.DB.TokenUser(c.UserContext(), hash, domain.TokenReset, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return s.deadLink(c)
	}
	if err != nil {
		return err
	}
	return do(hash, user)
}
