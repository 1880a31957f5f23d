package web

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	pathpkg "path"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/compress"
	"github.com/gofiber/fiber/v2/middleware/recover"

	"skychimp/domain"
)

// timeout is how long a request goes on before anybody asks whether the database is there.
const timeout = 400 * time.Millisecond

// deadline ends what a request asked of the database when that takes too long, and within a second
// when the database is away. A request that asks it for nothing, or soon has its answer, costs no question.
func (s *Site) deadline(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(c.UserContext(), 30*time.Second)
	defer cancel()
	ctx, giveUp := context.WithCancelCause(ctx)
	defer giveUp(nil)
	var look func()
	look = func() {
		if ctx.Err() != nil {
			return
		}
		if err := s.DB.Alive(); err != nil {
			giveUp(err)
			return
		}
		time.AfterFunc(timeout/4, look)
	}
	defer time.AfterFunc(timeout, look).Stop()
	c.SetUserContext(ctx)
	err := c.Next()
	if gone := context.Cause(ctx); err != nil && domain.KindOf(gone) == domain.Unavailable {
		return gone
	}
	return err
}

// middleware is what every request passes, from the outside in.
func (s *Site) middleware(app *fiber.App) {
	app.Use(methodOverride)
	app.Use(s.requestID)
	app.Use(s.headers)
	app.Use(compress.New())
	app.Use(s.etag)
	app.Use(s.refusal)
	app.Use(recover.New(recover.Config{EnableStackTrace: true, StackTraceHandler: s.panicked}))
	app.Use(s.crowded)
	app.Use(plain)
	app.Use(text)
	app.Use(s.host)
	app.Use(s.crossOrigin)
	app.Use(s.deadline)
	app.Use(s.authenticate)
}

// methodOverride lets forms, which know only POST, ask for PUT and DELETE.
func methodOverride(c *fiber.Ctx) error {
	if c.Method() == fiber.MethodPost && !encoded(c) {
		if wanted := c.FormValue("_method"); wanted == fiber.MethodPut || wanted == fiber.MethodDelete {
			c.Method(wanted)
			return c.RestartRouting()
		}
	}
	return c.Next()
}

// plain refuses bodies that are compressed: a few hundred bytes unfold to gigabytes. Who touches the
// body unfolds it, so nothing before this may. And it ends connections on which a proxy may see other
// requests than we do, and take the rest for somebody else's.
func plain(c *fiber.Ctx) error {
	if encoded(c) {
		return fiber.ErrUnsupportedMediaType
	}
	if ambiguous(c.Request().Header.RawHeaders()) {
		c.Context().SetConnectionClose()
		return fiber.ErrBadRequest
	}
	if len(c.Request().Header.MultipartFormBoundary()) > 0 {
		c.Context().SetConnectionClose() // what follows the last part is not read, and would be the next request
	}
	return c.Next()
}

// ambiguous reports whether the headers have a length beside chunks, lines that end without CR, or lines
// that go on in the next one.
func ambiguous(head []byte) bool {
	head = bytes.ToLower(head)
	return bytes.Contains(head, []byte("transfer-encoding:")) && bytes.Contains(head, []byte("content-length:")) ||
		bytes.Count(head, []byte("\n")) != bytes.Count(head, []byte("\r\n")) ||
		bytes.Contains(head, []byte("\n ")) || bytes.Contains(head, []byte("\n\t"))
}

func encoded(c *fiber.Ctx) bool {
	return len(c.Request().Header.PeekAll(fiber.HeaderContentEncoding)) > 0
}

// requestID gives the request a number for the log and the error page, and logs what changes
// something, fails or is slow.
func (s *Site) requestID(c *fiber.Ctx) error {
	number, begun := rand.Text()[:10], time.Now()
	s.Request(c).RequestID = number
	c.Set(fiber.HeaderXRequestID, number)
	err := c.Next()
	status, took := c.Response().StatusCode(), time.Since(begun)
	if s.Request(c).Reads() && status < fiber.StatusBadRequest && took < time.Second {
		return err
	}
	s.Log.Info("request", "request_id", number, "method", c.Method(), "path", s.publicPath(c.Path()), "status", status,
		"took", took.Round(time.Millisecond), "ip", s.Request(c).Remote().IP())
	return err
}

// secretPath is the beginning of the addresses that path belongs to, such as "/verify/", when its rest is a
// secret. It asks no route: most requests that are refused have found none yet.
func (s *Site) secretPath(path string) (beginning string, secret bool) {
	path = strings.ToLower(path)
	for range 2 { // a proxy may escape again
		if plain, err := url.PathUnescape(path); err == nil {
			path = plain
		}
	}
	path = pathpkg.Clean("/" + path)
	for _, route := range s.routes {
		beginning, _, found := strings.Cut(route.Path, ":token")
		if found && strings.HasPrefix(path, beginning) {
			return beginning, !s.hasRoute(path)
		}
	}
	return "", false
}

func (s *Site) hasRoute(path string) bool {
	return slices.ContainsFunc(s.routes, func(r Route) bool { return r.Path == path })
}

// publicPath is a path as it may be logged.
func (s *Site) publicPath(path string) string {
	if beginning, secret := s.secretPath(path); secret {
		return beginning + ":token"
	}
	return path
}

// headers are the safe defaults; a handler may set others.
func (s *Site) headers(c *fiber.Ctx) error {
	c.Set(fiber.HeaderContentSecurityPolicy, "default-src 'none'; script-src 'self'; style-src 'self'; "+
		"img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "+
		"frame-ancestors 'none'; base-uri 'none'")
	c.Set(fiber.HeaderXFrameOptions, "DENY")
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderReferrerPolicy, "same-origin")
	if _, secret := s.secretPath(c.Path()); secret {
		c.Set(fiber.HeaderReferrerPolicy, "strict-origin") // not even to the log of our own proxy
	}
	c.Set("Cross-Origin-Opener-Policy", "same-origin")
	c.Set("Cross-Origin-Resource-Policy", "same-origin")
	c.Set(fiber.HeaderPermissionsPolicy, "camera=(), geolocation=(), microphone=()")
	if s.BaseURL.Scheme == "https" {
		c.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000")
	}
	return c.Next()
}

// refusal turns errors into answers inside of what compresses and counts them.
func (s *Site) refusal(c *fiber.Ctx) error {
	if err := c.Next(); err != nil {
		return s.answer(c, err)
	}
	return nil
}

func (s *Site) panicked(c *fiber.Ctx, cause any) {
	s.Log.Error("panic", "request_id", s.Request(c).RequestID, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
}

// knownHosts are the names under which the site answers.
func knownHosts(config Config) map[string]bool {
	hosts := map[string]bool{"localhost": true, "127.0.0.1": true, "::1": true}
	hosts[config.BaseURL.Hostname()] = true
	hosts[hostname(config.Addr)] = true
	return hosts
}

// hostname is the name in "name:port" and "[::1]:port".
func hostname(host string) string { return strings.ToLower((&url.URL{Host: host}).Hostname()) }

// host refuses names that nobody gave us: pages of a hostile name that points here could
// otherwise read ours. Probes ask by address.
func (s *Site) host(c *fiber.Ctx) error {
	if s.hosts[hostname(s.Request(c).Remote().hostOf())] || c.Path() == "/healthz" || c.Path() == "/readyz" {
		return c.Next()
	}
	return fiber.NewError(fiber.StatusBadRequest)
}

// hostOf is the host that the visitor's browser asked for.
func (m Remote) hostOf() string {
	if forwarded := m.r.Get(fiber.HeaderXForwardedHost); forwarded != "" && m.trusts() {
		return forwarded
	}
	return string(m.r.Request().Host())
}

// fromAnywhere are the addresses to which any site may send a form.
func fromAnywhere(path string) bool {
	return slices.ContainsFunc([]string{"/unsubscribe/", "/preferences/", "/f/"}, func(root string) bool { return strings.HasPrefix(path, root) })
}

// crossOrigin refuses what another site makes a browser send, by the rule of
// http.CrossOriginProtection. The unsubscribe button of a mail program may come from anywhere, and the pages
// behind links in emails are opened in whatever a mail program has: there the link is the key, and no cookie counts.
// Sign-up forms stand in the pages of other sites, and whoever sends one has no more rights here than any stranger.
func (s *Site) crossOrigin(c *fiber.Ctx) error {
	if s.Request(c).Reads() || fromAnywhere(c.Path()) {
		return c.Next()
	}
	switch site := c.Get("Sec-Fetch-Site"); site {
	case "same-origin", "none":
		return c.Next()
	case "": // an old browser, a plain http address, or no browser
		from := c.Get(fiber.HeaderOrigin)
		parsed, err := url.Parse(from)
		ours := err == nil && (parsed.Host == s.Request(c).Remote().hostOf() || parsed.Host == s.BaseURL.Host)
		if from == "" || ours && parsed.Host != "" {
			return c.Next()
		}
	}
	return domain.Errorf(domain.Forbidden, "", "errors.cross_site")
}

// SetCookie keeps a value in the browser; a negative life ends it.
func (b Browser) SetCookie(name, value string, life time.Duration) {
	cookie := &fiber.Cookie{
		Name: name, Value: value, Path: "/", HTTPOnly: true, SameSite: fiber.CookieSameSiteLaxMode,
		Secure: b.r.Site.BaseURL.Scheme == "https", MaxAge: int(life.Seconds()),
	}
	if life < 0 {
		cookie.Expires = time.Unix(1, 0)
	}
	b.r.Cookie(cookie)
}

func (s *Site) warn(text string, err error) { s.Log.Warn(text, slog.Any("error", err)) }
