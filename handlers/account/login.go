package account

import (
	"skychimp/domain"
	"skychimp/handlers/web"
)

// loginView is the page account/login.
type loginView struct {
	web.Form
	Email, Next string
	Kept        bool // a form waits for this
}

func (h *Account) LoginForm(r *web.Request) error {
	return r.SharedPage("/login", "account/login", nil, func() (any, error) {
		return loginView{Next: web.LocalPath(r.Query("next"), ""), Kept: r.Browser().Typed().Waiting()}, nil
	}, nil)
}

func (h *Account) Login(r *web.Request) error {
	email, password := domain.NormalEmail(r.FormValue("email")), r.FormValue("password")
	view := &loginView{Email: email, Next: web.LocalPath(r.FormValue("next"), ""), Kept: r.Browser().Typed().Waiting()}
	wrong := domain.Errorf(domain.Invalid, "password", "account.login_wrong")
	if domain.TooLongToSignIn(email, password) {
		view.Email = ""
		return r.Form(wrong, "account/login", view)
	}
	user, err := h.DB.Users().ByEmail(r.UserContext(), email)
	if err != nil && domain.KindOf(err) != domain.NotFound {
		return err
	}
	turn, quotas := web.Turn{Key: r.Remote().Network()}, domain.Guessing(email, r.Remote().Network())
	if device, known := r.Browser().Device(user); known {
		turn, quotas = web.Turn{Key: device, Known: true}, []domain.Quota{domain.GuessingKnown(device)}
	}
	match, err := h.guess(r, turn, password, user.PasswordHash, quotas...)
	if err != nil {
		return err
	}
	if !match {
		return r.Form(wrong, "account/login", view)
	}
	if user.Blocked() {
		return blocked(user)
	}
	if err := r.SignIn(user); err != nil {
		return err
	}
	if view.Next == "" || view.Next == "/" {
		view.Next = r.Site.Landing(&user)
	}
	return r.Redirect(view.Next)
}

func blocked(user domain.User) error {
	return domain.Errorf(domain.Blocked, "", "account.login_blocked", "Reason", user.BlockedReason)
}

func (h *Account) Logout(r *web.Request) error {
	if err := r.SignOut(); err != nil {
		return err
	}
	return r.Redirect("/")
}
