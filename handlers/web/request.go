package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// Request is one request and who asks.
type Request struct {
	*fiber.Ctx
	Site      *Site
	Viewer    Viewer
	RequestID string // for the log and the error page

	session []byte // the hash of its secret, nil for a visitor

	ledTo  domain.FormAnswer // what a success answered
	formAt string            // the page of a form that was sent without a session
	kept   *domain.KeptForm  // what the viewer typed into the form of this page before signing in again
}

const requestKey = "request"

// Request is the one that c stands for.
func (s *Site) Request(c *fiber.Ctx) *Request {
	if known, ok := c.Locals(requestKey).(*Request); ok {
		return known
	}
	r := &Request{Ctx: c, Site: s, Viewer: Viewer{Lang: visitorLanguage(c), Zone: time.UTC, texts: s.Templates.Texts()}}
	c.Locals(requestKey, r)
	return r
}

// ID is the number in the path; 0, which no object has, when it is none.
func (r *Request) ID() int64 {
	id, err := strconv.ParseInt(r.Params("id"), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// Reads reports whether the request asks for nothing to be changed.
func (r *Request) Reads() bool {
	return slices.Contains([]string{fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions}, r.Method())
}

// Has reports whether the form has the field, whatever stands in it.
func (r *Request) Has(name string) bool {
	if form, err := r.MultipartForm(); err == nil {
		return form.Value[name] != nil
	}
	return r.Ctx.Request().PostArgs().Has(name)
}

// Absolute is the public address of a local path.
func (s *Site) Absolute(path string) string {
	return strings.TrimSuffix(s.BaseURL.String(), "/") + path
}

// HTMX reports whether a fragment is asked for.
func (r *Request) HTMX() bool { return r.Get("HX-Request") == "true" }

// Redirect sends the browser to a local path.
func (r *Request) Redirect(path string) error {
	r.ledTo.Path = path
	if r.HTMX() {
		r.Set("HX-Redirect", path)
		return r.SendStatus(fiber.StatusOK)
	}
	return r.Ctx.Redirect(path, fiber.StatusSeeOther)
}

// LocalPath is next when it is a path of this site, else otherwise.
func LocalPath(next, otherwise string) string {
	outside := !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) ||
		slices.ContainsFunc([]rune(next), func(r rune) bool { return r < ' ' || r == 0x7f })
	if outside {
		return otherwise
	}
	return next
}

// OwnerID is whose objects the viewer may read: their own, or (0) everybody's.
func (r *Request) OwnerID() int64 {
	if user := r.Viewer.User; !user.MayOversee() {
		return user.ID
	}
	return 0
}
