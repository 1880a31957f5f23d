package handlers

import (
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// loginView is the page login/form.
type loginView struct {
	Email, Next string
	Problems    templates.Problems
}

func (s *Site) loginForm(c *fiber.Ctx) error {
	return s.page(c, fiber.StatusOK, "login/form", loginView{Next: localPath(c.Query("next"), "")})
}

func (s *Site) login(c *fiber.Ctx) error {
	email, password := domain.NormalEmail(c.FormValue("email")), c.FormValue("password")
	view := loginView{Email: email, Next: localPath(c.FormValue("next"), "")}
	if wait := s.failures.take(normal(email), time.Now()); wait > 0 {
		return tooMany("login.too_many", wait)
	}
	user, err := s.DB.UserByEmail(c.UserContext(), email)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	match, err := s.Passwords.Match(c.UserContext(), password, user.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		view.Problems = templates.Problems{"password": s.t(c, "login.wrong")}
		return s.page(c, fiber.StatusUnprocessableEntity, "login/form", view)
	}
	s.failures.forget(normal(email))
	if user.Blocked() {
		return blocked(user)
	}
	if err := s.signIn(c, user); err != nil {
		return err
	}
	if view.Next == "" || view.Next == "/" {
		view.Next = s.landing(&user)
	}
	return s.redirect(c, view.Next)
}

func blocked(user domain.User) error {
	return domain.Refuse(domain.Blocked, "", "login.blocked", "Reason", user.BlockedReason)
}

func (s *Site) logout(c *fiber.Ctx) error {
	if err := s.signOut(c); err != nil {
		return err
	}
	return s.redirect(c, "/")
}

// limited holds back an IP that sends the forms of strangers too often.
func (s *Site) limited(next fiber.Handler) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if wait := s.requests.take(s.ip(c), time.Now()); wait > 0 {
			return tooMany("errors.too_many_requests", wait)
		}
		return next(c)
	}
}

// normal is an address as limiters count it.
func normal(email string) string { return strings.ToLower(domain.NormalEmail(email)) }
