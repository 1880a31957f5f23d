package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"skychimp/domain"
)

// sessionCookie: the prefix makes browsers refuse one that a neighbouring name or plain http
// has set.
func (s *Site) sessionCookie() string {
	if s.BaseURL.Scheme == "https" {
		return "__Host-session"
	}
	return "session"
}

// authenticate finds out who asks. A visitor has no session, and the database is asked for none.
func (s *Site) authenticate(c *fiber.Ctx) error {
	path := c.Path()
	if strings.HasPrefix(path, "/static/") || path == "/healthz" || path == "/readyz" {
		return c.Next()
	}
	hash, ok := SecretHash(c.Cookies(s.sessionCookie()))
	if !ok {
		c.Set(fiber.HeaderCacheControl, "no-cache")
		return c.Next()
	}
	user, err := s.DB.Sessions().User(c.UserContext(), hash, time.Now())
	switch {
	case err == nil:
		s.Request(c).SetViewer(user)
		s.Request(c).session = hash
		c.Set(fiber.HeaderCacheControl, "no-store")
	case domain.KindOf(err) == domain.NotFound:
		s.Request(c).Browser().SetCookie(s.sessionCookie(), "", -time.Hour)
	default:
		return err
	}
	return c.Next()
}

// SignIn starts a session in this browser and ends the one it had.
func (r *Request) SignIn(user domain.User) error {
	now := time.Now()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	sum := sha256.Sum256(secret)
	if old, ok := SecretHash(r.Cookies(r.Site.sessionCookie())); ok {
		if err := r.Site.DB.Sessions().End(r.UserContext(), old); err != nil {
			return err
		}
	}
	err := r.Site.DB.Sessions().Start(r.UserContext(), domain.Session{
		Hash: sum[:], UserID: user.ID, UserAgent: cut(r.Get(fiber.HeaderUserAgent), 300), IP: r.Remote().IP(),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(domain.SessionLife),
	})
	if err != nil {
		return err
	}
	r.SetViewer(user)
	r.Browser().Remember(user)
	r.Browser().SetCookie(LanguageCookie, user.Language, 365*24*time.Hour) // for pages that can't ask the database
	r.Browser().SetCookie(r.Site.sessionCookie(), base64.RawURLEncoding.EncodeToString(secret), domain.SessionLife)
	return nil
}

// SignOut ends the session of this browser.
func (r *Request) SignOut() error {
	r.Browser().SetCookie(r.Site.sessionCookie(), "", -time.Hour)
	if r.session == nil {
		return nil
	}
	return r.Site.DB.Sessions().End(r.UserContext(), r.session)
}

// Session is the hash that the viewer's session is kept under.
func (r *Request) Session() []byte { return r.session }

// SecretHash is the SHA-256 of a secret of 32 bytes in base64url; only that is stored.
func SecretHash(text string) (hash []byte, ok bool) {
	secret, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(secret) != 32 {
		return nil, false
	}
	sum := sha256.Sum256(secret)
	return sum[:], true
}

// cut shortens a text to at most max bytes of valid UTF-8.
func cut(text string, max int) string { return strings.ToValidUTF8(text[:min(len(text), max)], "") }
