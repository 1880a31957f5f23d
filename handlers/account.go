package handlers

import (
	"bufio"
	"bytes"
	"context"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// accountView is the page account/page.
type accountView struct {
	Email                             string
	Role                              domain.Role
	Name, Language, Timezone          string
	Languages                         []templates.Option
	Sessions                          []sessionRow
	MayLeave                          bool
	ProfileBad, PasswordBad, LeaveBad templates.Problems
}

// sessionRow is one browser in which the user is signed in.
type sessionRow struct {
	Browser, IP string
	Seen        Moment
	This        bool
}

func (s *Site) account(c *fiber.Ctx) error {
	return s.accountPage(c, fiber.StatusOK, func(*accountView) {})
}

// accountPage shows the account; change puts in what a refused form holds.
func (s *Site) accountPage(c *fiber.Ctx, status int, change func(*accountView)) error {
	user := s.reader(c).User
	sessions, err := s.DB.Sessions(c.UserContext(), user.ID, time.Now())
	if err != nil {
		return err
	}
	view := accountView{
		Email: user.Email, Role: user.Role, Name: user.Name, Language: user.Language, Timezone: user.Timezone,
		Languages: s.languages(), MayLeave: user.Leave() == nil,
	}
	this, _ := c.Locals(sessionKey).([]byte)
	for _, one := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{
			Browser: browserName(one.UserAgent), IP: one.IP, Seen: s.moment(c, one.SeenAt), This: bytes.Equal(one.Hash, this),
		})
	}
	change(&view)
	return s.page(c, status, "account/page", view)
}

// browserName is what a person calls his browser, the header itself when it names none we know.
// The order counts: most browsers also claim to be those further down.
func browserName(userAgent string) string {
	find := func(names ...string) string {
		for i := 0; i < len(names); i += 2 {
			if strings.Contains(userAgent, names[i]) {
				return names[i+1]
			}
		}
		return ""
	}
	browser := find("Edg", "Edge", "OPR/", "Opera", "YaBrowser", "Yandex Browser", "Firefox", "Firefox",
		"FxiOS", "Firefox", "CriOS", "Chrome", "Chrome", "Chrome", "Safari", "Safari")
	system := find("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows",
		"Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	if browser == "" || system == "" {
		return userAgent
	}
	return browser + ", " + system
}

// changeAccount takes over name, language and time zone; a field that isn't sent keeps its value.
func (s *Site) changeAccount(c *fiber.Ctx) error {
	before := s.reader(c).User
	form := domain.UserForm{
		Name:     sentOr(c, "name", before.Name),
		Language: sentOr(c, "language", before.Language),
		Timezone: sentOr(c, "timezone", before.Timezone),
	}
	user, err := s.DB.UpdateUser(c.UserContext(), before.ID, func(u *domain.User) error { return u.Change(form) })
	if texts, ok := s.problems(c, err); ok {
		return s.accountPage(c, fiber.StatusUnprocessableEntity, func(v *accountView) {
			v.Name, v.Language, v.Timezone, v.ProfileBad = form.Name, form.Language, form.Timezone, texts
		})
	}
	if err != nil {
		return err
	}
	s.setReader(c, user)
	s.setCookie(c, languageCookie, user.Language, 365*24*time.Hour)
	return s.done(c, "/account", "account.saved")
}

// sentOr is the value of a field, or otherwise when the form doesn't have it.
func sentOr(c *fiber.Ctx, name, otherwise string) string {
	if c.Request().PostArgs().Has(name) {
		return c.FormValue(name)
	}
	return otherwise
}

// changePassword ends all sessions and starts a new one here.
func (s *Site) changePassword(c *fiber.Ctx) error {
	user := *s.reader(c).User
	password := c.FormValue("password")
	var p domain.Problems
	if err := s.checkCurrent(c, &p, user); err != nil {
		return err
	}
	domain.CheckPassword(&p, password, user.Email)
	if texts, bad := s.problems(c, p.Err()); bad {
		return s.accountPage(c, fiber.StatusUnprocessableEntity, func(v *accountView) { v.PasswordBad = texts })
	}
	hashed, err := s.Passwords.Hash(c.UserContext(), password)
	if err != nil {
		return err
	}
	user, err = s.DB.UpdateUser(c.UserContext(), user.ID, func(u *domain.User) error {
		u.PasswordHash = hashed
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.signIn(c, user); err != nil {
		return err
	}
	return s.done(c, "/account", "password.changed_here")
}

// checkCurrent notes a wrong current password; tries are counted like those of signing in.
func (s *Site) checkCurrent(c *fiber.Ctx, p *domain.Problems, user domain.User) error {
	if wait := s.failures.take(normal(user.Email), time.Now()); wait > 0 {
		return tooMany("login.too_many", wait)
	}
	match, err := s.Passwords.Match(c.UserContext(), c.FormValue("current"), user.PasswordHash)
	if err != nil {
		return err
	}
	if !match {
		p.Add("current", "account.current_wrong")
		return nil
	}
	s.failures.forget(normal(user.Email))
	return nil
}

func (s *Site) endOtherSessions(c *fiber.Ctx) error {
	this, _ := c.Locals(sessionKey).([]byte)
	if err := s.DB.EndOtherSessions(c.UserContext(), s.reader(c).User.ID, this); err != nil {
		return err
	}
	return s.done(c, "/account", "account.sessions_ended")
}

// exportAccount downloads all that is kept of the user, as one JSON document.
func (s *Site) exportAccount(c *fiber.Ctx) error {
	id, number := s.reader(c).User.ID, c.Locals(numberKey)
	c.Attachment("skychimp.json")
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	c.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		// The request's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if err := s.DB.ExportUser(ctx, id, out); err != nil {
			s.Log.Error("export", "number", number, "error", err)
		}
	})
	return nil
}

// deleteAccount erases the user and all that is his.
func (s *Site) deleteAccount(c *fiber.Ctx) error {
	user := *s.reader(c).User
	if err := user.Leave(); err != nil {
		return err
	}
	var p domain.Problems
	if err := s.checkCurrent(c, &p, user); err != nil {
		return err
	}
	if c.FormValue("sure") == "" {
		p.Add("sure", "account.not_sure")
	}
	if texts, bad := s.problems(c, p.Err()); bad {
		return s.accountPage(c, fiber.StatusUnprocessableEntity, func(v *accountView) { v.LeaveBad = texts })
	}
	if err := s.DB.DeleteUser(c.UserContext(), user.ID); err != nil {
		return err
	}
	if err := s.signOut(c); err != nil {
		return err
	}
	return s.done(c, "/", "account.deleted")
}
