package web

import (
	"encoding/base64"
	"net/url"
	"time"
)

const flashCookie = "flash"

// Browser is what the visitor's browser keeps for the site: cookies, notes and that a user is known there.
type Browser struct{ r *Request }

// Browser is the one that asks.
func (r *Request) Browser() Browser { return Browser{r} }

// Done answers a success: 303 (for htmx a redirect of its own) to path, where the text of key
// is shown once.
func (r *Request) Done(path, key string, args ...any) error {
	r.ledTo.Said = r.Viewer.T(key, args...)
	r.Browser().SetFlash(r.ledTo.Said)
	return r.Redirect(path)
}

// Toast shows the text of key beside the fragment that this answer swaps in.
func (r *Request) Toast(key string, args ...any) {
	r.trigger(r.Viewer.T(key, args...))
}

// trigger hands text to app.js in a header, which holds nothing but ASCII.
func (r *Request) trigger(text string) {
	r.Set("HX-Trigger", `{"toast":"`+url.PathEscape(text)+`"}`)
}

// SetFlash has the next page show the text once.
func (b Browser) SetFlash(text string) { b.SetNote(flashCookie, text, time.Minute) }

// TakeFlash is the text that waits for the next page.
func (b Browser) TakeFlash() string {
	text := b.Note(flashCookie)
	if text != "" {
		b.SetCookie(flashCookie, "", -time.Hour)
	}
	return text
}

// SetNote keeps a short text in the browser.
func (b Browser) SetNote(cookie, text string, life time.Duration) {
	b.SetCookie(cookie, base64.RawURLEncoding.EncodeToString([]byte(text)), life)
}

// Note is the text that SetNote kept, "" when there is none.
func (b Browser) Note(cookie string) string {
	text, err := base64.RawURLEncoding.DecodeString(b.r.Cookies(cookie))
	if err != nil || len(text) > 1000 {
		return ""
	}
	return string(text)
}
