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
	Again resendForm
}

// resendForm is the page register/again and its block register/resend.
type resendForm struct {
	Email    string
	Problems templates.Problems
}

// confirmView is the page register/confirm behind the link of the letter.
type confirmView struct{ Email, Path string }

// deadLinkView is the page register/dead: the link was used or ran out.
type deadLinkView struct{ Again resendForm }

func (s *Site) registerForm(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "register/form", registerView{})
}

func (s *Site) register(c *fiber.Ctx) error {
	form := domain.UserForm{
		Name: c.FormValue("name"), Email: c.FormValue("email"), Password: c.FormValue("password"),
		Language: s.reader(c).Lang, Timezone: "UTC",
	}
	if _, err := domain.LoadZone(c.FormValue("timezone")); err == nil {
		form.Timezone = c.FormValue("timezone")
	}
	var user domain.User
	if err := user.Register(form); err != nil {
		view := registerView{Name: form.Name, Email: form.Email}
		var ok bool
		if view.Problems, ok = s.problems(c, err); !ok {
			return err
		}
		return s.page(c, fiber.StatusUnprocessableEntity, "register/form", view)
	}
	if err := s.takeLetter(user.Email); err != nil {
		return err
	}
	var err error
	if user.PasswordHash, err = s.Passwords.Hash(c.UserContext(), form.Password); err != nil {
		return err
	}
	if err := s.DB.Register(c.UserContext(), user); err != nil {
		return err
	}
	return s.letterSent(c, user.Email)
}

// takeLetter limits how many letters strangers can make us write to one address.
func (s *Site) takeLetter(email string) error {
	if wait := s.letters.take(normal(email), time.Now()); wait > 0 {
		return tooMany("register.too_many_letters", wait)
	}
	return nil
}

// letterSent sends the browser to the page that says so, whether or not there was one to send.
func (s *Site) letterSent(c *fiber.Ctx, email string) error {
	s.setNote(c, sentCookie, email, time.Hour)
	return s.redirect(c, "/register/sent")
}

const sentCookie = "sent"

func (s *Site) registerSent(c *fiber.Ctx) error {
	email := note(c, sentCookie)
	view := sentView{Email: email, Inbox: s.Inbox && s.isLocal(c), Again: resendForm{Email: email}}
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
	job := domain.MailJob{Letter: domain.MailNobody, Email: email, Language: s.reader(c).Lang}
	user, err := s.DB.UserByEmail(c.UserContext(), email)
	switch {
	case err == nil && user.Verified():
		job = domain.MailJob{Letter: domain.MailKnown, UserID: user.ID}
	case err == nil:
		job = domain.MailJob{Letter: domain.MailVerify, UserID: user.ID}
	case domain.KindOf(err) != domain.NotFound:
		return err
	}
	if err := s.DB.Mail(c.UserContext(), job); err != nil {
		return err
	}
	return s.letterSent(c, email)
}

// confirmForm shows a button: programs that open every link of a letter must not confirm it.
func (s *Site) confirmForm(c *fiber.Ctx) error {
	hash, ok := secretHash(c.Params("token"))
	if !ok {
		return s.deadLink(c)
	}
	user, err := s.DB.TokenUser(c.UserContext(), hash, domain.TokenVerify, time.Now())
	if domain.KindOf(err) == domain.NotFound {
		return s.deadLink(c)
	}
	if err != nil {
		return err
	}
	return s.page(c, fiber.StatusOK, "register/confirm", confirmView{Email: user.Email, Path: c.Path()})
}

func (s *Site) confirm(c *fiber.Ctx) error {
	hash, ok := secretHash(c.Params("token"))
	if !ok {
		return s.deadLink(c)
	}
	now := time.Now()
	user, err := s.DB.UseToken(c.UserContext(), hash, domain.TokenVerify, now, func(u *domain.User) error {
		if u.Blocked() {
			return blocked(*u)
		}
		u.VerifiedAt = now
		return nil
	})
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
}

func (s *Site) deadLink(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusGone, "register/dead", deadLinkView{})
}
