// Package web is what all pages share: the request and who asks, rendering, refusals, sessions,
// limits and the menu.
package web

import (
	"log/slog"
	"net/url"
	"runtime"
	"time"

	gocache "github.com/eko/gocache/lib/v4/cache"
	"github.com/gofiber/fiber/v2"

	"skychimp/db"
	"skychimp/templates"
)

// Config is what the pages need to know of the environment.
type Config struct {
	BaseURL *url.URL // the public address
	Addr    string   // where the server listens
	Proxies []string // addresses and networks whose forwarded headers count
	Inbox   bool     // emails go to the test inbox
	Bounces bool     // emails that come back are read

	RecallFor time.Duration // how long a launch or a run out of turn can be taken back

	Secret    []byte // signs links and known devices
	SecretOld []byte // signed them before; nil: none did
}

// Site is what requests are answered with, whatever they are about.
type Site struct {
	Config
	DB        *db.DB
	Log       *slog.Logger
	Templates *templates.Set

	routes   []Route
	uploads  []string
	nav      []NavItem
	hosts    map[string]bool
	proxies  []proxy
	requests *Limiter // of a network, to the forms of strangers
	parts    *gocache.Cache[*Part]
	crowd    crowd // through proxies

	costly    *Slots // searches, checks, previews
	streams   *Slots // exports
	unfolding *Slots // files
}

// NewSite has no addresses yet; nav is the main menu.
func NewSite(config Config, database *db.DB, set *templates.Set, nav []NavItem, log *slog.Logger) (*Site, error) {
	proxies, err := parseProxies(config.Proxies)
	return &Site{Config: config, DB: database, Log: log, Templates: set, nav: nav, hosts: knownHosts(config), proxies: proxies,
		requests: NewLimiter(300, time.Minute), parts: newParts(),
		costly: NewSlots(2*runtime.GOMAXPROCS(0), max(1, runtime.GOMAXPROCS(0)/2), 10*time.Second), streams: NewSlots(8, 1, 10*time.Second), unfolding: NewSlots(1, 1, 25*time.Second)}, err
}

// App answers the routes and listens nowhere yet. Files come to the addresses of uploads and those below. quick handlers
// of a path are asked before all that other requests pass, for what comes ten thousand times a second; they hand on what
// they can't answer.
func (s *Site) App(routes []Route, uploads []string, quick map[string]fiber.Handler) *fiber.App {
	s.routes, s.uploads = routes, uploads
	app := fiber.New(fiber.Config{
		AppName: "SkyChimp", DisableStartupMessage: true, Immutable: true, StrictRouting: false,
		BodyLimit: formLimit, ReadTimeout: bodyTime, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ReadBufferSize: 16 << 10, // of all headers together
		ErrorHandler:   s.unread,
	})
	app.Server().HeaderReceived = s.bodyOf
	for path, handle := range quick {
		app.Get(path, handle) // and HEAD
	}
	s.middleware(app)
	for _, route := range routes {
		handle := func(c *fiber.Ctx) error { return s.Request(c).Browser().Typed().once(route) }
		app.Add(route.Method, route.Path, s.admit(route.Guard), handle)
		if route.Method == fiber.MethodGet {
			app.Add(fiber.MethodHead, route.Path, s.admit(route.Guard), handle)
		}
	}
	return app
}
