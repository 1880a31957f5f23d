package handlers

import (
	"encoding/base64"
	"net/url"
	"time"

	"github.com/gofiber/fiber/v2"
)

const flashCookie = "flash"

// done answers a success: 303 (for htmx a redirect of its own) to path, where the text of key
// is shown once.
func (s *Site) done(c *fiber.Ctx, path, key string, args ...any) error {
	s.setFlash(c, s.t(c, key, args...))
	return s.redirect(c, path)
}

// toast shows the text of key beside the fragment that this answer swaps in.
func (s *Site) toast(c *fiber.Ctx, key string, args ...any) {
	s.trigger(c, s.t(c, key, args...))
}

// trigger hands text to app.js in a header, which holds nothing but ASCII.
func (s *Site) trigger(c *fiber.Ctx, text string) {
	c.Set("HX-Trigger", `{"toast":"`+url.PathEscape(text)+`"}`)
}

func (s *Site) setFlash(c *fiber.Ctx, text string) { s.setNote(c, flashCookie, text, time.Minute) }

// takeFlash is the text that waits for the next page.
func (s *Site) takeFlash(c *fiber.Ctx) string {
	text := note(c, flashCookie)
	if text != "" {
		s.setCookie(c, flashCookie, "", -time.Hour)
	}
	return text
}

// setNote keeps a short text in the browser.
func (s *Site) setNote(c *fiber.Ctx, cookie, text string, life time.Duration) {
	s.setCookie(c, cookie, base64.RawURLEncoding.EncodeToString([]byte(text)), life)
}

// note is the text that setNote kept, "" when there is none.
func note(c *fiber.Ctx, cookie string) string {
	text, err := base64.RawURLEncoding.DecodeString(c.Cookies(cookie))
	if err != nil || len(text) > 1000 {
		return ""
	}
	return string(text)
}
