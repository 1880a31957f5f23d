package web

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// Route is one address and who may use it.
type Route struct {
	Method, Path string
	Guard        Guard
	Handle       Handler
}

// Handler answers a request, or says why it can't.
type Handler func(r *Request) error

// Guard says who may use a route.
type Guard string

// The guards.
const (
	Everyone        Guard = "everyone"
	Visitor         Guard = "visitor"   // pages that mean nothing to somebody signed in
	SignedIn        Guard = "signedIn"  // any role
	Owner           Guard = "owner"     // keeps clients, messages and mailings
	OwnerOrOverseer Guard = "viewer"    // an owner, or who oversees them all
	Overseer        Guard = "overseer"  // a manager
	Publisher       Guard = "publisher" // a content manager
	Admin           Guard = "admin"
	Loopback        Guard = "loopback" // a program on this machine, without a proxy between
)

// Admits reports whether the guard lets the user through; nil is a visitor.
func (g Guard) Admits(u *domain.User) bool {
	switch g {
	case Everyone, Visitor, Loopback:
		return true
	case SignedIn:
		return u != nil
	case Owner:
		return u != nil && u.MayOwn()
	case OwnerOrOverseer:
		return u != nil && (u.MayOwn() || u.MayOversee())
	case Overseer:
		return u != nil && u.MayOversee()
	case Publisher:
		return u != nil && u.MayPublish()
	case Admin:
		return u != nil && u.MayAdminister()
	}
	return false
}

// admit lets through whom the guard names.
func (s *Site) admit(g Guard) fiber.Handler {
	return func(c *fiber.Ctx) error {
		r := s.Request(c)
		user := r.Viewer.User
		switch {
		case g == Visitor && user != nil:
			return r.Redirect(r.Site.Landing(user))
		case g == Loopback && !r.Remote().Local():
			return domain.Errorf(domain.NotFound, "", "errors.not_found")
		case g.Admits(user):
			return c.Next()
		case user == nil:
			r.formAt = r.Browser().Typed().keep()
			return domain.Errorf(domain.Unauthenticated, "", "errors.unauthenticated")
		}
		return domain.Errorf(domain.Forbidden, "", "errors.forbidden")
	}
}

// NavItem is one entry of the main menu; who sees it follows from its route. Pages below Path
// belong to it, and those below Also.
type NavItem struct {
	Path, Key string
	Also      []string
	Alone     bool   // the pages below Path have entries of their own
	Group     string // the key of the fold that it stands in when the menu is long, "": in none
}

// navOf are the entries of the menu that the user may open. The inbox is for who sits at this
// very machine, where it takes the emails.
func (s *Site) navOf(u *domain.User, local bool) (list []NavItem) {
	for _, p := range s.nav {
		for _, r := range s.routes {
			if r.Method == "GET" && r.Path == p.Path && r.Guard.Admits(u) && (s.Inbox && local || r.Guard != Loopback) {
				list = append(list, p)
			}
		}
	}
	return list
}

// has reports whether the page at path belongs to the entry.
func (p NavItem) has(path string) bool {
	if p.Alone {
		return path == p.Path
	}
	return slices.ContainsFunc(append(p.Also, p.Path), func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// Landing is where the user's work starts.
func (s *Site) Landing(u *domain.User) string {
	if list := s.navOf(u, false); u != nil && len(list) > 0 {
		return list[0].Path
	}
	return "/"
}
