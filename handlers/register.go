package handlers

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// registerView is the page register/form.
type registerView struct {
	Name, Email string
	Problems    templates.Problems
}

// sentView is the page register/sent: a letter is under way.
type sentView struct {
	Email string
	Inbox bool // the letter shows in the dev inbox of this very machine
	Maybe bool // there may have been nothing to send
	Again resendForm
}

// resendForm is the page register/again and its block register/resend.
type resendForm struct {
	Email    string
	Problems templates.Problems
}

// confirmView is the page register/confirm behind the link of the email.
type confirmView struct {
	Email, Name, Path string
	Problems          templates.Problems
}

// deadLinkView is the page register/dead: the link was used or ran out.
type deadLinkView struct{ Again resendForm }

func (s *Site) registerForm(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "register/form", registerView{})
}

func (s *Site) register(c *fiber.Ctx) error {
	form := domain.UserForm{
		Name: c.FormValue("name"), Email: c.FormValue("email"), Language: s.reader(c).Lang, Timezone: "UTC",
	}
	if _, err := domain.LoadZone(c.FormValue("timezone")); err == nil {
		form.Timezone = c.FormValue("timezone")
	}
	var registration domain.Registration
	if err := registration.Change(form); err != nil {
		view := registerView{Name: form.Name, Email: form.Email}
		var ok bool
		if view.Problems, ok = s.problems(c, err); !ok {
			return err
		}
		return s.page(c, fiber.StatusUnprocessableEntity, "register/form", view)
	}
	if err := s.takeLetter(registration.Email); err != nil {
		return err
	}
	if err := s.DB.Register(c.UserContext(), registration, time.Now()); err != nil {
		return err
	}
	return s.letterSent(c, registration.Email, "/register/sent")
}

// takeLetter limits how many letters strangers can make us write to one address.
func (s *Site) takeLetter(email string) error {
	if wait := s.letters.take(normal(email), time.Now()); wait > 0 {
		return tooMany("register.too_many_letters", wait)
	}
	return nil
}

// letterSent sends the browser to the page that says so.
func (s *Site) letterSent(c *fiber.Ctx, email, page string) error {
	s.setNote(c, sentCookie, email, time.Hour)
	return s.redirect(c, page)
}

const sentCookie = "sent"

func (s *Site) registerSent(c *fiber.Ctx) error {
	email := note(c, sentCookie)
	view := sentView{Email: email, Inbox: s.Inbox && s.isLocal(c), Maybe: c.Query("again") != "", Again: resendForm{Email: email}}
	return s.page(c, fiber.StatusOK, "register/sent", view)
}

// resend writes the letter that fits whoever owns the address; the answer tells nothing.
func (s *Site) resend(c *fiber.Ctx) error {
	email := domain.NormalEmail(c.FormValue("email"))
	if err := domain.CheckEmail("email", email); err != nil {
		view := resendForm{Email: email}
		view.Problems, _ = s.problems(c, err)
		return s.page(c, fiber.StatusUnprocessableEntity, "register/again", view)
	}
	if err := s.takeLetter(email); err != nil {
		return err
	}
	if err := s.DB.MailAgain(c.UserContext(), email); err != nil {
		return err
	}
	return s.letterSent(c, email, "/register/sent?again=yes")
}

// confirmForm asks for the password: whoever has the mailbox chooses it, and programs that open
// every link of an email confirm nothing.
func (s *Site) confirmForm(c *fiber.Ctx) error {
	return s.withRegistration(c, func(_ []byte, view confirmView) error {
		return s.page(c, fiber.StatusOK, "register/confirm", view)
	})
}

// confirm makes the account and signs this browser in.
func (s *Site) confirm(c *fiber.Ctx) error {
	return s.withRegistration(c, func(hash []byte, view confirmView) error {
		password := c.FormValue("password")
		var p domain.Problems
		domain.CheckPassword(&p, password, view.Email)
		if err := p.Err(); err != nil {
			view.Problems, _ = s.problems(c, err)
			return s.page(c, fiber.StatusUnprocessableEntity, "register/confirm", view)
		}
		hashed, err := s.Passwords.Hash(c.UserContext(), password)
		if err != nil {
			return err
		}
		user, err := s.DB.Confirm(c.UserContext(), hash, hashed, time.Now())
		if domain.KindOf(err) == domain.NotFound {
			return s.deadLink(c)
		}
		if err != nil {
			return err
		}
		if err := s.signIn(c, user); err != nil {
			return err
		}
		return s.done(c, s.landing(&user), "register.welcome", "Name", user.Name)
	})
}

// withRegistration finds what the link confirms; one that was used or ran out gets its page.
func (s *Site) withRegistration(c *fiber.Ctx, do func(hash []byte, view confirmView) error) error {
	hash, ok := secretHash(c.Params("token"))
	if !ok {
		return s.deadLink(c)
	}
	registration, err := s.DB.TokenRegistration(c.UserContext(), hash, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return s.deadLink(c)
	}
	if err != nil {
		return err
	}
	return do(hash, confirmView{Email: registration.Email, Name: registration.Name, Path: c.Path()})
}

func (s *Site) deadLink(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusGone, "register/dead", deadLinkView{})
}
