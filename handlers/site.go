// Package handlers answers: one file per noun, every address in routes.go, every refusal in
// errors.go.
package handlers

import (
	"bytes"
	"log/slog"
	"net/url"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"skychimp/db"
	"skychimp/static"
	"skychimp/templates"
)

// Config is what the pages need to know of the environment.
type Config struct {
	BaseURL *url.URL  // the public address
	Addr    string    // where the server listens
	Proxies []string  // addresses and networks whose forwarded headers count
	Inbox   bool      // letters go to the dev inbox
	Secret  []byte    // signs the links to unsubscribe
	Media   *db.Media // pictures of posts

	SecretOld []byte // signed them before; nil: none did
}

// Site answers requests.
type Site struct {
	Config
	DB        *db.DB
	Log       *slog.Logger
	Passwords *Passwords

	templates   *templates.Set
	files       *static.Files
	markdown    *markdown
	queueScreen fiber.Handler
	drawing     sync.Mutex // pictures are made one at a time, because each takes much memory
	routes      []route
	hosts       map[string]bool
	proxies     []proxy
	requests    *limiter // of an IP, to the forms of strangers
	failures    *limiter // of an e-mail, to sign in
	letters     *limiter // to an e-mail
}

// What a form may hold. Somewhat more is read than taken: who is a little over the limit gets an
// answer, who is far over it finds the connection closed.
const (
	formLimit, formRead     = 1 << 20, 4 << 20
	uploadLimit, uploadRead = 32 << 20, 64 << 20 // of a form with a file
)

// New is the whole site as an application that listens nowhere yet.
func New(config Config, database *db.DB, set *templates.Set, files *static.Files, log *slog.Logger) (*fiber.App, error) {
	s := &Site{
		Config: config, DB: database, Log: log, Passwords: NewPasswords(), templates: set, files: files, markdown: newMarkdown(),
		hosts:    knownHosts(config),
		requests: newLimiter(300, time.Minute),
		failures: newLimiter(10, 15*time.Minute),
		letters:  newLimiter(10, time.Hour),
	}
	var err error
	if s.proxies, err = parseProxies(config.Proxies); err != nil {
		return nil, err
	}
	if s.queueScreen, err = newQueueScreen(database, log); err != nil {
		return nil, err
	}
	s.routes = s.table()
	app := fiber.New(fiber.Config{
		AppName: "SkyChimp", DisableStartupMessage: true, Immutable: true, StrictRouting: false,
		BodyLimit: formRead, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		ReadBufferSize: 16 << 10, // of all headers together
		ErrorHandler:   s.answer,
	})
	app.Server().HeaderReceived = limitsOf
	s.middleware(app)
	for _, r := range s.routes {
		app.Add(r.Method, r.Path, s.admit(r.Guard), r.Handle)
		if r.Method == fiber.MethodGet {
			app.Add(fiber.MethodHead, r.Path, s.admit(r.Guard), r.Handle)
		}
	}
	return app, nil
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
