package handlers

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
	"skychimp/templates"
)

// errorView is the page of a refusal: what happened, what is kept, what to do.
type errorView struct {
	Status                int
	Title, What, Kept, Do string
	Number                string // of the request, when the fault is ours
	Again                 *again // nil: repeating it won't help
}

// again repeats a request: by a link, or by a form with all that was typed.
type again struct {
	Path string
	Form bool
	Sent []templates.Option // hidden fields
}

// slowDown is a refusal that says when to come back.
type slowDown struct {
	error
	after time.Duration
}

func (e slowDown) Unwrap() error { return e.error }

func tooMany(key string, after time.Duration) error {
	minutes := int64(after/time.Minute) + 1
	return slowDown{domain.Refuse(domain.TooMany, "", key, "Minutes", minutes), after}
}

// answer is the only place that answers an error.
func (s *Site) answer(c *fiber.Ctx, err error) error {
	status, refusal := statusOf(err)
	if status == fiber.StatusUnauthorized {
		return s.askToSignIn(c)
	}
	view := s.errorView(c, status, refusal)
	number, _ := c.Locals(numberKey).(string)
	switch status {
	case fiber.StatusInternalServerError:
		view.Number = number
		s.Log.Error("request failed", "number", number, "method", c.Method(), "path", c.Route().Path, "error", err)
	case fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, "5")
		s.warn("database away", err)
	case fiber.StatusTooManyRequests:
		if slow, ok := errors.AsType[slowDown](err); ok {
			c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(slow.after.Seconds())+1))
		}
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if isHTMX(c) {
		s.trigger(c, s.briefly(c, view))
	}
	if err := s.page(c, status, "errors/page", view); err != nil {
		s.Log.Error("error page", "number", number, "error", err)
		return c.Status(status).SendString(http.StatusText(status))
	}
	return nil
}

func (s *Site) errorView(c *fiber.Ctx, status int, refusal *domain.Error) errorView {
	view := errorView{Status: status, Title: s.explain(c, status, "title"), What: s.explain(c, status, "what"),
		Kept: s.explain(c, status, "kept"), Do: s.explain(c, status, "do")}
	// One body for every 404: it must not tell what exists.
	if refusal != nil && status != fiber.StatusNotFound && status != fiber.StatusServiceUnavailable {
		view.What = s.templates.Texts().Fill(s.reader(c).Lang, refusal.Key, refusal.Args)
		if do := s.t(c, refusal.Key+"_do"); do != refusal.Key+"_do" {
			view.Do = do
		}
	}
	switch status {
	case fiber.StatusTooManyRequests, fiber.StatusInternalServerError, fiber.StatusServiceUnavailable:
		if view.Again = repeat(c); view.Again != nil && view.Again.Form {
			view.Kept += " " + s.t(c, "errors.typed")
		}
	}
	return view
}

// repeat is how to ask the same again. Files and passwords are not written into pages, and what
// htmx asked for still stands in its form.
func repeat(c *fiber.Ctx) *again {
	one := &again{Path: c.OriginalURL(), Form: !reads(c)}
	if !one.Form || isHTMX(c) {
		return one
	}
	if len(c.Request().Header.MultipartFormBoundary()) > 0 {
		return nil
	}
	secret := false
	for name, value := range c.Request().PostArgs().All() {
		one.Sent = append(one.Sent, templates.Option{Label: string(name), Value: string(value)})
		secret = secret || string(name) == "password" || string(name) == "current"
	}
	if secret {
		return nil
	}
	return one
}

// briefly is an error page in the few words that a toast has room for.
func (s *Site) briefly(c *fiber.Ctx, view errorView) string {
	words := []string{view.What}
	if !reads(c) {
		words = append(words, s.t(c, "errors.typed"))
	}
	words = append(words, view.Do)
	if view.Number != "" {
		words = append(words, s.t(c, "errors.number"), view.Number)
	}
	return strings.Join(words, " ")
}

// explain is the text of a status; statuses without words of their own share those of 400.
func (s *Site) explain(c *fiber.Ctx, status int, part string) string {
	key := "errors." + strconv.Itoa(status) + "_" + part
	if text := s.t(c, key); text != key {
		return text
	}
	if part == "title" {
		return strconv.Itoa(status) + " " + http.StatusText(status)
	}
	return s.t(c, "errors.400_"+part)
}

// statusOf is the status of an error, and the refusal in it that a visitor may read.
func statusOf(err error) (int, *domain.Error) {
	statuses := map[domain.Kind]int{
		domain.Invalid: 422, domain.NotFound: 404, domain.Forbidden: 403, domain.SignedOut: 401,
		domain.Blocked: 403, domain.Conflict: 409, domain.TooMany: 429, domain.Away: 503,
	}
	if list := refusals(err); len(list) > 0 {
		return statuses[list[0].Kind], list[0]
	}
	if coded, ok := errors.AsType[*fiber.Error](err); ok {
		return coded.Code, nil
	}
	return fiber.StatusInternalServerError, nil
}

// refusals are what a visitor may read of err.
func refusals(err error) []*domain.Error {
	if list, ok := errors.AsType[domain.Problems](err); ok {
		return list
	}
	if one, ok := errors.AsType[*domain.Error](err); ok {
		return []*domain.Error{one}
	}
	return nil
}

// askToSignIn sends a visitor to the sign-in page and from there back to where he wanted to go.
func (s *Site) askToSignIn(c *fiber.Ctx) error {
	next := "/"
	if isHTMX(c) {
		if current, err := url.Parse(c.Get("HX-Current-URL")); err == nil {
			next = current.RequestURI()
		}
	} else if c.Method() == fiber.MethodGet || c.Method() == fiber.MethodHead {
		next = c.OriginalURL()
	}
	path := "/login?next=" + url.QueryEscape(localPath(next, "/"))
	c.Vary("HX-Request")
	if isHTMX(c) {
		c.Set("HX-Redirect", path)
		return c.SendStatus(fiber.StatusUnauthorized)
	}
	return c.Redirect(path, fiber.StatusSeeOther)
}
