package web

import (
	"encoding/base64"
	"net/url"
	"time"
)

const flashCookie = "flash"

// Done answers a success: 303 (for htmx a redirect of its own) to path, where the text of key
// is shown once.
func (r *Request) Done(path, key string, args ...any) error {
	r.SetFlash(r.T(key, args...))
	return r.Redirect(path)
}

// Toast shows the text of key beside the fragment that this answer swaps in.
func (r *Request) Toast(key string, args ...any) {
	r.trigger(r.T(key, args...))
}

// trigger hands text to app.js in a header, which holds nothing but ASCII.
func (r *Request) trigger(text string) {
	r.Set("HX-Trigger", `{"toast":"`+url.PathEscape(text)+`"}`)
}

// SetFlash has the next page show the text once.
func (r *Request) SetFlash(text string) { r.SetNote(flashCookie, text, time.Minute) }

// takeFlash is the text that waits for the next page.
func (r *Request) takeFlash() string {
	text := r.Note(flashCookie)
	if text != "" {
		r.SetCookie(flashCookie, "", -time.Hour)
	}
	return text
}

// SetNote keeps a short text in the browser.
func (r *Request) SetNote(cookie, text string, life time.Duration) {
	r.SetCookie(cookie, base64.RawURLEncoding.EncodeToString([]byte(text)), life)
}

// Note is the text that setNote kept, "" when there is none.
func (r *Request) Note(cookie string) string {
	text, err := base64.RawURLEncoding.DecodeString(r.Cookies(cookie))
	if err != nil || len(text) > 1000 {
		return ""
	}
	return string(text)
}
