// Package web is what all pages share: the request and who asks, rendering, refusals, sessions,
// limits and the menu.
package web

import (
	"bytes"
	"log/slog"
	"net/url"
	"time"

	gocache "github.com/eko/gocache/lib/v4/cache"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skychimp/db"
	"skychimp/templates"
)

// Config is what the pages need to know of the environment.
type Config struct {
	BaseURL *url.URL // the public address
	Addr    string   // where the server listens
	Proxies []string // addresses and networks whose forwarded headers count
	Inbox   bool     // emails go to the test inbox
}

// Site is what requests are answered with, whatever they are about.
type Site struct {
	Config
	DB        *db.DB
	Log       *slog.Logger
	Templates *templates.Set

	routes   []Route
	nav      []NavItem
	hosts    map[string]bool
	proxies  []proxy
	requests *Limiter // of an IP, to the forms of strangers
	parts    *gocache.Cache[*Part]
}

// NewSite has no addresses yet; nav is the main menu.
func NewSite(config Config, database *db.DB, set *templates.Set, nav []NavItem, log *slog.Logger) (*Site, error) {
	proxies, err := parseProxies(config.Proxies)
	return &Site{Config: config, DB: database, Log: log, Templates: set, nav: nav, hosts: knownHosts(config), proxies: proxies,
		requests: NewLimiter(300, time.Minute), parts: newParts()}, err
}

// What a form may hold. Somewhat more is read than taken: who is a little over the limit gets an
// answer, who is far over it finds the connection closed.
const (
	formLimit, formRead     = 1 << 20, 4 << 20
	uploadLimit, uploadRead = 32 << 20, 64 << 20 // of a form with a file
)

// App answers the routes and listens nowhere yet.
func (s *Site) App(routes []Route) *fiber.App {
	s.routes = routes
	app := fiber.New(fiber.Config{
		AppName: "SkyChimp", DisableStartupMessage: true, Immutable: true, StrictRouting: false,
		BodyLimit: formRead, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ReadBufferSize: 16 << 10, // of all headers together
		ErrorHandler:   s.answer,
	})
	app.Server().HeaderReceived = limitsOf
	s.middleware(app)
	for _, route := range routes {
		handle := func(c *fiber.Ctx) error { return route.Handle(s.Request(c)) }
		app.Add(route.Method, route.Path, s.admit(route.Guard), handle)
		if route.Method == fiber.MethodGet {
			app.Add(fiber.MethodHead, route.Path, s.admit(route.Guard), handle)
		}
	}
	return app
}

// limitsOf gives forms with a file more room and more time, and exports time to be fetched.
func limitsOf(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	if len(header.MultipartFormBoundary()) > 0 {
		return fasthttp.RequestConfig{MaxRequestBodySize: uploadRead, ReadTimeout: 5 * time.Minute}
	}
	if bytes.Contains(header.RequestURI(), []byte("/export.")) {
		return fasthttp.RequestConfig{WriteTimeout: 15 * time.Minute}
	}
	return fasthttp.RequestConfig{}
}
