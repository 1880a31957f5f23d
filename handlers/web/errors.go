package web

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

// errorView is an error page: what happened, what is kept, what to do.
type errorView struct {
	Status                int
	Title, What, Kept, Do string
	RequestID             string // of the request, when the fault is ours
	Again                 *again // nil: repeating it won't help
}

// again repeats a request: by a link, or by a form with all that was typed.
type again struct {
	Path string
	Form bool
	Sent []templates.Option // hidden fields
}

// slowDown is an error that says when to try again.
type slowDown struct {
	error
	after time.Duration
}

func (e slowDown) Unwrap() error { return e.error }

// TooMany refuses until after has passed.
func TooMany(key string, after time.Duration) error {
	return slowDown{domain.Errorf(domain.TooMany, "", key, "Minutes", domain.Minutes(after)), after}
}

// answer is the only place that answers an error.
func (s *Site) answer(c *fiber.Ctx, err error) error {
	r := s.Request(c)
	status, refusal := statusOf(err)
	if status == fiber.StatusUnauthorized {
		return r.askToSignIn()
	}
	fault := failure{r, status, refusal}
	view := fault.view()
	switch status {
	case fiber.StatusInternalServerError:
		view.RequestID = r.RequestID
		s.Log.Error("request failed", "request_id", r.RequestID, "method", c.Method(), "path", c.Route().Path, "error", err)
	case fiber.StatusTooManyRequests:
		if minutes, ok := argument(refusal, "Minutes").(int64); ok {
			c.Set(fiber.HeaderRetryAfter, strconv.FormatInt(minutes*60, 10))
		}
	case fiber.StatusServiceUnavailable:
		c.Set(fiber.HeaderRetryAfter, "5")
		if refusal == nil || refusal.Kind != domain.Busy {
			s.warn("database away", err)
		}
	}
	if slow, ok := errors.AsType[slowDown](err); ok {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(int(slow.after.Seconds())+1))
	}
	c.Set(fiber.HeaderCacheControl, "no-store")
	if r.HTMX() {
		r.Set("HX-Reswap", "none") // the form stays as it is, whatever the status
		r.trigger(fault.briefly(view))
	}
	if err := r.Page(status, "errors/page", view); err != nil {
		s.Log.Error("error page", "request_id", r.RequestID, "error", err)
		return c.Status(status).SendString(http.StatusText(status))
	}
	return nil
}

// failure is what a request came to that could not be answered.
type failure struct {
	r       *Request
	status  int
	refusal *domain.Error // nil: nothing that a visitor may read
}

func (f failure) view() errorView {
	r, status, refusal := f.r, f.status, f.refusal
	word := strconv.Itoa(status)
	if refusal != nil && refusal.Kind == domain.Busy {
		word = "busy"
	}
	view := errorView{Status: status, Title: f.explain(word, "title"), What: f.explain(word, "what"),
		Kept: f.explain(word, "kept"), Do: f.explain(word, "do")}
	// One body for every 404: it must not tell what exists.
	if refusal != nil && status != fiber.StatusNotFound && status != fiber.StatusServiceUnavailable {
		view.What = r.Viewer.Text(refusal)
		if do := r.Viewer.T(refusal.Key + "_do"); do != refusal.Key+"_do" {
			view.Do = do
		}
	}
	switch status {
	case fiber.StatusTooManyRequests, fiber.StatusInternalServerError, fiber.StatusServiceUnavailable:
		if view.Again = repeat(r); view.Again != nil && view.Again.Form {
			view.Kept += " " + r.Viewer.T("errors.text_kept")
		}
	}
	return view
}

// repeat is how to ask the same again. Files and passwords are not written into pages, and what
// htmx asked for still stands in its form.
func repeat(r *Request) *again {
	one := &again{Path: r.OriginalURL(), Form: !r.Reads()}
	if !one.Form || r.HTMX() {
		return one
	}
	if len(r.Ctx.Request().Header.MultipartFormBoundary()) > 0 {
		return nil
	}
	secret := false
	for name, value := range r.Ctx.Request().PostArgs().All() {
		one.Sent = append(one.Sent, templates.Option{Label: string(name), Value: string(value)})
		secret = secret || string(name) == "password" || string(name) == "current"
	}
	if secret {
		return nil
	}
	return one
}

// briefly is an error page in the few words that a toast has room for.
func (f failure) briefly(view errorView) string {
	words := []string{view.What}
	if !f.r.Reads() {
		words = append(words, f.r.Viewer.T("errors.text_kept"))
	}
	words = append(words, view.Do)
	if view.RequestID != "" {
		words = append(words, f.r.Viewer.T("errors.request_id"), view.RequestID)
	}
	return strings.Join(words, " ")
}

// explain is the text of a status; statuses without words of their own share those of 400.
func (f failure) explain(word, part string) string {
	key := "errors." + word + "_" + part
	if text := f.r.Viewer.T(key); text != key {
		return text
	}
	if part == "title" {
		return strconv.Itoa(f.status) + " " + http.StatusText(f.status)
	}
	return f.r.Viewer.T("errors.400_" + part)
}

// statusOf is the status of an error, and the refusal in it that a visitor may read.
func statusOf(err error) (int, *domain.Error) {
	statuses := map[domain.Kind]int{
		domain.Invalid: 422, domain.NotFound: 404, domain.Forbidden: 403, domain.Unauthenticated: 401,
		domain.Blocked: 403, domain.Conflict: 409, domain.TooMany: 429, domain.Unavailable: 503, domain.Busy: 503,
	}
	if list := refusals(err); len(list) > 0 {
		return statuses[list[0].Kind], list[0]
	}
	if coded, ok := errors.AsType[*fiber.Error](err); ok {
		return coded.Code, nil
	}
	return fiber.StatusInternalServerError, nil
}

// argument is what a refusal says besides its words, nil when there is none.
func argument(refusal *domain.Error, name string) any {
	if refusal == nil {
		return nil
	}
	return refusal.Args[name]
}

// refusals are what a visitor may read of err.
func refusals(err error) []*domain.Error {
	if list, ok := errors.AsType[domain.ValidationErrors](err); ok {
		return list
	}
	if one, ok := errors.AsType[*domain.Error](err); ok {
		return []*domain.Error{one}
	}
	return nil
}

// askToSignIn sends a visitor to the sign-in page, and from there to the page they asked for, or whose form they sent.
func (r *Request) askToSignIn() error {
	next := "/"
	switch {
	case r.formAt != "":
		next = r.formAt
	case r.HTMX():
		if current, err := url.Parse(r.Get("HX-Current-URL")); err == nil {
			next = current.RequestURI()
		}
	case r.Method() == fiber.MethodGet || r.Method() == fiber.MethodHead:
		next = r.OriginalURL()
	}
	path := "/login?next=" + url.QueryEscape(LocalPath(next, "/"))
	r.Vary("HX-Request")
	if r.HTMX() {
		r.Set("HX-Redirect", path)
		return r.SendStatus(fiber.StatusUnauthorized)
	}
	return r.Ctx.Redirect(path, fiber.StatusSeeOther)
}
