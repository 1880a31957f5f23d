package handlers

import (
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

type route struct {
	Method, Path string
	Guard        guard
	Handle       fiber.Handler
}

// guard says who may use a route.
type guard string

const (
	everyone  guard = "everyone"
	visitor   guard = "visitor"   // pages that mean nothing to somebody signed in
	signedIn  guard = "signedIn"  // any role
	owner     guard = "owner"     // keeps clients, messages and mailings
	reader    guard = "reader"    // an owner, or who oversees them all
	overseer  guard = "overseer"  // a manager
	publisher guard = "publisher" // a content manager
	admin     guard = "admin"
	loopback  guard = "loopback" // a program on this machine, without a proxy between
)

// table is every address and who may use it.
func (s *Site) table() []route {
	return []route{
		{"GET", "/", everyone, s.home},
		{"GET", "/blog", everyone, s.posts},
		{"GET", "/blog/feed.xml", everyone, s.feed},
		{"GET", "/blog/:slug", everyone, s.post},
		{"GET", "/media/:name", everyone, s.media},
		{"GET", "/sitemap.xml", everyone, s.sitemap},
		{"GET", "/robots.txt", everyone, s.robots},
		{"GET", "/healthz", everyone, s.healthz},
		{"GET", "/readyz", everyone, s.readyz},
		{"GET", "/static/:hash/*", everyone, s.static},
		{"POST", "/language", everyone, s.changeLanguage},
		{"GET", "/help", everyone, s.help},
		{"GET", "/help/:language/:name", everyone, s.helpPicture},

		{"GET", "/register", visitor, s.registerForm},
		{"POST", "/register", everyone, s.limited(s.register)},
		{"GET", "/register/sent", everyone, s.registerSent},
		{"GET", "/verify/:token", everyone, s.confirmForm},
		{"POST", "/verify/resend", everyone, s.limited(s.resend)},
		{"POST", "/verify/:token", everyone, s.limited(s.confirm)},
		{"GET", "/login", visitor, s.loginForm},
		{"POST", "/login", everyone, s.limited(s.login)},
		{"POST", "/logout", everyone, s.logout},
		{"GET", "/password/forgot", everyone, s.forgotForm},
		{"POST", "/password/forgot", everyone, s.limited(s.forgot)},
		{"GET", "/password/sent", everyone, s.forgotSent},
		{"GET", "/password/reset/:token", everyone, s.resetForm},
		{"POST", "/password/reset/:token", everyone, s.limited(s.reset)},

		{"GET", "/account", signedIn, s.account},
		{"POST", "/account", signedIn, s.changeAccount},
		{"DELETE", "/account", signedIn, s.deleteAccount},
		{"POST", "/account/password", signedIn, s.changePassword},
		{"POST", "/account/sessions/end", signedIn, s.endOtherSessions},
		{"GET", "/account/export.json", signedIn, s.exportAccount},

		{"GET", "/start", owner, s.start},
		{"POST", "/start", owner, s.launchStart},
		{"POST", "/start/clients", owner, s.startClients},
		{"POST", "/start/plan", owner, s.startPlan},
		{"GET", "/start/preview", owner, s.previewStart},
		{"POST", "/start/preview", owner, s.previewStart},
		{"GET", "/calendar", owner, s.calendar},

		{"GET", "/clients", owner, s.clients},
		{"POST", "/clients", owner, s.createClient},
		{"GET", "/clients/new", owner, s.newClientForm},
		{"GET", "/clients/several", owner, s.severalForm},
		{"POST", "/clients/several", owner, s.createSeveral},
		{"GET", "/clients/export.csv", owner, s.exportClients},
		{"GET", "/clients/import", owner, s.imports},
		{"POST", "/clients/import", owner, s.upload},
		{"GET", "/clients/import/:id", owner, s.showImport},
		{"POST", "/clients/import/:id", owner, s.mapImport},
		{"POST", "/clients/import/:id/undo", owner, s.undoImport},
		{"GET", "/clients/:id", owner, s.client},
		{"PUT", "/clients/:id", owner, s.updateClient},
		{"DELETE", "/clients/:id", owner, s.deleteClient},
		{"GET", "/clients/:id/edit", owner, s.editClientForm},
		{"GET", "/clients/:id/delete", owner, s.deleteClientForm},
		{"POST", "/clients/:id/retry", owner, s.retryClient},

		{"GET", "/messages", owner, s.messages},
		{"POST", "/messages", owner, s.createMessage},
		{"GET", "/messages/new", owner, s.newMessageForm},
		{"GET", "/messages/:id", reader, s.message},
		{"PUT", "/messages/:id", owner, s.updateMessage},
		{"DELETE", "/messages/:id", owner, s.deleteMessage},
		{"GET", "/messages/:id/edit", owner, s.editMessageForm},
		{"GET", "/messages/:id/delete", owner, s.deleteMessageForm},
		{"GET", "/messages/:id/preview", reader, s.previewMessage},
		{"POST", "/messages/:id/test", owner, s.testMessage},

		{"GET", "/mailings", owner, s.mailings},
		{"POST", "/mailings", owner, s.createMailing},
		{"GET", "/mailings/new", owner, s.newMailingForm},
		{"POST", "/mailings/clients", owner, s.pickClients},
		{"POST", "/mailings/reach", owner, s.showReach},
		{"GET", "/mailings/:id", reader, s.mailing},
		{"PUT", "/mailings/:id", owner, s.updateMailing},
		{"DELETE", "/mailings/:id", owner, s.deleteMailing},
		{"GET", "/mailings/:id/edit", owner, s.editMailingForm},
		{"GET", "/mailings/:id/delete", owner, s.deleteMailingForm},
		{"GET", "/mailings/:id/progress", reader, s.progress},
		{"GET", "/mailings/:id/pace", reader, s.showMailingPace},
		{"GET", "/mailings/:id/review", owner, s.reviewMailing},
		{"POST", "/mailings/:id/launch", owner, s.launchMailing},
		{"GET", "/mailings/:id/stop", owner, s.stopMailingForm},
		{"POST", "/mailings/:id/stop", owner, s.stopMailing},
		{"POST", "/mailings/:id/run", owner, s.runMailing},
		{"GET", "/runs/:id", reader, s.run},
		{"GET", "/attempts", reader, s.attempts},

		{"GET", "/inbox", loopback, s.inbox},
		{"GET", "/inbox/:id", loopback, s.inboxLetter},
		{"GET", "/inbox/:id/html", loopback, s.inboxHTML},

		{"GET", "/manager/mailings", overseer, s.managerMailings},
		{"GET", "/manager/mailings/:id/disable", overseer, s.whyDisable},
		{"POST", "/manager/mailings/:id/disable", overseer, s.disableMailing},
		{"POST", "/manager/mailings/:id/enable", overseer, s.enableMailing},
		{"GET", "/manager/users", overseer, s.managerUsers},
		{"GET", "/manager/users/:id/block", overseer, s.whyBlock},
		{"POST", "/manager/users/:id/block", overseer, s.blockUser},
		{"POST", "/manager/users/:id/unblock", overseer, s.unblockUser},

		{"GET", "/unsubscribe/:token", everyone, s.unsubscribeForm},
		{"POST", "/unsubscribe/:token", everyone, s.unsubscribe},

		{"GET", "/admin/posts", publisher, s.adminPosts},
		{"POST", "/admin/posts", publisher, s.createPost},
		{"GET", "/admin/posts/new", publisher, s.newPostForm},
		{"POST", "/admin/posts/preview", publisher, s.previewPost},
		{"PUT", "/admin/posts/preview", publisher, s.previewPost}, // the button in the form of a saved post
		{"GET", "/admin/posts/:id", publisher, s.adminPost},
		{"PUT", "/admin/posts/:id", publisher, s.updatePost},
		{"DELETE", "/admin/posts/:id", publisher, s.deletePost},
		{"GET", "/admin/posts/:id/preview", publisher, s.adminPost},
		{"GET", "/admin/posts/:id/edit", publisher, s.editPostForm},
		{"GET", "/admin/posts/:id/delete", publisher, s.deletePostForm},

		{"GET", "/admin/users", admin, s.adminUsers},
		{"POST", "/admin/users/:id/role", admin, s.giveRole},
		{"GET", "/admin/audit", admin, s.audit},
		{"GET", "/admin/jobs", admin, s.queue},
		{"GET", "/admin/jobs/*", admin, s.queue},
		{"POST", "/admin/jobs/*", admin, s.queue},
		{"PUT", "/admin/jobs/*", admin, s.queue},
		{"PATCH", "/admin/jobs/*", admin, s.queue},
	}
}

func (g guard) admits(u *domain.User) bool {
	switch g {
	case everyone, visitor, loopback:
		return true
	case signedIn:
		return u != nil
	case owner:
		return u != nil && u.MayOwn()
	case reader:
		return u != nil && (u.MayOwn() || u.MayOversee())
	case overseer:
		return u != nil && u.MayOversee()
	case publisher:
		return u != nil && u.MayPublish()
	case admin:
		return u != nil && u.MayAdminister()
	}
	return false
}

// admit lets through whom the guard names.
func (s *Site) admit(g guard) fiber.Handler {
	return func(c *fiber.Ctx) error {
		user := s.reader(c).User
		switch {
		case g == visitor && user != nil:
			return s.redirect(c, s.landing(user))
		case g == loopback && !s.isLocal(c):
			return domain.Refuse(domain.NotFound, "", "errors.not_found")
		case g.admits(user):
			return c.Next()
		case user == nil:
			return domain.Refuse(domain.SignedOut, "", "errors.signed_out")
		}
		return domain.Refuse(domain.Forbidden, "", "errors.forbidden")
	}
}

// place is one entry of the main menu; who sees it follows from its route. Pages below Path
// belong to it, and those below Also.
type place struct {
	Path, Key string
	Also      []string
}

func places() []place {
	return []place{
		{Path: "/start", Key: "nav.start"},
		{Path: "/mailings", Key: "nav.mailings", Also: []string{"/runs", "/calendar"}},
		{Path: "/messages", Key: "nav.messages"},
		{Path: "/clients", Key: "nav.clients"},
		{Path: "/attempts", Key: "nav.attempts"},
		{Path: "/manager/mailings", Key: "nav.manager_mailings"},
		{Path: "/manager/users", Key: "nav.manager_users"},
		{Path: "/admin/posts", Key: "nav.posts"},
		{Path: "/admin/users", Key: "nav.users"},
		{Path: "/admin/audit", Key: "nav.audit"},
		{Path: "/admin/jobs", Key: "nav.jobs"},
		{Path: "/blog", Key: "nav.blog"},
		{Path: "/inbox", Key: "nav.inbox"},
	}
}

// placesOf are the entries of the menu that the user may open. The inbox is for who sits at this
// very machine, where it takes the letters.
func (s *Site) placesOf(u *domain.User, local bool) (list []place) {
	for _, p := range places() {
		for _, r := range s.routes {
			if r.Method == "GET" && r.Path == p.Path && r.Guard.admits(u) && (s.Inbox && local || r.Guard != loopback) {
				list = append(list, p)
			}
		}
	}
	return list
}

// has tells whether the page at path belongs to the place.
func (p place) has(path string) bool {
	return slices.ContainsFunc(append(p.Also, p.Path), func(root string) bool {
		return path == root || strings.HasPrefix(path, root+"/")
	})
}

// landing is where the user's work starts.
func (s *Site) landing(u *domain.User) string {
	if list := s.placesOf(u, false); u != nil && len(list) > 0 {
		return list[0].Path
	}
	return "/"
}
