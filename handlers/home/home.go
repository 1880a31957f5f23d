// Package home serves the home page, the guides, static files and health checks.
package home

import (
	"html/template"
	"slices"
	"time"

	"skychimp/db"
	"skychimp/domain"
	"skychimp/handlers/blog"
	"skychimp/handlers/web"
	"skychimp/static"
)

// Home serves pages without an owner.
type Home struct {
	DB    *db.DB
	Files *static.Files
	Blog  *blog.Blog
}

// Robots keeps search engines out of what is private.
func (h *Home) Robots(r *web.Request) error {
	return r.SendString("User-agent: *\nDisallow: /admin/\nDisallow: /verify/\nDisallow: /password/\nDisallow: /unsubscribe/\nDisallow: /preferences/\n" +
		"Sitemap: " + r.Site.Absolute("/sitemap.xml") + "\n")
}

// homeView is the page home/page.
type homeView struct {
	domain.Stats
	Counted            bool // the numbers are known
	Canonical, Picture string
	SignedIn           bool
	Start              string        // where the viewer's work begins
	Cards              template.HTML // the hole of three posts
}

// Fresh reports whether nothing has been done here yet: three zeros persuade nobody.
func (v homeView) Fresh() bool { return v.Counted && v.Mailings == 0 && v.Clients == 0 }

// Show tells what the service is for, with its numbers and three posts.
func (h *Home) Show(r *web.Request) error {
	stats, uncounted := h.DB.Home().Stats(r.UserContext())
	if uncounted != nil {
		r.Site.Log.Warn("home without its numbers", "error", uncounted)
	}
	posts, err := h.DB.Posts().Published(r.UserContext(), time.Now())
	if err != nil {
		return err
	}
	of := struct {
		domain.Stats
		counted bool
		posts   any
	}{stats, uncounted == nil, blog.Version(posts)}
	return r.SharedPage("/", "home/page", of, func() (any, error) {
		view := homeView{Stats: stats, Counted: of.counted, Canonical: r.Site.Absolute("/"), Start: "/register"}
		share, err := h.Files.URL("images/share.jpg")
		view.Picture = r.Site.Absolute(share)
		if user := r.Viewer.User; user != nil {
			view.SignedIn, view.Start = true, r.Site.Landing(user)
		}
		if len(posts) > 0 {
			view.Cards = blog.CardsHole(3, 0)
		}
		return view, err
	}, h.Blog.Fill(r, posts))
}

// ChangeLanguage is the switch at the foot of every page.
func (h *Home) ChangeLanguage(r *web.Request) error {
	chosen := r.FormValue("language")
	if !slices.Contains(domain.Languages(), chosen) {
		return domain.Errorf(domain.Invalid, "language", "account.language_unknown")
	}
	if user := r.Viewer.User; user != nil {
		_, err := h.DB.Users().Update(r.UserContext(), user.ID, func(u *domain.User) error {
			u.Language = chosen
			return nil
		})
		if err != nil {
			return err
		}
	}
	r.Browser().SetCookie(web.LanguageCookie, chosen, 365*24*time.Hour)
	return r.Redirect(web.LocalPath(r.FormValue("next"), "/"))
}
