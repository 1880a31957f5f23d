// Package account answers people about their account: signing up and in, and settings.
package account

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/web"
	"skychimp/templates"
)

// Account answers people about their account.
type Account struct {
	DB        *db.DB
	Passwords *web.Passwords
}

// accountView is the page account/page, which has three forms: profile, password and leave.
type accountView struct {
	web.Form
	domain.UserForm
	Sent      string // the form that was refused
	Role      domain.Role
	Languages []templates.Option
	Sessions  []sessionRow
	MayLeave  bool
	MayOwn    bool
	Monthly   bool // gets an email with the results of each month

	Held           bool // a manager has to approve the name
	HeldName, Like string
}

// Notices is the value of the box.
func (v accountView) Notices() string {
	if v.NoNotices {
		return ""
	}
	return "yes"
}

// Bad is what is wrong with one of the forms.
func (v accountView) Bad(form string) templates.ValidationErrors {
	if v.Sent != form {
		return nil
	}
	return v.Errors
}

// sessionRow is one browser in which the user is signed in.
type sessionRow struct {
	Browser, IP string
	Seen        web.Moment
	This        bool
}

func (h *Account) Show(r *web.Request) error { return h.show(r, nil, "", profileOf(*r.Viewer.User)) }

func profileOf(u domain.User) domain.UserForm {
	form := domain.UserForm{Name: u.Name, Email: u.Email, Language: u.Language, Timezone: u.Timezone, NoNotices: u.NoNotices}
	if u.WeeklyCap > 0 {
		form.WeeklyCap = strconv.Itoa(u.WeeklyCap)
	}
	return form
}

// show shows the account, with what was typed into the form that was sent.
func (h *Account) show(r *web.Request, refusal error, sent string, profile domain.UserForm) error {
	user := r.Viewer.User
	sessions, err := h.DB.Sessions().List(r.UserContext(), user.ID, time.Now())
	if err != nil {
		return err
	}
	view := &accountView{UserForm: profile, Sent: sent, Role: user.Role, Languages: r.Viewer.Languages(), MayLeave: user.Leave() == nil, MayOwn: user.MayOwn(), Monthly: user.MonthlyResults,
		Held: user.MayOwn() && user.NameHeld(), HeldName: user.Name, Like: domain.Impersonates(user.Name)}
	stored := profileOf(*user)
	view.Against(r, refusal, stored, templates.Option{Label: r.Viewer.T("account.name"), Value: stored.Name},
		templates.Option{Label: r.Viewer.T("frame.language"), Value: r.Site.Say(stored.Language, "frame.language_name")},
		templates.Option{Label: r.Viewer.T("account.timezone"), Value: stored.Timezone})
	if sent != "profile" {
		view.Revision = web.Revision(stored)
	}
	for _, one := range sessions {
		view.Sessions = append(view.Sessions, sessionRow{
			Browser: browserName(one.UserAgent), IP: one.IP, Seen: r.Viewer.Moment(one.SeenAt), This: bytes.Equal(one.Hash, r.Session()),
		})
	}
	return r.Form(refusal, "account/page", view)
}

// browserName is the common name of a browser, or the header itself when it is unknown.
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

// Change takes over name, language and time zone; a field that isn't sent keeps its value.
func (h *Account) Change(r *web.Request) error {
	typed := profileOf(*r.Viewer.User)
	typed.Name, typed.Language, typed.Timezone = sentOr(r, "name", typed.Name), sentOr(r, "language", typed.Language), sentOr(r, "timezone", typed.Timezone)
	if r.FormValue("settings") != "" { // a box that is not ticked sends nothing
		typed.NoNotices = r.FormValue("notices") == ""
	}
	typed.WeeklyCap = sentOr(r, "weekly_cap", typed.WeeklyCap)
	user, err := h.DB.Users().Update(r.UserContext(), r.Viewer.User.ID, func(u *domain.User) error {
		if wanted := r.FormValue("monthly_results"); wanted != "" {
			u.MonthlyResults = wanted == "yes"
		}
		return cmp.Or(r.CheckRevision(profileOf(*u)), u.Change(typed))
	})
	if err != nil {
		return h.show(r, err, "profile", typed)
	}
	r.SetViewer(user)
	r.Browser().SetCookie(web.LanguageCookie, user.Language, 365*24*time.Hour)
	return r.Done("/account", "account.saved")
}

// sentOr is the value of a field, or otherwise when the form doesn't have it.
func sentOr(r *web.Request, name, otherwise string) string {
	if r.Request().PostArgs().Has(name) {
		return r.FormValue(name)
	}
	return otherwise
}

// ChangePassword ends all sessions and starts a new one here.
func (h *Account) ChangePassword(r *web.Request) error {
	user := *r.Viewer.User
	var p domain.ValidationErrors
	if err := h.checkCurrent(r, &p, user); err != nil {
		return err
	}
	hashed, err := h.newPassword(r, &p, signedIn(r), user.Email)
	if err != nil {
		return h.show(r, err, "password", profileOf(user))
	}
	user, err = h.DB.Users().Update(r.UserContext(), user.ID, func(u *domain.User) error {
		u.PasswordHash = hashed
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.SignIn(user); err != nil {
		return err
	}
	return r.Done("/account", "account.password_changed_here")
}

// checkCurrent notes a wrong current password.
func (h *Account) checkCurrent(r *web.Request, p *domain.ValidationErrors, user domain.User) error {
	match, err := h.guess(r, signedIn(r), r.FormValue("current"), user.PasswordHash, domain.GuessingSignedIn(user.ID))
	if err == nil && !match {
		p.Add("current", "account.current_wrong")
	}
	return err
}

// signedIn is the turn of whoever is signed in.
func signedIn(r *web.Request) web.Turn {
	return web.Turn{Key: "user " + strconv.FormatInt(r.Viewer.User.ID, 10), Known: true}
}

// guess tells whether the password is right, and counts it when it is not.
func (h *Account) guess(r *web.Request, turn web.Turn, password, hash string, quotas ...domain.Quota) (match bool, err error) {
	wait, err := h.DB.Quotas().Take(r.UserContext(), time.Now(), quotas...)
	if err != nil {
		return false, err
	}
	if wait > 0 {
		return false, web.TooMany("account.login_too_many", wait)
	}
	match, err = h.Passwords.Match(r.UserContext(), turn, password, hash)
	if err == nil && match {
		err = h.DB.Quotas().Forget(r.UserContext(), quotas...)
	}
	return match, err
}

// newPassword is what is kept of the password in the form, which ends what was noted in p.
func (h *Account) newPassword(r *web.Request, p *domain.ValidationErrors, turn web.Turn, email string) (hash string, err error) {
	password := r.FormValue("password")
	if domain.CheckPassword(p, password, email); p.Err() != nil {
		return "", p.Err()
	}
	return h.Passwords.Hash(r.UserContext(), turn, password)
}

func (h *Account) EndOtherSessions(r *web.Request) error {
	if err := h.DB.Sessions().EndOthers(r.UserContext(), r.Viewer.User.ID, r.Session()); err != nil {
		return err
	}
	return r.Done("/account", "account.sessions_ended")
}

// Export downloads all that is kept of the user, as one JSON document.
func (h *Account) Export(r *web.Request) error {
	id, number := r.Viewer.User.ID, r.RequestID
	r.Attachment("skychimp.json")
	r.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSONCharsetUTF8)
	return r.Stream(func(out *bufio.Writer) {
		// The request's own context has ended by now.
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		if err := h.DB.Users().Export(ctx, id, out); err != nil {
			r.Site.Log.Error("export", "request_id", number, "error", err)
		}
	})
}

// Delete deletes the user with everything they own.
func (h *Account) Delete(r *web.Request) error {
	user := *r.Viewer.User
	if err := user.Leave(); err != nil {
		return err
	}
	var p domain.ValidationErrors
	if err := h.checkCurrent(r, &p, user); err != nil {
		return err
	}
	if r.FormValue("sure") == "" {
		p.Add("sure", "account.leave_not_sure")
	}
	if err := p.Err(); err != nil {
		return h.show(r, err, "leave", profileOf(user))
	}
	if err := h.DB.Users().Delete(r.UserContext(), user.ID); err != nil {
		return err
	}
	if err := r.SignOut(); err != nil {
		return err
	}
	return r.Done("/", "account.deleted")
}
